import type english from "../../../src/mobility/web/i18n/en.json";

export type Key = keyof typeof english;
type Plural = Key extends infer K ? (K extends `${infer Base}.other` ? Base : never) : never;

let strings: Record<string, string> = {};
let rules = new Intl.PluralRules("en");
let code = "en";

/** Use the strings that came with the page. */
export function useStrings(language: string, catalogue: Record<string, string>): void {
  strings = catalogue;
  rules = new Intl.PluralRules(language);
  code = language;
}

/** The language of the page. */
export const language = (): string => code;

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return fill(strings[key] ?? key, values);
}

/** The string for a number of things. */
export function count(key: Plural, n: number): string {
  const form = rules.select(n) === "one" ? "one" : "other";
  return fill(strings[`${key}.${form}`] ?? key, { n });
}

/** The string of `prefix.name`, or the name itself where the catalogue has none. */
export function among(prefix: string, name: string, otherwise: string = name): string {
  return strings[`${prefix}.${name}`] ?? otherwise;
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  );
}

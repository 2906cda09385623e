// Riders' needs as the search form has them: words of the address, of the question, and to read.
// The server's pages (src/mobility/web/needs_form.py) say the same things in the same words.
import { ApiProblem } from "./api";
import { among, t } from "./i18n";
import { decimalText } from "./labels";

const USUAL_SPEED = "1.2"; // m/s
const SPEEDS = { "0.8": "slow", "": "usual", "1.6": "fast" } as const; // as the server offers them
export const WALK_SPEEDS = ["0.8", "", "1.6"];
const NOT_SET = ["false", "0", "off", "no"]; // how the API reads a need that is not asked for
const WORDS = ["wheelchair", "bike", "min_change", "walk_speed_m_s", "max_walk_m"] as const;
const LISTS = ["modes", "not_modes", "operators", "not_operators"] as const;
const MOST_MINUTES = { min_change: 120, stay: 720 };
export type ListName = (typeof LISTS)[number];

/** A place to pass and the minutes to be there. */
export interface Via {
  place: string;
  stay: string;
}

/** Needs by the API's names; an empty word asks for nothing, stays and the change are minutes. */
export type Needs = Record<(typeof WORDS)[number], string> &
  Record<ListName, string[]> & { vias: Via[] };

export function readNeeds(query: URLSearchParams): Needs {
  const word = (name: string, ...nothing: string[]) => {
    const text = query.get(name)?.trim() ?? "";
    return nothing.includes(text) ? "" : text;
  };
  const words = (name: string) => query.getAll(name).map((text) => text.trim());
  const [places, stays] = [words("via"), words("stay")];
  const rows = Math.max(places.length, stays.length);
  const vias = Array.from({ length: rows }, (_, at) => ({
    place: places[at] ?? "",
    stay: stays[at] === "0" ? "" : (stays[at] ?? ""),
  })).filter(({ place, stay }) => place || stay);
  return {
    wheelchair: word("wheelchair", ...NOT_SET),
    bike: word("bike", ...NOT_SET),
    vias: vias.length > 0 ? vias : [{ place: "", stay: "" }],
    min_change: word("min_change", "0"),
    walk_speed_m_s: word("walk_speed_m_s", USUAL_SPEED),
    max_walk_m: word("max_walk_m"),
    modes: words("modes").filter(Boolean),
    not_modes: words("not_modes").filter(Boolean),
    operators: words("operators").filter(Boolean),
    not_operators: words("not_operators").filter(Boolean),
  };
}

const askedVias = (needs: Needs): Via[] =>
  needs.vias
    .map(({ place, stay }) => ({ place: place.trim(), stay: stay.trim() }))
    .filter(({ place, stay }) => place || stay);

function pairsOf(needs: Needs, minutes: (name: "min_change" | "stay", text: string) => string) {
  const vias = askedVias(needs);
  const stays = vias.some(({ stay }) => stay) ? vias : []; // by place, so that none is missed
  const word = (name: (typeof WORDS)[number]) => {
    const text = needs[name].trim();
    return name === "min_change" && text ? minutes(name, text) : text;
  };
  return [
    ...WORDS.map((name): [string, string] => [name, word(name)]),
    ...vias.map(({ place }): [string, string] => ["via", place]),
    ...stays.map(({ stay }): [string, string] => ["stay", minutes("stay", stay || "0")]),
    ...LISTS.flatMap((name) => needs[name].map((text): [string, string] => [name, text])),
  ].filter(([, text]) => text !== "");
}

/** The members of an address's query. */
export const needsPairs = (needs: Needs): [string, string][] => pairsOf(needs, (_, text) => text);

/** The members of an address that goes on with a journey: places to pass are left behind. */
export const onwardPairs = (needs: Needs): [string, string][] => needsPairs({ ...needs, vias: [] });

/** What is asked for, in the API's words; throws where a word is out of its limits. */
export function needsQuestion(needs: Needs): [string, string][] {
  if (askedVias(needs).some(({ place }) => !place)) {
    throw new ApiProblem("usage", "stay: a place to be at is missing (via)");
  }
  return pairsOf(needs, (name, text) => {
    const most = MOST_MINUTES[name];
    if (/^\d{1,4}$/.test(text) && Number(text) <= most) return `${Number(text)}m`;
    throw new ApiProblem("usage", `${name}: '${text.slice(0, 20)}': expected 0 to ${most} whole minutes`);
  });
}

export function speedText(word: string): string {
  if (!(word in SPEEDS)) return t("needs.speed", { n: word });
  const name = SPEEDS[word as keyof typeof SPEEDS];
  return t(`needs.speed.${name}`, { n: decimalText(Number(word || USUAL_SPEED)) });
}

export function listText(name: ListName, chosen: string[]): string {
  const what = chosen.map((word) => among("vehicle", word)).join(", ");
  return t(name.startsWith("not_") ? "needs.without" : "needs.only", { what });
}

/** In words what is asked for. */
export function needsTexts(needs: Needs): string[] {
  const { wheelchair, bike, min_change, max_walk_m, walk_speed_m_s } = needs;
  return [
    wheelchair && t("needs.told.wheelchair"),
    bike && t("needs.told.bike"),
    ...askedVias(needs).map(({ place, stay }) =>
      t(stay ? "needs.told.via_stay" : "needs.told.via", { place, n: stay }),
    ),
    min_change && t("needs.told.min_change", { n: min_change }),
    max_walk_m && t("needs.told.max_walk_m", { n: max_walk_m }),
    walk_speed_m_s && t("needs.told.walk_speed_m_s", { speed: speedText(walk_speed_m_s) }),
    ...LISTS.map((name) => needs[name].length > 0 && listText(name, needs[name])),
  ].filter((text) => typeof text === "string" && text !== "") as string[];
}

/** What the needs of an answer are: in words, for going on, and whether places are passed. */
export interface NeedsTold {
  texts: string[];
  onward: [string, string][];
  passes: boolean;
}

export const needsTold = (needs: Needs): NeedsTold => ({
  texts: needsTexts(needs),
  onward: onwardPairs(needs),
  passes: askedVias(needs).length > 0,
});

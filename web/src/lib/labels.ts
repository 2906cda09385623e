// What a result page shows of labels, emissions and the risk of missing a connection.
// The server's pages (src/mobility/web/label_view.py) say the same things in the same words.
import type { Answer, Change, Factor, Journey, Label } from "./api";
import { among, language, t } from "./i18n";
import { legLabel, placeName } from "./view";

const TINY_RISK = 0.001;
// What the card of a journey says anyway: its time, changes and price.
const ON_THE_CARD: Partial<Record<Label["kind"], string[]>> = {
  fastest: ["takes"],
  fewest_changes: ["changes", "no_change"],
  cheapest: ["costs"],
};

export interface LabelView {
  title: string;
  text: string;
  warns: boolean;
}
export interface FactorRow {
  name: string;
  distance: string;
  factor: string;
  mass: string;
  source: string;
}

/** The labels that tell a journey from another: title, and its reasons as one text. */
export function labelsOf(labels: Label[], index: number): LabelView[] {
  return labels
    .filter((label) => !label.all_equal)
    .flatMap((label) =>
      label.given
        .filter((given) => given.journey === index)
        .map(({ reasons }) => ({
          title: label.title,
          text: reasons
            .filter((reason) => !ON_THE_CARD[label.kind]?.includes(reason.code))
            .map((reason) => reason.text)
            .join(" · "),
          warns: reasons.some((reason) => reason.code === "unprotected"),
        })),
    );
}

/** What bounds the labels of an answer, each sentence once. */
export const labelNotes = (answer: Answer): string[] => [
  ...new Set(answer.labels.flatMap((label) => label.reasons.map((reason) => reason.text))),
];

function withComma(text: string): string {
  return language() === "en" ? text : text.replace(".", ",");
}

export const decimalText = (value: number): string => withComma(value.toFixed(1));

/** Grams in steps of 10 g, kilograms from one on. */
export function massText(grams: number): string {
  return grams < 1000 ? `${Math.round(grams / 10) * 10} g` : `${decimalText(grams / 1000)} kg`;
}

/** A probability: percent, below ten with one decimal. */
export function riskText(missed: number): string {
  if (missed === 0) return "0 %";
  if (missed < TINY_RISK) return t("risk.tiny");
  const percent = 100 * missed;
  return percent >= 10 ? `${Math.round(percent)} %` : `${decimalText(percent)} %`;
}

export function emissionTotal(journey: Journey): string {
  const { grams, unknown_legs } = journey.emissions;
  if (grams !== null) return t("emissions.of", { mass: massText(grams) });
  const lines = unknown_legs.flatMap((at) => journey.legs[at] ?? []).map(legLabel);
  return t("emissions.unknown", { lines: lines.join(", ") });
}

export function carText(journey: Journey): string {
  const { car } = journey.emissions;
  if (!car) return "";
  const { occupancy } = car.factor;
  const people =
    occupancy === null
      ? t("emissions.car_usual")
      : t("emissions.car_people", { n: withComma(String(occupancy)) });
  return t("emissions.car", { mass: massText(car.grams), people });
}

export function factorRows(journey: Journey): FactorRow[] {
  const { rides, car } = journey.emissions;
  const rows = rides.flatMap(({ leg, parts }) => {
    const ridden = journey.legs[leg];
    const name = ridden ? legLabel(ridden) : "";
    return parts.map((part) => factorRow(`${name} (${part.country ?? "?"})`, part, part.factor));
  });
  return car ? [...rows, factorRow(t("emissions.by_car"), car, car.factor)] : rows;
}

function factorRow(
  name: string,
  measured: { metres: number; grams: number | null },
  factor: Factor | null,
): FactorRow {
  return {
    name,
    distance: `${decimalText(measured.metres / 1000)} km`,
    factor: factor ? decimalText(factor.g_per_pkm) : "?",
    mass: measured.grams === null ? "?" : massText(measured.grams),
    source: factor ? sourceText(factor) : "",
  };
}

function sourceText(factor: Factor): string {
  const counts = among("scope", factor.scope);
  const text = `${factor.source} (${factor.country} ${factor.year}; ${counts})`;
  return factor.checked === "recalled" ? `${text}; ${t("emissions.recalled")}` : text;
}

export function changePlace(journey: Journey, change: Change, stations: Record<string, string>): string {
  const leg = journey.legs[change.after];
  return leg ? placeName(leg.from, stations) : "";
}

export function changeText(change: Change): string {
  const spare = t("risk.spare", { n: Math.floor(change.slack_s / 60) });
  if (change.guaranteed) return `${spare}, ${t("risk.waits")}`;
  if (change.missed === null) return `${spare}, ${t("risk.unknown")}`;
  return `${spare}, ${t("risk.missed", { risk: riskText(change.missed) })}`;
}

/** The published punctuality behind the risks, each once. */
export function riskSources(journey: Journey): string[] {
  const texts = journey.risk.changes.flatMap((change) =>
    ([[change.before, change.arriving], [change.after, change.departing]] as const).flatMap(
      ([at, delay]) => {
        const leg = journey.legs[at];
        if (!leg || !delay) return [];
        const share = riskText(delay.share_within);
        const within = t("risk.within", { line: legLabel(leg), n: delay.within_s / 60, share });
        return [`${within}. ${delay.source}`];
      },
    ),
  );
  return [...new Set(texts)];
}

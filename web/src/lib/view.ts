// What a page shows of a journey document: texts and widths, no rules of its own.
// The server's pages (src/mobility/web/view.py) say the same things in the same words.
import type { Journey, Leg, Money, Realtime, Stop, Ticket } from "./api";
import { among, t } from "./i18n";

const PARTY_COLORS = 8;
const WHOLE_CURRENCIES = new Set(["ISK", "JPY"]);

export interface Part {
  party: string;
  short: string;
  text: string;
  amount: number;
  color: number;
}
export interface Group {
  currency: string;
  parts: Part[];
}
export interface StripPart {
  kind: "ride" | "walk" | "wait";
  minutes: number;
  leg?: Leg;
}

export const clock = (instant: string): string => instant.slice(11, 16);

export function dateText(date: string): string {
  return t("date.numeric", { y: date.slice(0, 4), m: date.slice(5, 7), d: date.slice(8, 10) });
}

export function minutesBetween(first: string, last: string): number {
  return Math.floor((Date.parse(last) - Date.parse(first)) / 60_000);
}

export function daysBetween(first: string, last: string): number {
  return (Date.parse(last.slice(0, 10)) - Date.parse(first.slice(0, 10))) / 86_400_000;
}

export function durationText(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return t("unit.minutes", { n: rest });
  if (rest === 0) return t("unit.whole_hours", { h: hours });
  return t("unit.hours", { h: hours, m: rest });
}

/** An amount for people: whole minor units, no floating point. */
export function amountText(amountMinor: number, currency: string): string {
  const sign = amountMinor < 0 ? "-" : "";
  const digits = String(Math.abs(amountMinor));
  if (WHOLE_CURRENCIES.has(currency)) return `${currency} ${sign}${digits}`;
  const padded = digits.padStart(3, "0");
  return `${currency} ${sign}${padded.slice(0, -2)}.${padded.slice(-2)}`;
}

export const moneyText = (money: Money): string => amountText(money.amount_minor, money.currency);

export const isRide = (leg: Leg): boolean => leg.mode === "transit";

export function legLabel(leg: Leg): string {
  return leg.line || among("vehicle", leg.vehicle || "other");
}

export function legText(leg: Leg): string {
  const minutes = durationText(minutesBetween(leg.departure, leg.arrival));
  return isRide(leg) ? minutes : t("journey.walk", { minutes, metres: leg.walk_m });
}

export function lineColor(color: string | null): string | null {
  return color && /^[0-9A-Fa-f]{6}$/.test(color) ? `#${color}` : null;
}

/** Black or white, whichever reads better on the colour (WCAG 2.2, relative luminance). */
export function lineInk(color: string | null): string | null {
  if (!color || !lineColor(color)) return null;
  const channel = (at: number): number => {
    const c = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4) > 0.179 ? "#000" : "#fff";
}

/** The planned time of day where it is another than the real one. */
export const plannedClock = (planned: string | null, real: string): string =>
  planned && clock(planned) !== clock(real) ? clock(planned) : "";

/** In words how a ride runs; empty where nothing is live. */
export function liveText(leg: Leg): string {
  if (leg.cancelled) return t("live.cancelled");
  if (leg.added) return t("live.added");
  if (!leg.live || leg.planned_departure === null) return "";
  const minutes = minutesBetween(leg.planned_departure, leg.departure);
  if (minutes === 0) return t("live.on_time");
  return t(minutes > 0 ? "live.late" : "live.early", { n: Math.abs(minutes) });
}

export function ageText(seconds: number): string {
  return seconds < 120 ? t("live.age.seconds", { n: seconds }) : durationText(Math.floor(seconds / 60));
}

/** How old the live data of each source are. */
export function sourceTexts(realtime: Realtime | null): string[] {
  const texts = (realtime?.sources ?? []).map(({ feed, age_s, fault }) => {
    if (age_s === null) return t("live.source.none", { feed });
    return t(fault ? "live.source.fault" : "live.source", { feed, age: ageText(age_s) });
  });
  return [...new Set(texts)];
}

/** The address of the page that tells what now of a journey, by its rides and the rider's needs. */
export function nowAddress(journey: Journey, needs: [string, string][]): string {
  const rides = journey.legs
    .filter((leg) => leg.sections.length > 0)
    .map((leg) =>
      leg.sections.map((s) => [s.feed, s.trip_id, s.service_date, s.from_sequence, s.to_sequence]),
    );
  const end = journey.legs.at(-1)?.to;
  if (rides.length === 0 || !end) return "";
  const to = end.station_id ?? end.id ?? `${end.lat},${end.lon}`;
  const lang = document.documentElement.lang;
  const query = [["rides", JSON.stringify(rides)], ["to", to], ...needs, ["lang", lang]];
  return `/what-now?${new URLSearchParams(query)}`;
}

export function lineCountries(leg: Leg): string {
  const countries = leg.sections.map((section) => section.country).filter((c) => c !== null);
  const distinct = [...new Set(countries)];
  return distinct.length > 1 ? distinct.join(" → ") : "";
}

/** The station's name, which riders know, whoever runs the train. */
export const placeName = (place: Stop, stations: Record<string, string>): string =>
  stations[place.station_id ?? ""] ?? place.name;

/** The operator's own name of a place, where it is another. */
export const alsoName = (place: Stop, stations: Record<string, string>): string =>
  place.name === placeName(place, stations) ? "" : place.name;

/** Where the traveller changes between rides, and the minutes there, walks included. */
export function changesOf(
  journey: Journey,
  stations: Record<string, string>,
): { place: string; minutes: number }[] {
  const rides = journey.legs.filter(isRide);
  return rides.slice(1).map((after, index) => ({
    place: placeName(after.from, stations),
    minutes: minutesBetween(rides[index]!.arrival, after.departure),
  }));
}

export function stripOf(journey: Journey): StripPart[] {
  return journey.legs.flatMap((leg, index): StripPart[] => {
    const before = journey.legs[index - 1];
    const ride: StripPart = {
      kind: isRide(leg) ? "ride" : "walk",
      minutes: minutesBetween(leg.departure, leg.arrival),
      leg,
    };
    if (!before) return [ride];
    return [{ kind: "wait", minutes: minutesBetween(before.arrival, leg.departure) }, ride];
  });
}

/** A party's name without the remark in brackets at its end. */
export const shortName = (name: string): string => name.replace(/\s*\([^()]*\)$/, "");

/** Who gets how much of the tickets together, one group per currency, largest first. */
export function sharesByCurrency(tickets: Ticket[], parties: Map<string, string>): Group[] {
  const totals = new Map<string, Map<string, number>>();
  for (const ticket of tickets) {
    const parts = totals.get(ticket.price.currency) ?? new Map<string, number>();
    totals.set(ticket.price.currency, parts);
    for (const share of ticket.shares) {
      parts.set(share.party, (parts.get(share.party) ?? 0) + share.amount_minor);
    }
  }
  const order = [...parties.keys()].sort();
  return [...totals]
    .map(([currency, amounts]) => ({
      currency,
      parts: [...amounts]
        .filter(([, amount]) => amount !== 0)
        .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
        .map(([party, amount]) => ({
          party: parties.get(party) ?? party,
          short: shortName(parties.get(party) ?? party),
          text: amountText(amount, currency),
          amount,
          color: order.includes(party) ? order.indexOf(party) % PARTY_COLORS : PARTY_COLORS - 1,
        })),
    }))
    .filter((group) => group.parts.length > 0);
}

export function validText(ticket: Ticket): string {
  const later = daysBetween(ticket.valid_from, ticket.valid_until);
  const until = clock(ticket.valid_until);
  return t("fare.valid_span", {
    from: clock(ticket.valid_from),
    until: later ? `${until} (${t("journey.next_day", { n: later })})` : until,
  });
}

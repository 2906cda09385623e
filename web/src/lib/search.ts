import type { Answer, Leg, Region } from "./api";

const ASKED_WINDOW = "3h";
const SHOWN_MS = 2 * 3_600_000; // what leaves later only tells which of these are worth leaving for

/** The search as it stands in the address: the same words as in the form without JavaScript. */
export interface Search {
  from: string;
  fromId: string;
  to: string;
  toId: string;
  date: string;
  time: string;
  by: "depart" | "arrive";
  cards: string[];
  passes: string[];
  currency: string;
  lang: string;
}

export function readSearch(address: string, region: Region): Search {
  const query = new URLSearchParams(address);
  const word = (name: string) => query.get(name)?.trim() ?? "";
  return {
    from: word("from"),
    fromId: word("from_id"),
    to: word("to"),
    toId: word("to_id"),
    date: word("date") || region.nearest_date,
    time: word("time") || region.now.slice(11, 16),
    by: word("by") === "arrive" ? "arrive" : "depart",
    cards: query.getAll("card"),
    passes: query.getAll("pass"),
    currency: word("currency"),
    lang: word("lang"),
  };
}

/** The query of an address; empty words are left out. */
export function writeSearch(search: Search): string {
  const pairs: [string, string][] = [
    ["from", search.from],
    ["from_id", search.fromId],
    ["to", search.to],
    ["to_id", search.toId],
    ["date", search.date],
    ["time", search.time],
    ["by", search.by],
    ...search.cards.map((card): [string, string] => ["card", card]),
    ...search.passes.map((pass): [string, string] => ["pass", pass]),
    ["currency", search.currency],
    ["lang", search.lang],
  ];
  return new URLSearchParams(pairs.filter(([, value]) => value !== "")).toString();
}

/** The question to the API; without a window the first journeys after the time. */
export function toQuestion(search: Search, language: string, inWindow: boolean): URLSearchParams {
  const moment = `${search.date}T${search.time}`;
  const question = new URLSearchParams({
    from: search.fromId || search.from,
    to: search.toId || search.to,
    language,
    [search.by]: moment,
  });
  if (search.by === "depart" && inWindow) question.set("window", ASKED_WINDOW);
  for (const card of search.cards) question.append("cards", card);
  for (const pass of search.passes) question.append("passes", pass);
  if (search.currency) question.set("currency", search.currency);
  return question;
}

/**
 * The answer with the journeys that leave within the hours shown. The end of a window has journeys
 * that nobody would take but to leave before it ends; the longer window has told them apart.
 */
export function leavingSoon(answer: Answer): Answer {
  const end = Date.parse(answer.depart ?? "") + SHOWN_MS;
  const soon = answer.journeys.filter((journey) => Date.parse(journey.departure) < end);
  return { ...answer, journeys: soon };
}

/** The search some hours later, on the clock of the wall. */
export function moved(search: Search, hours: number): Search {
  const moment = new Date(`${search.date}T${search.time}:00Z`);
  moment.setUTCHours(moment.getUTCHours() + hours);
  const text = moment.toISOString();
  return { ...search, date: text.slice(0, 10), time: text.slice(11, 16) };
}

export function swapped(search: Search): Search {
  return {
    ...search,
    from: search.to,
    fromId: search.toId,
    to: search.from,
    toId: search.fromId,
  };
}

/** The page of a station's departures from a moment on. */
export function departuresAddress(station: string, moment: string, lang: string): string {
  const [date, time] = [moment.slice(0, 10), moment.slice(11, 16)];
  return `/departures?${new URLSearchParams({ place: station, date, time, lang })}`;
}

/** The page of the whole run that a section is a part of. */
export function tripAddress(section: Leg["sections"][number], lang: string): string {
  const trip = `${section.feed}:${section.trip_id}`;
  return `/trip?${new URLSearchParams({ trip, date: section.service_date, lang })}`;
}

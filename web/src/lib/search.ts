import type { Answer, Leg, Region } from "./api";
import { needsPairs, needsQuestion, readNeeds, type Needs } from "./needs";

const WINDOW = "2h"; // what a page shows, where anything goes within
const WINDOW_S = 7_200;

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
  needs: Needs;
  page: string;
  lang: string;
  edition: string; // answer from this edition, whichever is in use
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
    needs: readNeeds(query),
    page: word("page"),
    lang: word("lang"),
    edition: word("edition"),
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
    ...needsPairs(search.needs),
    ["page", search.page],
    ["lang", search.lang],
    ["edition", search.edition],
  ];
  return new URLSearchParams(pairs.filter(([, value]) => value !== "")).toString();
}

/** The question to the API; throws where a need is out of its limits. */
export function toQuestion(search: Search, language: string): URLSearchParams {
  const moment = `${search.date}T${search.time}`;
  const question = new URLSearchParams({
    from: search.fromId || search.from,
    to: search.toId || search.to,
    language,
    [search.by]: moment,
    window: WINDOW,
  });
  if (search.page) question.set("page", search.page);
  for (const card of search.cards) question.append("cards", card);
  for (const pass of search.passes) question.append("passes", pass);
  if (search.currency) question.set("currency", search.currency);
  for (const [name, word] of needsQuestion(search.needs)) question.append(name, word);
  if (search.edition) question.set("edition", search.edition);
  return question;
}

/** Whether nothing leaves soon, so that the answer had to reach further. */
export function reachesFurther(search: Search, answer: Answer): boolean {
  const grown = (answer.window_s ?? 0) > WINDOW_S && answer.journeys.length > 0;
  return grown && search.by === "depart" && !search.page;
}

export function swapped(search: Search): Search {
  return {
    ...search,
    from: search.to,
    fromId: search.toId,
    to: search.from,
    toId: search.fromId,
    needs: { ...search.needs, vias: [...search.needs.vias].reverse() },
    page: "",
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

import type { components } from "../api/schema";

type Schemas = components["schemas"];
export type Journey = Schemas["JourneyDocument"];
export type Stop = Schemas["PlaceDocument"];
export type Leg = Schemas["LegDocument"];
export type Ticket = Schemas["TicketDocument"];
export type Fare = Schemas["FareDocument"];
export type Money = Schemas["MoneyDocument"];
export type Label = Schemas["LabelDocument"];
export type Change = Schemas["ChangeDocument"];
export type Factor = Schemas["FactorDocument"];
export type Answer = Schemas["JourneysDocument"];
export type Call = Schemas["CallDocument"];
export type Realtime = Schemas["RealtimeDocument"];
export type Region = Schemas["RegionDocument"];
export type Place = Schemas["PlaceMatchDocument"];
export type Problem = Schemas["ProblemDocument"];

/** A problem document as an exception; `kind` is the last part of its type. */
export class ApiProblem extends Error {
  readonly kind: string;
  readonly traceId: string;

  constructor(kind: string, detail: string, traceId = "") {
    super(detail);
    this.kind = kind;
    this.traceId = traceId;
  }
}

async function get<Document>(address: string, signal?: AbortSignal): Promise<Document> {
  let response: Response;
  try {
    response = await fetch(address, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiProblem("network", "");
  }
  if (response.ok) return (await response.json()) as Document;
  const problem = (await response.json().catch(() => null)) as Problem | null;
  const kind = problem?.type.split(":").pop() ?? "other";
  throw new ApiProblem(kind, problem?.detail ?? response.statusText, problem?.trace_id);
}

export function findJourneys(question: URLSearchParams, signal?: AbortSignal): Promise<Answer> {
  return get<Answer>(`/api/v1/journeys?${question}`, signal);
}

export async function findPlaces(text: string, limit = 8, signal?: AbortSignal): Promise<Place[]> {
  const query = new URLSearchParams({ text, limit: String(limit) });
  const answer = await get<Schemas["PlacesDocument"]>(`/api/v1/places?${query}`, signal);
  return answer.places;
}

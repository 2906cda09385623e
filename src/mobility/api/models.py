"""The documents of the API as types: what the answers of `mobility.journey` look like in JSON.

They describe (OpenAPI, client types, tests); answers are serialised from the values themselves.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Instant = Annotated[
    str,
    Field(
        description="RFC 3339 in the zone of the place.",
        json_schema_extra={"format": "date-time"},
        examples=["2027-05-04T07:30:00+02:00"],
    ),
]
Day = Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["2027-05-04"])]
Versions = Annotated[
    dict[str, str | None], Field(description="Content hashes of what the answer was made from.")
]


class Document(BaseModel):
    """A document with these members and no others."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class MoneyDocument(Document):
    """An amount in whole minor units of one currency (ISO 4217)."""

    amount_minor: int
    currency: str


class PlaceDocument(Document):
    """P: a stop, or a position (then without ids)."""

    id: str | None
    station_id: str | None
    name: str
    lat: float
    lon: float
    tz: str
    platform: str | None


class CallDocument(PlaceDocument):
    """A stop of a train with its times."""

    arrival: Instant
    departure: Instant
    planned_arrival: Instant | None = Field(description="Null where no timetable knows the call.")
    planned_departure: Instant | None
    border_point: bool
    live: bool = Field(description="The times follow from what the operator says of this day.")
    skipped: bool = Field(description="The train does not stop here.")
    moved: bool = Field(description="It stops at another platform or stop than planned.")
    planned_platform: str | None


class SectionDocument(Document):
    """S: the part of a train that one feed's trip carries."""

    feed: str
    agency_id: str
    trip_id: str
    service_date: Day
    from_sequence: int
    to_sequence: int
    country: str | None
    from_call: int = Field(description="Which of the leg's stops the section begins at, from 0.")
    stay_seated: bool = Field(
        description="The vehicle goes on as this trip after the section before; nobody changes."
    )


class VehicleDocument(Document):
    """Where a vehicle is, in degrees."""

    lat: float
    lon: float
    bearing: float | None
    at: Instant | None


class LegDocument(Document):
    """L: one ride or one walk."""

    mode: Literal["transit", "walk", "bike", "car", "on_demand"]
    from_: PlaceDocument = Field(alias="from")
    to: PlaceDocument
    departure: Instant
    arrival: Instant
    planned_departure: Instant | None = Field(
        description="Null where no timetable knows the train."
    )
    planned_arrival: Instant | None
    live: bool = Field(description="The operator says how the train runs on this day.")
    cancelled: bool
    added: bool = Field(description="No timetable knows the train.")
    position: VehicleDocument | None = Field(description="Where the vehicle is.")
    line: str | None
    headsign: str | None
    color: str | None = Field(description="RRGGBB")
    vehicle: str | None
    walk_m: int
    headway_s: int | None = Field(
        description="Where only a vehicle every so many seconds is promised, not these times."
    )
    sections: list[SectionDocument]
    stops: list[CallDocument]


class ShareDocument(Document):
    """What one party gets of a ticket's price, in the currency of the price."""

    party: str
    role: str
    amount_minor: int


class TicketDocument(Document):
    """T: one ticket; its shares, where published, sum exactly to its price."""

    product: str
    name: str
    seller: str
    channel: str
    legs: list[int] = Field(description="Indices of the legs that the ticket covers.")
    price: MoneyDocument
    valid_from: Instant
    valid_until: Instant
    protects: str
    shares: list[ShareDocument]
    why: list[str]


class FareDocument(Document):
    """What a journey costs; a fare that nobody published is unknown, never 0."""

    status: Literal["known", "partly", "unknown"]
    tickets: list[TicketDocument]
    totals: list[MoneyDocument]
    unknown_legs: list[int]


class FactorDocument(Document):
    """Grams of CO2 equivalents per passenger-kilometre, as published."""

    country: str
    vehicle: str
    agency: str | None
    traction: str | None
    year: int
    g_per_pkm: float
    scope: Literal["tank_to_wheel", "well_to_wheel", "with_vehicle", "with_infrastructure"]
    occupancy: float | None
    checked: Literal["read", "recalled"] = Field(
        description="Whether the source was read for the table or its figure is from memory."
    )
    source: str


class EmissionPartDocument(Document):
    """What a ride emits in one country; null where no factor is published."""

    country: str | None
    metres: int
    grams: int | None
    factor: FactorDocument | None


class RideEmissionsDocument(Document):
    """What a ride emits, by country."""

    leg: int
    parts: list[EmissionPartDocument]


class CarTripDocument(Document):
    """The same trip by car, for one person in a car of usual occupancy."""

    metres: int
    grams: int
    factor: FactorDocument


class EmissionsDocument(Document):
    """What a journey emits per rider; a ride without a factor is unknown, never 0."""

    grams: int | None
    unknown_legs: list[int]
    scopes: list[str] = Field(description="What the factors used count.")
    rides: list[RideEmissionsDocument]
    car: CarTripDocument | None


class DelayDocument(Document):
    """Punctuality as published, and the delays made of it."""

    country: str
    vehicle: str
    agency: str | None
    year: int
    within_s: int
    share_within: float
    late: float = Field(description="Share of vehicles that are late at all.")
    mean_s: int = Field(description="Mean delay of those.")
    checked: Literal["read", "recalled"]
    source: str


class ChangeDocument(Document):
    """A change between two rides and the probability that it is missed; null: not known."""

    before: int
    after: int
    slack_s: int = Field(description="Seconds that remain after walking or changing.")
    guaranteed: bool
    missed: float | None
    arriving: DelayDocument | None
    departing: DelayDocument | None


class RiskDocument(Document):
    """The probability that one of a journey's changes is missed; null: not known."""

    missed: float | None
    changes: list[ChangeDocument]


class JourneyDocument(Document):
    """J: one way to travel; the fare is null without a tariff, or where it was not priced."""

    departure: Instant
    arrival: Instant
    transfers: int
    walk_m: int
    legs: list[LegDocument]
    fare: FareDocument | None
    emissions: EmissionsDocument
    risk: RiskDocument
    alerts: list[str] = Field(description="Ids of the answer's alerts that it meets.")


class ReasonDocument(Document):
    """A reason as a code with its figures, and as a sentence in the language asked for."""

    code: str
    figures: dict[str, Any]
    text: str


class GivenDocument(Document):
    """The journey that a label is given to, by its place in the answer, and why."""

    journey: int
    reasons: list[ReasonDocument]


class LabelDocument(Document):
    """One label; given to all journeys that tie, to none where nobody can tell."""

    kind: Literal[
        "fastest",
        "fewest_changes",
        "least_walking",
        "cheapest",
        "cheapest_protected",
        "fewest_emissions",
        "most_robust",
    ]
    title: str
    approximate: bool = Field(description="Prices in different currencies were ranked at rates.")
    all_equal: bool = Field(description="All journeys tie: nothing to choose by.")
    given: list[GivenDocument]
    reasons: list[ReasonDocument]


class NoticeDocument(Document):
    """Something that the reader of an answer should know."""

    code: str
    severity: Literal["error", "warning", "info"]
    feed: str
    message: str


class LiveSourceDocument(Document):
    """How a source of live messages stands."""

    feed: str
    made: Instant | None
    age_s: int | None
    fault: str | None = Field(description="Why it cannot be read now; what it said last stands.")
    counts: dict[str, int]


class RealtimeDocument(Document):
    """The version of the running day that an answer was found in."""

    version: str
    polled: Instant
    sources: list[LiveSourceDocument]


class PeriodDocument(Document):
    """A span of time; null leaves an end open."""

    from_: Instant | None = Field(alias="from")
    until: Instant | None


class AlertDocument(Document):
    """An operator's message to travellers, in the language asked for where there is one."""

    id: str
    feed: str
    header: str
    description: str | None
    url: str | None
    language: str | None
    cause: str | None
    effect: str | None
    severity: str | None
    periods: list[PeriodDocument]


class AlertsDocument(Document):
    """The alerts that hold now or later."""

    versions: Versions
    realtime: RealtimeDocument | None
    alerts: list[AlertDocument]


class JourneysDocument(Document):
    """The journeys of one question."""

    versions: Versions
    journeys: list[JourneyDocument]
    labels: list[LabelDocument] = Field(
        description="Values beside the journeys, whose set and order they do not change."
    )
    realtime: RealtimeDocument | None = Field(description="Null where nothing is live.")
    alerts: list[AlertDocument]
    notices: list[NoticeDocument]
    stations: Annotated[
        dict[str, str],
        Field(
            description="Names of the stations touched, by id; places have the operators' names."
        ),
    ]
    from_: PlaceDocument = Field(alias="from")
    to: PlaceDocument
    depart: Instant | None
    arrive: Instant | None
    window_s: int | None
    previous: str = Field(description="The `page` before.")
    next: str = Field(
        description="The `page` after; it tells nothing that the answer tells, and leaves out "
        "nothing that is worth leaving for."
    )


class WayDocument(Document):
    """A way to go on; from a stop, or staying on the train until a call."""

    stay_until: CallDocument | None
    arrival: Instant
    journey: JourneyDocument | None = Field(description="Null where that call is the destination.")


class TicketHoldDocument(Document):
    """Whether a ticket of the journey's fare still holds."""

    ticket: int = Field(description="Index in the fare's tickets.")
    inside: bool = Field(description="The broken connection lies inside this ticket.")
    in_time: bool = Field(description="It is valid when the first way to go on arrives.")
    protects: str


class WhatNowDocument(Document):
    """How a journey stands, and how to go on where it has broken."""

    versions: Versions
    realtime: RealtimeDocument | None
    state: Literal["holds", "broken", "arrived"]
    reason: Literal["missed", "cancelled", "not_boarding", "not_alighting", "not_accessible"] | None
    broken_leg: int | None = Field(description="Index of the leg that cannot be taken.")
    on_board: int | None = Field(description="Index of the leg that the rider is on.")
    at: PlaceDocument | None = Field(description="Where the rider is, or alights next.")
    now: Instant
    journey: JourneyDocument
    ways: list[WayDocument]
    tickets: list[TicketHoldDocument]
    alerts: list[AlertDocument]
    stations: dict[str, str]


class PlaceMatchDocument(Document):
    """A place that a text may mean, best first."""

    id: str
    name: str
    kind: Literal["station", "stop", "position"]
    lat: float
    lon: float
    tz: str
    countries: list[str]
    score: float


class PlacesDocument(Document):
    """Places that a text may mean."""

    versions: Versions
    places: list[PlaceMatchDocument]


class StationDocument(Document):
    """One station with the operators' stops that form it."""

    versions: Versions
    id: str
    name: str
    lat: float
    lon: float
    tz: str
    stops: list[PlaceDocument]


class PricedJourney(Document):
    """The fare of one journey, named by its rides."""

    departure: Instant
    arrival: Instant
    sections: list[SectionDocument]
    fare: FareDocument | None


class FaresDocument(Document):
    """Fares of the journeys asked for."""

    versions: Versions
    fares: list[PricedJourney]


class FeedDocument(Document):
    """One operator's feed and the days it covers."""

    id: str
    version: str
    country: str | None
    valid_from: Day
    valid_until: Day
    attribution: str | None
    licence: str | None


class PartyDocument(Document):
    """A party of the tariff."""

    id: str
    name: str


class ChoiceDocument(Document):
    """A card or pass that a rider may hold."""

    id: str
    name: str


class RegionDocument(Document):
    """What is served: its name, validity, languages, feeds and choices."""

    versions: Versions
    id: str
    name: str
    tz: str
    languages: list[str]
    notice: dict[str, str] = Field(description="Shown wherever the timetable is shown.")
    valid_from: Day
    valid_until: Day
    now: Instant
    nearest_date: Day = Field(description="The day nearest to now on which a feed is valid.")
    nearest_is_today: bool
    feeds: list[FeedDocument]
    coverage: dict[str, list[list[Day]]] = Field(
        description="Per feed, runs of covered days: first and last."
    )
    cards: list[ChoiceDocument]
    passes: list[ChoiceDocument]
    currencies: list[str]
    modes: list[str] = Field(description="Kinds of vehicle of its lines, as needs name them.")
    parties: list[PartyDocument]
    bounds: list[float] = Field(description="West, south, east, north.")


class HealthDocument(Document):
    """Whether answers can be given, and from what."""

    status: Literal["ok", "starting"]
    versions: Versions
    valid_from: Day | None
    valid_until: Day | None


class LiveDocument(Document):
    """The process lives."""

    status: Literal["ok", "starting"]


class ConnectionDocument(Document):
    """A change between two trains; slack is what remains after walking."""

    station: str
    from_line: str
    to_line: str
    from_trip: str
    to_trip: str
    arrival: Instant
    departure: Instant
    slack_s: int
    other_slack_s: int | None = Field(
        description="What the other timetable leaves; null where one of the trains does not run."
    )


class JourneyTimes(Document):
    """A journey by its times and transfers."""

    departure: Instant
    arrival: Instant
    transfers: int


class DifferenceDocument(Document):
    """What changes for one question: after minus before."""

    from_: str = Field(alias="from")
    to: str
    departure: Instant
    window_s: int
    weight: int
    journeys_before: int
    journeys_after: int
    arrival_change_s: int | None
    duration_change_s: int | None
    transfers_change: int | None
    lost: list[JourneyTimes]
    new: list[JourneyTimes]
    connections_broken: list[ConnectionDocument]
    connections_new: list[ConnectionDocument]


class ComparisonDocument(Document):
    """What a scenario changes for the questions asked."""

    versions: Versions
    scenario: dict[str, Any]
    notices: list[NoticeDocument]
    summary: dict[str, int]
    questions: list[DifferenceDocument]


class GeoFeature(BaseModel):
    """A GeoJSON feature."""

    type: Literal["Feature"]
    id: int | str | None = None
    geometry: dict[str, Any]
    properties: dict[str, Any]


class GeoDocument(BaseModel):
    """A GeoJSON feature collection with its versions."""

    type: Literal["FeatureCollection"]
    versions: Versions
    features: list[GeoFeature]


class FieldProblem(Document):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemDocument(Document):
    """A failure (RFC 9457)."""

    type: str = Field(examples=["urn:mobility:problem:unknown-place"])
    title: str
    status: int
    detail: str
    trace_id: str
    errors: list[FieldProblem] | None = None

"""The documents on the timetable and on what can be reached, as types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mobility.api.models import (
    Day,
    Document,
    Instant,
    LegDocument,
    NoticeDocument,
    PlaceDocument,
    SectionDocument,
    Versions,
)

StationNames = Annotated[
    dict[str, str], Field(description="Names of the stations by id; places have the operators'.")
]


class OperatorDocument(Document):
    """Who carries a part of a train."""

    feed: str
    agency_id: str
    name: str


class BoardEntryDocument(Document):
    """A train at a place; it stands here once, whatever feeds carry it."""

    place: PlaceDocument
    arrival: Instant | None = Field(description="Null where the train begins.")
    departure: Instant | None = Field(description="Null where the train ends.")
    from_: PlaceDocument = Field(alias="from")
    to: PlaceDocument
    line: str | None
    headsign: str | None
    color: str | None = Field(description="RRGGBB")
    vehicle: str | None
    operators: list[OperatorDocument]
    sections: list[SectionDocument]
    section: int = Field(description="Which of the sections carries it on from here (to here).")


class BoardDocument(Document):
    """Departures or arrivals of a stop or station, in order of time."""

    versions: Versions
    place: PlaceDocument
    kind: Literal["departures", "arrivals"]
    time: Instant
    until: Instant
    next: Instant | None = Field(
        description="Ask on from here where there were too many: nothing is repeated or skipped."
    )
    entries: list[BoardEntryDocument]
    stations: StationNames
    notices: list[NoticeDocument]


class SignDocument(Document):
    """What a feed calls the train on its section, from one call of the run to another."""

    line: str | None
    headsign: str | None
    color: str | None
    from_call: int
    to_call: int


class RunDocument(Document):
    """A train on one day from end to end, with the sections of all feeds that carry it."""

    run: LegDocument
    operators: list[OperatorDocument]
    signs: list[SignDocument] = Field(description="One per section.")
    also_listed: list[SectionDocument] = Field(
        description="Trips of other feeds that list this run too."
    )


class TripRunsDocument(Document):
    """The runs that carry a trip on its service date; nearly always one."""

    versions: Versions
    trip: str
    service_date: Day
    runs: list[RunDocument]
    stations: StationNames


class ReachHeadDocument(Document):
    """From where (to where, with arrive) and when."""

    versions: Versions
    place: PlaceDocument
    depart: Instant | None
    arrive: Instant | None
    horizon_s: int
    notices: list[NoticeDocument]


class ReachedDocument(Document):
    """A station in reach."""

    station_id: str
    name: str
    lat: float
    lon: float
    travel_s: int


class OneToAllDocument(ReachHeadDocument):
    """The stations in reach, the nearest in time first."""

    reached: int = Field(description="How many are in reach; more than listed where limited.")
    stations: list[ReachedDocument]


class MultiPolygonDocument(Document):
    """GeoJSON; rings as RFC 7946 has them."""

    type: Literal["MultiPolygon"]
    coordinates: list[list[list[Annotated[list[float], Field(min_length=2, max_length=2)]]]]


class IsochroneProperties(Document):
    """What an area is: within how many minutes, and how many stations lie in it."""

    minutes: int
    stations: int


class IsochroneFeature(Document):
    """The area within one cut-off."""

    type: Literal["Feature"]
    id: int
    geometry: MultiPolygonDocument
    properties: IsochroneProperties


class IsochroneDocument(ReachHeadDocument):
    """Areas in reach as a GeoJSON feature collection, the largest first."""

    type: Literal["FeatureCollection"]
    features: list[IsochroneFeature]


class MatrixTable(Document):
    """Seconds by origin and destination; null where the horizon does not suffice."""

    percentile: int | None
    travel_s: list[list[int | None]]


class MatrixDocument(Document):
    """Travel times from many origins to many destinations."""

    versions: Versions
    depart: Instant
    departures: int = Field(description="How many departures of the window were looked at.")
    origins: list[PlaceDocument]
    destinations: list[PlaceDocument]
    tables: list[MatrixTable]
    notices: list[NoticeDocument]

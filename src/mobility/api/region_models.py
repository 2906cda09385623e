"""The documents on a region's data: how feeds stand, what was found, what was joined."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mobility.api.models import Day, Document, Instant, Versions

Severity = Literal["error", "warning", "info"]
Clock = Annotated[str, Field(description="Local time HH:MM; empty where there is none.")]


class RowCountsDocument(Document):
    """Rows of a table: read = kept + dropped."""

    read: int
    kept: int
    repaired: int
    dropped: int


class SeverityCounts(Document):
    """How many rows notices of each severity stand for."""

    error: int
    warning: int
    info: int


class AlarmDocument(Document):
    """Something that a person should see to, and what to do."""

    code: str
    severity: Severity
    feed: str
    values: dict[str, str]
    message: str
    advice: str


class FeedVersionDocument(Document):
    """One version of a feed that came in."""

    version: str
    fetched_at: Instant
    valid_from: Day
    valid_until: Day
    here: bool = Field(description="This edition was built from it.")
    waiting: bool = Field(description="The guard refused it and nobody has let it in.")


class ActivationDocument(Document):
    """What became of a version, and when."""

    action: Literal["activate", "rollback", "refuse"]
    version: str
    at: Instant
    reasons: list[str]
    despite: str


class FeedStateDocument(Document):
    """One feed as the edition was built from it, with its versions where there is a home."""

    id: str
    name: str
    country: str | None
    zone: str
    version: str
    valid_from: Day
    valid_until: Day
    precedence: int
    licence: str
    licence_url: str
    attribution: str
    tier: Literal["public", "partners", "planning", "totals"]
    tiers: dict[str, str]
    counts: RowCountsDocument
    tables: dict[str, RowCountsDocument]
    notices: SeverityCounts
    versions: list[FeedVersionDocument]
    history: list[ActivationDocument]


class SkippedFeedDocument(Document):
    """A feed of the manifest that is left out."""

    id: str
    reason: str


class RegionStatusDocument(Document):
    """How a region's data stand today."""

    versions: Versions
    id: str
    name: str
    today: Day
    alarms: list[AlarmDocument]
    feeds: list[FeedStateDocument]
    skipped: list[SkippedFeedDocument]
    stations: int
    trains: dict[str, int]
    notices: SeverityCounts
    border_checks: list[dict[str, Any]]
    boarding_bans: list[dict[str, Any]]
    hand_overs: int
    decisions: int
    to_review: dict[str, int]


class FeedDaysDocument(Document):
    """Trips of a feed per day."""

    id: str
    valid_from: Day
    valid_until: Day
    known: bool = Field(description="Whether the edition has the feed's trips, not totals alone.")
    most: int = Field(description="On its busiest day, within or without the span.")
    trips: list[int]


class CoverageDocument(Document):
    """Trips per day of all feeds, from a first day on."""

    versions: Versions
    today: Day
    first: Day
    days: int
    known_from: Day
    known_until: Day
    feeds: list[FeedDaysDocument]


class CodeDocument(Document):
    """One kind of finding: how many rows, in which feeds."""

    code: str
    severity: Severity
    count: int
    feeds: list[str]


class FindingDocument(Document):
    """One finding: where, what, and an example."""

    code: str
    severity: Severity
    feed: str
    file: str
    row: int
    field: str
    value: str
    message: str
    count: int
    rows_shown: bool = Field(description="Whether the feed's rows are open to all.")


class NoticesDocument(Document):
    """Findings of the build."""

    versions: Versions
    total: int
    codes: list[CodeDocument]
    notices: list[FindingDocument]


class PairCountsDocument(Document):
    """What was judged between two feeds, per kind."""

    left_feed: str
    right_feed: str
    kind: str
    joined: int
    apart: int
    review: int


class StopSideDocument(Document):
    """One side of a judged pair of stations."""

    reference: str
    name: str
    station_id: str | None


class TripSideDocument(Document):
    """One side of a judged pair of trains."""

    reference: str
    line: str
    number: str
    from_: str = Field(alias="from")
    to: str
    departure: Clock
    arrival: Clock


class _MatchDocument(Document):
    kind: str
    days: int | None
    decision: str
    confidence: float
    joined: bool
    review: bool = Field(description="A person should decide.")
    evidence: dict[str, Any]


class StationMatchDocument(_MatchDocument):
    """Two stops of different feeds that may be one station."""

    left: StopSideDocument
    right: StopSideDocument


class TrainMatchDocument(_MatchDocument):
    """Two trips that may be one train."""

    left: TripSideDocument
    right: TripSideDocument


class _MatchesDocument(Document):
    versions: Versions
    kind: str
    pairs: list[PairCountsDocument]
    to_review: int
    total: int
    hidden: int = Field(description="Pairs with a feed whose rows are not open to all.")


class StationMatchesDocument(_MatchesDocument):
    """Judged pairs of stations."""

    matches: list[StationMatchDocument]


class TrainMatchesDocument(_MatchesDocument):
    """Judged pairs of trains."""

    matches: list[TrainMatchDocument]


class MemberDocument(Document):
    """A stop of a feed that belongs to a station."""

    reference: str
    feed: str
    name: str
    code: str | None
    platform: str | None
    part: bool = Field(description="A platform, entrance or area of another stop.")
    lat: float | None
    lon: float | None
    distance_m: int | None = Field(description="From the station's position.")


class OtherStopDocument(Document):
    """A stop outside the station that was compared with one inside."""

    reference: str
    name: str
    lat: float | None
    lon: float | None


class RegionStationDocument(Document):
    """A station: which stops form it, on what evidence."""

    versions: Versions
    id: str
    name: str
    lat: float | None
    lon: float | None
    tz: str
    members: list[MemberDocument]
    hidden: int
    matches: list[StationMatchDocument]
    others: list[OtherStopDocument]


class ListedCallDocument(Document):
    """A call of a trip, local times of its first day."""

    station_id: str
    station: str
    stop: str
    name: str
    arrival: Clock
    departure: Clock
    platform: str
    border_point: bool


class TripDocument(Document):
    """A trip as its feed lists it; times are those of the joined train."""

    trip: str
    feed: str
    agency: str
    line: str
    number: str
    headsign: str
    from_: str = Field(alias="from")
    to: str
    departure: Clock
    arrival: Clock
    calls: list[ListedCallDocument]


class TrainDaysDocument(Document):
    """The days on which a train that carries the trip runs."""

    kind: str
    days: int
    first: Day | None
    last: Day | None
    weekdays: list[str]


class TrainSectionDocument(Document):
    """A part of a train and the trip that carries it (or lists it too: alias)."""

    trip: str
    feed: str
    agency: str
    country: str | None
    number: str
    alias: bool
    from_position: int
    to_position: int
    from_: str = Field(alias="from")
    to: str


class RegionTrainDocument(Document):
    """A train: its timetable, who carries which section, what it was compared with."""

    versions: Versions
    trip: TripDocument
    other: TripDocument | None
    match: TrainMatchDocument | None
    matches: list[TrainMatchDocument]
    variants: list[TrainDaysDocument]
    calls: list[ListedCallDocument]
    sections: list[TrainSectionDocument]

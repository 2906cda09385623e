"""What a region's staff state: the values of ``region.toml`` and ``decisions.csv``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from mobility.core.errors import FeedError, TimeError
from mobility.core.ids import FEED_ID, split_reference
from mobility.core.time import find_zone
from mobility.schema import TABLES

DEFAULT_PRECEDENCE = 100
CHECK_MINUTES_MAX = 240

# Who may see the rows: anybody; the region's operators; nobody, though answers use them; nobody,
# and answers do not use them either: only totals appear.
Tier = Literal["public", "partners", "planning", "totals"]


def _check_zone(name: str) -> str:
    try:
        find_zone(name)
    except TimeError as error:
        raise ValueError(str(error)) from None
    return name


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression ({error})") from None
    return pattern


Id = Annotated[str, StringConstraints(pattern=f"^{FEED_ID.pattern}$", max_length=64)]
Zone = Annotated[str, AfterValidator(_check_zone)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
Pattern = Annotated[str, StringConstraints(max_length=500), AfterValidator(_check_pattern)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainNumberRule(_Model):
    """Where a feed says the train number: a column of trips, and the pattern's first group."""

    column: str
    pattern: Pattern

    @field_validator("pattern")
    @classmethod
    def _has_group(cls, pattern: str) -> str:
        if not re.compile(pattern).groups:
            raise ValueError(f"{pattern!r} has no group (...) for the number")
        return pattern


class DropAgency(_Model):
    """An agency whose trips are left out of one feed because its own feed is preferred.

    ``agency`` is its id or its exact name.
    """

    agency: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class FeedConfig(_Model):
    """One feed of a region.

    Either ``path``, resolved against the manifest's folder (``bundle.zip#inner/feed.zip`` names a
    feed inside), or ``url``, which `mobility feeds fetch` brings into the home. A lower
    ``precedence`` wins. A feed with a ``skip`` (the reason) is left out. ``tiers`` say of single
    tables what ``tier`` says of the feed. ``realtime`` names files or urls of live messages, with
    ``${NAME}`` for what the environment knows (keys); ``FORMAT+`` before it where it is not GTFS
    Realtime.
    """

    id: Id
    path: Path | None = None
    url: Annotated[str, StringConstraints(pattern="^https?://[^\\s]+$", max_length=2000)] = ""
    format: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_-]*$")] = "gtfs"
    skip: str = ""
    country: Country | None = None
    precedence: int = Field(default=DEFAULT_PRECEDENCE, ge=0, le=1_000_000)
    licence: str = ""
    licence_url: str = ""
    attribution: str = ""
    tier: Tier = "public"
    tiers: dict[str, Tier] = {}
    train_number: TrainNumberRule | None = None
    border_point: Pattern | None = None
    default_timezone: Zone | None = None
    drop_agencies: tuple[DropAgency, ...] = ()
    realtime: tuple[Annotated[str, StringConstraints(min_length=1, max_length=2000)], ...] = ()

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> FeedConfig:
        if (self.path is None) == (not self.url):
            raise ValueError("a feed has either path or url")
        return self

    def source(self) -> Path:
        """Return where the feed's bytes are.

        Raises
        ------
        FeedError
            The feed has a url and nothing of it has been fetched.
        """
        if self.path is None:
            raise FeedError(f"feed {self.id}: nothing fetched yet; run mobility feeds fetch")
        return self.path

    @field_validator("tiers")
    @classmethod
    def _tables_exist(cls, tiers: dict[str, Tier]) -> dict[str, Tier]:
        unknown = sorted(set(tiers) - set(TABLES))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no GTFS table")
        return tiers


class HandOver(_Model):
    """Two train numbers that are one train, and where they meet.

    ``left`` and ``right`` are ``feed:number``, ``station`` is ``feed:stop_id``.
    """

    left: str
    right: str
    station: str


class _Dated(_Model):
    """A statement that holds on some dates, both inclusive; None leaves that end open."""

    from_date: dt.date | None = Field(default=None, alias="from")
    until_date: dt.date | None = Field(default=None, alias="until")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> _Dated:
        if self.from_date and self.until_date and self.until_date < self.from_date:
            raise ValueError(f"until {self.until_date} lies before from {self.from_date}")
        return self


class BorderCheck(_Dated):
    """A check of travellers at a place, in one direction or (no countries) in both.

    ``place`` is ``feed:stop_id``. Changing there from a train out of ``from_country`` to one into
    ``to_country`` takes at least ``minutes``; with ``change_of_vehicle`` nobody stays on the train.
    ``documents`` says by language what to carry.
    """

    place: str
    from_country: Country | None = None
    to_country: Country | None = None
    minutes: int = Field(default=0, ge=0, le=CHECK_MINUTES_MAX)
    change_of_vehicle: bool = False
    documents: dict[str, str] = {}


class BoardingBan(_Dated):
    """A section on which some trains of a feed carry nobody locally.

    Nobody may both board and alight among ``stops`` (``feed:stop_id``) or inside ``country`` on
    trains of the ``agencies`` or ``routes`` (ids; both empty: of the whole feed).
    """

    feed: Id
    agencies: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    country: Country | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _names_one_section(self) -> BoardingBan:
        if bool(self.stops) == (self.country is not None):
            raise ValueError("a boarding ban names its section either by stops or by country")
        return self


class StationStatement(_Model):
    """What a merged station is called and in which zone its times are told.

    ``member`` is any ``feed:stop_id`` of the station.
    """

    member: str
    name: str | None = None
    tz: Zone | None = None


class Decision(_Model):
    """What people decided of a candidate: two references are the same station or train, or not.

    ``left_is`` and ``right_is`` say in words what the references meant when it was decided, so
    that it is found again where a feed's ids have been made anew.
    """

    kind: Literal["station", "train"]
    left: str
    right: str
    decision: Literal["same", "different"]
    reason: str = ""
    left_is: str = ""
    right_is: str = ""


class Manifest(_Model):
    """A region: its feeds and what people know about them.

    ``open_questions`` is how many comments of the file ask something that nobody has answered.
    """

    format: Literal[1]
    id: Id
    name: str
    timezone: Zone | None = None
    languages: tuple[str, ...] = ()
    notice: dict[str, str] = {}
    feeds: tuple[FeedConfig, ...] = Field(min_length=1)
    hand_overs: tuple[HandOver, ...] = ()
    border_checks: tuple[BorderCheck, ...] = ()
    boarding_bans: tuple[BoardingBan, ...] = ()
    stations: tuple[StationStatement, ...] = ()
    decisions: tuple[Decision, ...] = ()
    open_questions: int = 0
    folder: Path

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Manifest:
        ids = [feed.id for feed in self.feeds]
        doubled = sorted({one for one in ids if ids.count(one) > 1})
        if doubled:
            raise ValueError(f"two feeds have the id {doubled[0]!r}; ids must differ")
        if not self.used:
            raise ValueError("every feed has a skip; a region needs at least one")
        for ban in self.boarding_bans:
            if ban.feed not in ids:
                raise ValueError(f"boarding_bans: {ban.feed!r} is no feed of this manifest")
        for field, reference in self._references():
            if split_reference(reference, ids)[0] is None:
                raise ValueError(f"{field}: {reference!r} names no feed of this manifest")
        return self

    def _references(self) -> Iterator[tuple[str, str]]:
        for pair in self.hand_overs:
            yield from (("hand_overs", one) for one in (pair.left, pair.right, pair.station))
        yield from (("border_checks", check.place) for check in self.border_checks)
        yield from (("boarding_bans", one) for ban in self.boarding_bans for one in ban.stops)
        yield from (("stations", station.member) for station in self.stations)

    @property
    def used(self) -> tuple[FeedConfig, ...]:
        """The feeds that are not skipped."""
        return tuple(feed for feed in self.feeds if not feed.skip)

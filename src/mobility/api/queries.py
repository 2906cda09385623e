"""The questions that the API takes: their words, their bounds, how lists are written."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mobility.api.limits import MAX_TEXT, MAX_WINDOW_S
from mobility.core.errors import MobilityError
from mobility.core.time import parse_duration_s

MAX_TRANSFERS = 14
DEFAULT_TRANSFERS = MAX_TRANSFERS
MAX_ITEMS = 20
MAX_QUESTIONS = 50


def _split_list(value: Any) -> Any:
    """Read a list written as ``a,b`` as well as repeated: clients differ."""
    if isinstance(value, str):
        return [part for part in value.split(",") if part]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [part for item in value for part in item.split(",") if part]
    return value


def _check_window(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        seconds = parse_duration_s(text)
    except MobilityError as error:
        raise ValueError(str(error)) from None
    if seconds > MAX_WINDOW_S:
        raise ValueError(f"{text!r}: a window is at most {MAX_WINDOW_S // 3600}h")
    return text


PlaceText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_TEXT,
        description="A reference (feed:stop_id, station id), a station's name, or lat,lon.",
        examples=["Northtown"],
    ),
]
TimeText = Annotated[
    str | None,
    Field(
        max_length=40,
        description="RFC 3339 with an offset, or local at the origin (destination for arrive).",
        examples=["2027-05-04T07:30"],
    ),
]
Id = Annotated[str, Field(min_length=1, max_length=64)]
Ids = Annotated[list[Id], BeforeValidator(_split_list), Field(max_length=MAX_ITEMS)]
Language = Annotated[str | None, Field(pattern=r"^[a-z]{2}$", examples=["de"])]


class RiderWords(BaseModel):
    """Who travels and how they would pay."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    age_group: Id = "adult"
    cards: Ids = Field(default_factory=list, description="Reduction cards held.")
    passes: Ids = Field(default_factory=list, description="Passes held.")
    currency: Annotated[str | None, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])] = None
    language: Language = None


class NeedsWords(BaseModel):
    """What journeys must be like for who travels, wherever they lead."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    wheelchair: Annotated[
        bool,
        Field(description="Only what is said to be accessible; unknown is left out and told."),
    ] = False
    bike: Annotated[bool, Field(description="Only trips that are said to take bikes.")] = False
    modes: Ids = Field(default_factory=list, description="Kinds of vehicle to use, such as rail.")
    not_modes: Ids = Field(default_factory=list, description="Kinds of vehicle not to use.")
    operators: Ids = Field(default_factory=list, description="Agencies to use: feed:agency_id.")
    not_operators: Ids = Field(default_factory=list, description="Agencies not to use.")
    min_change: Annotated[
        str | None, Field(max_length=20, description="Least time between two rides, such as 8m.")
    ] = None
    walk_speed_m_s: Annotated[
        float | None, Field(ge=0.3, le=3.0, description="Metres per second on foot; 1.2 is usual.")
    ] = None
    max_walk_m: Annotated[
        int | None, Field(ge=0, le=100_000, description="Longest single walk, metres.")
    ] = None


class JourneyQuery(NeedsWords, RiderWords):
    """From where to where and when; one of depart and arrive, or now."""

    from_: PlaceText = Field(alias="from")
    to: PlaceText
    via: Annotated[
        list[PlaceText],
        Field(max_length=2, description="Stations or stops to pass, in this order."),
    ] = Field(default_factory=list)
    stay: Annotated[
        list[Annotated[str, Field(max_length=20)]],
        Field(
            max_length=2,
            description="How long to be at each via, such as 30m; else it may be passed on board.",
        ),
    ] = Field(default_factory=list)
    depart: TimeText = None
    arrive: TimeText = None
    window: Annotated[
        str | None,
        Field(
            max_length=20,
            description="All departures within, such as 2h; with arrive, all arrivals before it.",
        ),
    ] = None
    page: Annotated[
        str | None,
        Field(
            max_length=100,
            description="`previous` or `next` of an answer to the same question.",
        ),
    ] = None
    max_transfers: Annotated[int, Field(ge=0, le=MAX_TRANSFERS)] = DEFAULT_TRANSFERS

    @model_validator(mode="after")
    def _one_time(self) -> JourneyQuery:
        if self.depart and self.arrive:
            raise ValueError("give one of depart and arrive")
        _check_window(self.window)
        return self


class RideReference(BaseModel):
    """One ridden part of a trip, as a section of an answer names it."""

    model_config = ConfigDict(extra="ignore")

    feed: Id
    trip_id: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    service_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    from_sequence: int
    to_sequence: int


class FaresQuery(JourneyQuery):
    """The same question, for fares alone; ``rides`` keeps the journey with these rides."""

    rides: Annotated[
        list[RideReference] | None,
        Field(max_length=64, description="The sections of one journey of an answer, in order."),
    ] = None


class WhatNowQuery(NeedsWords, RiderWords):
    """A journey that was chosen, by its rides, and where it leads."""

    rides: Annotated[
        list[Annotated[list[RideReference], Field(min_length=1, max_length=16)]],
        Field(min_length=1, max_length=16, description="By ride, in order, its sections."),
    ]
    to: PlaceText | None = Field(default=None, description="Else where the last ride ends.")
    at: Annotated[
        str | None, Field(max_length=40, description="RFC 3339; now where it is not given.")
    ] = None


class AlertsQuery(BaseModel):
    """Which alerts, and in which language."""

    model_config = ConfigDict(extra="forbid")

    feed: Id | None = None
    language: Language = None


class PlacesQuery(BaseModel):
    """A text that a place may be meant by."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    limit: Annotated[int, Field(ge=1, le=20)] = 8


class ScenarioQuestion(BaseModel):
    """One trip that people make: from where, to where, all departures within a window."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: PlaceText = Field(alias="from")
    to: PlaceText
    depart: Annotated[str, Field(min_length=1, max_length=40, examples=["2027-05-04T07:00"])]
    window: Annotated[str, Field(max_length=20, examples=["2h"])] = "2h"
    weight: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @model_validator(mode="after")
    def _bounded(self) -> ScenarioQuestion:
        _check_window(self.window)
        return self


class ScenarioQuery(BaseModel):
    """A scenario, as a document or as the text of its TOML file, and the questions to compare."""

    model_config = ConfigDict(extra="forbid")

    scenario: dict[str, Any] | Annotated[str, Field(max_length=200_000)]
    queries: Annotated[list[ScenarioQuestion], Field(min_length=1, max_length=MAX_QUESTIONS)]


RegionLanguage = Literal["de", "fr", "en"]

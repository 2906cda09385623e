"""The questions on the timetable itself and on what can be reached: words and bounds."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mobility.api.limits import MAX_TEXT
from mobility.api.queries import NeedsWords, PlaceText, TimeText
from mobility.core.errors import MobilityError
from mobility.core.time import parse_duration_s
from mobility.core.units import DAY_S

MOST_BOARD = 200
MOST_REACHED = 100_000
MOST_CUT_OFFS = 8
LONGEST_CUT_OFF_MIN = 240
MOST_ENDS = 200  # origins or destinations of a matrix
MOST_CELLS = 10_000  # origins times destinations
MOST_SCANS = 500  # origins times departures
LEAST_STEP_S = 60


def _duration(longest_s: int) -> Any:
    def check(text: str) -> str:
        try:
            seconds = parse_duration_s(text)
        except MobilityError as error:
            raise ValueError(str(error)) from None
        if not 0 < seconds <= longest_s:
            raise ValueError(f"{text!r}: expected 1s to {longest_s // 3600}h")
        return text

    return AfterValidator(check)


def _numbers(value: Any) -> Any:
    """Read ``15,30`` as well as repeated words."""
    parts = [value] if isinstance(value, str) else value
    if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
        return [one for part in parts for one in part.split(",") if one]
    return value


DayLong = Annotated[str, Field(max_length=20, examples=["2h"]), _duration(DAY_S)]
CutOff = Annotated[int, Field(ge=1, le=LONGEST_CUT_OFF_MIN)]
Percentile = Annotated[int, Field(ge=1, le=100)]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class DeparturesQuery(_Query):
    """A stop or station, and from when on."""

    place: PlaceText
    time: TimeText = None
    window: DayLong = "2h"
    limit: Annotated[int, Field(ge=1, le=MOST_BOARD)] = 40
    kind: Literal["departures", "arrivals"] = "departures"


class TripQuery(_Query):
    """A trip as a feed names it, and the service date by that feed."""

    trip: Annotated[
        str, Field(min_length=1, max_length=MAX_TEXT, description="feed:trip_id", examples=["n:4"])
    ]
    date: dt.date


class ReachQuery(NeedsWords, _Query):
    """From where, or to where; one of depart and arrive, or now."""

    place: PlaceText
    depart: TimeText = None
    arrive: TimeText = None

    @model_validator(mode="after")
    def _one_time(self) -> ReachQuery:
        if self.depart and self.arrive:
            raise ValueError("give one of depart and arrive")
        return self


class OneToAllQuery(ReachQuery):
    """How far one comes; to arrive, from how far away."""

    horizon: DayLong = "24h"
    limit: Annotated[
        int, Field(ge=1, le=MOST_REACHED, description="The nearest in time first.")
    ] = 20_000


class IsochroneQuery(ReachQuery):
    """Cut-offs of one map."""

    minutes: Annotated[
        list[CutOff],
        BeforeValidator(_numbers),
        Field(min_length=1, max_length=MOST_CUT_OFFS, description="Cut-offs.", examples=[[15, 30]]),
    ]
    walk_minutes: Annotated[
        int, Field(ge=1, le=30, description="Longest walk from the last stop on.")
    ] = 15


class MatrixQuery(NeedsWords, _Query):
    """Many origins, many destinations, at one departure or over a window of departures."""

    origins: Annotated[list[PlaceText], Field(min_length=1, max_length=MOST_ENDS)]
    destinations: Annotated[list[PlaceText], Field(min_length=1, max_length=MOST_ENDS)]
    depart: Annotated[str, Field(min_length=1, max_length=40, examples=["2027-05-04T07:30"])]
    horizon: DayLong = "4h"
    window: Annotated[
        DayLong | None, Field(description="Departures within; travel times as percentiles of them.")
    ] = None
    step: DayLong = "5m"
    percentiles: Annotated[list[Percentile], Field(min_length=1, max_length=8)] = [50]

    @model_validator(mode="after")
    def _bounded(self) -> MatrixQuery:
        if len(self.origins) * len(self.destinations) > MOST_CELLS:
            raise ValueError(f"origins times destinations: at most {MOST_CELLS}")
        if parse_duration_s(self.step) < LEAST_STEP_S:
            raise ValueError(f"step: at least {LEAST_STEP_S} s")
        if len(self.origins) * self.n_departures > MOST_SCANS:
            raise ValueError(f"origins times departures in the window: at most {MOST_SCANS}")
        return self

    @property
    def n_departures(self) -> int:
        """How many departures are looked at."""
        if self.window is None:
            return 1
        return -(-parse_duration_s(self.window) // parse_duration_s(self.step))

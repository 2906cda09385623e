"""The questions on a region's data: filters, pages of lists, spans of days."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mobility.api.limits import MAX_TEXT

MAX_PAGE = 200
DEFAULT_PAGE = 25
MAX_DAYS = 400
MAX_OFFSET = 10_000_000

FeedId = Annotated[str, Field(max_length=64, description="Feed id; empty for all.")]
Limit = Annotated[int, Field(ge=1, le=MAX_PAGE)]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET)]
Reference = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, examples=["north:417"])]
MatchState = Literal["", "joined", "apart", "review"]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class CoverageQuery(_Query):
    """Days on which feeds have trips."""

    first: Annotated[dt.date | None, Field(description="First day; default: this month's.")] = None
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 31

    @model_validator(mode="after")
    def _within_the_calendar(self) -> CoverageQuery:
        if self.first and self.first > dt.date.max - dt.timedelta(days=MAX_DAYS):
            raise ValueError("first is too late")
        return self


class NoticesQuery(_Query):
    """Notices of the build, worst first."""

    code: Annotated[str, Field(max_length=100)] = ""
    feed: FeedId = ""
    severity: Literal["", "error", "warning", "info"] = ""
    limit: Limit = DEFAULT_PAGE
    offset: Offset = 0


class MatchesQuery(_Query):
    """Judged pairs of stations or trains; the least certain first."""

    state: Annotated[
        MatchState, Field(description="joined, apart, or review: what a person should decide.")
    ] = ""
    feed: FeedId = ""
    other: FeedId = ""
    kind: Annotated[str, Field(max_length=20, description="Trains only, such as contained.")] = ""
    text: Annotated[
        str, Field(max_length=MAX_TEXT, description="Part of a name, id or number.")
    ] = ""
    limit: Limit = DEFAULT_PAGE
    offset: Offset = 0


class TrainQuery(_Query):
    """A trip of a feed, and the other one that it is compared with."""

    trip: Reference
    other: Annotated[str, Field(max_length=MAX_TEXT)] = ""

"""The region's data as the pages ask for it (`mobility.web.RegionBackend`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mobility.api.limits import MAX_TEXT
from mobility.api.region_desk import RegionDesk
from mobility.api.region_queries import CoverageQuery, MatchesQuery, NoticesQuery, TrainQuery
from mobility.api.site import Site
from mobility.core.errors import UnknownPlaceError, UsageError

Document = dict[str, Any]
Query = TypeVar("Query", bound=BaseModel)


class RegionPages:
    """Answers the pages from the desk, off the event loop and within the limits."""

    def __init__(self, site: Site, desk: RegionDesk) -> None:
        self._site = site
        self._desk = desk

    def region(self) -> Document:
        """Return the region document: its name and languages."""
        return self._site.facts.document(self._site.served.now_s(), "")

    async def overview(self, language: str) -> Document:
        """Return the status document."""
        return await self._site.answer(self._desk.overview, language)

    async def coverage(self, question: Mapping[str, Any]) -> Document:
        """Return trips per day and feed."""
        return await self._site.answer(self._desk.status.coverage, asked(CoverageQuery, question))

    async def notices(self, question: Mapping[str, Any]) -> Document:
        """Return what was found in the feeds."""
        return await self._site.answer(self._desk.status.notices, asked(NoticesQuery, question))

    async def station_matches(self, question: Mapping[str, Any]) -> Document:
        """Return judged pairs of stations."""
        return await self._site.answer(self._desk.station_matches, asked(MatchesQuery, question))

    async def train_matches(self, question: Mapping[str, Any]) -> Document:
        """Return judged pairs of trains."""
        return await self._site.answer(self._desk.train_matches, asked(MatchesQuery, question))

    async def station(self, station_id: str) -> Document:
        """Return one station."""
        if len(station_id) > MAX_TEXT:
            raise UnknownPlaceError(f"no station has an id of {len(station_id)} characters")
        return await self._site.answer(self._desk.matches.station, station_id)

    async def train(self, trip: str, other: str) -> Document:
        """Return the train that carries a trip."""
        query = asked(TrainQuery, {"trip": trip, "other": other})
        return await self._site.answer(self._desk.train, query)


def asked(kind: type[Query], question: Mapping[str, Any]) -> Query:
    """Return a page's question as one of the API's.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        return kind.model_validate(dict(question))
    except ValidationError as error:
        parts = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError("; ".join(parts)) from None

"""The timetable as the pages ask for it (`mobility.web.TimetableBackend`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mobility.api.region_pages import asked
from mobility.api.site import Site, SitePages
from mobility.api.timetable import TimetableDesk
from mobility.api.timetable_queries import DeparturesQuery, TripQuery

Document = dict[str, Any]


class TimetablePages(SitePages):
    """Answers the pages from the desk, off the event loop and within the limits."""

    def __init__(self, site: Site, desk: TimetableDesk) -> None:
        super().__init__(site)
        self._desk = desk

    async def departures(self, question: Mapping[str, Any]) -> Document:
        """Return the board of a question."""
        return await self._site.answer(self._desk.departures, asked(DeparturesQuery, question))

    async def trip(self, question: Mapping[str, Any]) -> Document:
        """Return the runs of a trip."""
        return await self._site.answer(self._desk.trip, asked(TripQuery, question))

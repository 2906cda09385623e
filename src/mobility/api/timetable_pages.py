"""The timetable as the pages ask for it (`mobility.web.TimetableBackend`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mobility.api.region_pages import asked
from mobility.api.site import Site, SitePages
from mobility.api.timetable import TimetableDesk
from mobility.api.timetable_queries import DeparturesQuery, TripQuery
from mobility.api.whatnow import WhatNowDesk

Document = dict[str, Any]


class TimetablePages(SitePages):
    """Answers the pages from the desk, off the event loop and within the limits."""

    def __init__(self, site: Site, now: WhatNowDesk, timetable: TimetableDesk) -> None:
        super().__init__(site, now)
        self._timetable = timetable

    async def departures(self, question: Mapping[str, Any]) -> Document:
        """Return the board of a question."""
        return await self._site.answer(self._timetable.departures, asked(DeparturesQuery, question))

    async def trip(self, question: Mapping[str, Any]) -> Document:
        """Return the runs of a trip."""
        return await self._site.answer(self._timetable.trip, asked(TripQuery, question))

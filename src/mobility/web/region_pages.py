"""The region's pages: feeds, coverage, findings, what was joined and why; no script needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mobility.core.errors import MobilityError
from mobility.web.paging import page_of
from mobility.web.region_view import (
    calendar_view,
    code_views,
    feed_views,
    match_views,
    month_span,
    pair_views,
    statement_views,
    station_view,
    train_view,
)
from mobility.web.staff import Frame, Tab, render_staff, staff_frame

Document = dict[str, Any]
PAGE = 25
SAMPLES = 200  # findings from which the examples of all codes are taken
MAX_WORD = 200
FILTERS = ("state", "feed", "other", "kind", "text")


class RegionBackend(Protocol):
    """What the region's pages ask; the API implements it. Failures are `MobilityError`."""

    def region(self) -> Document:
        """Return the region document: its name and languages."""
        ...

    async def overview(self, language: str) -> Document:
        """Return feeds, alarms, statements and what waits for a decision."""
        ...

    async def coverage(self, question: Mapping[str, Any]) -> Document:
        """Return trips per day and feed; ``first``, ``days``."""
        ...

    async def notices(self, question: Mapping[str, Any]) -> Document:
        """Return findings; ``code``, ``feed``, ``severity``, ``limit``, ``offset``."""
        ...

    async def station_matches(self, question: Mapping[str, Any]) -> Document:
        """Return judged pairs of stations; `FILTERS`, ``limit``, ``offset``."""
        ...

    async def train_matches(self, question: Mapping[str, Any]) -> Document:
        """Return judged pairs of trains; `FILTERS`, ``limit``, ``offset``."""
        ...

    async def station(self, station_id: str) -> Document:
        """Return one station with its members and evidence."""
        ...

    async def train(self, trip: str, other: str) -> Document:
        """Return the train that carries a trip, beside another one."""
        ...


class _Pages:
    def __init__(self, backend: RegionBackend) -> None:
        self._backend = backend

    def _frame(self, request: Request) -> Frame:
        region = self._backend.region()
        frame = staff_frame(request, region["languages"], brand=region["name"] or region["id"])
        return frame.with_tabs(
            Tab(address, frame.strings.text(f"tab.{name}"))
            for address, name in (
                ("/region", "overview"),
                ("/region/notices", "notices"),
                ("/region/stations", "stations"),
                ("/region/trains", "trains"),
            )
        )

    async def _shown(
        self,
        request: Request,
        template: str,
        make: Callable[[Frame], Awaitable[Mapping[str, Any]]],
    ) -> HTMLResponse:
        """Return the page, or one that says why not."""
        frame = self._frame(request)
        try:
            return render_staff(template, frame, await make(frame))
        except MobilityError as error:
            if error.http_status >= 500:
                raise
            context = {"problem": error.problem, "detail": str(error)}
            return render_staff("region_problem.html", frame, context, status=error.http_status)

    async def overview(self, request: Request) -> HTMLResponse:
        """Return alarms, feeds, coverage, statements, versions."""

        async def make(frame: Frame) -> Document:
            status = await self._backend.overview(frame.language)
            first, days = month_span(_word(request, "month") or status["today"])
            coverage = await self._backend.coverage({"first": first, "days": days})
            return {
                "status": status,
                "feeds": feed_views(status, frame.strings),
                "calendar": calendar_view(coverage, frame.strings),
                "statements": statement_views(status, frame.strings, frame.language),
            }

        return await self._shown(request, "region.html", make)

    async def notices(self, request: Request) -> HTMLResponse:
        """Return what was found in the feeds, by code."""

        async def make(frame: Frame) -> Document:
            asked = {name: _word(request, name) for name in ("code", "feed", "severity")}
            limit = PAGE if asked["code"] else SAMPLES
            offset = _number(request, "offset") if asked["code"] else "0"
            found = await self._backend.notices({**asked, "limit": limit, "offset": offset})
            page = page_of(found["total"], int(offset), limit, {**asked, "lang": frame.language})
            return {
                "asked": asked,
                "feed_ids": [feed["id"] for feed in self._backend.region()["feeds"]],
                "codes": code_views(found, asked["code"], frame.strings),
                "page": page if asked["code"] else {**page, "pages": 1},
            }

        return await self._shown(request, "region_notices.html", make)

    async def stations(self, request: Request) -> HTMLResponse:
        """Return the judged pairs of stations."""
        return await self._matches(request, "station", self._backend.station_matches)

    async def trains(self, request: Request) -> HTMLResponse:
        """Return the judged pairs of trains."""
        return await self._matches(request, "train", self._backend.train_matches)

    async def _matches(
        self,
        request: Request,
        kind: str,
        ask: Callable[[Mapping[str, Any]], Awaitable[Document]],
    ) -> HTMLResponse:
        async def make(frame: Frame) -> Document:
            asked = {name: _word(request, name) for name in FILTERS}
            offset = _number(request, "offset")
            found = await ask({**asked, "limit": PAGE, "offset": offset})
            return {
                "kind": kind,
                "asked": asked,
                "found": found,
                "feed_ids": [feed["id"] for feed in self._backend.region()["feeds"]],
                "kinds": sorted({pair["kind"] for pair in found["pairs"] if pair["kind"]}),
                "kind_names": {
                    pair["kind"]: frame.strings.among("kind", pair["kind"])
                    for pair in found["pairs"]
                },
                "pairs": pair_views(found, frame.strings, frame.language),
                "matches": match_views(found, frame.strings, frame.language),
                "page": page_of(
                    found["total"], int(offset), PAGE, {**asked, "lang": frame.language}
                ),
            }

        return await self._shown(request, "region_matches.html", make)

    async def station(self, request: Request) -> HTMLResponse:
        """Return one station."""

        async def make(frame: Frame) -> Document:
            found = await self._backend.station(request.path_params["station_id"])
            return station_view(found, frame.strings, frame.language)

        return await self._shown(request, "region_station.html", make)

    async def train(self, request: Request) -> HTMLResponse:
        """Return one train, beside another one where the address names it."""

        async def make(frame: Frame) -> Document:
            found = await self._backend.train(request.path_params["trip"], _word(request, "other"))
            return train_view(found, frame.strings, frame.language)

        return await self._shown(request, "region_train.html", make)


def _word(request: Request, name: str) -> str:
    return request.query_params.get(name, "").strip()[:MAX_WORD]


def _number(request: Request, name: str) -> str:
    text = _word(request, name)
    return text if text.isascii() and text.isdigit() and len(text) < 8 else "0"


def install_region_pages(app: FastAPI, backend: RegionBackend) -> None:
    """Add the region's pages to the application."""
    pages = _Pages(backend)
    for address, page in (
        ("/region", pages.overview),
        ("/region/notices", pages.notices),
        ("/region/stations", pages.stations),
        ("/region/trains", pages.trains),
        ("/region/station/{station_id:path}", pages.station),
        ("/region/train/{trip:path}", pages.train),
    ):
        app.add_api_route(address, page, methods=["GET"], include_in_schema=False)

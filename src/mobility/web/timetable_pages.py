"""The pages of a stop's departures and of a train's whole run; complete without a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse

from mobility.core.errors import MobilityError
from mobility.web.staff import Frame, render_staff, staff_frame
from mobility.web.timetable_view import board_view, departures_address, run_view, trip_address

Document = dict[str, Any]
AREA = "timetable"  # catalogue beside that of the riders' pages
MAX_WORD = 200
SHOWN = 40
WINDOW = "3h"
SUGGESTED = 4


class TimetableBackend(Protocol):
    """What these pages ask; the API implements it. Failures are `MobilityError`."""

    def region(self, language: str) -> Document:
        """Return the region document."""
        ...

    async def departures(self, question: Mapping[str, Any]) -> Document:
        """Return the board of a question in the API's own words."""
        ...

    async def trip(self, question: Mapping[str, Any]) -> Document:
        """Return the runs of a trip: ``trip``, ``date``."""
        ...

    async def places(self, text: str) -> list[Document]:
        """Return places that a text may mean."""
        ...


@dataclass(frozen=True, slots=True)
class BoardForm:
    """The question as it stands in the address."""

    place: str
    date: str
    time: str
    kind: str

    def question(self) -> Document:
        """Return the question to the API."""
        return {
            "place": self.place,
            "time": f"{self.date}T{self.time}",
            "kind": self.kind,
            "window": WINDOW,
            "limit": SHOWN,
        }

    def words(self, **changed: str) -> dict[str, str]:
        """Return the words of the address with some changed."""
        own = {"place": self.place, "date": self.date, "time": self.time, "kind": self.kind}
        return {name: value for name, value in {**own, **changed}.items() if value}

    def at(self, moment: str, **changed: str) -> dict[str, str]:
        """Return the words of the address at another moment."""
        return self.words(date=moment[:10], time=moment[11:16], **changed)


class _Pages:
    def __init__(self, backend: TimetableBackend) -> None:
        self._backend = backend

    def _frame(self, request: Request) -> tuple[Frame, Document]:
        region = self._backend.region("")
        brand = region["name"] or region["id"]
        frame = staff_frame(request, region["languages"], brand=brand, areas=(AREA,))
        return frame, self._backend.region(frame.language)

    async def departures(self, request: Request) -> HTMLResponse:
        """Return the departures or arrivals of a stop or station."""
        frame, region = self._frame(request)
        form = BoardForm(
            place=_word(request, "place"),
            date=_word(request, "date") or region["nearest_date"],
            time=_word(request, "time") or region["now"][11:16],
            kind="arrivals" if _word(request, "kind") == "arrivals" else "departures",
        )
        context: Document = {"form": form, "region": region, "board": None, "problem": ""}
        status = 200
        if form.place:
            try:
                found = await self._backend.departures(form.question())
                context |= {"board": board_view(found, frame.strings), "notices": found["notices"]}
            except MobilityError as error:
                if error.http_status >= 500:
                    raise
                status = error.http_status
                context |= {
                    "problem": error.problem,
                    "detail": str(error),
                    "places": await self._suggestions(form.place, error.problem),
                }
        return _rendered("departures.html", frame, context, status)

    async def trip(self, request: Request) -> HTMLResponse:
        """Return the whole run of a trip."""
        frame, region = self._frame(request)
        context: Document = {"region": region, "runs": [], "problem": "", "date": ""}
        status = 200
        try:
            asked = {"trip": _word(request, "trip"), "date": _word(request, "date")}
            found = await self._backend.trip(asked)
            runs = [run_view(run, found["stations"], frame.strings) for run in found["runs"]]
            context |= {"runs": runs, "date": found["service_date"]}
        except MobilityError as error:
            if error.http_status >= 500:
                raise
            status = error.http_status
            context |= {"problem": error.problem, "detail": str(error)}
        return _rendered("trip.html", frame, context, status)

    async def _suggestions(self, text: str, problem: str) -> list[Document]:
        if problem not in ("unknown-place", "ambiguous-place"):
            return []
        return (await self._backend.places(text))[:SUGGESTED]


def _rendered(template: str, frame: Frame, context: Document, status: int) -> HTMLResponse:
    words = {"departures_address": departures_address, "trip_address": trip_address}
    return render_staff(template, frame, {**words, **context}, status=status)


def _word(request: Request, name: str) -> str:
    return request.query_params.get(name, "").strip()[:MAX_WORD]


def install_timetable_pages(app: FastAPI, backend: TimetableBackend) -> None:
    """Add the pages to the application."""
    pages = _Pages(backend)
    app.add_api_route("/departures", pages.departures, methods=["GET"], include_in_schema=False)
    app.add_api_route("/trip", pages.trip, methods=["GET"], include_in_schema=False)

"""The page that says what now: how a chosen journey stands and how to go on; no script needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from fastapi import FastAPI
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mobility.core.errors import MobilityError, UsageError
from mobility.web.catalogue import choose_language, offered_languages, read_catalogue
from mobility.web.needs_form import needs_texts, read_needs_form
from mobility.web.pages import MAX_CHOICES, PageBackend, SearchForm, journey_views, page_templates
from mobility.web.view import call_view, clock, leg_view, source_texts

Document = dict[str, Any]
MAX_RIDES_TEXT = 8_000
FIELDS = ("feed", "trip_id", "service_date", "from_sequence", "to_sequence")


class NowBackend(PageBackend, Protocol):
    """What the page asks beside what all pages ask; the API implements it."""

    async def what_now(self, question: Mapping[str, Any]) -> Document:
        """Return the what-now document of a question in the API's own words."""
        ...


def read_rides(text: str) -> list[list[Document]]:
    """Return the rides that an address names: by ride a list of sections.

    Raises
    ------
    UsageError
        The text is none of ours.

    >>> read_rides('[[["north","t1","2027-05-04",1,5]]]')[0][0]["trip_id"]
    't1'
    """
    try:
        if len(text) > MAX_RIDES_TEXT:
            raise ValueError
        return [
            [dict(zip(FIELDS, section, strict=True)) for section in ride]
            for ride in json.loads(text)
        ]
    except (ValueError, TypeError, RecursionError):
        raise UsageError("rides: expected the sections of a journey, as its page names them") from (
            None
        )


class NowPage:
    """Renders the page."""

    def __init__(self, backend: NowBackend) -> None:
        self._backend = backend
        self._templates: Environment = page_templates()

    async def show(self, request: Request) -> HTMLResponse:
        """Return the page of a journey at this moment."""
        query = request.query_params
        region = self._backend.region("")
        offered = offered_languages(region["languages"])
        accepted = request.headers.get("accept-language")
        language = choose_language(query.get("lang"), accepted, offered)
        region = self._backend.region(language)
        answer: Document | None = None
        problem, detail, status = "", "", 200
        rider = SearchForm(
            cards=tuple(query.getlist("card")[:MAX_CHOICES]),
            passes=tuple(query.getlist("pass")[:MAX_CHOICES]),
            currency=query.get("currency", ""),
            needs=read_needs_form(query).onward(),
            extra=(("lang", language),),
        )
        try:
            answer = await self._backend.what_now(
                {
                    "rides": read_rides(query.get("rides", "")),
                    "to": query.get("to") or None,
                    "cards": list(rider.cards),
                    "passes": list(rider.passes),
                    "currency": rider.currency or None,
                    "language": language,
                    **rider.needs.question(),
                }
            )
        except MobilityError as error:
            if error.http_status >= 500:
                raise
            problem, detail, status = error.problem, str(error), error.http_status
        strings = read_catalogue(language)
        page = self._templates.get_template("whatnow.html").render(
            language=language,
            languages=offered,
            t=strings,
            region=region,
            form=rider,
            needs=needs_texts(rider.needs, strings),
            query=[(name, value) for name, value in query.multi_items() if name != "lang"],
            problem=problem,
            detail=detail,
            answer=answer,
            now=None if answer is None else now_view(answer, region, strings),
        )
        headers = {"Vary": "Accept-Language", "Cache-Control": "no-store"}
        return HTMLResponse(page, status, headers=headers)


def now_view(answer: Document, region: Document, strings: Any) -> Document:
    """Return what the page shows of a what-now document."""
    parties = {party["id"]: party["name"] for party in region["parties"]}
    stations = answer["stations"]
    next_ones = [way["journey"] for way in answer["ways"] if way["journey"]]
    told = {"journeys": [answer["journey"], *next_ones], "stations": stations, "labels": []}
    journey, *ways = journey_views(told, parties, strings)  # labels compare: here is no choice yet
    left = iter(ways)
    broken = answer["broken_leg"]
    reason = ""
    if broken is not None:
        leg = leg_view(answer["journey"]["legs"][broken], stations, strings)
        words = {"line": leg["label"], "place": leg["from"]["title"]}
        key = f"now.reason.{answer['reason']}"
        reason = strings.text(key, **words)
    state = answer["state"]
    verdict = reason or strings.text(f"now.state.{state}", time=clock(answer["journey"]["arrival"]))
    return {
        "verdict": verdict,
        "sources": source_texts(answer["realtime"], strings),
        "journey": journey,
        "at": answer["at"] and stations.get(answer["at"]["station_id"] or "", answer["at"]["name"]),
        "ways": [
            {
                "stay": way["stay_until"] and {
                    **call_view(way["stay_until"], stations),
                    "clock": clock(way["stay_until"]["arrival"]),
                },
                "arrival": clock(way["arrival"]),
                "journey": next(left) if way["journey"] else None,
            }
            for way in answer["ways"]
        ],
        "tickets": [
            {
                "name": answer["journey"]["fare"]["tickets"][hold["ticket"]]["name"],
                "inside": strings.text(
                    "now.ticket.inside" if hold["inside"] else "now.ticket.outside"
                ),
                "in_time": strings.text(
                    "now.ticket.in_time" if hold["in_time"] else "now.ticket.too_late"
                ),
                "protects": hold["protects"],
            }
            for hold in answer["tickets"]
        ],
    }  # fmt: skip


def install_now_page(app: FastAPI, backend: NowBackend) -> None:
    """Add the page to the application."""
    page = NowPage(backend)
    app.add_api_route("/what-now", page.show, methods=["GET"], include_in_schema=False)

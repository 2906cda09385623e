"""The pages as the server makes them: complete without JavaScript, taken over by the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI, Request
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from mobility.core.errors import MobilityError, UsageError
from mobility.web.bundle import ASSET_FOLDER, STATIC_FOLDER, Bundle, find_bundle
from mobility.web.catalogue import (
    Catalogue,
    choose_language,
    offered_languages,
    read_catalogue,
)
from mobility.web.label_view import emission_view, label_notes, label_views, risk_view
from mobility.web.needs_form import (
    WALK_SPEEDS,
    NeedsForm,
    list_text,
    needs_texts,
    read_needs_form,
    speed_text,
)
from mobility.web.timetable_view import departures_address, trip_address
from mobility.web.view import date_text, journey_view, short_name, source_texts

WINDOW = "2h"  # what a page shows, where anything goes within
WINDOW_S = 7_200
THEMES = ("light", "dark")
MAX_CHOICES = 20
SHORT_HASH = 12  # of an edition, in the address of an answer

Document = dict[str, Any]


class PageBackend(Protocol):
    """What the pages ask; the API implements it. Failures are `MobilityError`."""

    def region(self, language: str) -> Document:
        """Return the region document."""
        ...

    async def journeys(self, question: Mapping[str, Any]) -> Document:
        """Return the journeys document of a question in the API's own words."""
        ...

    async def places(self, text: str) -> list[Document]:
        """Return places that a text may mean."""
        ...


@dataclass(frozen=True, slots=True)
class SearchForm:
    """The search as it stands in the address: the same words with and without JavaScript."""

    origin: str = ""
    origin_id: str = ""
    destination: str = ""
    destination_id: str = ""
    date: str = ""
    time: str = ""
    by: str = "depart"
    cards: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    currency: str = ""
    needs: NeedsForm = field(default_factory=NeedsForm)
    page: str = ""
    extra: tuple[tuple[str, str], ...] = field(default=())

    def query(self, **changed: str) -> str:
        """Return the address's query with some members changed."""
        pairs = [
            ("from", self.origin),
            ("from_id", self.origin_id),
            ("to", self.destination),
            ("to_id", self.destination_id),
            ("date", self.date),
            ("time", self.time),
            ("by", self.by),
            *(("card", card) for card in self.cards),
            *(("pass", name) for name in self.passes),
            ("currency", self.currency),
            *self.needs.pairs(),
            ("page", self.page),
            *self.extra,
        ]
        merged = [(name, changed.pop(name, value)) for name, value in pairs]
        return urlencode([(n, v) for n, v in [*merged, *changed.items()] if v])

    def swapped(self) -> SearchForm:
        """Return the search in the other direction."""
        return replace(
            self,
            origin=self.destination,
            origin_id=self.destination_id,
            destination=self.origin,
            destination_id=self.origin_id,
            needs=self.needs.reversed(),
            page="",
        )

    def meaning(self, end: str, text: str, place: Document) -> str:
        """Return the address's query with a place that the text at one end was to mean."""
        if end == "via":
            return replace(self, needs=self.needs.with_place(text, place["name"])).query()
        return self.query(**{end: place["name"], f"{end}_id": place["id"]})

    def rider_query(self) -> str:
        """Return the part of the query that says who travels."""
        extra = dict(self.extra)
        pairs = [
            *(("card", card) for card in self.cards), *(("pass", name) for name in self.passes),
            ("currency", self.currency), *self.needs.onward().pairs(),
            ("lang", extra.get("lang", "")),
        ]  # fmt: skip
        return urlencode([(n, v) for n, v in pairs if v])

    def question(self, language: str) -> Document:
        """Return the question to the API.

        Raises
        ------
        UsageError
            Start or destination is missing, or a need is out of its limits.
        """
        if not self.origin.strip() or not self.destination.strip():
            raise UsageError("from and to are both needed")
        return {
            "from": self.origin_id or self.origin,
            "to": self.destination_id or self.destination,
            self.by: f"{self.date}T{self.time}",
            "window": WINDOW,
            "page": self.page or None,
            "cards": list(self.cards),
            "passes": list(self.passes),
            "currency": self.currency or None,
            "language": language,
            **self.needs.question(),
        }


def read_form(request: Request, region: Document) -> SearchForm:
    """Return the search of an address; date and time are filled from the nearest valid moment."""
    query = request.query_params

    def word(name: str) -> str:
        return query.get(name, "").strip()[:200]

    form = SearchForm(
        origin=word("from"),
        origin_id=word("from_id"),
        destination=word("to"),
        destination_id=word("to_id"),
        date=word("date") or region["nearest_date"],
        time=word("time") or region["now"][11:16],
        by="arrive" if word("by") == "arrive" else "depart",
        cards=tuple(query.getlist("card")[:MAX_CHOICES]),
        passes=tuple(query.getlist("pass")[:MAX_CHOICES]),
        currency=word("currency"),
        needs=read_needs_form(query),
        page=word("page"),
        extra=(("lang", word("lang")), ("edition", request.scope.get("edition_asked", ""))),
    )
    return form.swapped() if word("swap") else form


@dataclass(frozen=True, slots=True)
class Result:
    """What a search came to: journeys, or a problem with places that may have been meant."""

    answer: Document | None = None
    next_only: bool = False
    problem: str = ""
    detail: str = ""
    suggestions: tuple[tuple[str, str, tuple[Document, ...]], ...] = ()
    status: int = 200


async def run_search(backend: PageBackend, form: SearchForm, language: str) -> Result:
    """Return the result of a search; where nothing leaves soon, the answer reaches further."""
    try:
        answer = await backend.journeys(form.question(language))
        grown = form.by == "depart" and not form.page and answer["window_s"] > WINDOW_S
        return Result(answer, next_only=grown and bool(answer["journeys"]))
    except MobilityError as error:
        if error.http_status >= 500:
            raise
        return Result(
            problem=error.problem,
            detail=str(error),
            suggestions=await _suggestions(backend, form, error.problem),
            status=error.http_status,
        )


async def _suggestions(
    backend: PageBackend, form: SearchForm, problem: str
) -> tuple[tuple[str, str, tuple[Document, ...]], ...]:
    if problem not in ("unknown-place", "ambiguous-place"):
        return ()
    found = []
    vias = (("via", place) for place, _ in form.needs.vias)
    for name, text in (("from", form.origin), ("to", form.destination), *vias):
        places = await backend.places(text)
        exact = places and places[0]["name"].casefold() == text.casefold()
        if not exact:
            found.append((name, text, tuple(places[:4])))
    return tuple(found)


def json_for_page(value: Any) -> Markup:
    r"""Return JSON that may stand inside a script element: no ``<``, ``>`` or ``&``.

    >>> print(json_for_page({"a": "</script>"}))
    {"a":"\u003c/script\u003e"}
    """
    text = orjson.dumps(value).decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # only what `replace` left: no markup can start


def page_templates() -> Environment:
    """Return the templates of the travellers' pages."""
    templates = Environment(
        loader=PackageLoader("mobility.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "date_text": date_text,
        "short_name": short_name,
        "departures_address": departures_address,
        "trip_address": trip_address,
        "walk_speeds": tuple(WALK_SPEEDS),
        "speed_text": speed_text,
        "list_text": list_text,
    }
    return templates


def journey_views(answer: Document, parties: dict[str, str], strings: Catalogue) -> list[Document]:
    """Return what the page shows of each journey, its labels and their figures."""
    views = []
    for index, journey in enumerate(answer["journeys"]):
        view = journey_view(journey, answer["stations"], parties, strings)
        view["labels"] = label_views(answer["labels"], index)
        view["emission_view"] = emission_view(view, strings)
        view["risk_view"] = risk_view(view, strings)
        views.append(view)
    return views


class Pages:
    """Renders the pages of one backend."""

    def __init__(self, backend: PageBackend, bundle: Bundle) -> None:
        self._backend = backend
        self._bundle = bundle
        self._templates = page_templates()

    async def start(self, request: Request) -> HTMLResponse:
        """Return the first page."""
        language, region = self._language(request)
        return self._render(request, read_form(request, region), None, language, region)

    async def search(self, request: Request) -> HTMLResponse:
        """Return the page of a search."""
        language, region = self._language(request)
        form = read_form(request, region)
        result = await run_search(self._backend, form, language)
        return self._render(request, form, result, language, region)

    def _language(self, request: Request) -> tuple[str, Document]:
        region = self._backend.region("")
        offered = offered_languages(region["languages"])
        language = choose_language(
            request.query_params.get("lang"), request.headers.get("accept-language"), offered
        )
        return language, self._backend.region(language)

    def _render(
        self,
        request: Request,
        form: SearchForm,
        result: Result | None,
        language: str,
        region: Document,
    ) -> HTMLResponse:
        strings = read_catalogue(language)
        parties = {party["id"]: party["name"] for party in region["parties"]}
        answer = result.answer if result else None
        theme = request.cookies.get("theme", "")
        page = self._templates.get_template("page.html").render(
            language=language,
            languages=offered_languages(region["languages"]),
            theme=theme if theme in THEMES else "",
            t=strings,
            region=region,
            form=form,
            needs=needs_texts(form.needs, strings),
            result=result,
            earlier=form.query(page=answer["previous"]) if answer else "",
            later=form.query(page=answer["next"]) if answer else "",
            path=request.url.path,
            sources=source_texts(answer["realtime"], strings) if answer else [],
            edition=request.scope.get("edition_asked", "")[:SHORT_HASH],
            link=form.query(edition=region["versions"]["edition"][:SHORT_HASH]),
            journeys=journey_views(answer, parties, strings) if answer else [],
            label_notes=label_notes(answer["labels"]) if answer else [],
            bundle=self._bundle,
            state=self._state(result, language, region, strings),
        )
        status = result.status if result else 200
        return HTMLResponse(page, status, headers={"Vary": "Accept-Language, Cookie"})

    def _state(
        self, result: Result | None, language: str, region: Document, strings: Catalogue
    ) -> Markup | None:
        if not self._bundle.script:
            return None
        answer = result.answer if result else None
        next_only = bool(result and result.next_only)
        document = {
            "language": language,
            "languages": offered_languages(region["languages"]),
            "region": region,
            "strings": strings.strings,
            "answer": answer,
            "next_only": next_only,
        }
        return json_for_page(document)


def install_pages(app: FastAPI, backend: PageBackend, *, static: Path = STATIC_FOLDER) -> None:
    """Add the pages and what they load to the application."""
    pages = Pages(backend, find_bundle(static))
    app.add_api_route("/", pages.start, methods=["GET"], include_in_schema=False)
    app.add_api_route("/search", pages.search, methods=["GET"], include_in_schema=False)
    for address, folder in (("/assets", ASSET_FOLDER), ("/static", static)):
        if folder.is_dir():
            app.mount(address, StaticFiles(directory=folder), name=address.strip("/"))

"""What all staff pages share: the frame around a page, its languages and its tabs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mobility.web.catalogue import Catalogue, choose_language, offered_languages, read_catalogue
from mobility.web.view import date_text, number_text

STAFF_AREAS = ("staff", "codes")  # catalogues beside that of the riders' pages
THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Tab:
    """A page beside this one: its address without the language, and its name."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a staff page.

    Parameters
    ----------
    language, languages : str, tuple of str
        Of this page; those of the switch.
    strings : Catalogue
        The riders' strings and those of `areas`.
    theme : str
        ``light``, ``dark`` or empty.
    brand, home : str
        The region's name and where it leads.
    address : str
        Path of this page; the language switch and the tabs go by it.
    query : mapping of str to str
        What the address asks beside the language; the language switch keeps it.
    tabs : tuple of Tab
        Pages beside this one.
    """

    language: str
    languages: tuple[str, ...]
    strings: Catalogue
    theme: str
    brand: str
    home: str
    address: str
    query: Mapping[str, str] = field(default_factory=dict)
    tabs: tuple[Tab, ...] = ()

    def with_tabs(self, tabs: Iterable[Tab]) -> Frame:
        """Return the frame with these tabs, whose names are in its language."""
        return replace(self, tabs=tuple(tabs))


def staff_frame(
    request: Request,
    region_languages: Sequence[str],
    *,
    brand: str,
    home: str = "/",
    tabs: tuple[Tab, ...] = (),
    areas: tuple[str, ...] = STAFF_AREAS,
) -> Frame:
    """Return the frame of a request's page, in the language that the request wants."""
    offered = offered_languages(region_languages)
    language = choose_language(
        request.query_params.get("lang"), request.headers.get("accept-language"), offered
    )
    theme = request.cookies.get("theme", "")
    return Frame(
        language=language,
        languages=offered,
        strings=read_catalogue(language, *areas),
        theme=theme if theme in THEMES else "",
        brand=brand,
        home=home,
        address=request.url.path,
        query={k: v for k, v in request.query_params.items() if k != "lang"},
        tabs=tabs,
    )


@lru_cache(maxsize=1)
def staff_templates() -> Environment:
    """Return the environment that renders staff pages; everything from data is escaped."""
    templates = Environment(
        loader=PackageLoader("mobility.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {"date_text": date_text}
    return templates


def render_staff(
    template: str,
    frame: Frame,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page made from a template that extends ``staff.html``.

    The template sees ``frame``, ``t`` (the strings), ``language``, ``number`` (a whole number as
    text) and the context.
    """
    page = (
        staff_templates()
        .get_template(template)
        .render(
            frame=frame,
            t=frame.strings,
            language=frame.language,
            number=lambda n: number_text(n, frame.language),
            **context,
        )
    )
    sent = {"Vary": "Accept-Language, Cookie", "Cache-Control": "no-cache", **(headers or {})}
    return HTMLResponse(page, status, headers=sent)

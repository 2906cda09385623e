"""What all routes share: the edition served, threads to answer with, the pages' back end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from mobility.api.limits import Workbench
from mobility.api.live import LiveWatch
from mobility.api.queries import JourneyQuery, WhatNowQuery
from mobility.api.region import RegionFacts
from mobility.api.served import Served
from mobility.api.whatnow import WhatNowDesk
from mobility.core.errors import UsageError
from mobility.core.time import Clock
from mobility.network import Edition
from mobility.web import choose_language, offered_languages

Document = dict[str, Any]
Answer = TypeVar("Answer")
Query = TypeVar("Query", bound=BaseModel)
PAGE_SUGGESTIONS = 4


@dataclass(slots=True)
class Readiness:
    """Whether the kernels are compiled and the first answer was given."""

    warm: bool = False


class Site:
    """One edition, open and answering; the threads are shared with the other editions."""

    def __init__(
        self, edition: Edition, clock: Clock, bench: Workbench, home: Path | None = None
    ) -> None:
        self.edition = edition
        self.served = Served(edition, clock, home)
        self.watch = LiveWatch(self.served.planner)
        self.facts = RegionFacts(edition, self.served.tariff)
        self.bench = bench
        self.readiness = Readiness()
        self._layers: dict[str, bytes] = {}

    async def answer(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """Return what the work returns, off the event loop and within the limits."""
        return await self.bench.run(partial(work, *arguments))

    def language(self, wanted: str | None, accepted: str | None) -> str:
        """Return the language of an answer."""
        languages = self.facts.document(self.served.now_s(), "")["languages"]
        return choose_language(wanted, accepted, offered_languages(languages))

    def layer(self, name: str, make: Callable[[Edition], Document]) -> bytes:
        """Return a map layer, made once."""
        if name not in self._layers:
            self._layers[name] = orjson.dumps(make(self.edition))
        return self._layers[name]

    def warm_up(self, dates: tuple[dt.date, ...]) -> None:
        """Answer first questions, of such dates too, so that no visitor waits for slices."""
        self.served.warm_up(dates)
        self.watch.start()
        self.readiness.warm = True


class SitePages:
    """The site as the pages ask it (`mobility.web.PageBackend`)."""

    def __init__(self, site: Site, desk: WhatNowDesk) -> None:
        self._site, self._desk = site, desk

    def region(self, language: str) -> Document:
        """Return the region document."""
        return self._site.facts.document(self._site.served.now_s(), language)

    async def journeys(self, question: Mapping[str, Any]) -> Document:
        """Return the journeys document of a question in the API's words."""
        query = _asked(JourneyQuery, question)
        return await self._site.answer(self._site.served.journeys, query)

    async def what_now(self, question: Mapping[str, Any]) -> Document:
        """Return the what-now document of a question in the API's words."""
        return await self._site.answer(self._desk.answer, _asked(WhatNowQuery, question))

    async def places(self, text: str) -> list[Document]:
        """Return places that a text may mean."""
        if not text.strip():
            return []
        document = await self._site.answer(self._site.served.places, text, PAGE_SUGGESTIONS)
        places: list[Document] = document["places"]
        return places


def _asked(kind: type[Query], question: Mapping[str, Any]) -> Query:
    try:
        return kind.model_validate(dict(question))
    except ValidationError as error:
        parts = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError("; ".join(parts)) from None

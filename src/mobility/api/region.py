"""The region document: what is served, for which days, with which choices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from mobility.core.time import local_date, local_time
from mobility.network import Edition, Network
from mobility.planner.assemble import vehicle_of

Document = dict[str, Any]
DEFAULT_LANGUAGES = ["en"]


def nearest_valid_date(network: Network, today: dt.date) -> dt.date:
    """Return the day nearest to today on which any feed is valid; of two, the later."""
    valid = np.flatnonzero(network.coverage.any(axis=0))
    if not len(valid):
        return network.first_date
    distance = np.abs(valid - (today - network.first_date).days)
    nearest = int(valid[np.flatnonzero(distance == distance.min())[-1]])
    return network.first_date + dt.timedelta(nearest)


def text_in(texts: Mapping[str, str], language: str) -> str:
    """Return the text in the language, else in English, else in the first language by name.

    >>> text_in({"de": "Verbund", "fr": "communauté"}, "en")
    'Verbund'
    """
    return texts.get(language) or texts.get("en") or (texts[min(texts)] if texts else "")


class RegionFacts:
    """What stays the same while an edition is served, read once."""

    def __init__(self, edition: Edition, tariff: Document | None) -> None:
        part = edition.part("region.json")
        self._edition = edition
        self._manifest: Document = orjson.loads(part)["manifest"] if part else {}
        self._info = edition.info
        self._tariff = tariff or {"parties": [], "products": []}
        self._bounds = _bounds(edition.network)
        self._modes = sorted({vehicle_of(int(kind)) for kind in edition.network.route_type})
        self.tz = self._manifest.get("timezone") or edition.network.feed_zone[0]

    def document(self, now_s: int, language: str) -> Document:
        """Return the region document at a moment, names in the language."""
        network = self._edition.network
        today = local_date(now_s, self.tz)
        nearest = nearest_valid_date(network, today)
        days = np.flatnonzero(network.coverage.any(axis=0))
        first, last = (int(days[0]), int(days[-1])) if len(days) else (0, 0)
        return {
            "versions": self._edition.versions,
            "id": self._manifest.get("id", ""),
            "name": self._manifest.get("name", ""),
            "tz": self.tz,
            "languages": list(self._manifest.get("languages") or DEFAULT_LANGUAGES),
            "notice": dict(self._manifest.get("notice") or {}),
            "valid_from": (network.first_date + dt.timedelta(first)).isoformat(),
            "valid_until": (network.first_date + dt.timedelta(last)).isoformat(),
            "now": local_time(now_s, self.tz),
            "nearest_date": nearest.isoformat(),
            "nearest_is_today": nearest == today,
            "feeds": [_feed(feed) for feed in self._info["feeds"]],
            "coverage": self._info["coverage"],
            "cards": [{"id": card, "name": card} for card in self._cards()],
            "passes": [
                {"id": product["id"], "name": text_in(product["name"], language)}
                for product in self._tariff["products"]
                if product["kind"] == "pass"
            ],
            "currencies": self._currencies(),
            "modes": self._modes,
            "parties": [
                {"id": party["id"], "name": text_in(party["name"], language)}
                for party in self._tariff["parties"]
            ],
            "bounds": self._bounds,
        }

    def _cards(self) -> list[str]:
        reductions = (r for product in self._tariff["products"] for r in product["reductions"])
        return sorted({reduction["card"] for reduction in reductions if reduction["card"]})

    def _currencies(self) -> list[str]:
        lists = (prices for product in self._tariff["products"] for prices in product["prices"])
        return sorted({prices["currency"] for prices in lists})


def _feed(feed: Document) -> Document:
    names = ("id", "version", "country", "valid_from", "valid_until", "attribution", "licence")
    return {name: feed.get(name) for name in names}


def _bounds(network: Network) -> list[float]:
    """Return the box that holds all but the outermost stations, so that one stray does not rule."""
    lon, lat = network.station_lon, network.station_lat
    if not len(lon):
        return [-180.0, -60.0, 180.0, 75.0]
    west, east = np.quantile(lon, [0.02, 0.98])
    south, north = np.quantile(lat, [0.02, 0.98])
    return [round(float(edge), 4) for edge in (west, south, east, north)]

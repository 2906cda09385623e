"""The running day in answers: data age, alerts in the rider's language, where vehicles are."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from mobility.core.time import local_time
from mobility.feeds.realtime import Alert
from mobility.journey import Journey
from mobility.network import Network
from mobility.network.live.files import LiveVersion
from mobility.planner import Planner
from mobility.planner.alerts import Alerts, holds, in_language

Document = dict[str, Any]
WATCH_S = 0.5
LOG = logging.getLogger(__name__)


def versions_with(versions: dict[str, str], live: LiveVersion | None) -> dict[str, str]:
    """Return the versions of an answer that was found in a version of the running day."""
    return versions if live is None else {**versions, "realtime": live.version}


class LiveWords:
    """Tells of the running day in documents."""

    def __init__(self, network: Network) -> None:
        self._alerts = Alerts(network)
        self._zone = network.feed_zone[0]

    def realtime(self, version: LiveVersion | None, now_s: int) -> Document | None:
        """Return how old the data of each source are; None where nothing is live."""
        if version is None:
            return None
        return {
            "version": version.version,
            "polled": local_time(version.polled_s, self._zone),
            "sources": [
                {
                    "feed": source.feed,
                    "made": None
                    if source.timestamp is None
                    else local_time(source.timestamp, self._zone),
                    "age_s": source.age_s(now_s),
                    "fault": source.fault or None,
                    "counts": dict(source.counts or {}),
                }
                for source in version.sources
            ],
        }

    def decorate(
        self, documents: Sequence[Document], journeys: Sequence[Journey],
        version: LiveVersion | None, language: str | None,
    ) -> list[Document]:  # fmt: skip
        """Add alerts and vehicles to journeys' documents; return the alerts that they name."""
        shown: dict[int, Document] = {}
        vehicles = _vehicles(version)
        for document, journey in zip(documents, journeys, strict=True):
            rows = [] if version is None else self._alerts.of(version, journey)
            for row in rows:
                assert version is not None
                shown.setdefault(row, self.alert(*version.notes.alerts[row], language))
            document["alerts"] = [shown[row]["id"] for row in rows]
            for leg, ride in zip(document["legs"], journey.legs, strict=True):
                keys = [(s.feed, s.trip_id, s.service_date) for s in ride.sections]
                leg["position"] = next((vehicles[key] for key in keys if key in vehicles), None)
        return list(shown.values())

    def alerts(
        self, version: LiveVersion | None, now_s: int, language: str | None, feed: str | None
    ) -> list[Document]:
        """Return the alerts that hold now or later."""
        if version is None:
            return []
        return [
            self.alert(source, alert, language)
            for source, alert in version.notes.alerts
            if feed in (None, source) and holds(alert, now_s, 1 << 39)
        ]

    def alert(self, feed: str, alert: Alert, language: str | None) -> Document:
        """Return an alert in a language, or in the one nearest to it that the operator gives."""
        spoken, header = in_language(alert.header, language)
        return {
            "id": f"{feed}:{alert.id}",
            "feed": feed,
            "header": header,
            "description": in_language(alert.description, language)[1] or None,
            "url": in_language(alert.url, language)[1] or None,
            "language": spoken or None,
            "cause": alert.cause or None,
            "effect": alert.effect or None,
            "severity": alert.severity or None,
            "periods": [
                {
                    "from": None if start is None else local_time(start, self._zone),
                    "until": None if end is None else local_time(end, self._zone),
                }
                for start, end in alert.periods
            ],
        }


def _vehicles(version: LiveVersion | None) -> dict[Any, Document]:
    if version is None:
        return {}
    return {
        (feed, trip, date): {
            "lat": vehicle.lat,
            "lon": vehicle.lon,
            "bearing": vehicle.bearing,
            "at": None if vehicle.timestamp is None else local_time(vehicle.timestamp, "UTC"),
        }
        for feed, trip, date, vehicle in version.notes.vehicles
    }


class LiveWatch:
    """Lets a planner follow the running day, in a thread of its own: no question waits for it."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="running day", daemon=True)

    def start(self) -> None:
        """Begin to follow, unless it does."""
        if self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            try:
                self._planner.refresh_live()
            except Exception:
                LOG.exception("the running day cannot be read; the last version stays")
            self._ended.wait(WATCH_S)

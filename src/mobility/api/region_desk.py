"""All that is asked about the region's data, in one place: for the API and for the pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mobility.api.region_matches import MatchDesk
from mobility.api.region_queries import MatchesQuery, TrainQuery
from mobility.api.region_status import RegionStatusDesk
from mobility.core.time import Clock
from mobility.network import Edition

Document = dict[str, Any]


class RegionDesk:
    """Answers questions on the region's data from one edition and, where given, a home."""

    def __init__(
        self,
        edition: Edition,
        clock: Clock,
        tz: str,
        home: Path | None,
        not_opened: Callable[[], str] = lambda: "",
    ) -> None:
        self.status = RegionStatusDesk(edition, clock, tz, home, not_opened)
        self.matches = MatchDesk(edition, self.status.rows)

    def overview(self, language: str) -> Document:
        """Return the status document, with what waits for a decision."""
        status = self.status.status(language)
        checks, bans = status["border_checks"], status["boarding_bans"]
        stops = [check["place"] for check in checks] + [s for ban in bans for s in ban["stops"]]
        names = self.matches.stop_names(stops)
        return {
            **status,
            "border_checks": [
                {**check, "place_name": names.get(check["place"], check["place"])}
                for check in checks
            ],
            "boarding_bans": [
                {**ban, "stop_names": [names.get(stop, stop) for stop in ban["stops"]]}
                for ban in bans
            ],
            "to_review": self.matches.to_review(),
        }

    def station_matches(self, query: MatchesQuery) -> Document:
        """Return judged pairs of stations."""
        return self.matches.matches("station", query)

    def train_matches(self, query: MatchesQuery) -> Document:
        """Return judged pairs of trains."""
        return self.matches.matches("train", query)

    def train(self, query: TrainQuery) -> Document:
        """Return the train that carries a trip."""
        return self.matches.train(query.trip, query.other)

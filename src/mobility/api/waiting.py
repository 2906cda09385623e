"""Connections that cannot be missed: the next vehicle waits, or is the one the rider sits in."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from mobility.journey import Leg, Place
from mobility.network import Edition
from mobility.planner.robustness import Guaranteed

# Source: GTFS Schedule reference, transfers.txt: 1 timed (the vehicle waits), 4 in-seat.
WAITING_TYPES = (1, 4)


class _Rule(NamedTuple):
    """A row of transfers.txt; an empty member holds for all."""

    to_stop: str
    from_route: str
    to_route: str
    from_trip: str
    to_trip: str


def waiting_connections(edition: Edition) -> Guaranteed | None:
    """Return whether transfers.txt says that a ride waits for another, or goes on as it.

    A row that names a station holds for the stops in it. None where no feed has such a row.
    """
    rules = _rules(edition)
    if not rules:
        return None
    parents = _parents(edition)

    def waits(before: Leg, after: Leg) -> bool:
        if not before.sections or not after.sections:
            return False
        left, right = before.sections[-1], after.sections[0]
        if left.feed != right.feed:
            return False
        here = _names(before.destination, left.feed, parents)
        there = _names(after.origin, left.feed, parents)
        return any(
            rule.to_stop in there
            and rule.from_route in ("", left.route_id)
            and rule.to_route in ("", right.route_id)
            and rule.from_trip in ("", left.trip_id)
            and rule.to_trip in ("", right.trip_id)
            for name in here
            for rule in rules.get((left.feed, name), ())
        )

    return waits


def _rules(edition: Edition) -> dict[tuple[str, str], list[_Rule]]:
    """Return the rows by feed and the stop that they lead from."""
    if "transfers" not in edition.table_names:
        return {}
    if "transfer_type" not in edition.columns_of("transfers"):
        return {}  # a feed that states none means "recommended" everywhere
    table = edition.rows_where("transfers", pl.col("transfer_type").is_in(WAITING_TYPES))
    feeds = list(edition.network.feed_id)
    rules: dict[tuple[str, str], list[_Rule]] = {}
    for row in table.rows(named=True):
        cells = [
            row.get(name) or ""
            for name in ("to_stop_id", "from_route_id", "to_route_id", "from_trip_id", "to_trip_id")
        ]
        key = (feeds[int(row["feed"])], row.get("from_stop_id") or "")
        rules.setdefault(key, []).append(_Rule(*cells))
    return rules


def _names(place: Place, feed: str, parents: dict[str, str]) -> set[str]:
    """Return the raw ids by which a feed may name a place, and the empty one that names all."""
    owner, _, raw = place.id.partition(":")
    return {"", raw, parents.get(place.id, raw)} if owner == feed else {""}


def _parents(edition: Edition) -> dict[str, str]:
    """Return for each stop inside a station of its feed that station's raw id."""
    feeds = list(edition.network.feed_id)
    stops = edition.rows_where("stops", pl.lit(True)).select("feed", "stop_id", "parent")
    ids = stops["stop_id"].to_list()
    return {
        f"{feeds[feed]}:{stop}": ids[parent]
        for feed, stop, parent in stops.iter_rows()
        if parent is not None and parent >= 0
    }

"""Which stops, agencies and lines of two versions of a feed are the same thing.

Ids are believed only where they prove stable: producers make them anew with each export.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from mobility.feeds.diff.stops import match_stops
from mobility.feeds.diff.values import Change, Churn, Row, different, equal_pairs, text_of
from mobility.feeds.feed import Feed

LINE_OVERLAP = 0.6  # share of stops that make two lines of other names one line
LINE_FIELDS = ("route_short_name", "route_long_name", "route_type", "route_color")

LineKey = tuple[int, str, int]  # agency, name, mode


@dataclass(frozen=True, slots=True)
class Places:
    """The common numbering of two versions' stops, agencies and lines.

    Parameters
    ----------
    old_stops, new_stops : list of int
        Class of each stop row; equal where the stops are the same.
    old_lines, new_lines : dict of str to int
        Line of each route_id.
    line_names : list of str
        Of each line, as riders know it (the new name).
    """

    old_stops: list[int]
    new_stops: list[int]
    old_lines: dict[str, int]
    new_lines: dict[str, int]
    line_names: list[str]
    stops: tuple[Change, ...]
    lines: tuple[Change, ...]
    agencies: tuple[Change, ...]
    stop_churn: Churn
    line_churn: Churn


def match_places(old: Feed, new: Feed) -> Places:
    """Match stops, agencies and lines of two versions."""
    old_stops, new_stops, stop_changes, stop_churn = match_stops(
        old.tables["stops"].rows(named=True), new.tables["stops"].rows(named=True)
    )
    old_agencies, new_agencies, agency_changes = _match_agencies(
        old.tables["agency"].rows(named=True), new.tables["agency"].rows(named=True)
    )
    left = _lines(old, old_agencies, old_stops)
    right = _lines(new, new_agencies, new_stops)
    pairs, line_churn = _match_lines(left, right)
    old_lines, new_lines, names, line_changes = _number_lines(left, right, pairs)
    return Places(
        old_stops=old_stops,
        new_stops=new_stops,
        old_lines=old_lines,
        new_lines=new_lines,
        line_names=names,
        stops=tuple(stop_changes),
        lines=tuple(line_changes),
        agencies=tuple(agency_changes),
        stop_churn=stop_churn,
        line_churn=line_churn,
    )


def _match_agencies(
    old: Sequence[Row], new: Sequence[Row]
) -> tuple[dict[str, int], dict[str, int], list[Change]]:
    def name(row: Row) -> str:
        return text_of(row["agency_name"]).casefold()

    pairs, churn = equal_pairs(old, new, name, "agency_id")
    left = [at for at in range(len(old)) if at not in pairs]
    free = [at for at in range(len(new)) if at not in pairs.values()]
    if churn.stable:
        there = {new[at]["agency_id"]: at for at in free}
        pairs |= {at: there[old[at]["agency_id"]] for at in left if old[at]["agency_id"] in there}
    elif len(left) == len(free) == 1:
        pairs[left[0]] = free[0]
    numbers = {old[at]["agency_id"]: at for at in range(len(old))}
    back = {there: here for here, there in pairs.items()}
    others = {row["agency_id"]: back.get(at, len(old) + at) for at, row in enumerate(new)}
    changes = [
        Change("gone", text_of(row["agency_name"]), old_id=row["agency_id"])
        for at, row in enumerate(old)
        if at not in pairs
    ]
    for at, other in sorted(pairs.items()):
        fields = different(old[at], new[other], ("agency_name",))
        if fields:
            ids = old[at]["agency_id"], new[other]["agency_id"]
            changes.append(Change("changed", text_of(old[at]["agency_name"]), *ids, fields))
    changes += [
        Change("new", text_of(row["agency_name"]), new_id=row["agency_id"])
        for at, row in enumerate(new)
        if at not in back
    ]
    return numbers, others, changes


# --- lines ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """All routes of one agency, name and mode; ``stops`` are classes."""

    key: LineKey
    routes: tuple[Row, ...]
    stops: frozenset[int]

    @property
    def name(self) -> str:
        return self.key[1] or str(self.routes[0]["route_id"])

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(route["route_id"] for route in self.routes)


def _lines(feed: Feed, agencies: Mapping[str, int], stops: Sequence[int]) -> list[_Line]:
    routes: dict[LineKey, list[Row]] = defaultdict(list)
    for row in feed.tables["routes"].rows(named=True):
        name = row["route_short_name"] or row["route_long_name"] or ""
        routes[agencies[row["agency_id"]], name, row["route_type"]].append(row)
    served = _stops_of_routes(feed, stops)
    return [
        _Line(key, tuple(rows), frozenset().union(*(served[row["route_id"]] for row in rows)))
        for key, rows in routes.items()
    ]


def _stops_of_routes(feed: Feed, stops: Sequence[int]) -> Mapping[str, set[int]]:
    calls = feed.tables["stop_times"].select("trip", "stop")
    pairs = calls.select(
        pl.lit(feed.tables["trips"]["route_id"]).gather(pl.col("trip")).alias("route_id"), "stop"
    ).unique()
    served: dict[str, set[int]] = defaultdict(set)
    for route_id, stop in pairs.iter_rows():
        served[route_id].add(stops[stop])
    return served


def _match_lines(old: Sequence[_Line], new: Sequence[_Line]) -> tuple[dict[int, int], Churn]:
    there = {line.key: at for at, line in enumerate(new)}
    pairs = {at: there[line.key] for at, line in enumerate(old) if line.key in there}
    differ = sum(old[at].ids != new[other].ids for at, other in pairs.items())
    churn = Churn(len(pairs), differ)
    free = set(range(len(new))) - set(pairs.values())
    found = []
    for at, line in enumerate(old):
        if at in pairs:
            continue
        for other in free:
            same_id = churn.stable and bool(line.ids & new[other].ids)
            alike = _overlap(line.stops, new[other].stops)
            if line.key[2] == new[other].key[2] and (same_id or alike >= LINE_OVERLAP):
                found.append((not same_id, -alike, at, other))
    taken: set[int] = set()
    for _, _, at, other in sorted(found):
        if at not in pairs and other not in taken:
            pairs[at] = other
            taken.add(other)
    return pairs, churn


def _overlap(left: frozenset[int], right: frozenset[int]) -> float:
    return len(left & right) / len(left | right) if left or right else 0.0


def _number_lines(
    old: Sequence[_Line], new: Sequence[_Line], pairs: Mapping[int, int]
) -> tuple[dict[str, int], dict[str, int], list[str], list[Change]]:
    back = {there: here for here, there in pairs.items()}
    names = [line.name for line in old]
    old_lines = {route_id: at for at, line in enumerate(old) for route_id in line.ids}
    new_lines: dict[str, int] = {}
    changes = []
    for at, line in enumerate(old):
        if at not in pairs:
            changes.append(Change("gone", line.name, old_id=min(line.ids)))
            continue
        other = new[pairs[at]]
        fields = _line_fields(line, other)
        if fields:
            changes.append(Change("changed", line.name, min(line.ids), min(other.ids), fields))
    for at, line in enumerate(new):
        number = back.get(at, len(names))
        if number == len(names):
            names.append(line.name)
            changes.append(Change("new", line.name, new_id=min(line.ids)))
        else:
            names[number] = line.name
        new_lines.update(dict.fromkeys(line.ids, number))
    return old_lines, new_lines, names, changes


def _line_fields(old: _Line, new: _Line) -> dict[str, tuple[str, str]]:
    """Return which fields of the routes of a line differ, as sets of values."""
    fields = {}
    for field in LINE_FIELDS:
        left, right = (
            sorted({text_of(route[field]) for route in line.routes}) for line in (old, new)
        )
        if left != right:
            fields[field] = (", ".join(left), ", ".join(right))
    return fields

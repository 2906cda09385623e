"""Fares of two versions: which price has changed, come or gone, whatever fares are called.

A price is found again by what it is for: from which zone to which, on which line, in which way
paid; a zone by the stops in it. Fare ids and zone ids may all have been made anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mobility.feeds.diff.places import Places
from mobility.feeds.diff.values import text_of
from mobility.feeds.diff_products import Prices, Side, product_prices
from mobility.feeds.feed import Feed

Place = tuple[int, int, int]  # line, zone of origin, zone of destination; -1 for any
ANYWHERE: Place = (-1, -1, -1)
ZONE_OVERLAP = 0.5  # share of stops that makes two zones one


@dataclass(frozen=True, slots=True)
class FareChange:
    """A price that has changed (``kind`` ``changed``), come (``new``) or gone.

    ``old`` and ``new`` are amounts as the feed writes them, with their currency.
    """

    kind: str
    what: str
    old: str = ""
    new: str = ""


def diff_fares(old: Feed, new: Feed, places: Places) -> tuple[FareChange, ...]:
    """Return the prices that differ, of fares v1 and v2."""
    left = Side(old, places.old_stops, places.old_lines, places.line_names)
    right = Side(new, places.new_stops, places.new_lines, places.line_names)
    zones, others, names = _match_zones(left, right)
    return (
        *_compare(
            _zone_prices(left, zones, names),
            _zone_prices(right, others, names),
        ),
        *_compare(product_prices(left), product_prices(right)),
    )


def _compare(old: Prices, new: Prices) -> Iterable[FareChange]:
    """Compare prices by what they are for."""
    for key, (what, prices) in old.items():
        others = new[key][1] if key in new else Counter[str]()
        gone = sorted((prices - others).elements())
        come = sorted((others - prices).elements())
        both = min(len(gone), len(come))
        for before, after in zip(gone[:both], come[:both], strict=True):
            yield FareChange("changed", what, before, after)
        yield from (FareChange("gone", what, before) for before in gone[both:])
        yield from (FareChange("new", what, new=after) for after in come[both:])
    for key, (what, prices) in new.items():
        if key not in old:
            yield from (FareChange("new", what, new=one) for one in sorted(prices.elements()))


# --- fares v1 -------------------------------------------------------------------------------------


def _zones(side: Side) -> dict[str, frozenset[int]]:
    """Return the classes of the stops of each zone."""
    members: dict[str, set[int]] = defaultdict(set)
    zone_ids = side.feed.tables["stops"]["zone_id"].to_list()
    for zone, stop in zip(zone_ids, side.stops, strict=True):
        if zone is not None:
            members[zone].add(stop)
    return {zone: frozenset(stops) for zone, stops in members.items()}


def _match_zones(old: Side, new: Side) -> tuple[dict[str, int], dict[str, int], dict[int, str]]:
    """Return the number of each old and new zone, equal ones alike, and the numbers' names."""
    here, there = _zones(old), _zones(new)
    by_stops: dict[frozenset[int], list[str]] = defaultdict(list)
    for zone, stops in there.items():
        by_stops[stops].append(zone)
    pairs: dict[str, str] = {}
    for zone, stops in here.items():
        twins = by_stops.get(stops, [])
        if twins:
            same = zone if zone in twins else twins[0]
            twins.remove(same)
            pairs[zone] = same
    free = set(there) - set(pairs.values())
    found = sorted(
        (-len(here[zone] & there[other]) / len(here[zone] | there[other]), zone, other)
        for zone in here.keys() - pairs.keys()
        for other in free
    )
    for score, zone, other in found:
        if -score >= ZONE_OVERLAP and zone not in pairs and other in free:
            pairs[zone] = other
            free.remove(other)
    numbers = {zone: number for number, zone in enumerate(sorted(here))}
    others = {other: numbers[zone] for zone, other in pairs.items()}
    others |= {zone: len(numbers) + at for at, zone in enumerate(sorted(free))}
    names = {number: zone for zone, number in (numbers | others).items()}
    return numbers, others, names | {number: zone for zone, number in numbers.items()}


def _zone_prices(side: Side, zones: Mapping[str, int], names: Mapping[int, str]) -> Prices:
    """Return the prices of fares v1 by what they are for."""
    contains: dict[tuple[str, Place], set[int]] = defaultdict(set)
    ruled: dict[str, dict[Place, None]] = defaultdict(dict)
    for rule in side.feed.tables["fare_rules"].rows(named=True):
        line = side.lines.get(rule["route_id"] or "", -1)
        place = (line, zones.get(rule["origin_id"], -1), zones.get(rule["destination_id"], -1))
        ruled[rule["fare_id"]][place] = None
        if rule["contains_id"] is not None:
            contains[rule["fare_id"], place].add(zones.get(rule["contains_id"], -1))
    prices: Prices = {}
    for fare in side.feed.tables["fare_attributes"].rows(named=True):
        how = tuple(fare[name] for name in ("payment_method", "transfers", "transfer_duration"))
        price = f"{text_of(fare['price'])} {text_of(fare['currency_type'])}"
        for place in ruled.get(fare["fare_id"], {ANYWHERE: None}):
            through = frozenset(contains.get((fare["fare_id"], place), ()))
            key = (place, through, how)
            what = _what(place, through, names, side.line_names)
            prices.setdefault(key, (what, Counter()))[1][price] += 1
    return prices


def _what(
    place: Place, through: frozenset[int], names: Mapping[int, str], lines: Sequence[str]
) -> str:
    line, origin, destination = place
    parts = []
    if line >= 0:
        parts.append(f"line {lines[line]}")
    if origin >= 0 or destination >= 0:
        parts.append(f"{names.get(origin, 'any')} to {names.get(destination, 'any')}")
    if through:
        parts.append("through " + ", ".join(sorted(names.get(zone, "any") for zone in through)))
    return " ".join(parts) or "anywhere"

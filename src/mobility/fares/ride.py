"""Rides as fares see them: stages of a journey, the zones they cross, who carries each metre.

A *stage* is a transit leg, or a piece of one where the tariff lets tickets meet inside a train (a
cut point). A *half hop* is half the way between two calls: it lies where its call lies, so that a
ride across a seam gives half of the crossing hop to each side, the same in both directions. Where
a border point is listed, the hop before it belongs to the side before, the hop after to the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from mobility.core.units import distance_m
from mobility.fares.tariff import Tariff
from mobility.journey import Call, Journey, Leg, Section

UNPRICED_MODES = frozenset({"walk", "bike", "car"})


@dataclass(frozen=True, slots=True)
class HalfHop:
    """Half the way between two calls; ``half_m`` is its length in half metres (whole number)."""

    zones: frozenset[str]
    passed: frozenset[str]
    carrier: str
    lines: frozenset[str]
    half_m: int


@dataclass(frozen=True, slots=True)
class Stage:
    """A piece of one transit leg from a call to a later call, with what rules ask about it.

    ``zones`` are those of each call, border points left out; ``carriers`` and ``lines`` stand per
    section; an empty carrier is a company that the tariff does not know.
    """

    leg: int
    calls: tuple[Call, ...]
    zones: tuple[frozenset[str], ...]
    carriers: tuple[str, ...]
    lines: tuple[frozenset[str], ...]
    half_hops: tuple[HalfHop, ...]

    @property
    def departure(self) -> int:
        """Unix second at which the stage begins."""
        return self.calls[0].departure

    @property
    def arrival(self) -> int:
        """Unix second at which the stage ends."""
        return self.calls[-1].arrival

    @property
    def half_m(self) -> int:
        """Length along the calls, as the crow flies from call to call, in half metres."""
        return sum(half.half_m for half in self.half_hops)


def list_stages(journey: Journey, tariff: Tariff) -> list[Stage]:
    """Return the stages of a journey in order: its legs, cut at the tariff's cut points."""
    stages = []
    for index, leg in enumerate(journey.legs):
        if leg.mode in UNPRICED_MODES:
            continue
        calls = _calls_of(leg)
        inner = range(1, len(calls) - 1)
        cuts = [
            i
            for i in inner
            if not calls[i].border_point and tariff.zones_of(calls[i].place) & tariff.cut_points
        ]
        bounds = [0, *cuts, len(calls) - 1]
        for first, last in pairwise(bounds):
            stages.append(_make_stage(index, leg, calls, first, last, tariff))
    return stages


def whole_leg(index: int, leg: Leg, tariff: Tariff) -> Stage:
    """Return a transit leg as one stage, uncut."""
    calls = _calls_of(leg)
    return _make_stage(index, leg, calls, 0, len(calls) - 1, tariff)


def zones_crossed(stages: Sequence[Stage], system: str, tariff: Tariff) -> tuple[str, ...]:
    """Return the zones of a system that the stages call at or pass, sorted.

    Zones between two calls of one train count when the system says which zones are neighbours. A
    stop on the edge of several zones counts as the one that makes the fewest in all.

    Source: counting rule of zone tariffs; the rider's favour at edges is ours.
    """
    prefix = f"{system}:"
    options = []
    crossed: set[str] = set()
    for stage in stages:
        previous: list[str] = []
        for zones in stage.zones:
            here = sorted(zone[len(prefix) :] for zone in zones if zone.startswith(prefix))
            if here:
                options.append(here)
                if len(here) == len(previous) == 1:
                    crossed |= _passed(tariff, system, previous[0], here[0])
            previous = here
    crossed |= {here[0] for here in options if len(here) == 1}
    return tuple(sorted(crossed | _fewest(options, crossed)))


def lies_within(zones: Collection[str], wanted: frozenset[str]) -> bool:
    """Return whether one of the zones, or the system of one, is wanted.

    >>> lies_within(frozenset({"west:10"}), frozenset({"west"}))
    True
    """
    return any(zone in wanted or zone.partition(":")[0] in wanted for zone in zones)


def legs_of(stages: Sequence[Stage]) -> tuple[int, ...]:
    """Return the indices of the legs that the stages are parts of, in order."""
    return tuple(dict.fromkeys(stage.leg for stage in stages))


def _fewest(options: Sequence[Sequence[str]], crossed: set[str]) -> set[str]:
    """Return the fewest further zones so that every stop lies in a counted one."""
    open_stops = [set(zones) for zones in options if not crossed & set(zones)]
    names = sorted(set().union(*open_stops)) if open_stops else []
    for size in range(len(names) + 1):
        for choice in combinations(names, size):
            if all(zones & set(choice) for zones in open_stops):
                return set(choice)
    return set(names)


def _passed(tariff: Tariff, system: str, left: str, right: str) -> frozenset[str]:
    key = f"{left}|{right}" if left < right else f"{right}|{left}"
    return frozenset(tariff.passed.get(system, {}).get(key, ()))


def _calls_of(leg: Leg) -> tuple[Call, ...]:
    if leg.calls:
        return leg.calls
    return (
        Call(leg.origin, leg.departure, leg.departure),
        Call(leg.destination, leg.arrival, leg.arrival),
    )


def _make_stage(
    index: int, leg: Leg, calls: tuple[Call, ...], first: int, last: int, tariff: Tariff
) -> Stage:
    sections = [s for s in leg.sections if s.from_call < last and s.to_call > first]
    own = calls[first : last + 1]
    return Stage(
        leg=index,
        calls=own,
        zones=tuple(tariff.zones_of(call.place) for call in own if not call.border_point),
        carriers=tuple(_carrier_of(section, tariff) for section in sections) or ("",),
        lines=tuple(_lines_of(leg, section, tariff) for section in sections),
        half_hops=tuple(_half_hops(leg, calls, first, last, tariff)),
    )


def _carrier_of(section: Section, tariff: Tariff) -> str:
    return tariff.carrier_of_agency.get(f"{section.feed}:{section.agency_id}", "")


def _lines_of(leg: Leg, section: Section, tariff: Tariff) -> frozenset[str]:
    none: frozenset[str] = frozenset()
    by_route = tariff.lines_of_route.get(f"{section.feed}:{section.route_id}", none)
    return by_route | tariff.lines_of_route.get(f"{section.feed}:{leg.line}", none)


def _half_hops(
    leg: Leg, calls: tuple[Call, ...], first: int, last: int, tariff: Tariff
) -> Iterator[HalfHop]:
    for position in range(first, last):
        section = next((s for s in leg.sections if s.from_call <= position < s.to_call), None)
        left, right = calls[position], calls[position + 1]
        metres = round(distance_m(left.place.lat, left.place.lon, right.place.lat, right.place.lon))
        left_zones, right_zones = tariff.zones_of(left.place), tariff.zones_of(right.place)
        sides = (
            right_zones if left.border_point and not right.border_point else left_zones,
            left_zones if right.border_point and not left.border_point else right_zones,
        )
        passed = _passed_zones(tariff, left_zones, right_zones)
        for zones in sides:
            yield HalfHop(
                zones=zones,
                passed=passed,
                carrier="" if section is None else _carrier_of(section, tariff),
                lines=frozenset() if section is None else _lines_of(leg, section, tariff),
                half_m=metres,
            )


def _passed_zones(tariff: Tariff, left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    passed: set[str] = set()
    for zone in left:
        system, _, name = zone.partition(":")
        others = [ref for ref in right if ref.startswith(f"{system}:")]
        for other in others:
            passed |= {
                f"{system}:{z}" for z in _passed(tariff, system, name, other[len(system) + 1 :])
            }
    return frozenset(passed)

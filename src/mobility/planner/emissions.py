"""Greenhouse gases of a journey, from published factors per country and vehicle.

Per hop of a ride: great circle between two calls, times a detour, times the factor of the country
it lies in. Where the calls lie in two countries each gets half of the hop. What has no factor is
unknown, never 0; walking counts as 0. Formulas and sources: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from mobility.core.units import distance_m
from mobility.journey import Journey, Leg, Place, Section
from mobility.planner.published import Row, speakers

Scope = Literal["tank_to_wheel", "well_to_wheel", "with_vehicle", "with_infrastructure"]
SCOPES: tuple[Scope, ...] = (
    "tank_to_wheel", "well_to_wheel", "with_vehicle", "with_infrastructure",
)  # fmt: skip
CHECKED = ("read", "recalled")  # a source was read for the table, or its figure is from memory
USUAL_SCOPE: Scope = "well_to_wheel"  # of several rows of one country this scope is taken
MAX_G_PER_PKM = 2000

# Length of a vehicle's way over the great circles between its calls: shapes.txt of real feeds,
# pooled: rail 1.02 (Caltrain), 1.03 (ZSSK); metro 1.08 (BART); bus 1.17 (CCCTA), 1.16 (Napa),
# 1.07 (Porto Alegre). Trams are taken for metros, ferries and what else there is as they fly.
DETOUR: Mapping[str, float] = {
    "rail": 1.03, "subway": 1.08, "tram": 1.08, "bus": 1.15, "trolleybus": 1.15, "coach": 1.15,
}  # fmt: skip
# Road over great circle, for Germany: Ballou, Rahardja, Sakai (2002), Selected country circuity
# factors for road travel distance estimation, Transportation Research A 36.
CAR_DETOUR = 1.32

CountryOf = Callable[[Place], str | None]


@dataclass(frozen=True, slots=True)
class Factor:
    """Grams of CO2 equivalents per passenger-kilometre, with what it counts and who says so.

    Parameters
    ----------
    scope : str
        What is counted: the vehicle's exhaust, with the making of fuel and power, with the making
        of vehicles, with tracks and roads too.
    occupancy : float or None
        People in a vehicle, where the source or the table divides by it.
    checked : str
        ``read`` in a source for the table, or ``recalled``.
    """

    country: str
    vehicle: str
    agency: str
    traction: str
    year: int
    g_per_pkm: float
    scope: Scope
    occupancy: float | None
    checked: str
    source: str

    def to_json(self) -> dict[str, Any]:
        """Return the factor's document."""
        return {
            "country": self.country,
            "vehicle": self.vehicle,
            "agency": self.agency or None,
            "traction": self.traction or None,
            "year": self.year,
            "g_per_pkm": self.g_per_pkm,
            "scope": self.scope,
            "occupancy": self.occupancy,
            "checked": self.checked,
            "source": self.source,
        }


class Factors:
    """The factors in force: of an operator, else of its country, else of Europe.

    Of several rows the first in the usual scope wins, else the first.

    Raises
    ------
    ManifestError
        A row has a cell that means nothing: file, line, column and what was expected.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._best: dict[tuple[str, str], Factor] = {}
        for row in rows:
            factor = _factor(row)
            key = (row.speaker(), factor.vehicle)
            held = self._best.get(key)
            if held is None or (held.scope != USUAL_SCOPE == factor.scope):
                self._best[key] = factor

    def find(
        self, country: str | None, vehicle: str, section: Section | None = None
    ) -> Factor | None:
        """Return the factor of a ride in a country; None where nothing is published."""
        known = (self._best.get((who, vehicle)) for who in speakers(section, country))
        return next((factor for factor in known if factor), None)


def _factor(row: Row) -> Factor:
    scope = next(s for s in SCOPES if s == row.among("scope", SCOPES))
    return Factor(
        country=row.country(),
        vehicle=row.text("vehicle"),
        agency=row.text("agency", needed=False),
        traction=row.text("traction", needed=False),
        year=row.year(),
        g_per_pkm=row.number("g_per_pkm", 0, MAX_G_PER_PKM),
        scope=scope,
        occupancy=row.optional("occupancy", 0.1, 1000),
        checked=row.among("checked", CHECKED),
        source=row.text("source"),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """What a ride emits in one country: metres travelled, grams; None where there is no factor."""

    country: str | None
    metres: int
    factor: Factor | None
    grams: int | None


@dataclass(frozen=True, slots=True)
class CarTrip:
    """The same trip by car: metres by road, grams for one person in a car of usual occupancy."""

    metres: int
    factor: Factor
    grams: int


@dataclass(frozen=True, slots=True)
class Emissions:
    """What a journey emits, ride by ride; ``rides`` holds the leg's index and its parts."""

    rides: tuple[tuple[int, tuple[Part, ...]], ...]
    car: CarTrip | None

    @property
    def unknown_legs(self) -> tuple[int, ...]:
        """Legs for which no factor is published."""
        return tuple(leg for leg, parts in self.rides if any(p.grams is None for p in parts))

    @property
    def grams(self) -> int | None:
        """Grams of CO2 equivalents of one rider; None where a ride's are unknown."""
        if self.unknown_legs:
            return None
        return sum(part.grams or 0 for _, parts in self.rides for part in parts)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What the factors used count, each once."""
        used = {p.factor.scope for _, parts in self.rides for p in parts if p.factor}
        return tuple(scope for scope in SCOPES if scope in used)

    def to_json(self) -> dict[str, Any]:
        """Return the ``emissions`` of a journey."""
        return {
            "grams": self.grams,
            "unknown_legs": list(self.unknown_legs),
            "scopes": list(self.scopes),
            "rides": [
                {
                    "leg": leg,
                    "parts": [
                        {
                            "country": part.country,
                            "metres": part.metres,
                            "grams": part.grams,
                            "factor": part.factor.to_json() if part.factor else None,
                        }
                        for part in parts
                    ],
                }
                for leg, parts in self.rides
            ],
            "car": self.car
            and {
                "metres": self.car.metres,
                "grams": self.car.grams,
                "factor": self.car.factor.to_json(),
            },
        }


def emissions_of(
    journey: Journey, factors: Factors, country_of: CountryOf | None = None
) -> Emissions:
    """Return what a journey emits.

    Parameters
    ----------
    country_of : callable, optional
        The country of a place, None where it is not known: then the country of the feed that
        carries the section stands for it.
    """
    rides = tuple(
        (index, ride_parts(leg, factors, country_of))
        for index, leg in enumerate(journey.legs)
        if leg.mode == "transit"
    )
    return Emissions(rides, _by_car(journey, rides, factors, country_of))


def ride_parts(leg: Leg, factors: Factors, country_of: CountryOf | None = None) -> tuple[Part, ...]:
    """Return what a ride emits per country and factor, in the order in which it comes to them."""
    metres: dict[tuple[str | None, Factor | None], float] = {}
    for position, (left, right) in enumerate(pairwise(leg.calls)):
        here, there = left.place, right.place
        length_m = distance_m(here.lat, here.lon, there.lat, there.lon)
        carried = next((s for s in leg.sections if s.from_call <= position < s.to_call), None)
        feed_country = carried.country if carried else None
        known = [
            None if country_of is None or call.border_point else country_of(call.place)
            for call in (left, right)
        ]
        # A border point lies in neither country: the hop to it is that of the other call.
        sides = [known[0] or known[1] or feed_country, known[1] or known[0] or feed_country]
        for country in sides:
            key = (country, factors.find(country, leg.vehicle, carried))
            metres[key] = metres.get(key, 0.0) + length_m / 2
    detour = DETOUR.get(leg.vehicle, 1.0)
    return tuple(
        _part(country, length_m * detour, factor) for (country, factor), length_m in metres.items()
    )


def _part(country: str | None, length_m: float, factor: Factor | None) -> Part:
    grams = None if factor is None else round(factor.g_per_pkm * length_m / 1000)
    return Part(country, round(length_m), factor, grams)


def _by_car(
    journey: Journey,
    rides: tuple[tuple[int, tuple[Part, ...]], ...],
    factors: Factors,
    country_of: CountryOf | None,
) -> CarTrip | None:
    """Return the trip by car, by the factor of the country where the journey begins."""
    start, end = journey.legs[0].origin, journey.legs[-1].destination
    ridden = next((parts[0].country for _, parts in rides if parts), None)
    factor = factors.find((country_of and country_of(start)) or ridden, "car")
    if factor is None:
        return None
    length_m = distance_m(start.lat, start.lon, end.lat, end.lon) * CAR_DETOUR
    return CarTrip(round(length_m), factor, round(factor.g_per_pkm * length_m / 1000))

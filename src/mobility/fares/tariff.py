"""A compiled tariff as values for pricing: products, price lists, rules, zones of places."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any

from mobility.core.errors import FormatVersionError
from mobility.core.money import MINOR_DIGITS
from mobility.fares.check import ONE_PART
from mobility.fares.source import FORMAT
from mobility.journey import Place

ADULT = "adult"  # the age group that every tariff knows
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Party:
    """A party of the tariff; ``roles[0]`` is its main role."""

    id: str
    name: Texts
    roles: tuple[str, ...]
    country: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """Where and when a product holds; empty sets do not restrict.

    ``zones`` are zones ``system:zone`` and whole systems.
    """

    zones: frozenset[str]
    lines: frozenset[str]
    except_lines: frozenset[str]
    carriers: frozenset[str]
    days: frozenset[str]
    recognised: bool
    note: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """What a seller asks in one currency: one table per part of the price."""

    seller: str
    channel: str
    currency: str
    parts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reduction:
    """What holders of a card, or an age group, pay of some parts (none named: of all)."""

    card: str | None
    age_group: str | None
    parts: frozenset[str]
    pay_percent: int
    round_to_minor: int


@dataclass(frozen=True, slots=True)
class Product:
    """A ticket or pass of the tariff."""

    id: str
    kind: str
    name: Texts
    basis: str
    systems: tuple[str, ...]
    validity: int | list[int] | str
    valid_from: dt.date
    valid_until: dt.date
    protects: str
    touches: tuple[str, ...]
    rules: tuple[Rule, ...]
    prices: tuple[PriceList, ...]
    reductions: tuple[Reduction, ...]


@dataclass(frozen=True, slots=True)
class Tariff:
    """All that pricing and splitting look up; made by `load_tariff`.

    ``cards``, ``age_groups`` and ``passes`` are all that a rider may name.
    """

    parties: Mapping[str, Party]
    carrier_of_agency: Mapping[str, str]
    lines_of_route: Mapping[str, frozenset[str]]
    passed: Mapping[str, Mapping[str, Sequence[str]]]
    country_system: str | None
    stop_zones: Mapping[str, frozenset[str]]
    station_zones: Mapping[str, frozenset[str]]
    products: Mapping[str, Product]
    cards: frozenset[str]
    age_groups: frozenset[str]
    passes: frozenset[str]
    cut_points: frozenset[str]
    holidays: Mapping[str, frozenset[dt.date]]
    protections: Mapping[str, Texts]
    between_tickets: Texts
    rank_weights: Mapping[str, int]
    comparison: str
    _zones: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def zones_of(self, place: Place) -> frozenset[str]:
        """Return the zones ``system:zone`` of a place: its own and those of its station."""
        key = (place.id, place.station_id)
        zones = self._zones.get(key)
        if zones is None:
            none: frozenset[str] = frozenset()
            own = self.stop_zones.get(place.id, none)
            zones = self._zones[key] = own | self.station_zones.get(place.station_id, none)
        return zones

    def country_of(self, zones: frozenset[str]) -> str | None:
        """Return the country code that a place's zones state, or None."""
        prefix = f"{self.country_system}:"
        return min((z[len(prefix) :] for z in zones if z.startswith(prefix)), default=None)


def load_tariff(data: Mapping[str, Any]) -> Tariff:
    """Return the values of a compiled tariff (``tariff.json``).

    Raises
    ------
    FormatVersionError
        Compiled by a version that wrote another format.
    """
    if data.get("format") != FORMAT:
        raise FormatVersionError(
            f"tariff.json: format {data.get('format')!r}: expected {FORMAT}; rebuild the edition"
            " with: mobility build"
        )
    lines_of_route: dict[str, frozenset[str]] = {}
    for line in data["lines"]:
        for route in line["routes"]:
            lines_of_route[route] = lines_of_route.get(route, frozenset()) | {line["id"]}
    reductions = [reduction for p in data["products"] for reduction in p["reductions"]]
    weights, comparison = _rank_weights(data["comparison"], data["products"])
    return Tariff(
        parties={p["id"]: _load_party(p) for p in data["parties"]},
        carrier_of_agency={agency: p["id"] for p in data["parties"] for agency in p["agencies"]},
        lines_of_route=lines_of_route,
        passed={system["id"]: system["passed"] for system in data["systems"]},
        country_system=next((s["id"] for s in data["systems"] if s["kind"] == "country"), None),
        stop_zones={stop: frozenset(zones) for stop, zones in data["stop_zones"].items()},
        station_zones={station: frozenset(z) for station, z in data["station_zones"].items()},
        products={p["id"]: _load_product(p) for p in data["products"]},
        cards=frozenset(r["card"] for r in reductions if r["card"]),
        age_groups=frozenset({ADULT} | {r["age_group"] for r in reductions if r["age_group"]}),
        passes=frozenset(p["id"] for p in data["products"] if p["kind"] == "pass"),
        cut_points=frozenset(data["cut_points"]),
        holidays={
            country: frozenset(dt.date.fromisoformat(day) for day in days)
            for country, days in data["holidays"].items()
        },
        protections=data["protections"],
        between_tickets=data["between_tickets"],
        rank_weights=weights,
        comparison=comparison,
    )


def text_of(texts: Texts, language: str) -> str:
    """Return the text in the language, else in English, else in the first language there is.

    >>> text_of({"de": "Einzelbillett", "fr": "billet"}, "fr")
    'billet'
    """
    return texts.get(language) or texts.get("en") or texts[min(texts)]


def _load_party(data: Mapping[str, Any]) -> Party:
    return Party(data["id"], data["name"], tuple(data["roles"]), data["country"])


def _load_product(data: Mapping[str, Any]) -> Product:
    return Product(
        id=data["id"],
        kind=data["kind"],
        name=data["name"],
        basis=data["basis"],
        systems=tuple(data["systems"]),
        validity=data["validity"],
        valid_from=dt.date.fromisoformat(data["valid_from"]),
        valid_until=dt.date.fromisoformat(data["valid_until"]),
        protects=data["protects"],
        touches=tuple(data["touches"]),
        rules=tuple(_load_rule(rule) for rule in data["scope"]),
        prices=tuple(
            PriceList(
                prices["seller"],
                prices["channel"],
                prices["currency"],
                prices["parts"] or {ONE_PART: prices["price"]},
            )
            for prices in data["prices"]
        ),
        reductions=tuple(
            Reduction(
                reduction["card"],
                reduction["age_group"],
                frozenset(reduction["parts"]),
                reduction["pay_percent"],
                reduction["round_to_minor"],
            )
            for reduction in data["reductions"]
        ),
    )


def _load_rule(data: Mapping[str, Any]) -> Rule:
    return Rule(
        zones=frozenset(data["zones"]),
        lines=frozenset(data["lines"]),
        except_lines=frozenset(data["except_lines"]),
        carriers=frozenset(data["carriers"]),
        days=frozenset(data["days"]),
        recognised=data["recognised"],
        note=data["note"],
    )


def _rank_weights(
    comparison: Mapping[str, Any] | None, products: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, int], str]:
    """Return whole-number weights of a minor unit of each currency, and how they were stated.

    They only order combinations whose prices are in different currencies: no amount is converted.
    """
    if comparison is None:
        sold = {prices["currency"] for product in products for prices in product["prices"]}
        return dict.fromkeys(sorted(sold), 1), ""
    base = comparison["currency"]
    rates = {base: Fraction(1)} | {c: Fraction(r) for c, r in comparison["rates"].items()}
    exact = {code: rate / 10 ** MINOR_DIGITS[code] for code, rate in rates.items()}
    scale = lcm(*(weight.denominator for weight in exact.values()))
    stated = ", ".join(f"{code} 1 = {base} {rate}" for code, rate in comparison["rates"].items())
    weights = {code: int(weight * scale) for code, weight in sorted(exact.items())}
    return weights, f"{stated} ({comparison['as_of']})"

"""What one product costs for consecutive stages: its rules, its price function, its reductions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mobility.core.errors import InputError
from mobility.core.money import Money, check_currency
from mobility.core.time import local_date, service_day_origin
from mobility.fares.ride import Stage, lies_within, zones_crossed
from mobility.fares.tariff import ADULT, PriceList, Product, Reduction, Rule, Tariff

NOWHERE: frozenset[str] = frozenset()
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKEND = WEEKDAYS[5:]
DAY_TICKET_ENDS_S = 5 * 3600  # a day ticket holds until 05:00 of the next day
MAX_PERSONS = 50


@dataclass(frozen=True, slots=True)
class Rider:
    """Who travels: age group, cards, passes held, wanted currency, number of persons alike.

    >>> Rider(cards=frozenset({"half-fare"}), currency="EUR").persons
    1
    """

    age_group: str = ADULT
    cards: frozenset[str] = frozenset()
    passes: frozenset[str] = frozenset()
    currency: str | None = None
    persons: int = 1


@dataclass(frozen=True, slots=True)
class Quote:
    """A price with what led to it.

    Parameters
    ----------
    parts : tuple of (part, minor units)
        The parts of the price as paid; they sum to it.
    zones : tuple of (system, zones)
        Zones counted, where the product counts zones.
    tariff_km : int or None
        Started kilometres, where the product counts distance.
    reduced : tuple of (part, card or age group, minor units before)
        Parts that a reduction made cheaper.
    chosen_by : str
        Why this seller and currency.
    """

    product: Product
    prices: PriceList
    price: Money
    parts: tuple[tuple[str, int], ...]
    zones: tuple[tuple[str, tuple[str, ...]], ...]
    tariff_km: int | None
    reduced: tuple[tuple[str, str, int], ...]
    rules: tuple[Rule, ...]
    valid_from: int
    valid_until: int
    chosen_by: str


def check_rider(rider: Rider, tariff: Tariff) -> None:
    """Raise where the rider names a card, pass, age group or currency that the tariff lacks.

    A mistyped card would otherwise end in a wrong price.

    Raises
    ------
    InputError, MoneyError
        One line with what the tariff has.
    """
    for kind, names, known in (
        ("card", rider.cards, tariff.cards),
        ("pass", rider.passes, tariff.passes),
        ("age group", {rider.age_group}, tariff.age_groups),
    ):
        for name in sorted(names - known):
            listed = ", ".join(sorted(known)) or "none"
            raise InputError(f"unknown {kind} {name!r}: this tariff has {listed}")
    if rider.currency is not None:
        check_currency(rider.currency)
    if not 1 <= rider.persons <= MAX_PERSONS:
        raise InputError(f"{rider.persons} persons: expected 1 to {MAX_PERSONS}")


def find_rule(product: Product, stage: Stage, tariff: Tariff) -> Rule | None:
    """Return the first rule of the product under which the stage may be ridden, or None."""
    date = local_date(stage.departure, stage.calls[0].place.tz)
    if not product.valid_from <= date <= product.valid_until or "" in stage.carriers:
        return None
    days = _day_types(date, tariff.country_of(stage.zones[0] if stage.zones else NOWHERE), tariff)
    return next((rule for rule in product.rules if _obeys(stage, rule, days)), None)


def quote_single(
    product: Product, stages: Sequence[Stage], rules: Sequence[Rule], rider: Rider, tariff: Tariff
) -> Quote | None:
    """Return the price of a ticket for stages that obey its rules, or None where it has none.

    The seller is chosen by a stated order: the rider's currency, then a seller of the country in
    which the ticket's first ride begins, then as listed in the tariff.
    """
    zones = tuple(
        (system, zones_crossed(stages, system, tariff))
        for system in product.systems
        if product.basis == "zones"
    )
    if not all(names for _, names in zones) or not _touches(product, stages):
        return None
    departure = stages[0].departure
    until = _valid_until(product, sum(len(names) for _, names in zones), stages[0])
    if stages[-1].arrival > until:
        return None
    tariff_km = -(-sum(stage.half_m for stage in stages) // 2000)
    options = []
    country = tariff.country_of(stages[0].zones[0] if stages[0].zones else NOWHERE)
    for position, prices in enumerate(product.prices):
        listed = _list_parts(product, prices, stages, zones, tariff_km, rider)
        if listed is not None:
            wrong_currency = rider.currency is not None and prices.currency != rider.currency
            abroad = tariff.parties[prices.seller].country != country
            options.append(((wrong_currency, abroad, position), prices, listed))
    if not options:
        return None
    (wrong_currency, abroad, _), prices, listed = min(options, key=lambda option: option[0])
    parts, reduced = _reduce(product, listed, rider)
    return Quote(
        product=product,
        prices=prices,
        price=Money(sum(amount for _, amount in parts), prices.currency),
        parts=parts,
        zones=zones,
        tariff_km=tariff_km if product.basis == "distance" else None,
        reduced=reduced,
        rules=tuple(rules),
        valid_from=departure,
        valid_until=until,
        chosen_by=_chosen_by(rider, wrong_currency, abroad, country),
    )


def quote_pass(
    product: Product, stages: Sequence[Stage], rules: Sequence[Rule], rider: Rider
) -> Quote:
    """Return the zero price of rides that a pass in the rider's hands covers."""
    prices = min(
        product.prices,
        key=lambda p: (p.currency != rider.currency, product.prices.index(p)),
    )
    return Quote(
        product=product,
        prices=prices,
        price=Money(0, prices.currency),
        parts=(),
        zones=(),
        tariff_km=None,
        reduced=(),
        rules=tuple(rules),
        valid_from=stages[0].departure,
        valid_until=stages[-1].arrival,
        chosen_by="",
    )


def _day_types(date: dt.date, country: str | None, tariff: Tariff) -> frozenset[str]:
    """Return the weekday, or ``holiday`` (beside Saturday or Sunday only)."""
    weekday = WEEKDAYS[date.weekday()]
    if date not in tariff.holidays.get(country or "", ()):
        return frozenset({weekday})
    return frozenset({"holiday", weekday} if weekday in WEEKEND else {"holiday"})


def _obeys(stage: Stage, rule: Rule, days: frozenset[str]) -> bool:
    if rule.days and not days & rule.days:
        return False
    if rule.carriers and not rule.carriers.issuperset(stage.carriers):
        return False
    if rule.lines and not all(rule.lines & lines for lines in stage.lines):
        return False
    if rule.except_lines and any(rule.except_lines & lines for lines in stage.lines):
        return False
    if not rule.zones:
        return bool(stage.lines)
    return all(lies_within(zones, rule.zones) for zones in stage.zones)


def _touches(product: Product, stages: Sequence[Stage]) -> bool:
    """Return whether the rides call at all zones (or systems) that the ticket must touch."""
    called = {zone for stage in stages for zones in stage.zones for zone in zones}
    return all(lies_within(called, frozenset({ref})) for ref in product.touches)


def _valid_until(product: Product, n_zones: int, first: Stage) -> int:
    """Return the unix second at which a ticket begun with the stage stops to hold."""
    validity, zone = product.validity, first.calls[0].place.tz
    if isinstance(validity, str):
        days = 1 if validity == "day" else 31
        date = local_date(first.departure, zone) + dt.timedelta(days=days)
        return service_day_origin(date, zone) + DAY_TICKET_ENDS_S
    if isinstance(validity, list):
        validity = validity[min(max(n_zones, 1), len(validity)) - 1]
    return first.departure + 60 * validity


def _list_parts(
    product: Product,
    prices: PriceList,
    stages: Sequence[Stage],
    zones: Sequence[tuple[str, tuple[str, ...]]],
    tariff_km: int,
    rider: Rider,
) -> dict[str, int] | None:
    """Return the list price per part, or None where the table has no such cell."""
    numbers = [len(names) for _, names in zones]
    parts = {}
    for part, table in sorted(prices.parts.items()):
        amount = _cell(product, table, numbers, stages, tariff_km, rider.persons)
        if amount is None:
            return None
        parts[part] = amount if product.basis == "persons" else amount * rider.persons
    return parts


def _cell(
    product: Product,
    table: Any,
    numbers: Sequence[int],
    stages: Sequence[Stage],
    tariff_km: int,
    persons: int,
) -> int | None:
    if product.basis == "flat":
        return int(table)
    if product.basis == "persons":
        return int(table[persons - 1]) if persons <= len(table) else None
    if product.basis == "pairs":
        return _pair_price(product.systems[0], table, stages)
    if product.basis == "distance":
        return next((int(amount) for up_to, amount in table if tariff_km <= up_to), None)
    cell = table
    for number in numbers:
        if number > len(cell):
            return None
        cell = cell[number - 1]
    return int(cell)


def _pair_price(
    system: str, table: Sequence[Mapping[str, Any]], stages: Sequence[Stage]
) -> int | None:
    """Return the lowest price listed between the places where the stages begin and end."""
    starts, ends = stages[0].zones[:1], stages[-1].zones[-1:]
    amounts = []
    for row in table:
        left, right = (f"{system}:{name}" for name in row["between"])
        for start in starts:
            for end in ends:
                if (left in start and right in end) or (right in start and left in end):
                    amounts.append(int(row["price"]))
    return min(amounts, default=None)


def _reduce(
    product: Product, listed: Mapping[str, int], rider: Rider
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, str, int], ...]]:
    """Return the parts as paid, and which of them a card or age group made cheaper."""
    parts, reduced = [], []
    for part, amount in listed.items():
        options = [
            (_reduced(amount, reduction, rider.persons), reduction.card or reduction.age_group)
            for reduction in product.reductions
            if _applies(reduction, part, rider)
        ]
        best, reason = min(options, default=(amount, None))
        if reason is not None and best < amount:
            reduced.append((part, reason, amount))
        parts.append((part, min(best, amount)))
    return tuple(parts), tuple(reduced)


def _applies(reduction: Reduction, part: str, rider: Rider) -> bool:
    holds = reduction.card in rider.cards or reduction.age_group == rider.age_group
    return holds and (not reduction.parts or part in reduction.parts)


def _reduced(amount: int, reduction: Reduction, persons: int) -> int:
    """Return what is paid: each person's part of the amount, rounded up to the unit stated."""
    unit = 100 * persons * reduction.round_to_minor
    return -(-amount * reduction.pay_percent // unit) * reduction.round_to_minor * persons


def _chosen_by(rider: Rider, wrong_currency: bool, abroad: bool, country: str | None) -> str:
    if rider.currency is not None and not wrong_currency:
        reason = f"the rider pays in {rider.currency}"
        return reason if abroad else f"{reason} and boards in {country or 'no known country'}"
    if not abroad:
        return f"the first ride of the ticket begins in {country or 'no known country'}"
    return "first seller listed: none in the country where the first ride begins"

"""Divide the price of a sale among parties by the agreement in force: the one rule for all.

The commuter's ticket and the clearing of the month call the same function. Weights are exact
fractions of whole half metres, zones or minor units; money is rounded once per part of the price,
by largest remainder with ties to the smaller party id (or the rest to a party the agreement names).
Where no weight is above zero nothing is divided: the caller keeps the money in suspense.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mobility.core.money import Money, split_largest_remainder
from mobility.core.time import local_date
from mobility.fares.agreement import Agreement, Agreements, Commission, PartSplit
from mobility.fares.check import ONE_PART
from mobility.fares.quote import Rider, find_rule, quote_single
from mobility.fares.ride import HalfHop, Stage, lies_within
from mobility.fares.tariff import Tariff
from mobility.journey import Share

METHOD_NAMES = {
    "M1": "sum of parts",
    "M2": "stand-alone fares",
    "M3": "distance",
    "M7": "zones crossed",
    "M14": "equally among those used",
    "fixed": "fixed shares",
}


@dataclass(frozen=True, slots=True)
class Sale:
    """One sold unit: who sold which product at what price on which date.

    ``parts`` are the parts of the price as paid; empty where the price has only one.
    """

    product: str
    seller: str
    channel: str
    price: Money
    date: dt.date
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Split:
    """The shares of a sale; they sum to its price, or there are none and ``why`` says why."""

    agreement: str
    published: bool
    shares: tuple[Share, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a ride on half a hop, or a fixed key, counts for its owner."""

    owner: str
    carrier: str
    weight: Fraction
    leg: int | None
    country: str | None


Ride = Sequence[Stage]


def split_ticket(
    sale: Sale, rides: Sequence[Ride], agreements: Agreements, tariff: Tariff
) -> Split:
    """Return the shares of a sale for the rides made with it.

    Parameters
    ----------
    rides : sequence of sequences of Stage
        One ride for a single ticket, all rides of the month for a pass, none where nobody knows.

    Source: methods M1, M2, M3, M7, M14 and commission: fares-and-clearing, 4.1, 4.2, 4.5.
    """
    agreement = agreements.find(sale.product, sale.date)
    if agreement is None:
        return Split("", False, (), (f"split unknown: no agreement divides {sale.product}",))
    why = [
        f"split by agreement {agreement.id}: {agreement.method} {METHOD_NAMES[agreement.method]}"
    ]
    receipts: dict[str, int] = {}
    roles: dict[str, str] = {}
    for part, amount in _amounts(sale, rides, agreement, tariff):
        claims = _claims(part, sale, rides, agreements, tariff)
        if not any(claim.weight for claim in claims):
            claims = [_fixed(party, w) for party, w in sorted(agreement.without_rides.items())]
            why.append(f"part {part.part}: rides unknown, key of the agreement")
        if not any(claim.weight for claim in claims):
            reason = f"split unknown: agreement {agreement.id} has no weight for part {part.part}"
            return Split(agreement.id, agreement.published, (), (reason,))
        divided = _divide(amount, _sum_by_owner(claims), agreement.residual)
        for owner, share in divided.items():
            receipts[owner] = receipts.get(owner, 0) + share
        roles |= _roles(claims, roles, tariff)
        why.extend(_explain(part, amount, claims, divided, sale, tariff))
    commission = _commission(sale, agreement)
    shares, lines = _after_commission(sale, receipts, roles, commission)
    return Split(agreement.id, agreement.published, shares, (*why, *lines))


def _amounts(
    sale: Sale, rides: Sequence[Ride], agreement: Agreement, tariff: Tariff
) -> list[tuple[PartSplit, int]]:
    """Return what each part of the agreement divides; the amounts sum to the price.

    Where the sale does not say its parts, they follow the list price of its (first) ride; where
    nobody knows the ride, the price is one part and falls to the agreement's key.
    """
    price = sale.price.amount_minor
    if agreement.method != "M1":
        return [(agreement.parts[0], price)]
    stated = {part.part: sale.parts.get(part.part, 0) for part in agreement.parts}
    if sum(stated.values()) != price:
        stated = dict(sale.parts)
        if not stated and rides:
            stated = _parts_of_list_price(sale, rides[0], tariff)
        if not any(stated.get(part.part, 0) for part in agreement.parts):
            return [(PartSplit(ONE_PART, "fixed", frozenset(), (), {}), price)]
        weights = {part.part: abs(stated.get(part.part, 0)) for part in agreement.parts}
        stated = split_largest_remainder(price, weights)
    return [(part, stated[part.part]) for part in agreement.parts]


def _parts_of_list_price(sale: Sale, ride: Ride, tariff: Tariff) -> dict[str, int]:
    """Return the parts of the list price of the ride at the sale's seller, {} where it has none."""
    product = tariff.products[sale.product]
    wanted = (sale.seller, sale.channel, sale.price.currency)
    prices = tuple(p for p in product.prices if (p.seller, p.channel, p.currency) == wanted)
    quote = quote_single(replace(product, prices=prices), ride, [], Rider(), tariff)
    return dict(quote.parts) if quote else {}


def _claims(
    part: PartSplit, sale: Sale, rides: Sequence[Ride], agreements: Agreements, tariff: Tariff
) -> list[Claim]:
    if part.method == "fixed":
        return [_fixed(party, weight) for party, weight in sorted(part.shares.items())]
    claims: list[Claim] = []
    for ride in rides:
        date = local_date(ride[0].departure, ride[0].calls[0].place.tz)
        halves = [
            (stage, half, agreements.owner_of(half, date)[0])
            for stage in ride
            for half in stage.half_hops
            if not part.within or lies_within(half.zones | half.passed, part.within)
        ]
        halves = [item for item in halves if item[2]]
        if part.method == "M7":
            claims.extend(_by_zones(halves, part, tariff))
        elif part.method == "M2":
            claims.extend(_by_fares(halves, ride, part, sale, tariff))
        else:
            claims.extend(
                _claim(stage, half, owner, Fraction(half.half_m), tariff)
                for stage, half, owner in halves
                if not part.within or lies_within(half.zones, part.within)
            )
    return _equally(claims) if part.method == "M14" else claims


def _claim(stage: Stage, half: HalfHop, owner: str, weight: Fraction, tariff: Tariff) -> Claim:
    return Claim(owner, half.carrier, weight, stage.leg, tariff.country_of(half.zones))


def _fixed(party: str, weight: int) -> Claim:
    return Claim(party, "", Fraction(weight), None, None)


def _by_zones(
    halves: Sequence[tuple[Stage, HalfHop, str]], part: PartSplit, tariff: Tariff
) -> Iterator[Claim]:
    """Give each zone crossed to its owners there in equal parts (M7)."""
    zones = {zone for _, half, _ in halves for zone in half.zones | half.passed}
    for zone in sorted(zones):
        if not lies_within([zone], part.within):
            continue
        inside = [item for item in halves if zone in item[1].zones | item[1].passed]
        first = {owner: (stage, half) for stage, half, owner in reversed(inside)}
        for owner, (stage, half) in sorted(first.items(), key=lambda item: item[0]):
            yield _claim(stage, half, owner, Fraction(1, len(first)), tariff)


def _by_fares(
    halves: Sequence[tuple[Stage, HalfHop, str]],
    ride: Ride,
    part: PartSplit,
    sale: Sale,
    tariff: Tariff,
) -> Iterator[Claim]:
    """Weigh each stage by its cheapest full fare alone, within it by distance (M2)."""
    for stage in ride:
        fare = _fare_alone(stage, part.base, sale.price.currency, tariff)
        own = [(half, owner) for other, half, owner in halves if other is stage]
        length = sum(half.half_m for half, _ in own)
        for half, owner in own:
            share = Fraction(half.half_m, length) if length else Fraction(1, len(own))
            yield _claim(stage, half, owner, fare * share, tariff)


def _fare_alone(stage: Stage, base: Sequence[str], currency: str, tariff: Tariff) -> int:
    rider = Rider(currency=currency)
    amounts = []
    for name in base:
        product = tariff.products[name]
        rule = find_rule(product, stage, tariff)
        quote = rule and quote_single(product, [stage], [rule], rider, tariff)
        if quote and quote.price.currency == currency:
            amounts.append(quote.price.amount_minor)
    return min(amounts, default=0)


def _equally(claims: Sequence[Claim]) -> list[Claim]:
    """Return one claim of the same weight per owner (M14)."""
    first = {claim.owner: claim for claim in reversed(claims)}
    return [
        Claim(owner, claim.carrier, Fraction(1), claim.leg, claim.country)
        for owner, claim in sorted(first.items())
    ]


def _sum_by_owner(claims: Sequence[Claim]) -> dict[str, Fraction]:
    weights: dict[str, Fraction] = {}
    for claim in claims:
        weights[claim.owner] = weights.get(claim.owner, Fraction(0)) + claim.weight
    return weights


def _divide(amount: int, weights: Mapping[str, Fraction], residual: str | None) -> dict[str, int]:
    if residual is None:
        return split_largest_remainder(amount, weights)
    sign, whole = (-1 if amount < 0 else 1), sum(weights.values(), Fraction(0))
    parts = {
        party: sign * int(abs(amount) * weight / whole) for party, weight in sorted(weights.items())
    }
    parts[residual] = parts.get(residual, 0) + amount - sum(parts.values())
    return parts


def _roles(claims: Sequence[Claim], known: Mapping[str, str], tariff: Tariff) -> dict[str, str]:
    """Return in which role each owner receives: as carrier of its own rides, or by contract."""
    roles: dict[str, str] = {}
    for claim in claims:
        role = "carrier" if claim.carrier == claim.owner else "revenue_owner"
        if not claim.carrier:
            role = tariff.parties[claim.owner].roles[0]
        if known.get(claim.owner) == "revenue_owner" or roles.get(claim.owner) == "revenue_owner":
            role = "revenue_owner"
        roles[claim.owner] = role
    return roles


def _commission(sale: Sale, agreement: Agreement) -> int:
    """Return what the seller keeps, in minor units, rounded half away from zero."""
    rule = next((rule for rule in agreement.commissions if _is_for(rule, sale)), None)
    if rule is None:
        return 0
    exact = abs(sale.price.amount_minor) * rule.rate
    return (-1 if sale.price.amount_minor < 0 else 1) * int(exact + Fraction(1, 2))


def _is_for(rule: Commission, sale: Sale) -> bool:
    return rule.seller in (None, sale.seller) and rule.channel in (None, sale.channel)


def _after_commission(
    sale: Sale, receipts: Mapping[str, int], roles: Mapping[str, str], commission: int
) -> tuple[tuple[Share, ...], list[str]]:
    """Take the seller's commission from the receivers in proportion to what they get."""
    paid = dict.fromkeys(receipts, 0)
    lines: list[str] = []
    if commission:
        paid = split_largest_remainder(commission, {p: abs(a) for p, a in receipts.items()})
        text = Money(commission, sale.price.currency).text()
        lines.append(f"commission of the seller {sale.seller}: {text}, borne as received")
    shares = [
        Share(party, roles.get(party, "revenue_owner"), amount - paid[party])
        for party, amount in sorted(receipts.items())
    ]
    if commission:
        shares.append(Share(sale.seller, "seller", commission))
    return tuple(shares), lines


def _explain(
    part: PartSplit,
    amount: int,
    claims: Sequence[Claim],
    divided: Mapping[str, int],
    sale: Sale,
    tariff: Tariff,
) -> Iterator[str]:
    """Say for each receiver which legs in which countries earned what."""
    name = "" if part.part == ONE_PART else f"part {part.part} {_text(amount, sale)}, "
    for owner, share in divided.items():
        own = [claim for claim in claims if claim.owner == owner]
        legs = sorted({claim.leg + 1 for claim in own if claim.leg is not None})
        countries = sorted({claim.country for claim in own if claim.country})
        rides = (
            f"legs {', '.join(map(str, legs))} in {', '.join(countries) or '?'}: " if legs else ""
        )
        carriers = sorted({c.carrier for c in own if c.carrier and c.carrier != owner})
        carried = f" (carried by {', '.join(carriers)})" if carriers else ""
        weight = _weight_text(part.method, sum((claim.weight for claim in own), Fraction(0)))
        yield f"{name}{rides}{owner}{carried}: {weight} -> {_text(share, sale)}"


def _weight_text(method: str, weight: Fraction) -> str:
    if method == "M3":
        return f"{round(weight / 2)} m"
    unit = {"M7": "zones", "M2": "minor units of stand-alone fares"}.get(method, "parts")
    return f"{weight} {unit}"


def _text(amount: int, sale: Sale) -> str:
    return Money(amount, sale.price.currency).text()

"""Shares of the toy region worked out anew from its agreement file: none of the program's code.

Only the file's methods that the toy region uses: M3 (metres), M14 (equally among those used), M2
(the single fare of each stage alone), the key without rides, and commission pro rata to receipts.
"""

import tomllib
from collections import Counter
from fractions import Fraction
from math import asin, cos, radians, sin, sqrt

from tests.clearing.region import AGREEMENTS, PLACES, PRODUCTS, WAYS

CARRIER = {"t": "tram", "r": "rail"}


def divide(total: int, weights: dict[str, Fraction]) -> dict[str, int]:
    """Largest remainder, ties to the smaller id."""
    whole = sum(weights.values())
    exact = {party: total * weight / whole for party, weight in weights.items()}
    parts = {party: int(value) for party, value in exact.items()}
    for party in sorted(exact, key=lambda p: (-(exact[p] - parts[p]), p)):
        if sum(parts.values()) < total:
            parts[party] += 1
    return parts


def agreement_of(product: str) -> dict | None:
    for agreement in tomllib.loads(AGREEMENTS)["agreements"]:
        if product in agreement["products"]:
            return agreement
    return None


def price_of(product: str, currency: str) -> int:
    for entry in tomllib.loads(PRODUCTS)["products"]:
        if entry["id"] == product:
            return next(p["price"] for p in entry["prices"] if p["currency"] == currency)
    raise KeyError(product)


def metres(left: str, right: str) -> int:
    a, b = PLACES[left], PLACES[right]
    p, q = radians(a.lat), radians(b.lat)
    half = sin((q - p) / 2) ** 2 + cos(p) * cos(q) * sin(radians(b.lon - a.lon) / 2) ** 2
    return round(2 * 6_371_000 * asin(sqrt(half)))


def shares(
    product: str, seller: str, amount: int, currency: str, rides: list[tuple[str, str]]
) -> Counter[tuple[str, str]]:
    """Return (party, role) to minor units for a unit sold and the rides made with it."""
    agreement = agreement_of(product)
    if agreement is None:
        return Counter({("_suspense", "suspense"): amount})
    weights: Counter[str] = Counter()
    for ride in rides:
        for left, right in WAYS[ride]:
            if agreement["method"] == "M3":
                weights[CARRIER[left[0]]] += metres(left, right)
            elif agreement["method"] == "M2":
                weights[CARRIER[left[0]]] += min(
                    price_of(base, currency) for base in agreement["base"]
                )
            else:
                weights[CARRIER[left[0]]] = 1
    roles = "carrier"
    weights = weights or Counter(agreement.get("without_rides", {}))
    if not weights:
        return Counter({("_suspense", "suspense"): amount})
    got = divide(amount, {party: Fraction(w) for party, w in weights.items()})
    result = Counter({(party, roles): share for party, share in got.items()})
    for rule in agreement.get("commissions", []):
        if rule["seller"] == seller:
            fee = int(amount * Fraction(rule["rate"]) + Fraction(1, 2))
            borne = divide(fee, {p: Fraction(s) for p, s in got.items()}) if fee else {}
            for party, paid in borne.items():
                result[party, roles] -= paid
            result[seller, "seller"] += fee
    return result

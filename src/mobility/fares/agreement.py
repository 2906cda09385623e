"""Agreements and contracts as values: who owns which metres, and which rule divides a product."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mobility.core.errors import FormatVersionError
from mobility.fares.check import LARGEST_REMAINDER, ONE_PART
from mobility.fares.ride import HalfHop, lies_within
from mobility.fares.source import FORMAT


@dataclass(frozen=True, slots=True)
class Contract:
    """Who owns the revenue of a line section on the days stated; empty sets do not restrict."""

    id: str
    owner: str
    carriers: frozenset[str]
    lines: frozenset[str]
    zones: frozenset[str]
    valid_from: dt.date
    valid_until: dt.date

    def holds_for(self, half: HalfHop, date: dt.date) -> bool:
        """Return whether the contract speaks of this half hop on this date."""
        return (
            self.valid_from <= date <= self.valid_until
            and (not self.carriers or half.carrier in self.carriers)
            and (not self.lines or bool(self.lines & half.lines))
            and (not self.zones or lies_within(half.zones, self.zones))
        )

    @property
    def precision(self) -> tuple[int, int, int, str]:
        """Sort key: a contract that names lines, then zones, then carriers, speaks first."""
        return (-bool(self.lines), -bool(self.zones), -bool(self.carriers), self.id)


@dataclass(frozen=True, slots=True)
class PartSplit:
    """How one part of a price is divided."""

    part: str
    method: str
    within: frozenset[str]
    base: tuple[str, ...]
    shares: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Commission:
    """What the seller keeps; None stands for every seller or channel."""

    seller: str | None
    channel: str | None
    rate: Fraction


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the money of some products is divided on the days stated."""

    id: str
    products: frozenset[str]
    valid_from: dt.date
    valid_until: dt.date
    published: bool
    method: str
    parts: tuple[PartSplit, ...]
    commissions: tuple[Commission, ...]
    residual: str | None
    without_rides: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Agreements:
    """All contracts, most precise first, and all agreements; made by `load_agreements`."""

    contracts: tuple[Contract, ...]
    agreements: tuple[Agreement, ...]

    def find(self, product: str, date: dt.date) -> Agreement | None:
        """Return the agreement that divides the product on the date, or None."""
        return next(
            (
                agreement
                for agreement in self.agreements
                if product in agreement.products
                and agreement.valid_from <= date <= agreement.valid_until
            ),
            None,
        )

    def owner_of(self, half: HalfHop, date: dt.date) -> tuple[str, str]:
        """Return who owns the revenue of a half hop, and by which contract (else its carrier)."""
        for contract in self.contracts:
            if contract.holds_for(half, date):
                return contract.owner, contract.id
        return half.carrier, ""


def load_agreements(data: Mapping[str, Any] | None) -> Agreements:
    """Return the values of ``agreements.json``; None stands for no agreement at all.

    Raises
    ------
    FormatVersionError
        Compiled by a version that wrote another format.
    """
    if data is None:
        return Agreements((), ())
    if data.get("format") != FORMAT:
        raise FormatVersionError(
            f"agreements.json: format {data.get('format')!r}: expected {FORMAT}; rebuild the"
            " edition with: mobility build"
        )
    contracts = [_load_contract(contract) for contract in data["contracts"]]
    return Agreements(
        contracts=tuple(sorted(contracts, key=lambda contract: contract.precision)),
        agreements=tuple(_load_agreement(agreement) for agreement in data["agreements"]),
    )


def _load_contract(data: Mapping[str, Any]) -> Contract:
    return Contract(
        id=data["id"],
        owner=data["owner"],
        carriers=frozenset(data["carriers"]),
        lines=frozenset(data["lines"]),
        zones=frozenset(data["zones"]),
        valid_from=dt.date.fromisoformat(data["valid_from"]),
        valid_until=dt.date.fromisoformat(data["valid_until"]),
    )


def _load_agreement(data: Mapping[str, Any]) -> Agreement:
    stated: Sequence[Mapping[str, Any]] = data["parts"] or [{**data, "part": ONE_PART}]
    return Agreement(
        id=data["id"],
        products=frozenset(data["products"]),
        valid_from=dt.date.fromisoformat(data["valid_from"]),
        valid_until=dt.date.fromisoformat(data["valid_until"]),
        published=data["published"],
        method=data["method"],
        parts=tuple(
            PartSplit(
                part["part"],
                part["method"],
                frozenset(part["within"]),
                tuple(part["base"]),
                part["shares"],
            )
            for part in stated
        ),
        commissions=tuple(
            Commission(rule["seller"], rule["channel"], Fraction(rule["rate"]))
            for rule in data["commissions"]
        ),
        residual=None if data["residual"] == LARGEST_REMAINDER else data["residual"],
        without_rides=data["without_rides"],
    )

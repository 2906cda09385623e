"""Whether a region's fare files agree with each other: every name known, every price possible."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from mobility.core.errors import ManifestError, MoneyError
from mobility.core.money import check_currency
from mobility.fares.source import (
    Agreement,
    Contract,
    PairPrice,
    PartSplit,
    PriceList,
    Product,
    Rule,
    Table,
    TariffFile,
)

LARGEST_REMAINDER = "largest-remainder"
ONE_PART = "all"  # the name of the only part of a price that is not divided into parts
MAX_AMOUNT_MINOR = 10**9

Zones = Mapping[str, Collection[str]]


def check_tariff(
    folder: Path,
    tariff: TariffFile,
    products: Sequence[tuple[Path, Product]],
    zones: Mapping[str, Mapping[str, int]],
) -> None:
    """Check a tariff's parties, zones, lines and prices.

    Raises
    ------
    ManifestError, MoneyError
        The first contradiction, with file and key.
    """
    path = folder / "tariff.toml"
    for kind, ids in (
        ("parties", [party.id for party in tariff.parties]),
        ("systems", [system.id for system in tariff.systems]),
        ("lines", [line.id for line in tariff.lines]),
    ):
        _check_unique(path, kind, ids)
    agencies = [agency for party in tariff.parties for agency in party.agencies]
    _check_unique(path, "parties.agencies", agencies)
    if sum(system.kind == "country" for system in tariff.systems) > 1:
        raise ManifestError(f"{path}: systems: expected one system of kind country at most")
    known_systems = {system.id for system in tariff.systems}
    for name, lines in zones.items():
        if name not in known_systems:
            where = f"{folder / 'zones.csv'}: line {min(lines.values())}"
            raise ManifestError(f"{where}: system: unknown system {name!r}")
    for system in tariff.systems:
        for pair in system.adjacent:
            for zone in pair:
                _check_zone(f"{path}: systems.{system.id}.adjacent", f"{system.id}:{zone}", zones)
    for zone in tariff.cut_points:
        _check_zone(f"{path}: cut_points", zone, zones)
    for file, product in products:
        _check_product(file, product, tariff, zones)
    _check_comparison(path, tariff, [product for _, product in products])


def check_agreements(
    tariff: TariffFile,
    products: Mapping[str, Product],
    zones: Zones,
    contracts: Sequence[tuple[Path, Contract]],
    agreements: Sequence[tuple[Path, Agreement]],
) -> None:
    """Check contracts and agreements against the tariff they speak of.

    Raises
    ------
    ManifestError, MoneyError
        The first contradiction, with file and key.
    """
    parties = {party.id for party in tariff.parties}
    lines = {line.id for line in tariff.lines}
    for path, contract in contracts:
        where = f"{path}: contracts.{contract.id}"
        _check_days(where, contract.valid_from, contract.valid_until)
        _check_known(f"{where}.owner", [contract.owner], parties, "party")
        _check_known(f"{where}.carriers", contract.carriers, parties, "party")
        _check_known(f"{where}.lines", contract.lines, lines, "line")
        for zone in contract.zones:
            _check_zone(f"{where}.zones", zone, zones)
    _check_no_overlap(
        [
            (path, f"contracts.{c.id}", _scope_of(c), c.valid_from, c.valid_until)
            for path, c in contracts
        ],
        "the same line section",
    )
    for path, agreement in agreements:
        _check_agreement(f"{path}: agreements.{agreement.id}", agreement, parties, products, zones)
    _check_no_overlap(
        [
            (path, f"agreements.{a.id}", product, a.valid_from, a.valid_until)
            for path, a in agreements
            for product in a.products
        ],
        "the same product",
    )


def list_amounts(table: Table) -> list[int]:
    """Return all amounts of a price table of any shape but ``distance`` (whose rows have km).

    >>> list_amounts([[260, 300], [420, 480]])
    [260, 300, 420, 480]
    """
    if isinstance(table, int):
        return [table]
    amounts: list[int] = []
    for item in table:
        if isinstance(item, PairPrice):
            amounts.append(item.price)
        elif isinstance(item, int):
            amounts.append(item)
        else:
            amounts.extend(item)
    return amounts


def _scope_of(contract: Contract) -> str:
    return repr((sorted(contract.carriers), sorted(contract.lines), sorted(contract.zones)))


def _check_unique(path: Path, kind: str, ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise ManifestError(f"{path}: {kind}: {name!r} stands there twice")
        seen.add(name)


def _check_known(where: str, names: Iterable[str], known: Collection[str], kind: str) -> None:
    for name in names:
        if name not in known:
            raise ManifestError(f"{where}: unknown {kind} {name!r}")


def _check_zone(where: str, ref: str, zones: Zones) -> None:
    system, _, zone = ref.partition(":")
    if system not in zones or (zone and zone not in zones[system]):
        raise ManifestError(f"{where}: unknown zone {ref!r}: no stop of zones.csv lies in it")


def _check_days(where: str, first: dt.date, last: dt.date) -> None:
    if last < first:
        raise ManifestError(f"{where}.valid_until: {last} is before valid_from {first}")


def _check_product(path: Path, product: Product, tariff: TariffFile, zones: Zones) -> None:
    where = f"{path}: products.{product.id}"
    _check_days(where, product.valid_from, product.valid_until)
    _check_known(f"{where}.protects", [product.protects], tariff.protections, "protection")
    _check_known(f"{where}.systems", product.systems, zones, "zone system")
    n_systems = {"zones": (1, 2), "pairs": (1, 1)}.get(product.basis, (0, 0))
    if not n_systems[0] <= len(product.systems) <= n_systems[1]:
        raise ManifestError(
            f"{where}.systems: basis {product.basis!r} takes"
            f" {' or '.join(map(str, sorted(set(n_systems))))} zone systems"
        )
    for zone in product.touches:
        _check_zone(f"{where}.touches", zone, zones)
    for rule in product.scope:
        _check_rule(f"{where}.scope", rule, tariff, zones)
    seen: set[tuple[str, str, str]] = set()
    for prices in product.prices:
        key = (prices.seller, prices.channel, prices.currency)
        if key in seen:
            raise ManifestError(f"{where}.prices: {' '.join(key)} stands there twice")
        seen.add(key)
        _check_price_list(where, product, prices, tariff, zones)
    parts = {part for prices in product.prices for part in prices.parts or {ONE_PART: 0}}
    for reduction in product.reductions:
        if (reduction.card is None) == (reduction.age_group is None):
            raise ManifestError(f"{where}.reductions: expected either card or age_group")
        _check_known(f"{where}.reductions.parts", reduction.parts, parts, "part of the price")
    _check_validity(where, product)


def _check_validity(where: str, product: Product) -> None:
    minutes = product.validity if isinstance(product.validity, list) else [product.validity]
    if not minutes or any(isinstance(m, int) and not 0 < m <= 44_640 for m in minutes):
        raise ManifestError(f"{where}.validity: expected minutes from 1 to 44640 (31 days)")
    if isinstance(product.validity, list) and product.basis != "zones":
        raise ManifestError(f"{where}.validity: a list by zones needs the basis zones")


def _check_rule(where: str, rule: Rule, tariff: TariffFile, zones: Zones) -> None:
    parties = {party.id for party in tariff.parties}
    lines = {line.id for line in tariff.lines}
    _check_known(f"{where}.lines", rule.lines, lines, "line")
    _check_known(f"{where}.except_lines", rule.except_lines, lines, "line")
    _check_known(f"{where}.carriers", rule.carriers, parties, "party")
    for zone in rule.zones:
        _check_zone(f"{where}.zones", zone, zones)


def _check_price_list(
    where: str, product: Product, prices: PriceList, tariff: TariffFile, zones: Zones
) -> None:
    parties = {party.id: party for party in tariff.parties}
    where = f"{where}.prices ({prices.seller} {prices.channel} {prices.currency})"
    _check_known(f"{where}.seller", [prices.seller], parties, "party")
    if "seller" not in parties[prices.seller].roles:
        raise ManifestError(f"{where}.seller: {prices.seller!r} has not the role seller")
    try:
        check_currency(prices.currency)
    except MoneyError as error:
        raise MoneyError(f"{where}.currency: {error}") from None
    if (prices.price is None) == (not prices.parts):
        raise ManifestError(f"{where}: expected either price or parts")
    for part, table in _tables(prices):
        key = f"{where}.{'price' if prices.price is not None else f'parts.{part}'}"
        _check_shape(key, product, table)
        for amount in list_amounts(table):
            if not 0 <= amount <= MAX_AMOUNT_MINOR:
                raise MoneyError(
                    f"{key}: {amount} is no price: expected 0 to {MAX_AMOUNT_MINOR} minor units"
                )
        if product.basis == "pairs":
            names = [name for pair in _pairs(table) for name in pair.between]
            _check_known(key, names, zones[product.systems[0]], "zone")
    shapes = {repr(_shape_of(table)) for _, table in _tables(prices)}
    if len(shapes) > 1:
        raise ManifestError(f"{where}.parts: the tables of the parts differ in shape")


def _tables(prices: PriceList) -> Iterator[tuple[str, Table]]:
    if prices.price is not None:
        yield ONE_PART, prices.price
    yield from sorted(prices.parts.items())


def _pairs(table: Table) -> list[PairPrice]:
    return [] if isinstance(table, int) else [row for row in table if isinstance(row, PairPrice)]


def _shape_of(table: Table) -> object:
    if isinstance(table, int):
        return None
    return [
        sorted(row.between)
        if isinstance(row, PairPrice)
        else len(row)
        if isinstance(row, list)
        else 0
        for row in table
    ]


def _check_shape(key: str, product: Product, table: Table) -> None:
    """Raise unless the table has the shape of the product's basis."""
    expected = {
        "flat": "one amount",
        "persons": "a list of amounts by the number of persons",
        "zones": "a list of amounts by the number of zones"
        if len(product.systems) < 2
        else "a list of equally long lists of amounts by the numbers of zones",
        "pairs": "a list of { between = [zone, zone], price = amount }, each pair once",
        "distance": "a list of [up to km, amount] with rising km",
    }[product.basis]
    if not _has_shape(product, table):
        raise ManifestError(f"{key}: expected {expected}")


def _has_shape(product: Product, table: Table) -> bool:
    if product.basis == "flat":
        return isinstance(table, int)
    if isinstance(table, int) or not table:
        return False
    if product.basis == "pairs":
        pairs = [tuple(sorted(pair.between)) for pair in _pairs(table)]
        return len(pairs) == len(table) == len(set(pairs))
    if product.basis == "persons" or (product.basis == "zones" and len(product.systems) == 1):
        return all(isinstance(row, int) for row in table)
    rows = [row for row in table if isinstance(row, list)]
    if len(rows) != len(table):
        return False
    if product.basis == "distance":
        steps = [row[0] for row in rows if len(row) == 2]
        return len(steps) == len(rows) and steps == sorted(set(steps)) and steps[0] > 0
    return bool(rows[0]) and len({len(row) for row in rows}) == 1


def _check_comparison(path: Path, tariff: TariffFile, products: Sequence[Product]) -> None:
    """Tickets in several currencies can be ranked only by rates that the tariff states."""
    sold = {prices.currency for product in products for prices in product.prices}
    if tariff.comparison is None:
        if len(sold) > 1:
            raise ManifestError(
                f"{path}: comparison: missing: prices in {', '.join(sorted(sold))} can be ranked"
                " only by rates stated here"
            )
        return
    for currency in (tariff.comparison.currency, *tariff.comparison.rates):
        try:
            check_currency(currency)
        except MoneyError as error:
            raise MoneyError(f"{path}: comparison: {error}") from None
    for currency, rate in tariff.comparison.rates.items():
        if not Fraction(rate):
            raise MoneyError(f"{path}: comparison.rates.{currency}: expected a rate above 0")
    missing = sold - {tariff.comparison.currency, *tariff.comparison.rates}
    if missing:
        raise ManifestError(f"{path}: comparison.rates: no rate for {', '.join(sorted(missing))}")


def _check_agreement(
    where: str,
    agreement: Agreement,
    parties: Collection[str],
    products: Mapping[str, Product],
    zones: Zones,
) -> None:
    _check_days(where, agreement.valid_from, agreement.valid_until)
    _check_known(f"{where}.products", agreement.products, products, "product")
    _check_shares(f"{where}.without_rides", agreement.without_rides, parties)
    for commission in agreement.commissions:
        if commission.seller is not None:
            _check_known(f"{where}.commissions.seller", [commission.seller], parties, "party")
        if Fraction(commission.rate) > 1:
            raise ManifestError(f"{where}.commissions.rate: {commission.rate} is above 1")
    if agreement.residual != LARGEST_REMAINDER:
        _check_known(f"{where}.residual", [agreement.residual], parties, "party or rule")
    if agreement.method == "M1":
        _check_parts(where, agreement, products)
    elif agreement.parts:
        raise ManifestError(f"{where}.parts: only method M1 divides a price by its parts")
    splits: list[tuple[str, Agreement | PartSplit]]
    splits = [(f"{where}.parts.{split.part}", split) for split in agreement.parts]
    for key, split in splits or [(where, agreement)]:
        for zone in split.within:
            _check_zone(f"{key}.within", zone, zones)
        _check_known(f"{key}.base", split.base, products, "product")
        if (split.method == "M2") != bool(split.base):
            raise ManifestError(f"{key}.base: method M2, and only it, names products here")
        if (split.method == "fixed") != bool(split.shares):
            raise ManifestError(f"{key}.shares: method fixed, and only it, names shares here")
        if split.method == "M7" and not split.within:
            raise ManifestError(f"{key}.within: method M7 needs the zones that it counts")
        _check_shares(f"{key}.shares", split.shares, parties)


def _check_parts(where: str, agreement: Agreement, products: Mapping[str, Product]) -> None:
    stated = [split.part for split in agreement.parts]
    for name in agreement.products:
        for prices in products[name].prices:
            if sorted(stated) != sorted(part for part, _ in _tables(prices)):
                raise ManifestError(
                    f"{where}.parts: expected each part of product {name!r} exactly once"
                )


def _check_shares(where: str, shares: Mapping[str, int], parties: Collection[str]) -> None:
    _check_known(where, shares, parties, "party")
    if shares and (any(weight < 0 for weight in shares.values()) or not any(shares.values())):
        raise MoneyError(f"{where}: expected weights of 0 or more, one of them above 0")


def _check_no_overlap(spans: Sequence[tuple[Path, str, str, dt.date, dt.date]], what: str) -> None:
    by_scope: dict[str, list[tuple[dt.date, dt.date, str, Path]]] = {}
    for path, key, scope, first, last in spans:
        by_scope.setdefault(scope, []).append((first, last, key, path))
    for members in by_scope.values():
        members.sort()
        for (_, last, key, _), (first, _, other, path) in itertools.pairwise(members):
            if first <= last:
                raise ManifestError(
                    f"{path}: {other}.valid_from: {first} lies within {key}: both hold for {what}"
                )

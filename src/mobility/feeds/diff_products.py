"""Prices of Fares v2 by what they are for: networks, areas, times; whatever their ids say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from mobility.feeds.diff.values import Row, text_of
from mobility.feeds.feed import Feed

Prices = dict[Hashable, tuple[str, Counter[str]]]  # what for: its name, and how often each price
Labels = Mapping[str | None, str]

_PLACES = (
    ("network_id", "on"), ("from_area_id", "from"), ("to_area_id", "to"),
    ("from_timeframe_group_id", "leaving"), ("to_timeframe_group_id", "arriving"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """One of two versions, its stops and lines in numbers common to both (see `Places`)."""

    feed: Feed
    stops: Sequence[int]
    lines: Mapping[str, int]
    line_names: Sequence[str]


def product_prices(side: Side) -> Prices:
    """Return the prices of legs, of transfers, and of products that no rule names."""
    products = _products(side.feed)
    legs, prices = _leg_prices(side, products)
    for row in side.feed.tables["fare_transfer_rules"].rows(named=True):
        how = tuple(
            row[name]
            for name in (
                "transfer_count", "duration_limit", "duration_limit_type", "fare_transfer_type",
            )
        )  # fmt: skip
        pair = tuple(legs.get(row[name], ()) for name in ("from_leg_group_id", "to_leg_group_id"))
        for price in products.get(row["fare_product_id"] or "", ["nothing more"]):
            entry = prices.setdefault(("transfer", how, pair), ("a change", Counter()))
            entry[1][price] += 1
    named = {
        row["fare_product_id"]
        for table in ("fare_leg_rules", "fare_transfer_rules")
        for row in side.feed.tables[table].rows(named=True)
    }
    for product, found in products.items():
        if product not in named:
            prices.setdefault("product", ("a product", Counter()))[1].update(found)
    return prices


def _leg_prices(
    side: Side, products: Mapping[str, list[str]]
) -> tuple[dict[str | None, tuple[Hashable, ...]], Prices]:
    """Return what the groups of legs stand for, and the prices of legs."""
    labels = _labels(side)
    legs: dict[str | None, set[Hashable]] = defaultdict(set)
    prices: Prices = {}
    for row in side.feed.tables["fare_leg_rules"].rows(named=True):
        told = [f"{word} {labels[name].get(row[name], '')}" for name, word in _PLACES if row[name]]
        key = tuple(told), row["rule_priority"]
        legs[row["leg_group_id"]].add(key)
        for price in products.get(row["fare_product_id"], ()):
            prices.setdefault(key, (" ".join(told) or "anywhere", Counter()))[1][price] += 1
    return {group: tuple(sorted(keys, key=repr)) for group, keys in legs.items()}, prices


def _labels(side: Side) -> dict[str, Labels]:
    """Return what networks, areas and timeframes are called: a name, else what is in them."""
    tables = side.feed.tables
    lines: dict[str, set[str]] = defaultdict(set)
    for table in ("route_networks", "routes"):
        for row in tables[table].rows(named=True):
            if row["network_id"]:
                lines[row["network_id"]].add(side.line_names[side.lines[row["route_id"]]])
    stop_numbers = dict(zip(tables["stops"]["stop_id"].to_list(), side.stops, strict=True))
    stops: dict[str, set[str]] = defaultdict(set)
    for row in tables["stop_areas"].rows(named=True):
        stops[row["area_id"]].add(f"#{stop_numbers[row['stop_id']]}")
    times: dict[str, set[str]] = defaultdict(set)
    for row in tables["timeframes"].rows(named=True):
        times[row["timeframe_group_id"]].add(f"{row['start_time']}-{row['end_time']}")
    networks = _named(lines, tables["networks"].rows(named=True), "network_id", "network_name")
    areas = _named(stops, tables["areas"].rows(named=True), "area_id", "area_name")
    timeframes = _named(times, (), "", "")
    return {
        "network_id": networks,
        "from_area_id": areas,
        "to_area_id": areas,
        "from_timeframe_group_id": timeframes,
        "to_timeframe_group_id": timeframes,
    }


def _named(members: Mapping[str, set[str]], rows: Sequence[Row], key: str, name: str) -> Labels:
    labels: dict[str | None, str] = {
        one: ", ".join(sorted(parts)) for one, parts in members.items()
    }
    return labels | {row[key]: row[name] for row in rows if row[name]}


def _products(feed: Feed) -> dict[str, list[str]]:
    """Return the prices of each product, with name, medium and category of rider."""
    media = _texts(feed, "fare_media", "fare_media_id", "fare_media_name")
    riders = _texts(feed, "rider_categories", "rider_category_id", "rider_category_name")
    prices: dict[str, list[str]] = defaultdict(list)
    for row in feed.tables["fare_products"].rows(named=True):
        parts = (
            text_of(row["fare_product_name"]),
            media.get(row["fare_media_id"], ""),
            riders.get(row["rider_category_id"], ""),
            f"{text_of(row['amount'])} {text_of(row['currency'])}",
        )
        prices[row["fare_product_id"]].append(" ".join(part for part in parts if part))
    return prices


def _texts(feed: Feed, table: str, key: str, name: str) -> Labels:
    rows = feed.tables[table].select(key, name).iter_rows()
    return {one: text_of(told) for one, told in rows}

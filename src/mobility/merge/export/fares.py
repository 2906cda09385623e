"""Fares of several feeds side by side: what a rule leaves open holds for its own feed only."""

from __future__ import annotations

import polars as pl

_RULES = "fare_leg_rules"


def scope_fares(tables: dict[str, pl.DataFrame], n_feeds: int) -> None:
    """Give leg rules without a network the networks of their own feed.

    An empty ``network_id`` means any network (where the feed ranks its rules by
    ``rule_priority``), else any that no rule of the feed names; in one feed with others that would
    reach their lines too. Lines without a network get one per feed, ``feed:*``.

    Source: GTFS Schedule reference, fare_leg_rules.network_id and rule_priority.
    """
    rules = tables.get(_RULES)
    if n_feeds < 2 or rules is None or not rules.height:
        return
    open_feeds = rules.filter(pl.col("network_id").is_null())["feed"].unique().sort().to_list()
    parts = [rules.filter(~pl.col("feed").is_in(open_feeds))]
    for feed in open_feeds:
        own = _name_rest(tables, feed)
        parts.append(_filled(rules.filter(pl.col("feed") == feed), own))
    tables[_RULES] = pl.concat(parts).sort("feed", maintain_order=True)


def _name_rest(tables: dict[str, pl.DataFrame], feed: int) -> list[str]:
    """Put the feed's lines without a network into one; return the feed's networks."""
    routes, pairs = tables["routes"], tables.get("route_networks")
    told: list[str] = []
    listed = pl.lit(False)
    if pairs is not None:
        own_pairs = pairs.filter(pl.col("feed") == feed)
        told = own_pairs["network_id"].unique().sort().to_list()
        listed = pl.col("route_id").is_in(own_pairs["route_id"].implode())
    mine = pl.col("feed") == feed
    prefix = routes.filter(mine)["route_id"].str.split_exact(":", 1).struct[0]
    rest = pl.lit(f"{prefix[0]}:*" if len(prefix) else None, pl.String)
    without = mine & pl.col("network_id").is_null() & ~listed
    routes = routes.with_columns(network_id=pl.when(without).then(rest).otherwise("network_id"))
    tables["routes"] = routes
    stated = routes.filter(mine)["network_id"].drop_nulls().unique().sort().to_list()
    return list(dict.fromkeys([*told, *stated]))


def _filled(rules: pl.DataFrame, networks: list[str]) -> pl.DataFrame:
    """Return the rules of a feed, those without a network once for each that they hold for."""
    ranked = "rule_priority" in rules.columns and rules["rule_priority"].drop_nulls().len() > 0
    named = set() if ranked else set(rules["network_id"].drop_nulls().to_list())
    held = [network for network in networks if network not in named]
    opened = rules.filter(pl.col("network_id").is_null()).drop("network_id")
    filled = opened.join(
        pl.DataFrame({"network_id": held}, schema={"network_id": pl.String}), how="cross"
    )
    return pl.concat(
        [rules.filter(pl.col("network_id").is_not_null()), filled.select(rules.columns)]
    )

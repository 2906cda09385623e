"""What of a region may be handed out to whom: refused as a whole, or rows left out where told to.

The rules are those of `mobility.feeds.sharing`; here they meet the region's tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from mobility.core.errors import CheckFailed
from mobility.core.notices import Notice
from mobility.feeds import FeedConfig
from mobility.feeds.sharing import (
    CORE,
    Audience,
    Refusal,
    check_together,
    licence_notices,
    may_publish,
    table_tier,
)
from mobility.merge.region import FeedInfo, Region
from mobility.schema import TABLES, references_of


def shared_region(
    region: Region, audience: Audience, *, withhold: bool = False
) -> tuple[Region, tuple[Notice, ...]]:
    """Return the region as an audience may have it, and what its publisher should know.

    Parameters
    ----------
    region : Region
    audience : str
        ``public`` or ``partners`` (the region's operators).
    withhold : bool
        Leave out optional tables of feeds that forbid them, instead of refusing.

    Raises
    ------
    CheckFailed
        Tier or licence of a feed forbids it; names feed, table and why.
    """
    configs = _present(region)
    refusals = [found for config in configs for found in _refusals(region, config, audience)]
    fatal = [found for found in refusals if found.table in CORE or not withhold]
    together = check_together(configs)
    if fatal or together:
        raise CheckFailed(_told(fatal[0] if fatal else together, len(fatal), audience, fatal))
    notices = list(licence_notices(configs))
    tables = dict(region.tables)
    index = {feed.id: at for at, feed in enumerate(region.feeds)}
    for refusal in refusals:
        left_out = _leave_out(tables, refusal.table, index[refusal.feed])
        notices.append(
            Notice(
                "export_withheld", "warning", refusal.feed, f"{refusal.table}.txt",
                message=f"left out: {refusal.why}", count=left_out,
            )
        )  # fmt: skip
    return replace(region, tables=tables), tuple(notices)


def shown_feeds(region: Region) -> list[FeedInfo]:
    """Return the feeds whose rows stand in the region: those of tier totals never do."""
    hidden = {c.id for c in region.manifest.feeds if table_tier(c, "trips") == "totals"}
    return [feed for feed in region.feeds if feed.id not in hidden]


def _present(region: Region) -> list[FeedConfig]:
    """Return what the manifest says of the feeds whose rows stand in the region."""
    known = {config.id: config for config in region.manifest.feeds}
    return [known[feed.id] for feed in shown_feeds(region) if feed.id in known]


def _refusals(region: Region, config: FeedConfig, audience: Audience) -> Iterator[Refusal]:
    """Yield the tables of a feed that hold rows and may not go out, core tables first."""
    index = region.feed_index(config.id)
    others = [name for name in sorted(TABLES) if name not in CORE]
    for name in (*CORE, *others):
        table = region.tables.get(name)
        if name in CORE or (table is not None and bool((table["feed"] == index).any())):
            refusal = may_publish(config, name, audience)
            if refusal is not None:
                yield refusal


def _told(refusal: Refusal | None, count: int, audience: Audience, fatal: Sequence[Refusal]) -> str:
    assert refusal is not None
    more = f" ({count - 1} more)" if count > 1 else ""
    optional = bool(fatal) and all(found.table not in CORE for found in fatal)
    remedy = "; --withhold leaves it out" if optional else ""
    return f"not for {audience}: {refusal.line()}{more}{remedy}"


def _leave_out(tables: dict[str, pl.DataFrame], name: str, feed: int) -> int:
    """Drop a feed's rows of a table, and what refers to them or says them in other languages."""
    table = tables[name]
    mine = table["feed"] == feed
    tables[name] = table.filter(~mine)
    told = tables.get("translations")
    if told is not None:
        tables["translations"] = told.filter(
            (pl.col("feed") != feed) | (pl.col("table_name") != name)
        )
    for other in TABLES.values():
        frame = tables.get(other.name)
        if frame is None or "feed" not in frame.columns:
            continue
        for reference in references_of(other):
            single = {target for target, _ in reference.targets} == {name}
            if not single or reference.column not in frame.columns:
                continue
            bound = (pl.col("feed") == feed) & pl.col(reference.column).is_not_null()
            if reference.on_dangling == "clear":
                emptied = pl.when(~bound).then(pl.col(reference.column))
                frame = frame.with_columns(emptied.alias(reference.column))
            else:
                frame = frame.filter(~bound)
        tables[other.name] = frame
    return int(mine.sum())

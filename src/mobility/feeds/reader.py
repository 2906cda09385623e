"""Reads one operator's feed of any format: open, type, check, repair, in one pass."""

from __future__ import annotations

import polars as pl

from mobility.core.errors import FeedError
from mobility.feeds.agencies import complete_agencies, feed_zone
from mobility.feeds.calendar import service_span
from mobility.feeds.closure import close_references
from mobility.feeds.doubles import note_doubled_trips
from mobility.feeds.feed import Feed, TableCounts
from mobility.feeds.findings import RULES, Findings, Progress, dropped_rows
from mobility.feeds.frequencies import expand_frequencies
from mobility.feeds.left_out import leave_out_agencies
from mobility.feeds.load import Reading, drop_duplicates, kept_rows, load_table
from mobility.feeds.raw import RawTables
from mobility.feeds.read import LINE, REPAIRED
from mobility.feeds.readers import open_feed
from mobility.feeds.speed import check_speeds
from mobility.feeds.statements import FeedConfig
from mobility.feeds.stop_times import NAME as STOP_TIMES
from mobility.feeds.stop_times import load_stop_times
from mobility.feeds.stops import repair_stops
from mobility.feeds.trip_times import judge_trips
from mobility.schema import TABLES

_WITHOUT_LINE = (STOP_TIMES, "shapes")


def read_feed(config: FeedConfig, *, check: bool = True, progress: Progress | None = None) -> Feed:
    """Return a feed as typed, repaired tables with valid references only.

    Parameters
    ----------
    config : FeedConfig
        Where the feed is and what the manifest says of it.
    check : bool
        Also look for what changes no row (services without days, doubled trips).
    progress : Progress
        Told the file and how many of its bytes are read.

    Raises
    ------
    FeedError
        The feed cannot be read at all: one line says which file and what was expected.
    """
    findings = Findings(config.id)
    with open_feed(config, findings) as source:
        reading = Reading(source, findings, progress)
        _read_tables(reading, config)
        zone = feed_zone(reading)
        span = service_span(reading.frames)
        if span is None:
            idle = f"{source.place}: no trip of this feed runs on any day"
            found = tuple(source.locate(notice) for notice in findings.notices())
            raise FeedError(f"{idle}{_main_reason(findings, source)}", found, idle)
        locations = source.locations()
        version = source.version()
    if check:
        _note_idle_services(reading)
        note_doubled_trips(reading)
    counts = _count(reading)
    notices = tuple(source.locate(notice) for notice in findings.notices())
    return Feed(
        config=config,
        version=version,
        tables=_tables(reading),
        counts=counts,
        notices=notices,
        zone=zone,
        valid_from=span[0],
        valid_until=span[1],
        locations=locations,
    )


def _read_tables(reading: Reading, config: FeedConfig) -> None:
    for name in TABLES:
        if name != STOP_TIMES:
            load_table(name, reading)
    complete_agencies(reading, config)
    for name in reading.frames:
        drop_duplicates(name, reading)
    close_references(reading)
    repair_stops(reading)
    reading.frames["trips"] = reading.frames["trips"].with_columns(
        pl.lit(None, pl.String).alias("_reason")
    )
    judge_trips(load_stop_times(reading), reading)
    leave_out_agencies(reading, config)
    check_speeds(reading)
    close_references(reading)
    expand_frequencies(reading)
    close_references(reading)


def _main_reason(findings: Findings, source: RawTables) -> str:
    """Return the commonest reason why rows were dropped, for the message of last resort."""
    drops = [notice for notice in findings.notices() if RULES[notice.code].effect == "drop"]
    if not drops:
        return ""
    worst = max(drops, key=lambda notice: notice.count)
    return f"; {source.locate(worst).line()}"


def _note_idle_services(reading: Reading) -> None:
    calendar = reading.frames["calendar"]
    reading.findings.add(
        "service_without_days", "calendar.txt", field="end_date",
        count=len(calendar.filter(pl.col("end_date") < pl.col("start_date"))),
    )  # fmt: skip


def _count(reading: Reading) -> dict[str, TableCounts]:
    """Return the accounts, and make sure that every row is kept or told as dropped."""
    counts = {}
    notices = reading.findings.notices()
    for name, read in sorted(reading.read.items()):
        kept = kept_rows(reading, name)
        dropped = dropped_rows(notices, f"{name}.txt")
        if read != kept + dropped:
            raise AssertionError(f"{name}: {read} rows read, {kept} kept, {dropped} dropped")
        repaired = int(reading.frames[name][REPAIRED].sum())
        counts[name] = TableCounts(read, kept, min(repaired, kept), dropped)
    return counts


def _tables(reading: Reading) -> dict[str, pl.DataFrame]:
    tables = {}
    for name in sorted(reading.frames):
        frame = reading.frames[name]
        hidden = [REPAIRED, *([LINE] if name in _WITHOUT_LINE else [])]
        tables[name] = frame.drop(column for column in hidden if column in frame.columns)
    return tables

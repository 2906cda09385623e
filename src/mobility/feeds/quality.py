"""A second opinion on a feed: gtfs-guru's notices and gtfs-kit's quality sheet beside our own.

Heavy libraries are imported here alone, and only when a check is asked for.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from mobility.core.errors import FeedError
from mobility.core.notices import Notice, Severity
from mobility.feeds.feed import Feed, published_name
from mobility.feeds.findings import VALUE_LENGTH, Findings, Progress
from mobility.feeds.read import LINE, REPAIRED, read_text
from mobility.feeds.reader import read_feed
from mobility.feeds.readers import open_feed
from mobility.feeds.statements import FeedConfig
from mobility.schema import TABLES

MAX_SHEET_ROWS = 3_000_000  # gtfs-kit holds every table as text; beyond this it takes minutes
SEVERITIES: Mapping[str, Severity] = {"ERROR": "error", "WARNING": "warning", "INFO": "info"}
# Optional columns of GTFS that gtfs-kit cannot do without.
_KIT_NEEDS = {"routes": ("route_short_name", "route_long_name"), "stops": ("stop_name",)}
_ROW_KEYS = ("csvRowNumber", "newCsvRowNumber", "csvRowNumber1", "csvRowNumberA")
_VALUE_KEYS = ("fieldValue", "value", "tripId", "stopId", "routeId", "serviceId", "shapeId")


@dataclass(frozen=True, slots=True)
class FeedCheck:
    """What a check of one feed found.

    Parameters
    ----------
    feed : Feed
        The feed as we read it, with our own notices.
    notices : tuple of Notice
        Ours, and those of gtfs-guru that say something else.
    sheet : dict
        gtfs-kit's description and assessment: indicator to value; empty where it could not run.
    """

    feed: Feed
    notices: tuple[Notice, ...]
    sheet: dict[str, Any]


def check_feed(
    config: FeedConfig, *, on: dt.date | None = None, progress: Progress | None = None
) -> FeedCheck:
    """Read a feed and ask two other programs about it.

    Parameters
    ----------
    on : date
        The day as of which gtfs-guru judges the calendar; the feed's first day where not given.

    Raises
    ------
    FeedError
        The feed cannot be read at all.
    """
    feed = read_feed(config, check=True, progress=progress)
    findings = Findings(config.id)
    with tempfile.TemporaryDirectory(prefix="mobility-check-") as name:
        folder = Path(name)
        with open_feed(config, Findings(config.id)) as source:
            source.write_files(folder)
        found = _ask_guru(folder, on or feed.valid_from, findings)
        theirs = [source.locate(notice) for notice in found]
        _write_clean(folder)
        sheet = _ask_kit(folder, feed, findings)
    known = {(notice.code, notice.file) for notice in feed.notices}
    known_codes = {code for code, _ in known}
    new = [
        notice
        for notice in theirs
        if (notice.code, notice.file) not in known
        and not (notice.file == "" and notice.code in known_codes)
    ]
    return FeedCheck(feed, (*feed.notices, *findings.notices(), *new), sheet)


def _write_clean(folder: Path) -> None:
    """Rewrite each table as plain CSV with all columns that gtfs-kit needs, else as it is."""
    for table in TABLES.values():
        file = folder / f"{table.name}.txt"
        if file.exists():
            clean = file.with_suffix(".clean")
            with file.open("rb") as stream, clean.open("wb") as target:
                for number, block in enumerate(read_text(stream, table, Findings(""))):
                    frame = block.frame.drop(LINE, REPAIRED)
                    absent = set(_KIT_NEEDS.get(table.name, ())) - set(frame.columns)
                    frame = frame.with_columns(pl.lit("").alias(name) for name in sorted(absent))
                    frame.write_csv(target, include_header=number == 0)
            clean.replace(file)


def _ask_guru(folder: Path, on: dt.date, findings: Findings) -> list[Notice]:
    import gtfs_guru

    try:
        report = gtfs_guru.validate(str(folder), date=on.isoformat()).to_dict()
    except (ValueError, RuntimeError, OSError) as fault:
        findings.add("second_opinion_failed", value=f"gtfs-guru: {fault}")
        return []
    found = [
        notice for group in report["notices"] for notice in _group_notices(group, findings.feed)
    ]
    return sorted(found, key=lambda notice: (notice.code, notice.file, notice.row, notice))


def _group_notices(group: Mapping[str, Any], feed: str) -> Iterator[Notice]:
    """Yield one notice per file and field of the equal findings of a code."""
    places: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    samples: Sequence[Mapping[str, Any]] = group["sampleNotices"]
    for sample in samples:
        place = str(sample.get("filename", "")), str(sample.get("fieldName", ""))
        places.setdefault(place, []).append(sample)
    for (file, field), found in places.items():
        first = found[0]
        value = next((first[key] for key in _VALUE_KEYS if key in first), "")
        extra = group["totalNotices"] - len(samples) if len(places) == 1 else 0
        yield Notice(
            code=group["code"],
            severity=SEVERITIES.get(group["severity"], "warning"),
            feed=feed,
            file=file,
            row=next((int(first[key]) for key in _ROW_KEYS if key in first), 0),
            field=field,
            value=str(value)[:VALUE_LENGTH],
            message="found by gtfs-guru; the canonical validator describes this code",
            count=len(found) + extra,
        )


def _ask_kit(folder: Path, feed: Feed, findings: Findings) -> dict[str, Any]:
    rows = feed.counts["stop_times"].read
    if rows > MAX_SHEET_ROWS:
        findings.add("quality_sheet_skipped", value=f"{rows} stop_times")
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas speaks of its next version here, not of the feed
        import gtfs_kit

        try:
            kit = gtfs_kit.read_feed(str(folder), dist_units="km")
            tables = [kit.describe(), kit.assess_quality()]
        except Exception as fault:  # another program may fail in any way on bad data
            findings.add("second_opinion_failed", value=f"gtfs-kit: {fault!r}")
            return {}
    return {
        str(indicator): _plain(value)
        for table in tables
        for indicator, value in table.itertuples(index=False, name=None)
    }


def _plain(value: Any) -> Any:
    """Return a value of numpy or pandas as one that JSON knows."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    return plain if isinstance(plain, str | int | float | bool | None) else str(plain)


def refused_document(config: FeedConfig, error: FeedError) -> dict[str, Any]:
    """Return what is known of a feed that cannot be read, in the form of `quality_document`."""
    return {
        "id": config.id,
        "name": config.id,
        "refused": error.summary,
        "version": "",
        "format": config.format,
        "zone": "",
        "valid_from": "",
        "valid_until": "",
        "licence": config.licence,
        "tier": config.tier,
        "tables": {},
        "notices": [asdict(notice) for notice in refusal_notices(config, error)],
        "sheet": {},
    }


def refusal_notices(config: FeedConfig, error: FeedError) -> tuple[Notice, ...]:
    """Return why a feed cannot be read: each wrong place where they are known, else the error."""
    reason = Notice("unreadable_feed", "error", config.id, message=error.summary)
    return error.notices or (reason,)


def quality_document(check: FeedCheck) -> dict[str, Any]:
    """Return a check as plain data for JSON: the feed, its accounts, all notices, the sheet."""
    feed = check.feed
    return {
        "id": feed.config.id,
        "name": published_name(feed),
        "refused": "",
        "version": feed.version,
        "format": feed.config.format,
        "zone": feed.zone,
        "valid_from": feed.valid_from.isoformat(),
        "valid_until": feed.valid_until.isoformat(),
        "licence": feed.config.licence,
        "tier": feed.config.tier,
        "tables": {name: asdict(counts) for name, counts in sorted(feed.counts.items())},
        "notices": [asdict(notice) for notice in check.notices],
        "sheet": check.sheet,
    }

"""`mobility feeds diff`: what a new version of a feed changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mobility.cli.output import out, print_json, print_table, progress_on_stderr
from mobility.core.errors import EnvironmentFault, UsageError
from mobility.core.settings import Settings
from mobility.feeds import FeedConfig, FeedStore, FeedVersion, read_feed, read_manifest
from mobility.feeds.diff.compare import FeedDiff, diff_feeds
from mobility.feeds.diff.text import aliases_csv, diff_document, headlines, shift_text
from mobility.feeds.versions.activation import inside

MAX_ROWS = 25


def diff_command(
    versions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="OLD NEW",
            help="Two GTFS zips or folders; with --region two versions (none: in use, and next).",
        ),
    ] = None,
    region: Annotated[
        Path | None, typer.Option("--region", help="A region whose feed's versions are compared.")
    ] = None,
    feed: Annotated[str, typer.Option("--feed", help="Id of that feed.")] = "",
    aliases: Annotated[
        Path | None,
        typer.Option("--aliases", help="Write which trip became which, as CSV, to this file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what a new version of a feed changes: lines, stops, trips, days, prices; not ids."""
    configs = _configs(versions or [], region, feed)
    with progress_on_stderr(quiet=as_json) as report:
        old, new = (read_feed(config, progress=report) for config in configs)
        diff = diff_feeds(old, new)
    if aliases is not None:
        _write(aliases, aliases_csv(diff))
    if as_json:
        print_json(diff_document(diff))
    else:
        _print_diff(diff)


def _configs(
    versions: Sequence[str], region: Path | None, feed: str
) -> tuple[FeedConfig, FeedConfig]:
    if region is None:
        if feed or len(versions) != 2:
            raise UsageError("give two feeds, old and new; or --region REGION --feed FEED")
        old_path, new_path = versions
        return FeedConfig(id="old", path=Path(old_path)), FeedConfig(id="new", path=Path(new_path))
    manifest = read_manifest(region)
    config = next((one for one in manifest.feeds if one.id == feed), None)
    if config is None or len(versions) > 2:
        known = ", ".join(one.id for one in manifest.feeds)
        raise UsageError(f"give --feed, one of {known}, and at most two of its versions")
    store = FeedStore(Settings().home, manifest.id, feed)
    old_version, new_version = _versions(store, versions)
    old, new = (
        config.model_copy(update={"path": inside(store.zip_path(one.id), config), "url": ""})
        for one in (old_version, new_version)
    )
    return old, new


def _versions(store: FeedStore, named: Sequence[str]) -> tuple[FeedVersion, FeedVersion]:
    """Return the versions named; else the one in use and the one that waits or came last."""
    known = store.versions()
    old = store.find(named[0]) if named else store.active()
    newest = known[-1] if known else None
    new = store.find(named[1]) if len(named) > 1 else store.waiting() or newest
    if not named and old is not None and old == new:
        old = store.previous() or old
    if old is None or new is None:
        raise UsageError(f"{store.feed_id}: nothing was fetched; run mobility feeds fetch first")
    return old, new


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror or error}") from error


def _print_diff(diff: FeedDiff) -> None:
    for line in headlines(diff):
        out.print(line, markup=False)
    if diff.is_empty:
        return
    if not diff.same_days:
        out.print(
            f"No week is in both: the last {diff.compared_days} days before were compared with"
            f" {diff.compared_days} days from {diff.compared_from} on."
        )
    things = [
        [kind, change.kind, change.name, _changed(change.fields, change.moved_m)]
        for kind, changes in (
            ("feed", diff.texts), ("agency", diff.agencies), ("line", diff.lines),
            ("stop", diff.stops),
        )
        for change in changes
    ]  # fmt: skip
    _print_rows("what", ("", "", "name", "before → now"), things)
    counts = [
        [c.line, c.day_type, str(c.old), str(c.new), f"{c.new - c.old:+}"] for c in diff.line_counts
    ]
    _print_rows("trips on a usual day", ("line", "day", "before", "now", ""), counts)
    patterns = [
        [p.line, p.kind, f"{p.origin} → {p.destination}", str(p.stops), str(p.trips)]
        for p in diff.patterns
    ]
    _print_rows("sequences of stops", ("line", "", "from → to", "stops", "trips"), patterns)
    _print_rows("trips", ("line", "", "by", "days", "trips", "first"), _trip_rows(diff))
    special = [
        [str(one.day), f"{one.old:,}", f"{one.new:,}", f"{one.differ:,}"]
        for one in diff.special_days
    ]
    _print_rows("days of their own", ("day", "trips before", "now", "not in both"), special)
    fares = [[fare.kind, fare.what, fare.old, fare.new] for fare in diff.fares]
    _print_rows("prices", ("", "what", "before", "now"), fares)


def _trip_rows(diff: FeedDiff) -> list[list[str]]:
    """Return the changes of trips, equal ones of a line counted together."""
    groups: Counter[tuple[str, str, int, str]] = Counter()
    first: dict[tuple[str, str, int, str], str] = {}
    for trip in diff.trips:
        key = trip.line, trip.kind, trip.shift_s, trip.days
        groups[key] += 1
        first.setdefault(key, f"{trip.departure[:5]} {trip.origin} → {trip.destination}")
    return [
        [line, kind, shift_text(shift_s) if shift_s else "", days, str(count), first[key]]
        for key, count in groups.most_common()
        for line, kind, shift_s, days in [key]
    ]


def _changed(fields: object, moved_m: int) -> str:
    parts = [f"moved {moved_m} m"] if moved_m else []
    if isinstance(fields, dict):
        parts += [f"{before or 'none'} → {now or 'none'}" for before, now in fields.values()]
    return ", ".join(parts)


def _print_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    print_table(title, columns, rows[:MAX_ROWS])
    if len(rows) > MAX_ROWS:
        out.print(f"… and {len(rows) - MAX_ROWS:,} more (--json lists all)")

"""`mobility build` and `mobility info`: operators' feeds become an edition."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from mobility.cli.output import (
    err,
    out,
    print_json,
    print_notices,
    print_table,
    progress_on_stderr,
)
from mobility.cli.sources import manifest_of
from mobility.core.notices import Notice
from mobility.core.time import parse_date
from mobility.fares import check_against_region, compile_tariff, read_agreements, read_tariff
from mobility.feeds import Manifest, Progress, read_feed
from mobility.merge import GivenIds, Region, merge_feeds
from mobility.network import compile_network, open_edition, write_edition
from mobility.planner.emissions import Factors
from mobility.planner.published import PUBLISHED_PART, read_published, region_tables
from mobility.planner.robustness import Delays

DEFAULT_WALK_RADIUS_M = 400


def build(
    sources: Annotated[
        list[Path], typer.Argument(help="A region folder or region.toml, or GTFS zips and folders.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the edition to make.")],
    first: Annotated[str, typer.Option("--from", help="First service date, YYYY-MM-DD.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last service date, YYYY-MM-DD.")] = "",
    walk_radius: Annotated[
        int, typer.Option(help="Metres between stops linked on foot; 0: transfers.txt alone.")
    ] = DEFAULT_WALK_RADIUS_M,
    merge: Annotated[
        bool, typer.Option("--merge/--no-merge", help="Join stations and trains of the feeds.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Check the feeds beyond what reading needs.")
    ] = True,
    previous: Annotated[
        Path | None,
        typer.Option(help="An edition whose station ids are in use: stations keep them."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Build an edition: all that planning, pricing and comparing need, in one folder."""
    manifest = manifest_of(sources)
    with progress_on_stderr(quiet=as_json) as report:
        edition_hash, region = build_edition(
            manifest,
            output,
            first=parse_date(first) if first else None,
            last=parse_date(last) if last else None,
            walk_radius_m=walk_radius,
            join=merge,
            check=check,
            given=GivenIds.of(open_edition(previous).region()) if previous else None,
            report=report,
        )
    if as_json:
        print_json(open_edition(output).info)
        return
    print_notices(region.notices)
    err.print(f"edition {edition_hash[:12]} in {output}")


def build_edition(
    manifest: Manifest,
    output: Path,
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    walk_radius_m: int = DEFAULT_WALK_RADIUS_M,
    join: bool = True,
    check: bool = True,
    given: GivenIds | None = None,
    report: Progress | None = None,
) -> tuple[str, Region]:
    """Read, merge, compile and write an edition; returns its hash and the region."""
    tell = report or _silent
    feeds = [
        read_feed(config, check=check, progress=_reading(config.id, tell))
        for config in manifest.used
    ]
    region = merge_feeds(
        feeds, manifest, first=first, last=last, join=join, given=given, progress=report
    )
    del feeds
    parts, notices = fare_parts(region)
    parts |= published_parts(region)
    region = replace(region, notices=(*region.notices, *notices))
    tell("network", 0, 1)
    network = compile_network(region, walk_radius_m=walk_radius_m)
    tell("edition", 0, 1)
    edition_hash = write_edition(output, region, network, parts)
    tell("edition", 1, 1)
    return edition_hash, region


def _silent(stage: str, done: int, total: int) -> None:
    """Take no note of progress."""


def _reading(feed: str, tell: Progress) -> Progress:
    """Return the progress of a feed as one stage, whichever of its files is being read."""
    return lambda stage, done, total: tell(f"read {feed}", done, total)


def fare_parts(region: Region) -> tuple[dict[str, bytes], tuple[Notice, ...]]:
    """Return tariff and agreements of the region, compiled, and where they miss its feeds.

    They stand in ``fares/<region id>/`` beside the ``feeds/`` folder that holds the manifest; a
    region without that folder has no tariff.
    """
    folder = region.manifest.folder.parent.parent / "fares" / region.manifest.id
    if not folder.is_dir():
        return {}, ()
    source = read_tariff(folder)
    members = station_references(region)
    parts = {
        "tariff.json": _sorted_json(compile_tariff(source, members)),
        "agreements.json": _sorted_json(read_agreements(folder)),
    }
    return parts, check_against_region(
        source,
        agencies=_references(region, "agencies", "agency_id"),
        routes=_references(region, "routes", "route_id")
        | _references(region, "routes", "route_short_name"),
        stops={stop for stops in members.values() for stop in stops},
    )


def published_parts(region: Region) -> dict[str, bytes]:
    """Return the region's own tables of emission factors and delays, once they can be read."""
    own = region_tables(region.manifest.folder)
    published = read_published(own)
    Factors(published.factors)
    Delays(published.delays)
    return {PUBLISHED_PART: _sorted_json(own)} if own else {}


def _references(region: Region, table: str, column: str) -> set[str]:
    """Return ``feed:value`` of a column of a region's table."""
    rows = region.tables[table].select("feed", column).drop_nulls().iter_rows()
    return {f"{region.feeds[feed].id}:{value}" for feed, value in rows}


def _sorted_json(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def station_references(region: Region) -> dict[str, list[str]]:
    """Return the references of the member stops of each station."""
    stops, stations = region.tables["stops"], region.tables["stations"]
    ids = stations["station_id"].to_list()
    members: dict[str, list[str]] = {station: [] for station in ids}
    rows = zip(
        stops["station"].to_list(), stops["feed"].to_list(), stops["stop_id"].to_list(), strict=True
    )
    for station, feed, raw in rows:
        members[ids[station]].append(f"{region.feeds[feed].id}:{raw}")
    return members


def info(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Recompute the hash of every part; exit 3 if any differs."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what an edition holds: feeds, rows, stations, trains, coverage, notices."""
    opened = open_edition(edition)
    if verify:
        opened.verify()
    document = opened.info
    if as_json:
        print_json(document)
        return
    _print_info(document)
    if verify:
        out.print("all hashes hold")


def _print_info(document: dict[str, Any]) -> None:
    rows = []
    for feed in document["feeds"]:
        tables = feed["tables"].values()
        totals = [sum(t[key] for t in tables) for key in ("read", "kept", "repaired", "dropped")]
        rows.append(
            [feed["id"], feed["valid_from"], feed["valid_until"], *[f"{n:,}" for n in totals]]
        )
    columns = ("feed", "from", "until", "rows read", "kept", "repaired", "dropped")
    print_table("feeds", columns, rows)
    trains = ", ".join(f"{kind} {n}" for kind, n in document["trains"].items())
    out.print(f"stations: {document['stations']:,}; trains joined: {trains}")
    rules = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in document["rules"].items())
    out.print(f"rules for travellers: {rules}")
    print_table("coverage", ("feed", "days with service"), _coverage_rows(document["coverage"]))
    notices = document["notices"]
    print_table("notices", ("code", "rows"), [[code, f"{n:,}"] for code, n in notices.items()])


def _coverage_rows(coverage: dict[str, Any]) -> list[list[str]]:
    return [
        [feed, ", ".join(f"{first} … {last}" for first, last in spans) or "none"]
        for feed, spans in coverage.items()
    ]

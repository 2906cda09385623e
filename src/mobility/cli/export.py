"""`mobility export`: an edition's region as one GTFS feed."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from mobility.cli.output import (
    counted,
    err,
    notices_json,
    print_json,
    print_notices,
    progress_on_stderr,
)
from mobility.merge.export.region import export_region
from mobility.merge.export.sharing import shown_feeds
from mobility.network import open_edition


class Audiences(Enum):
    """For whom an export is; the words of `mobility.feeds.sharing.Audience`."""

    public = "public"
    partners = "partners"


def export(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="GTFS zip to write.")],
    audience: Annotated[
        Audiences, typer.Option("--for", help="Who gets it: anybody, or the region's operators.")
    ] = Audiences.public,
    withhold: Annotated[
        bool, typer.Option("--withhold", help="Leave out optional tables that may not go out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write the merged region as one GTFS feed, where tiers and licences allow it; else exit 3."""
    opened = open_edition(edition)
    region = opened.region()
    with progress_on_stderr(quiet=as_json) as report:
        done = export_region(
            region,
            output,
            audience=audience.value,
            withhold=withhold,
            versions={"edition": opened.hash},
            progress=report,
        )
    rows = {name: table.height for name, table in sorted(done.tables.items())}
    if as_json:
        notices = notices_json(done.notices)
        print_json(
            {"versions": opened.versions, "zone": done.zone, "rows": rows, "notices": notices}
        )
        return
    print_notices(done.notices)
    trips = counted(rows["trips"], "trip", "trips")
    feeds = counted(len(shown_feeds(region)), "feed", "feeds")
    err.print(f"{trips} of {feeds}, times in {done.zone}: {output}")

"""`mobility feeds`: look at one operator's feed before it joins a region."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobility.cli.build import manifest_of, notices_json
from mobility.cli.output import out, print_json, print_notices, print_table, progress_on_stderr
from mobility.core.errors import CheckFailed
from mobility.core.notices import count_by_code
from mobility.feeds import read_feed

app = typer.Typer(help="Operators' feeds.", no_args_is_help=True)


@app.command("check")
def check(
    sources: Annotated[list[Path], typer.Argument(help="A region, or GTFS zips and folders.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read feeds and say what is wrong with them; exit 3 if any row had to be dropped."""
    manifest = manifest_of(sources)
    with progress_on_stderr(quiet=as_json) as report:
        feeds = [read_feed(config, check=True, progress=report) for config in manifest.feeds]
    notices = [notice for feed in feeds for notice in feed.notices]
    if as_json:
        print_json(
            {
                "feeds": [{"id": f.config.id, "version": f.version} for f in feeds],
                "notices": notices_json(notices),
            }
        )
    else:
        print_notices(notices)
        counts = count_by_code(notices)
        print_table("notices", ("code", "rows"), [[code, f"{n:,}"] for code, n in counts.items()])
        for feed in feeds:
            out.print(f"{feed.config.id}: valid {feed.valid_from} … {feed.valid_until}")
    errors = sum(notice.severity == "error" for notice in notices)
    if errors:
        raise CheckFailed(f"{errors} findings are errors")

"""`mobility feeds`: look at one operator's feed before it joins a region."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobility.cli import diff, versions
from mobility.cli.clock import clock_of
from mobility.cli.feed_sheets import report_language, template, write_reports
from mobility.cli.output import (
    notices_json,
    out,
    print_json,
    print_notices,
    print_table,
    progress_on_stderr,
)
from mobility.cli.sources import manifest_of
from mobility.core.errors import CheckFailed
from mobility.core.notices import count_by_code
from mobility.core.settings import Settings
from mobility.feeds import FeedCheck, check_feed

app = typer.Typer(help="Operators' feeds.", no_args_is_help=True)
app.command("template")(template)
app.command("diff")(diff.diff_command)
app.command("fetch")(versions.fetch_command)
app.command("versions")(versions.versions_command)
app.command("activate")(versions.activate_command)
app.command("rollback")(versions.rollback_command)
app.command("status")(versions.status_command)


@app.command("check")
def check_command(
    sources: Annotated[list[Path], typer.Argument(help="A region, or GTFS zips and folders.")],
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder for a page and a JSON file per feed.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the pages: de, fr or en.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read feeds, ask two other programs about them, say what is wrong; exit 3 on errors."""
    report_language(language)
    manifest = manifest_of(sources)
    today = clock_of(Settings())().date()
    with progress_on_stderr(quiet=as_json) as progress:
        checks = [check_feed(config, on=today, progress=progress) for config in manifest.used]
    if report is not None:
        write_reports(checks, report, language)
    notices = [notice for check in checks for notice in check.notices]
    if as_json:
        print_json(
            {
                "feeds": [
                    {"id": c.feed.config.id, "version": c.feed.version, "sheet": c.sheet}
                    for c in checks
                ],
                "notices": notices_json(notices),
            }
        )
    else:
        print_notices(notices)
        counts = count_by_code(notices)
        print_table("notices", ("code", "rows"), [[code, f"{n:,}"] for code, n in counts.items()])
        for check in checks:
            _print_sheet(check)
    errors = sum(notice.severity == "error" for notice in notices)
    if errors:
        raise CheckFailed(f"{errors} findings are errors")


def _print_sheet(check: FeedCheck) -> None:
    feed = check.feed
    out.print(f"[bold]{feed.config.id}[/bold]: valid {feed.valid_from} … {feed.valid_until}")
    rows = [[name, str(value)] for name, value in check.sheet.items()]
    if rows:
        print_table("quality sheet", ("indicator", "value"), rows)

"""`mobility feeds`: look at one operator's feed before it joins a region."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mobility.cli import diff, versions
from mobility.cli.clock import clock_of
from mobility.cli.feed_sheets import report_language, template, write_reports
from mobility.cli.output import (
    counted,
    err,
    notices_json,
    out,
    print_json,
    print_notices,
    print_table,
    progress_on_stderr,
)
from mobility.cli.sources import manifest_of
from mobility.core.errors import CheckFailed, FeedError
from mobility.core.notices import Notice, count_by_code
from mobility.core.settings import Settings
from mobility.feeds import FeedCheck, FeedConfig, Progress, check_feed
from mobility.feeds.quality import quality_document, refusal_notices, refused_document
from mobility.feeds.sheet.faults import CODE as UNREADABLE_CELL

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
        checks = [(config, _check(config, today, progress)) for config in manifest.used]
    if report is not None:
        write_reports([_document(config, done) for config, done in checks], report, language)
    read = [done for _, done in checks if isinstance(done, FeedCheck)]
    refused = [(config, done) for config, done in checks if isinstance(done, FeedError)]
    notices = [notice for check in read for notice in check.notices]
    if as_json:
        why = [notice for one in refused for notice in refusal_notices(*one)]
        feeds = [_short(config, done) for config, done in checks]
        print_json({"feeds": feeds, "notices": notices_json([*why, *notices])})
    else:
        _tell_refused([error for _, error in refused])
        print_notices(notices)
        _print_checks(read, notices)
    if refused:
        raise FeedError(refused[0][1].summary)
    errors = sum(notice.severity == "error" for notice in notices)
    if errors:
        raise CheckFailed(counted(errors, "finding is an error", "findings are errors"))


def _check(config: FeedConfig, today: dt.date, progress: Progress) -> FeedCheck | FeedError:
    """Return the check, or why the feed cannot be read: the others are checked all the same."""
    try:
        return check_feed(config, on=today, progress=progress)
    except FeedError as error:
        return error


def _document(config: FeedConfig, done: FeedCheck | FeedError) -> dict[str, Any]:
    if isinstance(done, FeedError):
        return refused_document(config, done)
    return quality_document(done)


def _short(config: FeedConfig, done: FeedCheck | FeedError) -> dict[str, Any]:
    if isinstance(done, FeedError):
        return {"id": config.id, "version": None, "sheet": {}, "refused": done.summary}
    return {"id": config.id, "version": done.feed.version, "sheet": done.sheet, "refused": ""}


def _tell_refused(refused: Sequence[FeedError]) -> None:
    """Print what is wrong with feeds that cannot be read; the first one's error ends the command.

    All places are told, so that their author corrects them at once.
    """
    for number, error in enumerate(refused):
        if error.summary != str(error):  # else the one notice says what the error says
            for notice in error.notices:
                told = notice.message if notice.code == UNREADABLE_CELL else notice.line()
                err.print(f"  {told}", markup=False)
        if number:
            err.print(error.summary, markup=False)


def _print_checks(checks: Sequence[FeedCheck], notices: Sequence[Notice]) -> None:
    if checks:
        rows = [[code, f"{n:,}"] for code, n in count_by_code(notices).items()]
        print_table("notices", ("code", "rows"), rows)
    for check in checks:
        _print_sheet(check)


def _print_sheet(check: FeedCheck) -> None:
    feed = check.feed
    out.print(f"[bold]{feed.config.id}[/bold]: valid {feed.valid_from} … {feed.valid_until}")
    rows = [[name, str(value)] for name, value in check.sheet.items()]
    if rows:
        print_table("quality sheet", ("indicator", "value"), rows)

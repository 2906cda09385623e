"""`mobility merge review`: people decide what the merge is not certain of."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mobility.cli.output import counted, err, out, print_json, print_table, progress_on_stderr
from mobility.cli.sources import manifest_of
from mobility.core.errors import EnvironmentFault, UsageError
from mobility.core.files import write_atomic
from mobility.core.settings import Settings
from mobility.feeds import Manifest, Progress, read_feed
from mobility.merge.region import Region
from mobility.merge.review.candidates import Candidate, review_table
from mobility.merge.review.desk import Desk
from mobility.merge.review.file import DecisionFile, decisions_beside
from mobility.network.footpaths import compile_footpaths
from mobility.web.catalogue import FALLBACK, LANGUAGES, Catalogue, read_catalogue
from mobility.web.review_words import REVIEW_AREAS, candidate_sentences

app = typer.Typer(help="Stations and trains of several feeds made one.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `review` a command of its own although it stands alone."""


@app.command("review")
def review(
    sources: Annotated[list[Path], typer.Argument(help="A region, or GTFS zips and folders.")],
    decisions: Annotated[
        Path | None, typer.Option(help="File of decisions; by default decisions.csv of the region.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Print the open questions.")] = False,
    every: Annotated[bool, typer.Option("--all", help="List what is not open, too.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the list as CSV.")
    ] = None,
    decide: Annotated[
        tuple[str, str, str] | None,
        typer.Option(metavar="LEFT RIGHT same|different", help="Answer one question."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, with --decide.")] = "",
    browser: Annotated[bool, typer.Option("--browser", help="Review in a browser.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="With --browser.")] = None,
    language: Annotated[str, typer.Option(help="de, fr or en.")] = FALLBACK,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Decide which stations and trains of different feeds are one.

    In a terminal one question at a time; elsewhere the list. Answers go to the file of decisions
    at once and hold for coming feed versions.
    """
    if language not in LANGUAGES:
        raise UsageError(f"language is {language!r}; expected one of {', '.join(LANGUAGES)}")
    strings = read_catalogue(language, *REVIEW_AREAS)
    manifest = manifest_of(sources)
    folder = manifest.folder if (manifest.folder / "region.toml").is_file() else None
    asks = decide is not None or browser or not _only_lists(listing, output, as_json)
    file = DecisionFile(_place(folder, decisions, asks=asks))
    with progress_on_stderr(quiet=as_json) as report:
        desk = make_desk(manifest, file, report)
        desk.candidates()
    if decide is not None:
        _decide(desk, decide, reason, strings, as_json=as_json)
    elif browser:
        _browse(desk, port)
    elif asks:
        from mobility.cli.review_terminal import run_review

        run_review(desk, strings)
    else:
        _list(desk, strings, output, every=every, as_json=as_json)


def make_desk(manifest: Manifest, file: DecisionFile, report: Progress | None = None) -> Desk:
    """Read a region's feeds and return the desk on which they are reviewed."""
    feeds = []
    for config in manifest.used:
        if report is not None:
            report(config.id, 0, 1)
        feeds.append(read_feed(config, check=False))
        if report is not None:
            report(config.id, 1, 1)
    return Desk(feeds, manifest, file, count_footpaths=count_footpaths)


def count_footpaths(region: Region) -> int:
    """Return how many footpaths between stops a region's network has."""
    tables = region.tables
    return len(compile_footpaths(tables["stops"], tables.get("transfers")).walk_to)


def _only_lists(listing: bool, output: Path | None, as_json: bool) -> bool:
    """Whether nobody is there to answer, or nobody is asked."""
    return listing or as_json or output is not None or not sys.stdin.isatty()


def _place(folder: Path | None, given: Path | None, *, asks: bool) -> Path | None:
    """Return where decisions are kept; a list of feeds that have no region needs no place."""
    if asks or given is not None or folder is not None:
        return decisions_beside(folder, given)
    return None


def _said(candidate: Candidate, strings: Catalogue) -> str:
    marks = {"same": "+", "different": "-", "neither": "·"}
    return " ".join(
        f"{marks[one.speaks_for]} {one.text}" for one in candidate_sentences(candidate, strings)
    )


def _list(
    desk: Desk, strings: Catalogue, output: Path | None, *, every: bool, as_json: bool
) -> None:
    shown = [one for one in desk.candidates() if every or one.standing == "ask"]
    table = review_table(shown, lambda one: _said(one, strings))
    if output is not None:
        if output.exists() and not output.is_file():
            raise UsageError(f"{output} is no file")
        write_atomic(output, table.write_csv().encode())
        err.print(f"{counted(table.height, 'pair', 'pairs')} in {output}", markup=False)
    if as_json:
        print_json({"candidates": [row | {"decision": None} for row in table.to_dicts()]})
    elif output is None:
        rows = [_row(one, strings) for one in shown]
        columns = ("kind", "runs", "certainty", "left", "right", "evidence")
        print_table(strings.text("review.title"), columns, rows)


def _row(one: Candidate, strings: Catalogue) -> list[str]:
    return [
        *(one.kind, f"{one.runs:,}", f"{one.confidence:.2f}"),
        *(f"{one.left_is}\n{one.left}", f"{one.right_is}\n{one.right}", _said(one, strings)),
    ]


def _decide(
    desk: Desk, words: tuple[str, str, str], reason: str, strings: Catalogue, *, as_json: bool
) -> None:
    left, right, answer = words
    if answer not in ("same", "different"):
        raise UsageError(f"{answer!r} is no answer; expected same or different")
    candidate = desk.find(left, right)
    decision = desk.decide(candidate, "same" if answer == "same" else "different", reason)
    if as_json:
        print_json({"decision": decision.model_dump(), "file": str(desk.file.path)})
        return
    said = strings.text(f"review.answer.{decision.decision}")
    text = strings.text("review.saved", answer=said, left=decision.left_is, right=decision.right_is)
    out.print(text, markup=False)


def _browse(desk: Desk, port: int | None) -> None:
    """Serve the pages on the loopback address until interrupted."""
    import socket

    import uvicorn

    from mobility.api.review import new_token, review_app

    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            own.bind(("127.0.0.1", port or 0))
        except OSError as error:
            wanted = port or Settings().port
            raise EnvironmentFault(f"port {wanted}: {error.strerror or error}") from None
        number, token = own.getsockname()[1], new_token()
        out.print(f"http://127.0.0.1:{number}/{token}/", markup=False)
        err.print("open this address in a browser on this machine (stop with Ctrl-C)")
        config = uvicorn.Config(
            review_app(desk, port=number, token=token), log_level="warning", access_log=False
        )
        uvicorn.Server(config).run(sockets=[own])

"""All commands of the program, one module per stretch of the path."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from mobility import __version__
from mobility.cli import build, clearing, export, fares, feeds, plan, scenario, serve

app = typer.Typer(
    name="mobility",
    help="One timetable, one ticket answer and one settlement for a region cut by a border.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(serve.demo)
app.command("build")(build.build)
app.command("info")(build.info)
app.command("plan")(plan.plan)
app.command("serve")(serve.serve)
app.command("export")(export.export)
app.add_typer(feeds.app, name="feeds")
app.add_typer(scenario.app, name="scenario")
app.add_typer(fares.app, name="fares")
app.add_typer(clearing.app, name="clearing")


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"mobility {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more to stderr.")] = False,
) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )

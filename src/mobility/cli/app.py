"""All commands of the program, one module per stretch of the path.

A call imports only the module of its command: `plan` need not wait for the database's library.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from mobility import __version__
from mobility.core.settings import Settings

# Command or group of commands: module of `mobility.cli`, in the order in which help lists them.
COMMANDS = {
    "demo": "serve",
    "build": "build",
    "info": "build",
    "plan": "plan",
    "departures": "timetable",
    "reach": "timetable",
    "serve": "serve",
    "live": "live",
    "export": "export",
}
TEXT_LINE = "%(levelname)s %(name)s: %(message)s"
GROUPS = {
    "edition": "edition",
    "region": "region",
    "feeds": "feeds",
    "merge": "merge",
    "scenario": "scenario",
    "fares": "fares",
    "clearing": "clearing",
}


def make_app(words: Sequence[str]) -> typer.Typer:
    """Return the program with the command that the words name, or with all where they name none."""
    app = typer.Typer(
        name="mobility",
        help="One timetable, one ticket answer and one settlement for a region cut by a border.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    named = next((word for word in words if word in COMMANDS or word in GROUPS), None)
    for command, module in COMMANDS.items():
        if named in (None, command):
            app.command(command)(getattr(import_module(f"mobility.cli.{module}"), command))
    for group, module in GROUPS.items():
        if named in (None, group):
            app.add_typer(import_module(f"mobility.cli.{module}").app, name=group)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"mobility {__version__}\n")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more to stderr.")] = False,
) -> None:
    start_logging(Settings(), logging.INFO if verbose else logging.WARNING)


def start_logging(settings: Settings, level: int) -> None:
    """Log to stderr, from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.log_json else logging.Formatter(TEXT_LINE))
    logging.basicConfig(handlers=[handler], level=level)


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line of JSON."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)

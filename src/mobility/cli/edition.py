"""`mobility edition list|activate|rollback`: which edition a home's servers answer from."""

from __future__ import annotations

import getpass
import uuid
from typing import Annotated

import typer

from mobility.cli.clock import clock_of
from mobility.cli.output import out, print_json, print_table
from mobility.core.settings import Settings
from mobility.network.current import (
    SHORT_HASH,
    Cause,
    Change,
    EditionHome,
    activate,
    rollback,
)

Reason = Annotated[str, typer.Option(help="Why; stands in the history.")]

app = typer.Typer(
    help="The editions of the home, and which of them is in use.", no_args_is_help=True
)


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the editions that were taken in, the one in use marked, and what became of them."""
    home = EditionHome(Settings().home)
    current, kept, history = home.current(), home.kept(), home.history()
    states = {current.previous: "before", current.edition: "in use"} if current else {}
    if as_json:
        print_json(
            {
                "editions": [
                    {
                        "hash": edition.hash,
                        "region": edition.region,
                        "feeds": edition.feeds,
                        "state": states.get(edition.hash, ""),
                    }
                    for edition in kept
                ],
                "history": [_document(change) for change in history],
            }
        )
        return
    rows = [
        [
            edition.hash[:SHORT_HASH],
            edition.region,
            ", ".join(f"{feed} {version[:SHORT_HASH]}" for feed, version in edition.feeds.items()),
            states.get(edition.hash, ""),
        ]
        for edition in kept
    ]
    print_table("editions", ("edition", "region", "feeds", ""), rows)
    lines = [
        [f"{change.at:%Y-%m-%d %H:%M}", change.action, _short(change), change.actor, change.reason]
        for change in history
    ]
    print_table("history", ("when (UTC)", "what", "edition", "who", "why"), lines)


@app.command("activate")
def activate_command(
    edition: Annotated[
        str,
        typer.Argument(
            help="Folder of an edition, or the hash of one of the home, or its beginning."
        ),
    ],
    reason: Reason = "",
) -> None:
    """Use an edition, which servers follow; exit 3 if it is not what was built."""
    settings = Settings()
    home = EditionHome(settings.home)
    _tell(activate(home, home.find(edition), _cause(settings, reason)))


@app.command("rollback")
def rollback_command(reason: Reason = "") -> None:
    """Go back to the edition that was in use before."""
    settings = Settings()
    _tell(rollback(EditionHome(settings.home), _cause(settings, reason)))


def _cause(settings: Settings, reason: str) -> Cause:
    return Cause(getpass.getuser(), clock_of(settings), uuid.uuid4().hex, reason)


def _tell(done: Change) -> None:
    out.print(f"edition {_short(done)} is in use")


def _short(change: Change) -> str:
    return change.edition[:SHORT_HASH]


def _document(change: Change) -> dict[str, str]:
    return {
        "id": change.id,
        "action": change.action,
        "edition": change.edition,
        "at": change.at.isoformat(timespec="seconds"),
        "actor": change.actor,
        "reason": change.reason,
    }

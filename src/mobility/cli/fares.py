"""`mobility fares`: price a journey document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobility.cli.output import print_json
from mobility.cli.plan import DEFAULT_MAX_TRANSFERS, plan_texts, pricer_of
from mobility.core.errors import InputError
from mobility.fares import Rider
from mobility.network import open_edition
from mobility.planner import Planner

app = typer.Typer(help="Tickets, prices and their splits.", no_args_is_help=True)


@app.command("price")
def price(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    origin: Annotated[str, typer.Option("--from", help="Reference or station name.")],
    destination: Annotated[str, typer.Option("--to", help="Reference or station name.")],
    depart: Annotated[str, typer.Option(help="Earliest departure, local at the origin.")],
    cards: Annotated[list[str] | None, typer.Option("--card", help="Card held.")] = None,
    passes: Annotated[list[str] | None, typer.Option("--pass", help="Pass held.")] = None,
    currency: Annotated[str, typer.Option(help="Currency you would rather pay in.")] = "",
) -> None:
    """Print the tickets of the first journey found, with shares and reasons, as JSON."""
    opened = open_edition(edition)
    rider = Rider(
        cards=frozenset(cards or ()), passes=frozenset(passes or ()), currency=currency or None
    )
    pricer = pricer_of(opened, rider)
    if pricer is None:
        raise InputError(f"{edition}: the edition has no tariff: build it from a region with fares")
    planner = Planner(opened.network, opened.slices, pricer=pricer)
    answer = plan_texts(
        opened, planner, origin, destination, depart, "", None, DEFAULT_MAX_TRANSFERS
    )
    journeys = [journey.to_json() for journey in answer.journeys[:1]]
    print_json({"versions": opened.versions, "journeys": journeys})

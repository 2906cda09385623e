"""What riders need, as options of the commands that search for journeys."""

from __future__ import annotations

from typing import Annotated

import typer

Wheelchair = Annotated[
    bool, typer.Option("--wheelchair", help="Only what is said to be accessible.")
]
Bike = Annotated[bool, typer.Option("--bike", help="Only trips that are said to take bikes.")]
Modes = Annotated[
    list[str] | None, typer.Option("--mode", help="Kind of vehicle to use, such as rail.")
]
NotModes = Annotated[
    list[str] | None, typer.Option("--not-mode", help="Kind of vehicle not to use.")
]
Operators = Annotated[
    list[str] | None, typer.Option("--operator", help="Agency to use: feed:agency_id.")
]
NotOperators = Annotated[
    list[str] | None, typer.Option("--not-operator", help="Agency not to use.")
]
MinChange = Annotated[str, typer.Option(help="Least time between two rides, such as 8m.")]
WalkSpeed = Annotated[float | None, typer.Option(help="Metres per second on foot; 1.2 is usual.")]
MaxWalk = Annotated[int | None, typer.Option(help="Longest single walk, metres.")]

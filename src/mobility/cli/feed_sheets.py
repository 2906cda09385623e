"""`mobility feeds template`: a sheet for an operator without a feed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobility.cli.output import err
from mobility.feeds.sheet_template import write_template


def template(
    output: Annotated[Path, typer.Option("-o", "--output", help="XLSX workbook to write.")] = Path(
        "timetable.xlsx"
    ),
) -> None:
    """Write an empty timetable sheet for an operator without a feed, explained in de, fr, en."""
    write_template(output)
    err.print(f'{output}: once filled in, a feed with format = "sheet" in region.toml')

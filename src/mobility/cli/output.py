"""What commands print: one JSON document, or text for people; progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from mobility.core.notices import Notice, count_by_code

if TYPE_CHECKING:
    from mobility.feeds import Progress as ProgressReport

MAX_NOTICE_LINES = 12

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout and nothing else."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool = False
) -> None:
    """Print a table for people.

    No cell of a ``whole`` table is cut: where the terminal is too narrow it is a list, a line a
    cell.
    """
    if whole and rows and table_width(columns, rows) > out.width:
        _print_list(title, columns, rows)
        return
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    out.print(table)


def table_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the width of a table none of whose cells is cut or broken.

    >>> table_width(("feed", "from"), [["north", "2027-01-04"]])
    17
    """
    lines = (
        [line for cell in cells for line in cell.split("\n")]
        for cells in zip(columns, *rows, strict=True)
    )
    return sum(max(map(cell_len, cells)) for cells in lines) + 2 * (len(columns) - 1)


def _print_list(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    out.print(title, style="italic", markup=False)
    width = max(map(cell_len, columns))
    for row in rows:
        out.print()
        for column, cell in zip(columns, row, strict=True):
            if cell:
                out.print(f"{column:{width}}  {cell}", markup=False)


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "feed", "feeds"), counted(1200, "feed", "feeds")
    ('1 feed', '1,200 feeds')
    """
    return f"{number:,} {one if number == 1 else many}"


def print_notices(notices: Sequence[Notice]) -> None:
    """Print notices on stderr: the worst in full, all of them counted by code."""
    rank = {"error": 0, "warning": 1, "info": 2}
    for notice in sorted(notices, key=lambda n: rank[n.severity])[:MAX_NOTICE_LINES]:
        err.print(notice.line(), markup=False)
    if len(notices) > MAX_NOTICE_LINES:
        counts = ", ".join(f"{code} {n}" for code, n in count_by_code(notices).items())
        err.print(f"all notices: {counts}", markup=False)


@contextmanager
def progress_on_stderr(quiet: bool = False) -> Iterator[ProgressReport]:
    """Show each stage of long work as a bar on stderr (nothing where stderr is no terminal).

    A stage is over when it says so, or when the next one begins.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=quiet or not err.is_terminal,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    bars.update(task, completed=1, total=1)
                tasks[stage] = bars.add_task(stage, total=max(total, 1))
            bars.update(tasks[stage], completed=done, total=max(total, 1))

        yield report


def money(amount: Mapping[str, Any]) -> str:
    """Return an amount of a document as text, such as ``CHF 4.20``."""
    from mobility.core.money import Money

    return Money(int(amount["amount_minor"]), str(amount["currency"])).text()


def notices_json(notices: Sequence[Notice]) -> list[dict[str, Any]]:
    """Return notices as documents."""
    return [
        {
            "code": n.code,
            "severity": n.severity,
            "feed": n.feed,
            "file": n.file,
            "row": n.row,
            "field": n.field,
            "value": n.value,
            "message": n.message,
            "count": n.count,
        }
        for n in notices
    ]

"""`mobility feeds template` and the quality sheets of `mobility feeds check --report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from mobility.cli.output import err
from mobility.core.errors import EnvironmentFault, UsageError
from mobility.feeds.sheet.template import write_template


def template(
    output: Annotated[Path, typer.Option("-o", "--output", help="XLSX workbook to write.")] = Path(
        "timetable.xlsx"
    ),
) -> None:
    """Write an empty timetable sheet for an operator without a feed, explained in de, fr, en."""
    write_template(output)
    err.print(f'{output}: once filled in, a feed with format = "sheet" in region.toml')


def write_reports(documents: Sequence[Mapping[str, Any]], folder: Path, language: str) -> None:
    """Write each check's document as ``FEED.html``, a page that stands alone, and ``FEED.json``.

    Raises
    ------
    EnvironmentFault
        The folder cannot be written.
    """
    from mobility.web.quality_page import render_quality

    for document in documents:
        page = render_quality(document, language).encode()
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{document['id']}.html").write_bytes(page)
            (folder / f"{document['id']}.json").write_bytes(data)
        except OSError as fault:
            raise EnvironmentFault(f"{folder}: cannot be written: {fault.strerror}") from fault
        err.print(f"{folder / document['id']}.html")


def report_language(language: str) -> str:
    """Return the language of reports if there is a catalogue of it, else raise UsageError."""
    from mobility.web import LANGUAGES

    if language not in LANGUAGES:
        raise UsageError(f"--language {language}: one of {', '.join(LANGUAGES)}")
    return language

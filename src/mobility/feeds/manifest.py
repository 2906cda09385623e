"""The region manifest ``region.toml`` and the decisions beside it, as they are read."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mobility.core.errors import FormatVersionError, ManifestError
from mobility.core.ids import feed_id_from_name
from mobility.feeds.statements import Decision, Manifest

FORMAT = 1
MANIFEST_NAME = "region.toml"
DECISIONS_NAME = "decisions.csv"
QUESTION = "# QUESTION:"  # how a new manifest asks what nobody has answered yet
MAX_MANIFEST_BYTES = 1 << 20
MAX_DECISIONS_BYTES = 64 << 20
ARCHIVE_SUFFIXES = (".zip", ".gtfs", ".xlsx")
FORMATS = {".xlsx": "sheet"}  # readers of sources that are given without a manifest, else gtfs


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of a region folder or of its ``region.toml``, with its decisions.

    Raises
    ------
    ManifestError
        Missing, malformed, or it contradicts itself; names the place in the file.
    FormatVersionError
        ``format`` is not 1.
    """
    file = path / MANIFEST_NAME if path.is_dir() else path
    text = _read_text(file, MAX_MANIFEST_BYTES)
    document = _parse_toml(text, file)
    if document.get("format") != FORMAT:
        raise FormatVersionError(
            f"{file}: format is {document.get('format')!r}; this program reads format = {FORMAT}"
        )
    folder = file.parent
    for name in ("folder", "decisions", "open_questions"):
        if name in document:
            raise ManifestError(f"{file}: {name}: not a field of a manifest")
    feeds = document.get("feeds")
    if isinstance(feeds, list):
        document["feeds"] = [_with_path(feed, folder) for feed in feeds]
    decisions = read_decisions(folder / DECISIONS_NAME)
    quoted = f'"{QUESTION}"'  # the line that explains the mark
    asked = sum(QUESTION in line and quoted not in line for line in text.splitlines())
    stated = {"folder": folder, "decisions": decisions, "open_questions": asked}
    return _validated(document | stated, file)


def manifest_of_sources(paths: Sequence[Path]) -> Manifest:
    """Return the manifest of GTFS zips, folders or timetable sheets that were given without one.

    Feed ids come from the file stems; where the countries' order matters, write a manifest.

    Raises
    ------
    ManifestError
        No path, or two paths whose stems give the same id.

    >>> [feed.id for feed in manifest_of_sources([Path("a_b.zip"), Path("city")]).feeds]
    ['a-b', 'city']
    """
    if not paths:
        raise ManifestError("no feed was given; expected GTFS zips or folders, or a region folder")
    feeds = [
        {"id": _id_of(path), "path": path, "format": FORMATS.get(path.suffix.lower(), "gtfs")}
        for path in paths
    ]
    document = {"format": FORMAT, "id": "region", "name": "Region", "feeds": feeds}
    return _validated(document | {"folder": Path()}, Path("the feeds given"))


def read_decisions(file: Path) -> tuple[Decision, ...]:
    """Return the decisions of a file with the columns kind, left, right, decision, reason.

    ``left_is`` and ``right_is`` may stand beside them; other columns and lines that begin with
    ``#`` are passed over. A file that is not there holds none.

    Raises
    ------
    ManifestError
        A column is missing or a row is malformed; names the line.
    """
    if not file.is_file():
        return ()
    text = _read_text(file, MAX_DECISIONS_BYTES)
    # Comments become blank lines, so that the numbers of lines stay.
    lines = ("" if line.lstrip().startswith("#") else line for line in text.splitlines())
    reader = csv.DictReader(lines)
    while reader.fieldnames == []:  # comments stand above the header
        reader.fieldnames = None
    missing = {"kind", "left", "right", "decision"} - set(reader.fieldnames or ())
    if missing:
        raise ManifestError(f"{file}: no column {sorted(missing)[0]!r} in the header")
    decisions = []
    for row in reader:
        if any((cell or "").strip() for cell in row.values() if not isinstance(cell, list)):
            decisions.append(_decision(row, file, reader.line_num))
    return tuple(decisions)


def _decision(row: dict[str | Any, Any], file: Path, line: int) -> Decision:
    if None in row:
        raise ManifestError(f"{file}: line {line}: more fields than the header")
    known = {name: (row[name] or "").strip() for name in Decision.model_fields if name in row}
    try:
        return Decision.model_validate(known)
    except ValidationError as error:
        raise ManifestError(f"{file}: line {line}: {_first_fault(error)}") from None


def _id_of(path: Path) -> str:
    name = path.name or path.resolve().name
    stem = Path(name).stem if Path(name).suffix.lower() in ARCHIVE_SUFFIXES else name
    return feed_id_from_name(stem)


def _with_path(feed: Any, folder: Path) -> Any:
    if isinstance(feed, dict) and isinstance(feed.get("path"), str):
        return feed | {"path": folder / feed["path"]}
    return feed


def _read_text(file: Path, limit: int) -> str:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise ManifestError(f"{file}: there is no such file") from None
    except OSError as fault:
        raise ManifestError(f"{file}: cannot be read: {fault.strerror}") from None
    if len(data) > limit:
        raise ManifestError(f"{file}: {len(data)} bytes; at most {limit}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise ManifestError(f"{file}: not UTF-8 at byte {fault.start}") from None


def _parse_toml(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise ManifestError(f"{file}: not TOML: {fault}") from None


def _validated(document: dict[str, Any], file: Path) -> Manifest:
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        raise ManifestError(f"{file}: {_first_fault(error)}") from None


def _first_fault(error: ValidationError) -> str:
    """Return pydantic's first finding as one line: where, and what was expected."""
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    told = fault["msg"].removeprefix("Value error, ").replace("\n", " ")
    value = fault.get("input")
    shown = f" (is {value!r})" if isinstance(value, str | int | float | bool) else ""
    return f"{place}: {told}{shown}" if place else told

"""The file of decisions, row by row: order, comments and columns of others stay as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobility.core.errors import ManifestError
from mobility.core.files import make_folder, write_atomic
from mobility.feeds import Decision
from mobility.feeds.manifest import DECISIONS_NAME, read_decisions

COLUMNS = tuple(Decision.model_fields)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the file that can be taken back: what was written, and the row it replaced."""

    decision: Decision
    replaced: str | None


class DecisionFile:
    """Decisions of a region's staff on the disk; every change writes the whole file at once.

    Without a path there are none and none can be written.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._known: tuple[tuple[int, int] | None, tuple[Decision, ...]] | None = None

    def read(self) -> tuple[Decision, ...]:
        """Return the decisions; none where there is no file.

        Raises
        ------
        ManifestError
            A column is missing or a row is malformed; names the line.
        """
        if self.path is None:
            return ()
        try:
            stat = self.path.stat()
            state = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            state = None
        if self._known is None or self._known[0] != state:
            self._known = (state, read_decisions(self.path))
        return self._known[1]

    def put(self, decision: Decision) -> Change:
        """Write a decision in place of an earlier one on the same pair, else at the end.

        Raises
        ------
        ManifestError
            The file that is there cannot be read, or there is no place for one.
        EnvironmentFault
            The disk or the permissions do not allow it; the old file stands.
        """
        records, columns = self._records(extended=True)
        at = _find(records, columns, decision)
        if at is None:
            if records and not records[-1].endswith("\n"):
                records[-1] += "\n"
            records.append(_row(columns, decision, {}))
            replaced = None
        else:
            replaced = records[at]
            records[at] = _row(columns, decision, _cells(replaced, columns))
        self._write(records)
        return Change(decision, replaced)

    def take_back(self, change: Change) -> None:
        """Undo a change: the row that it replaced stands again, or none.

        A row that somebody has removed since stays away.
        """
        records, columns = self._records(extended=False)
        at = _find(records, columns, change.decision)
        if at is None:
            return
        records[at : at + 1] = [] if change.replaced is None else [change.replaced]
        self._write(records)

    def _records(self, *, extended: bool) -> tuple[list[str], list[str]]:
        """Return the file's records as they stand, and its columns; all of ours where asked."""
        self.read()  # a file that cannot be understood is not written to
        path = decisions_beside(None, self.path)
        text = path.read_bytes().decode("utf-8") if path.is_file() else ""
        records = _split(text)
        head = next((at for at, one in enumerate(records) if not _passed_over(one)), None)
        if head is None:
            return [*records, ",".join(COLUMNS) + "\n"], list(COLUMNS)
        columns = next(csv.reader(io.StringIO(records[head].removeprefix("\ufeff"))))
        missing = [name for name in COLUMNS if name not in columns] if extended else []
        if missing:
            end = "\r\n" if records[head].endswith("\r\n") else "\n"
            records[head] = ",".join([records[head].rstrip("\r\n"), *missing]) + end
        return records, columns + missing

    def _write(self, records: Sequence[str]) -> None:
        path = decisions_beside(None, self.path)
        self._known = None
        make_folder(path.parent)
        write_atomic(path, "".join(records).encode())


def _split(text: str) -> list[str]:
    r"""Return the records with their line ends; a quoted cell may hold line breaks.

    >>> _split('a,b\n# it "is"\n1,"x\ny"\n')
    ['a,b\n', '# it "is"\n', '1,"x\ny"\n']
    """
    records: list[str] = []
    is_open = False
    for line in io.StringIO(text, newline=""):
        if is_open:
            records[-1] += line
        else:
            records.append(line)
        if is_open or not _passed_over(line):
            is_open = is_open != (line.count('"') % 2 == 1)
    return records


def _passed_over(record: str) -> bool:
    """Whether a record is blank or a comment."""
    return not record.strip() or record.lstrip("\ufeff \t").startswith("#")


def _cells(record: str, columns: Sequence[str]) -> dict[str, str]:
    cells = next(csv.reader(io.StringIO(record)), [])
    return dict(zip(columns, cells, strict=False))


def _row(columns: Sequence[str], decision: Decision, others: dict[str, str]) -> str:
    ours = decision.model_dump()
    sheet = io.StringIO()
    cells = [str(ours.get(name, others.get(name, ""))) for name in columns]
    csv.writer(sheet, lineterminator="\n").writerow([" ".join(cell.split()) for cell in cells])
    return sheet.getvalue()


def _find(records: Sequence[str], columns: Sequence[str], decision: Decision) -> int | None:
    """Return the last record that is about the same pair of references."""
    for at in range(len(records) - 1, -1, -1):
        if _passed_over(records[at]):
            continue
        cells = {name: cell.strip() for name, cell in _cells(records[at], columns).items()}
        pair = {cells.get("left"), cells.get("right")}
        if cells.get("kind") == decision.kind and pair == {decision.left, decision.right}:
            return at
    return None


def decisions_beside(folder: Path | None, given: Path | None) -> Path:
    """Return where decisions are kept: the file given, else that of the region's folder.

    Raises
    ------
    ManifestError
        There is neither.
    """
    if given is not None:
        return given
    if folder is None:
        raise ManifestError("feeds alone have no place for decisions: give --decisions FILE")
    return folder / DECISIONS_NAME

"""Reads one file into frames of text: polars where a block is plain, Python's csv where it is not.

A block is plain where both readers must agree: each line has as many fields as the header and each
quoted cell is quoted whole, without line ends inside. That is decided from the bytes, exactly.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mobility.core.errors import FeedError
from mobility.feeds.findings import Findings
from mobility.feeds.lines import BLOCK_BYTES, Block, ByteStream, read_blocks
from mobility.feeds.records import Layout, parse_records
from mobility.schema import Table

LINE = "line"
REPAIRED = "_repaired"
_NOT_SKELETON = bytes(code for code in range(256) if code not in b',\n"')
_BLANKS = (b" ,", b", ", b" \n", b"\n ", b"\t", b' "', b'" ')


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file: for each field its column, or None where the field is not kept."""

    columns: tuple[str | None, ...]
    layout: Layout

    @property
    def kept(self) -> list[str]:
        """Return the columns that are kept, in the file's order."""
        return [name for name in self.columns if name is not None]


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Rows of a file as text, all cells stripped, with ``line`` and ``_repaired``; rows read."""

    frame: pl.DataFrame
    read: int
    bytes_done: int


def read_text(
    stream: ByteStream, table: Table, findings: Findings, *, size: int = BLOCK_BYTES
) -> Iterator[TextBlock]:
    """Yield a file's rows as text, block by block; the first block tells the columns even if empty.

    Raises
    ------
    FeedError
        The file is empty or its header is no comma-separated line, and no feed works without it.
    """
    file = f"{table.name}.txt"
    header: Header | None = None
    rest = Block(b"", 0)
    done = 0
    for block in read_blocks(stream, file, findings, size=size):
        done += len(block.data)
        if rest.data:
            block = Block(rest.data + block.data, rest.first_line)  # noqa: PLW2901 (one block)
            rest = Block(b"", 0)
        if header is None:
            header, block = read_header(block, table, findings)  # noqa: PLW2901
            yield TextBlock(_frame([], [], [], header), 0, 0)
        text, rest = _read_block(block, header, findings, last=False)
        yield TextBlock(text.frame, text.read, done)
    if header is None:
        if table.required:
            raise FeedError(f"{findings.feed}: {file} is empty; expected a header and rows")
        return
    if rest.data:
        text, _ = _read_block(rest, header, findings, last=True)
        yield TextBlock(text.frame, text.read, done)


def read_header(block: Block, table: Table, findings: Findings) -> tuple[Header, Block]:
    """Return the header, which is the first line that is not blank, and what follows it."""
    file = f"{table.name}.txt"
    data, line = block.data, block.first_line
    text = ""
    while data and not text.strip():
        first, _, data = data.partition(b"\n")
        text = first.decode(errors="replace")
        line += 1
    cells = next(csv.reader([text], skipinitialspace=True), [])
    names = [_column_name(cell, file, findings) for cell in cells]
    if len(names) == 1 and any(mark in text for mark in ";\t|"):
        raise FeedError(f"{findings.feed}: {file}: the header is not separated by commas: {text!r}")
    columns: list[str | None] = []
    for name in names:
        if name and name in columns:
            findings.add("duplicated_column", file, field=name)
        columns.append(name if name and name not in columns else None)
    kinds = []
    for column in columns:
        known = table.column(column) if column else None
        if column and known is None:
            findings.add("unknown_column", file, field=column)
        kinds.append(known.kind if known else "text")
    return Header(tuple(columns), Layout(file, tuple(kinds))), Block(data, line)


def _column_name(cell: str, file: str, findings: Findings) -> str:
    bare = cell.strip().strip("\ufeff").strip("\"'").strip()
    name = bare.lower() if bare.lower() != bare else bare
    if name != cell.rstrip():
        findings.add("header_name_corrected", file, field=name, value=cell.strip())
    return "" if name in (LINE, REPAIRED) else name


def _read_block(
    block: Block, header: Header, findings: Findings, *, last: bool
) -> tuple[TextBlock, Block]:
    """Return the rows of a block, and its tail if that may go on in the next block."""
    quotes = is_plain(block.data, len(header.columns))
    if quotes is None:
        return _read_exact(block, header, findings, last=last)
    return _read_fast(block, header, findings, quoted=quotes), Block(b"", 0)


def is_plain(data: bytes, width: int) -> bool | None:
    r"""Return whether a plain block has quotes; None if the block is not plain.

    >>> is_plain(b"a,b\nc,d\n", 2), is_plain(b'a,"b, c"\n', 2), is_plain(b'a,"b" \n', 2)
    (False, True, None)
    """
    skeleton = data.translate(None, _NOT_SKELETON)
    lines = skeleton.count(b"\n")
    expected = (b"," * (width - 1) + b"\n") * lines
    if width == 1 and (b"\n\n" in data or data.startswith(b"\n")):
        return None
    if skeleton == expected:
        return False
    if b'"' not in skeleton or skeleton.count(b'"') % 2:
        return None
    edges = data.count(b',"') + data.count(b'\n"') + data.startswith(b'"')
    edges += data.count(b'",') + data.count(b'"\n')
    if skeleton.replace(b'""', b"") == expected and edges == data.count(b'"'):
        return True
    return True if _quotes_are_regular(data, width, lines) else None


def _quotes_are_regular(data: bytes, width: int, lines: int) -> bool:
    """Return whether quotes open at the start and close at the end of cells, and rows are full."""
    codes = np.frombuffer(b"\n" + data, dtype=np.uint8)
    quote = np.flatnonzero(codes == ord('"'))
    opens, closes = quote[0::2], quote[1::2]
    before, after = codes[opens - 1], codes[closes + 1]
    if not (np.isin(before, (10, 44)).all() and np.isin(after, (10, 44)).all()):
        return False
    ends = np.flatnonzero(codes == ord("\n"))[1:]
    if np.any(np.searchsorted(ends, opens) != np.searchsorted(ends, closes)):
        return False
    comma = np.flatnonzero(codes == ord(","))
    comma = comma[np.searchsorted(quote, comma) % 2 == 0]
    per_line = np.diff(np.searchsorted(comma, ends), prepend=0)
    return bool(len(ends) == lines and (per_line == width - 1).all())


def _read_fast(block: Block, header: Header, findings: Findings, *, quoted: bool) -> TextBlock:
    if not block.data:
        return TextBlock(_frame([], [], [], header), 0, 0)
    names = [name or f"_{i}" for i, name in enumerate(header.columns)]
    frame = pl.read_csv(
        block.data,
        has_header=False,
        schema=dict.fromkeys(names, pl.String),
        quote_char='"' if quoted else None,
    )
    padded = (b" " in block.data or b"\t" in block.data) and (
        any(blank in block.data for blank in _BLANKS) or block.data.startswith(b" ")
    )
    if padded or quoted or not block.data.isascii():
        before = _text_bytes(frame)
        frame = frame.with_columns(_without_blanks(names))
        if _text_bytes(frame) != before:
            findings.once("leading_or_trailing_whitespaces", header.layout.file)
    frame = frame.with_columns(
        (pl.int_range(pl.len(), dtype=pl.Int32) + block.first_line).alias(LINE),
        pl.lit(value=False).alias(REPAIRED),
        pl.all_horizontal(pl.all().is_null()).alias("_empty"),
    )
    blank_rows = int(frame["_empty"].sum())
    if blank_rows:
        first = frame.filter("_empty")[LINE][0]
        findings.add("empty_row", header.layout.file, row=first, count=blank_rows)
        frame = frame.filter(~pl.col("_empty"))
    return TextBlock(frame.select(*header.kept, LINE, REPAIRED), len(frame), 0)


def _text_bytes(frame: pl.DataFrame) -> int:
    sums = frame.select(pl.all().str.len_bytes().sum().cast(pl.Int64))
    return sum(value or 0 for value in sums.row(0))


def _without_blanks(names: Sequence[str]) -> list[pl.Expr]:
    """Return the columns stripped of blanks, null where nothing is left."""
    stripped = (pl.col(name).str.strip_chars() for name in names)
    return [pl.when(bare != "").then(bare).name.keep() for bare in stripped]


def _read_exact(
    block: Block, header: Header, findings: Findings, *, last: bool
) -> tuple[TextBlock, Block]:
    rows, left = parse_records(
        block.data.decode(), block.first_line, header.layout, findings, last=last
    )
    tail = b""
    if left:
        lines = block.data.split(b"\n")[:-1]
        tail = b"".join(line + b"\n" for line in lines[-left:])
    first = block.first_line + block.lines() - left
    frame = _frame(rows.cells, rows.lines, rows.repaired, header)
    return TextBlock(frame, rows.read, 0), Block(tail, first)


def _frame(
    cells: Sequence[Sequence[str]], lines: list[int], repaired: list[bool], header: Header
) -> pl.DataFrame:
    """Return rows of cells as a frame of stripped text."""
    columns: dict[str, pl.Series] = {}
    for i, name in enumerate(header.columns):
        if name is not None:
            columns[name] = pl.Series(name, [row[i] for row in cells], dtype=pl.String)
    return (
        pl.DataFrame(columns)
        .with_columns(_without_blanks(header.kept))
        .with_columns(
            pl.Series(LINE, lines, dtype=pl.Int32), pl.Series(REPAIRED, repaired, dtype=pl.Boolean)
        )
    )

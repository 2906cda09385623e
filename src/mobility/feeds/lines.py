"""The byte-normalising pass: any file becomes blocks of whole lines, UTF-8, ended by LF.

Only the form changes here (byte order mark, encoding, line ends, control characters), and each
change is told. Blanks around cells are cut later, per cell.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mobility.core.errors import FeedError
from mobility.feeds.findings import Findings

BLOCK_BYTES = 1 << 24
MAX_LINE_BYTES = 1 << 24
CR_ONLY_BYTES = 1 << 20
BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
CONTROL = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")


class ByteStream(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file: normalised bytes and the number of the first line."""

    data: bytes
    first_line: int

    def lines(self) -> int:
        """Return how many lines the block has."""
        return int(np.count_nonzero(np.frombuffer(self.data, dtype=np.uint8) == ord("\n")))


def read_blocks(
    stream: ByteStream, file: str, findings: Findings, *, size: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Yield the normalised blocks of a file; together they hold every line once, in order.

    Raises
    ------
    FeedError
        A line is longer than 16 MiB.
    """
    line = 1
    for number, raw in enumerate(_cut_at_lines(stream, file, findings, size)):
        data = _strip_mark(raw, file, findings) if number == 0 else raw
        data = _normalise(data, line, file, findings)
        if data:
            block = Block(data, line)
            yield block
            line += block.lines()


def _cut_at_lines(stream: ByteStream, file: str, findings: Findings, size: int) -> Iterator[bytes]:
    """Yield pieces of about ``size`` bytes that end with a line end; the last one is given one."""
    head = stream.read(4)
    if head.startswith(UTF16_BOMS):
        findings.add("utf16", file)
        stream, head = _utf16(head, stream), b""
    rest, line_end = head, b""
    while data := stream.read(size):
        rest += data
        line_end = line_end or _line_end(rest)
        cut = rest.rfind(line_end) + 1 if line_end else 0
        if cut:
            yield _with_line_ends(rest[:cut], line_end)
            rest = rest[cut:]
        elif len(rest) > MAX_LINE_BYTES:
            raise FeedError(
                f"{findings.feed}: {file}: a line beyond {MAX_LINE_BYTES >> 20} MiB; expected CSV"
            )
    last = rest.rstrip(b"\x1a")
    if last:
        yield _with_line_ends(last, line_end or (b"\n" if b"\n" in last else b"\r")) + b"\n"


def _line_end(data: bytes) -> bytes:
    """Return LF; or CR where a good part of the file has CR alone; or nothing while unknown."""
    if b"\n" in data:
        return b"\n"
    return b"\r" if len(data) > CR_ONLY_BYTES and b"\r" in data else b""


def _with_line_ends(data: bytes, line_end: bytes) -> bytes:
    return data.replace(b"\r", b"\n") if line_end == b"\r" else data


def _utf16(head: bytes, stream: ByteStream) -> ByteStream:
    """Return a stream of UTF-8 bytes of a UTF-16 stream whose first bytes were read."""
    text = head + b"".join(iter(lambda: stream.read(BLOCK_BYTES), b""))
    return io.BytesIO(text.decode("utf-16", errors="replace").encode())


def _strip_mark(data: bytes, file: str, findings: Findings) -> bytes:
    if not data.startswith(BOM):
        return data
    findings.add("byte_order_mark", file)
    while data.startswith(BOM):
        data = data[len(BOM) :]
    return data


def _normalise(data: bytes, line: int, file: str, findings: Findings) -> bytes:
    if b"\r" in data:
        data = _normalise_returns(data, file, findings)
    clean = data.translate(None, CONTROL)
    if len(clean) != len(data):
        findings.add("control_characters", file, count=len(data) - len(clean))
    if clean.isascii():
        return clean
    try:
        clean.decode()
    except UnicodeDecodeError:
        return _to_utf8(clean, line, file, findings)
    return clean


def _normalise_returns(data: bytes, file: str, findings: Findings) -> bytes:
    data = data.replace(b"\r\n", b"\n")
    stray = data.count(b"\r")
    if stray:
        findings.add("carriage_returns", file, count=stray)
        while b"\r\n" in data:
            data = data.replace(b"\r\n", b"\n")
        data = data.replace(b"\r", b" ")
    return data


def _to_utf8(data: bytes, first_line: int, file: str, findings: Findings) -> bytes:
    """Decode each line that is not UTF-8 as Windows-1252 (Latin-1 where that has no letter)."""
    lines = data.split(b"\n")
    for i, line in enumerate(lines):
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError:
            text = _decode_western(line)
            findings.add("not_utf8", file, row=first_line + i, value=text)
            lines[i] = text.encode()
    return b"\n".join(lines)


def _decode_western(line: bytes) -> str:
    try:
        return line.decode("cp1252")
    except UnicodeDecodeError:
        return line.decode("latin-1")

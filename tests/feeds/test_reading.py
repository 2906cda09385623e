"""Reading text: the fast path and Python's csv say the same, whatever the bytes."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import FeedError
from mobility.feeds import read as reading
from mobility.feeds.findings import Findings, dropped_rows
from mobility.feeds.read import read_text
from mobility.schema import TABLES

HEADER = "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\n"
CELLS = ["A", "", " ", "46.5", "46,5", '"46,5"', '"x y"', 'say "hi"', '"a""b"', '"', " pad ",
         '"q" ', ' "q"', "'s,t'", "é", "\u00a0", "\t", "1", "-8", "00"]  # fmt: skip
DAMAGE = [b",", b'"', b"\n", b"\r", b"\r\r\n", b"\x00", b"\xe9", b"\xef\xbb\xbf", b" ", b"'",
          b"\x1a", b'""', b"\xc2\xa0", b",,", b"\xff"]  # fmt: skip


def read(data: bytes, *, size: int = 1 << 20) -> tuple[pl.DataFrame, int, Findings]:
    findings = Findings("f")
    blocks = list(read_text(io.BytesIO(data), TABLES["shapes"], findings, size=size))
    if not blocks:
        return pl.DataFrame(), 0, findings
    frame = pl.concat([block.frame for block in blocks])
    return frame, sum(block.read for block in blocks), findings


def read_exactly(data: bytes, *, size: int = 1 << 20) -> tuple[pl.DataFrame, int, Findings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "is_plain", lambda data, width: None)
        return read(data, size=size)


rows = st.lists(st.lists(st.sampled_from(CELLS), min_size=1, max_size=7), max_size=12)
line_ends = st.sampled_from(["\n", "\r\n", "\r\r\n"])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    end = draw(line_ends)
    body = "".join(",".join(row) + end for row in draw(rows))
    data = bytearray((HEADER.strip() + end + body).encode())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(len(HEADER), len(data))) if len(data) > len(HEADER) else len(data)
        data[at:at] = draw(st.sampled_from(DAMAGE))
    return bytes(data)


@settings(max_examples=120, deadline=None)
@given(damaged())
def test_fast_path_and_csv_agree_on_random_damage(data: bytes) -> None:
    fast, fast_read, fast_found = read(data)
    exact, exact_read, exact_found = read_exactly(data)
    assert fast.rows() == exact.rows()
    assert fast_read == exact_read
    kinds = {"leading_or_trailing_whitespaces"}
    told = [
        {(n.code, n.row, n.count) for n in found.notices() if n.code not in kinds}
        for found in (fast_found, exact_found)
    ]
    assert told[0] == told[1]


@settings(max_examples=120, deadline=None)
@given(damaged(), st.integers(5, 90))
def test_where_blocks_are_cut_changes_nothing(data: bytes, size: int) -> None:
    assert read(data, size=size)[0].rows() == read(data)[0].rows()


@settings(max_examples=120, deadline=None)
@given(damaged())
def test_every_row_read_is_kept_or_told_as_dropped(data: bytes) -> None:
    frame, n_read, findings = read(data)
    assert n_read == len(frame) + dropped_rows(findings.notices(), "shapes.txt")


texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=8)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(texts, min_size=5, max_size=5), max_size=8), line_ends)
def test_well_formed_csv_is_read_as_the_csv_module_reads_it(
    table: list[list[str]], end: str
) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows([HEADER.strip().split(","), *table])
    frame, n_read, _ = read(out.getvalue().encode())
    wanted = [[cell.strip() or None for cell in row] for row in table]
    wanted = [row for row in wanted if any(row)]
    assert [list(row) for row in frame.drop("line", "_repaired").rows()] == wanted
    assert n_read == len(wanted)


def test_line_numbers_are_those_of_the_file() -> None:
    data = b"\n" + HEADER.encode() + b'A,1,2,3,\n\n"B\nb",1,2,4,\nC,1,2,5,\n'
    assert read(data)[0]["line"].to_list() == [3, 5, 7]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "cp1252"])
def test_encodings_are_recognised(encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    frame, _, findings = read(mark + (HEADER + "Zürich,1,2,3,\n").encode(encoding))
    assert frame["shape_id"].to_list() == ["Zürich"]
    assert len(findings.notices()) == 1


def test_only_the_lines_that_are_not_utf8_are_read_as_western() -> None:
    data = HEADER.encode() + "é,1,2,3,\n".encode() + "ü,1,2,4,\n".encode("cp1252")
    frame, _, findings = read(data)
    assert frame["shape_id"].to_list() == ["é", "ü"]
    assert [(n.code, n.row) for n in findings.notices()] == [("not_utf8", 3)]


def test_old_mac_line_ends_are_line_ends() -> None:
    data = (HEADER + "A,1,2,3,\nB,1,2,4,\n").replace("\n", "\r").encode()
    assert read(data)[0]["shape_id"].to_list() == ["A", "B"]


def test_decimal_commas_are_joined_only_where_one_reading_fits() -> None:
    frame, _, findings = read(
        (HEADER + "A,41,1505,-8,586,0,\nB,41,15,-8,58,1,7\nC,1,2,3,4,5,6,7,8,9\n").encode()
    )
    assert frame.select("shape_pt_lat", "shape_pt_lon").rows() == [
        ("41.1505", "-8.586"),
        ("41.15", "-8.58"),
    ]
    codes = {n.code: n.count for n in findings.notices()}
    assert codes == {"decimal_comma": 2, "invalid_row_length": 1}


def test_a_header_with_semicolons_is_refused_in_one_line() -> None:
    with pytest.raises(FeedError, match="not separated by commas") as caught:
        read(b"shape_id;shape_pt_lat\nA;1\n")
    assert "\n" not in str(caught.value)


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobility.feeds.lines.MAX_LINE_BYTES", 1000)
    with pytest.raises(FeedError, match="a line beyond"):
        read(b"x" * 5000, size=100)


def test_header_names_are_trimmed_and_doubled_ones_ignored() -> None:
    data = b'"shape_id " , Shape_Pt_Lat,shape_pt_lon,shape_pt_sequence,shape_id,\nA,1,2,3,B,\n'
    frame, _, findings = read(data)
    assert frame.columns[:4] == ["shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"]
    assert frame["shape_id"].to_list() == ["A"]
    assert {n.code for n in findings.notices()} == {"header_name_corrected", "duplicated_column"}

"""The timetable sheet: what is written is what is read, and what is wrong names its cell."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import FeedError
from mobility.core.notices import Notice, count_by_code
from mobility.feeds import Feed, FeedConfig, check_feed, read_feed, service_days
from mobility.feeds.sheet import cells as sheet_cells
from mobility.feeds.sheet.faults import MAX_FAULTS
from mobility.feeds.sheet.template import LANGUAGES, make_template
from tests.feeds.sheets import OPERATOR, filled, read, save


def runs(feed: Feed, trip_id: str) -> list[str]:
    """Return the dates of January on which a trip runs."""
    services, days = service_days(feed, dt.date(2027, 1, 1), 31)
    trips = dict(feed.tables["trips"].select("trip_id", "service_id").iter_rows())
    return [str(day + 1) for day in range(31) if days[services[trips[trip_id]], day]]


def changed(tmp_path: Path, **cells: Any) -> Feed:
    return read(save(filled(**cells), tmp_path / "timetable.xlsx"))


def only(feed: Feed, code: str) -> Notice:
    (found,) = [notice for notice in feed.notices if notice.code == code]
    return found


def test_a_filled_template_is_read_without_a_notice(tmp_path: Path) -> None:
    feed = changed(tmp_path)
    assert feed.notices == ()
    assert feed.zone == "Europe/Zurich"
    assert feed.tables["trips"]["trip_id"].to_list() == ["b1", "b2", "timetable-F"]
    times = feed.tables["stop_times"].select("trip", "stop", "arrival_time", "departure_time")
    assert times.rows() == [
        (0, 0, 28800, 28800), (0, 1, 29040, 29160), (0, 2, 29550, 29550),
        (1, 0, 32400, 32400), (1, 2, 33000, 33000),
        (2, 0, 87000, 87000), (2, 2, 87600, 87600),
    ]  # fmt: skip
    assert feed.tables["stops"]["stop_id"].to_list() == ["H1", "H2", "103"]
    assert feed.tables["stops"]["stop_lat"].to_list() == [47.5, 47.51, 47.5201]
    for counts in feed.counts.values():
        assert counts.read == counts.kept and not counts.dropped


def test_days_dates_and_exceptions_are_those_written(tmp_path: Path) -> None:
    feed = changed(tmp_path)
    weekend = ["9", "10", "16", "17", "23", "24", "30", "31"]
    assert runs(feed, "b2") == ["6", *weekend]  # a Wednesday that runs as a Sunday
    every = {str(day) for day in range(4, 32)}
    assert set(runs(feed, "b1")) == every - {"6", *weekend}
    assert runs(feed, "timetable-F") == [str(day) for day in range(11, 32)]


def test_an_exception_of_one_line_goes_before_that_of_all(tmp_path: Path) -> None:
    feed = changed(
        tmp_path, exceptions_A6=dt.date(2027, 1, 6), exceptions_B6="none", exceptions_C6="10"
    )
    assert "6" not in runs(feed, "b1") + runs(feed, "b2")


@pytest.mark.parametrize(
    ("cells", "code", "place", "told"),
    [
        ({"timetable_D10": "8.15"}, "invalid_time", "D10", "timetable!D10: expected HH:MM"),
        ({"timetable_D12": 8.15}, "invalid_time", "D12", "timetable!D12: expected HH:MM"),
        ({"timetable_D13": "07:59"}, "stop_time_with_arrival_before_previous_departure_time",
         "D13", "count on: 24:10"),
        ({"timetable_E6": "Di"}, "invalid_integer", "E6", "timetable!E6: expected days such as"),
        ({"timetable_F7": "soon"}, "invalid_date", "F7", "expected a date such as"),
        ({"timetable_D2": "11"}, "foreign_key_violation", "D2", "no such line"),
        ({"timetable_E2": None}, "missing_required_field", "E2", "is empty"),
        ({"timetable_A13": "H9"}, "foreign_key_violation", "A13", "no such stop"),
        ({"stops_B6": None, "stops_C6": "x"}, "invalid_float_cleared", "C6", "expected a number"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_its_cell(
    tmp_path: Path, cells: dict[str, Any], code: str, place: str, told: str
) -> None:
    feed = changed(tmp_path, **cells)
    found = [notice for notice in feed.notices if notice.code == code and notice.field == place]
    assert len(found) == 1, feed.notices
    assert found[0].row == int(place[1:]) and found[0].file in ("timetable", "stops")
    assert told in found[0].message


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"timetable_D10": "=TIME(8,0,0)"}, "timetable!D10: holds a formula"),
        (
            {"stops_B5": "=A1", "stops_B6": "=A2"},
            "2 cells are wrong, first stops!B5: holds a",
        ),
        ({"operator_B1": None}, "operator!B1: agency_name is empty"),
        ({"operator_B7": "someday"}, "operator!B7: expected a date"),
        ({"operator_A1": "name"}, "operator!A1: 'name' is none of agency_name"),
        ({"stops_C1": "latitude"}, "stops!C1: 'latitude': expected one each of stop_id"),
        ({"lines_D1": None}, "sheet 'lines': has no column 'route_type'"),
        ({"timetable_A9": None}, "timetable!A9: '': expected one each of trip_id"),
        ({"timetable_C11": "on"}, "timetable!C11: 'on': expected arr, dep or nothing"),
        ({"exceptions_A5": "6 January"}, "exceptions!A5: expected a date"),
        ({"exceptions_B5": "holiday"}, "exceptions!B5: 'holiday': expected one weekday or none"),
        ({"exceptions_C5": "99"}, "exceptions!C5: no trip of a line '99'"),
        ({"exceptions_A6": "2027-01-06", "exceptions_B6": "none"}, "exceptions!A6: .* twice"),
    ],
)
def test_a_form_that_is_broken_is_one_line(
    tmp_path: Path, cells: dict[str, Any], told: str
) -> None:
    with pytest.raises(FeedError, match=told) as caught:
        changed(tmp_path, **cells)
    assert "\n" not in str(caught.value)


def test_a_sheet_that_is_missing_or_unknown_is_told(tmp_path: Path) -> None:
    book = filled()
    book.create_sheet("my notes")
    assert only(read(save(book, tmp_path / "a.xlsx")), "unknown_file").file == "my notes"
    del book["lines"]
    with pytest.raises(FeedError, match="sheet 'lines': is not there"):
        read(save(book, tmp_path / "b.xlsx"))


def test_a_second_timetable_is_read_too(tmp_path: Path) -> None:
    book = filled()
    back = book.copy_worksheet(book["timetable"])
    back.title = "timetable 2"
    for row, column in ((1, 4), (1, 5)):
        back.cell(row, column).value = None
    feed = read(save(book, tmp_path / "timetable.xlsx"))
    assert "timetable 2-D" in feed.tables["trips"]["trip_id"].to_list()
    assert len(feed.tables["trips"]) == 6


def test_saving_again_makes_no_new_version(tmp_path: Path) -> None:
    first = changed(tmp_path)
    book = openpyxl.load_workbook(tmp_path / "timetable.xlsx")
    book["stops"].column_dimensions["A"].width = 99
    assert read(save(book, tmp_path / "again.xlsx")).version == first.version
    book["stops"]["B5"] = "Town"
    assert read(save(book, tmp_path / "other.xlsx")).version != first.version


def test_the_check_of_a_sheet_names_cells_too(tmp_path: Path) -> None:
    save(filled(timetable_D10="8.15"), tmp_path / "timetable.xlsx")
    config = FeedConfig(id="hill", path=tmp_path / "timetable.xlsx", format="sheet")
    found = check_feed(config)
    assert found.sheet["num_trips"] == 3
    assert "second_opinion_failed" not in count_by_code(found.notices)
    assert any(n.field == "D10" for n in found.notices if n.code == "invalid_time")
    (website,) = [n for n in found.notices if n.field == "B2"]  # the validator's, in our words
    assert website.message == "operator!B2: is empty; expected the operator's website"


def test_the_template_holds_nothing_like_a_formula_and_speaks_three_languages() -> None:
    book = openpyxl.load_workbook(io.BytesIO(make_template()))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    assert all(cell.data_type == "s" for cell in cells)
    assert not [cell for cell in cells if str(cell.value).startswith(("=", "+", "-", "@"))]
    titles = [c.value for c in book["instructions"]["A"] if c.font.bold and c.value]
    assert len(titles) == len(LANGUAGES) == 3
    assert make_template() == make_template()


def tampered(path: Path, name: str, change: bytes, by: bytes) -> Path:
    """Return a workbook with some bytes of a member changed."""
    out = path.with_name("tampered.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            data = old.read(member)
            assert member != name or change in data
            new.writestr(member, data.replace(change, by) if member == name else data)
    return out


def test_a_document_type_in_its_xml_is_refused(tmp_path: Path) -> None:
    path = save(filled(), tmp_path / "timetable.xlsx")
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><workbook'
    with pytest.raises(FeedError, match="document type"):
        read(tampered(path, "xl/workbook.xml", b"<workbook", entity))


def test_limits_hold_for_bytes_rows_and_sheets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(filled(), tmp_path / "timetable.xlsx")
    for name, limit, told in (
        ("MAX_FILE_BYTES", 1000, "more bytes"), ("MAX_INFLATED_BYTES", 5000, "inflates beyond"),
        ("MAX_SHEETS", 3, "6 sheets; at most 3"), ("MAX_ROWS", 10, "more than 10 rows"),
        ("MAX_CELLS", 10, "10 cells; refused"), ("MAX_MEMBERS", 3, "members; at most 3"),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(sheet_cells, name, limit)
            with pytest.raises(FeedError, match=told):
                read(path)


def test_a_row_far_below_does_not_take_forever(tmp_path: Path) -> None:
    path = save(filled(), tmp_path / "timetable.xlsx")
    far = tampered(path, "xl/worksheets/sheet3.xml", b'<row r="7"', b'<row r="999999999"')
    with pytest.raises(FeedError, match="rows"):
        read(far)


def test_what_is_no_workbook_is_one_line(tmp_path: Path) -> None:
    whole = save(filled(), tmp_path / "timetable.xlsx").read_bytes()
    for number, content in enumerate((b"", b"a,b\n", whole[:2000], whole[:-40])):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(content)
        with pytest.raises(FeedError, match="workbook") as caught:
            read(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(FeedError, match="no such file"):
        read(tmp_path / "nowhere.xlsx")


def test_flipped_bytes_never_end_in_a_traceback(tmp_path: Path) -> None:
    whole = save(filled(), tmp_path / "timetable.xlsx").read_bytes()
    path = tmp_path / "flipped.xlsx"
    for at in range(0, len(whole), len(whole) // 25):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            read(path)
        except FeedError as error:
            assert "\n" not in str(error)


def test_its_name_does_not_matter_but_its_format_must_be_stated(tmp_path: Path) -> None:
    path = save(filled(), tmp_path / "timetable.xlsx").rename(tmp_path / "version-1.zip")
    assert len(read(path).tables["trips"]) == 3
    with pytest.raises(FeedError, match='XLSX workbook: say format = "sheet"'):
        read_feed(FeedConfig(id="hill", path=path))


@st.composite
def timetables(draw: st.DrawFn) -> list[list[tuple[int, int, int]]]:
    """Draw trips: calls as (stop, arrival, departure) in minutes, in the order of the stops."""
    trips = []
    for _ in range(draw(st.integers(1, 4))):
        stops = sorted(draw(st.sets(st.integers(0, 5), min_size=2)))
        minute = draw(st.integers(0, 26 * 60))
        calls = []
        for stop in stops:
            dwell = draw(st.sampled_from([0, 0, 3])) if 0 < stop < 5 else 0
            calls.append((stop, minute, minute + dwell))
            minute += dwell + draw(st.integers(2, 20))
        trips.append(calls)
    return trips


def as_typed(draw: st.DataObject, minutes: int) -> dt.timedelta | str:
    """Return a time as a spreadsheet holds it: a duration, or text."""
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return draw.draw(st.sampled_from([dt.timedelta(minutes=minutes), text]))


@settings(max_examples=20, deadline=None)
@given(trips=timetables(), data=st.data())
def test_every_call_of_a_matrix_is_read_as_it_was_written(
    trips: list[list[tuple[int, int, int]]], data: st.DataObject
) -> None:
    book = openpyxl.Workbook()
    for name, rows in (
        ("operator", [(key, value) for key, value in OPERATOR.items()]),
        ("stops", [("stop_id", "stop_name", "stop_lat", "stop_lon"),
                   *((f"S{n}", f"Stop {n}", 47.5 + n / 100, 7.5) for n in range(6))]),
        ("lines", [("route_id", "route_type"), ("L", "bus")]),
        ("timetable", [("route_id", None, None, *("L" for _ in trips)),
                       ("days", None, None, *("daily" for _ in trips)), ("stop_id",)]),
    ):  # fmt: skip
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    for stop in range(6):
        found = [next((call for call in trip if call[0] == stop), None) for trip in trips]
        for end, at in (("arr", 1), ("dep", 2)):
            cells = [call and as_typed(data, call[at]) for call in found]
            sheet.append((f"S{stop}", None, end, *cells))
    with tempfile.TemporaryDirectory() as folder:
        feed = read(save(book, Path(folder) / "t.xlsx"))
    times = feed.tables["stop_times"].select("trip", "stop", "arrival_time", "departure_time")
    assert times.rows() == [
        (number, stop, arrival * 60, departure * 60)
        for number, trip in enumerate(trips)
        for stop, arrival, departure in trip
    ]
    assert not [n for n in feed.notices if n.severity == "error"]


def broken(path: Path) -> Path:
    """Write a workbook that is wrong in nine cells of five sheets."""
    return save(
        filled(
            operator_B7="someday", stops_B5="=A1", stops_B6="=A2", lines_D5="=1/0",
            timetable_C11="on", timetable_D10="8.15", timetable_E6="Di",
            exceptions_A5="6 January", exceptions_B5="holiday",
        ),
        path,
    )  # fmt: skip


def test_all_wrong_cells_of_a_refused_workbook_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="9 cells are wrong, first stops!B5") as caught:
        read(broken(tmp_path / "timetable.xlsx"))
    cells = {(notice.file, notice.field) for notice in caught.value.notices}
    assert cells == {
        ("operator", "B7"), ("stops", "B5"), ("stops", "B6"), ("lines", "D5"),
        ("timetable", "C11"), ("timetable", "D10"), ("timetable", "E6"),
        ("exceptions", "A5"), ("exceptions", "B5"),
    }  # fmt: skip
    assert all(notice.severity == "error" for notice in caught.value.notices)
    assert caught.value.summary.endswith("9 cells are wrong; nothing of it is read")


def test_wrong_cells_beyond_the_limit_are_counted(tmp_path: Path) -> None:
    book = filled()
    for row in range(20, 20 + MAX_FAULTS + 50):
        book["stops"].cell(row, 2).value = "=A1"
    with pytest.raises(FeedError, match="250 cells are wrong") as caught:
        read(save(book, tmp_path / "timetable.xlsx"))
    assert len(caught.value.notices) == MAX_FAULTS + 1
    assert sum(notice.count for notice in caught.value.notices) == 250


def test_a_sheet_without_a_trip_that_runs_tells_every_cell(tmp_path: Path) -> None:
    times = {f"timetable_{column}{row}": "soon" for column in "DEF" for row in (10, 13)}
    with pytest.raises(FeedError, match="6 cells are wrong") as caught:
        changed(tmp_path, **times)
    assert {notice.field for notice in caught.value.notices} == {
        "D10", "D13", "E10", "E13", "F10", "F13",
    }  # fmt: skip

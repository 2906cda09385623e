"""Importing: a set union of pseudonymised events, whatever the order, the files or the crashes."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.clearing import keys, partitions
from mobility.clearing.events import load_events
from mobility.clearing.partitions import read_set
from mobility.core import files
from mobility.core.errors import CheckFailed, EnvironmentFault, EventError, InputError
from mobility.core.notices import count_by_code
from tests.clearing.region import HEADERS, JUNE, MAY, MONTH, Office, write_sheets

MakeOffice = Callable[..., Office]
ROWS = [(kind, row) for kind, rows in MONTH.items() for row in rows]


def import_rows(office: Office, folder: Path, rows: list[tuple[str, str]], name: str) -> None:
    by_kind: dict[str, list[str]] = {}
    for kind, row in rows:
        by_kind.setdefault(kind, []).append(row)
    office.import_(write_sheets(folder, by_kind, name))


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), cuts=st.integers(1, 4))
def test_order_repetition_and_batching_change_no_byte(
    make_office: MakeOffice, tmp_path_factory: pytest.TempPathFactory, seed: int, cuts: int
) -> None:
    folder = tmp_path_factory.mktemp("sheets")
    once, other = make_office(), make_office()
    import_rows(once, folder, ROWS, "whole")
    shuffled = ROWS + random.Random(seed).sample(ROWS, 7)  # some rows come twice
    random.Random(seed).shuffle(shuffled)
    for cut in range(cuts):
        import_rows(other, folder, shuffled[cut::cuts], f"part{cut}")
    assert other.files() == once.files()


def test_importing_again_is_nothing_new(office: Office, tmp_path: Path) -> None:
    paths = write_sheets(tmp_path / "in", MONTH)
    first = office.import_(paths)
    before = office.files()
    again = office.import_(paths)
    assert (first.read, first.new, first.refused) == (len(ROWS), len(ROWS) - 1, 1)
    assert (again.new, again.duplicate, again.refused) == (0, len(ROWS) - 1, 1)
    assert again.read == again.new + again.duplicate + again.refused
    assert office.files() == before


BAD_ROWS = [
    ("sheet", "s,1,2027-05,shop,counter,single,1,-5.00,CHF", "negative_price", "gross"),
    ("sheet", "s,1,2027-05,shop,counter,single,1,5.00,XXX", "unknown_currency", "currency"),
    ("sheet", "s,1,2027-05,shop,counter,single,1,5.005,CHF", "bad_amount", "gross"),
    ("sheet", "s,1,2027-05,shop,counter,single,1,1e3,CHF", "bad_amount", "gross"),
    ("sheet", 's,1,2027-05,shop,counter,single,1,"1,200",CHF', "bad_amount", "gross"),
    ("sheet", "s,1,2027-05,shop,counter,single,1,1.000,CHF", "bad_amount", "gross"),
    ("sheet", "s,1,2027-05,shop,counter,single,1,\u0664.20,CHF", "bad_amount", "gross"),
    ("sheet", "s,1,2027-05,shop,counter,single,0,5.00,CHF", "bad_count", "count"),
    ("sheet", "s,1,2027-05,shop,counter,single,one,5.00,CHF", "bad_count", "count"),
    ("sheet", "s,1,2027-05,shop,counter,double,1,5.00,CHF", "unknown_product", "product"),
    ("sheet", "s,1,2027-05,nobody,counter,single,1,5.00,CHF", "unknown_party", "seller"),
    ("sheet", "s,1,May 2027,shop,counter,single,1,5.00,CHF", "bad_period", "period"),
    ("sheet", ",1,2027-05,shop,counter,single,1,5.00,CHF", "missing_value", "sheet_id"),
    ("sheet", f"{'s' * 300},1,2027-05,shop,counter,single,1,5.00,CHF", "too_long", "sheet_id"),
    ("sheet", "s,1,2027-05,shop", "ragged_row", ""),
    ("sale", "1,soon,tram,app,single,4.21,CHF,a,b,2027-05-03 07:10,,", "bad_time", "sold_at"),
    (
        "sale",
        "1,2027-03-28 02:30,tram,app,single,4.21,CHF,a,b,2027-05-03 07:10,,",
        "bad_time",
        "sold_at",
    ),
    (
        "sale",
        "1,2027-05-03 07:00,tram,app,single,4.21,CHF,a,b,2027-05-03 07:10,half-fair,",
        "unknown_rider",
        "rider",
    ),
    ("pass", "p,tram,app,pass-equal,80,CHF,2027-05-31,2027-05-01,1", "bad_date", "valid_until"),
    ("pass", "p,tram,app,pass-equal,80,CHF,2027-05-01,2027-05-31,", "missing_value", "card_number"),
    ("tap", "a,2027-05-05,2027-05-05T07:00Z,0,CHF,Add,west,1,,tram", "other_action", "fare_action"),
    ("rate", "2027-05,EUR,CHF,0,synthetic,true", "bad_rate", "rate"),
    ("rate", "2027-05,EUR,CHF,0.9,synthetic,perhaps", "bad_value", "synthetic"),
]


@pytest.mark.parametrize(("kind", "row", "code", "field"), BAD_ROWS)
def test_a_bad_row_is_refused_with_file_line_and_field_and_the_others_stay(
    office: Office, tmp_path: Path, kind: str, row: str, code: str, field: str
) -> None:
    good = MONTH[kind][0]
    report = office.import_(write_sheets(tmp_path / "in", {kind: [good, row]}, "x"))
    (notice,) = report.notices
    assert (notice.code, notice.field) == (code, field)
    assert (notice.file, notice.row, notice.severity) == (f"x-{kind}.csv", 3, "error")
    assert (report.read, report.new, report.refused) == (2, 1, 1)
    assert "\n" not in notice.line()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b,c\n1,2,3\n", "columns of no known sheet"),
        (b"", "columns of no known sheet"),
        (b"<html><body>not found</body></html>", "columns of no known sheet"),
        (b"period,period\n", "stands there twice"),
        (b"\xff\xfe\x00", "expected UTF-8"),
        (HEADERS["sheet"].encode() + b'\n"' + b"x" * 200_000 + b"\n", "field larger than"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused_whole(
    office: Office, tmp_path: Path, content: bytes, message: str
) -> None:
    good = write_sheets(tmp_path / "in", MONTH)
    bad = tmp_path / "in" / "a.csv"
    bad.write_bytes(content)
    with pytest.raises(EventError, match=f"a.csv.*{message}"):
        office.import_([bad, *good])
    assert not (office.home / "events").exists()


def test_a_missing_file_and_an_unknown_seller_are_told(office: Office, tmp_path: Path) -> None:
    with pytest.raises(EventError, match=r"none\.csv: there is no such file"):
        office.import_([tmp_path / "none.csv"])
    with pytest.raises(InputError, match="seller 'nobody'"):
        office.import_([], seller="nobody")


def test_semicolons_a_byte_order_mark_and_decimal_commas_are_read(
    office: Office, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.csv"
    header = HEADERS["sheet"].replace(",", ";")
    path.write_text(f"\ufeff{header}\r\ns;1;2027-05;shop;counter;single;1;5,00;CHF\r\n")
    assert office.import_([path]).new == 1
    (event,) = load_events(office.home, "toy", MAY).of_kind("sheet")
    assert event.amount_minor == 500


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_one_id_with_two_contents_puts_both_in_quarantine_whichever_came_first(
    make_office: MakeOffice, tmp_path: Path, order: tuple[int, int]
) -> None:
    versions = [
        "s1,1,2027-05,shop,counter,single,10,50.00,CHF",
        "s1,1,2027-05,shop,counter,single,10,55.00,CHF",
    ]
    offices = make_office(), make_office()
    for office, places in zip(offices, ((0, 1), order), strict=True):
        for place in places:
            paths = write_sheets(tmp_path / "in", {"sheet": [versions[place]]})
            report = office.import_(paths)
        assert report.quarantined == 1
        assert count_by_code(report.notices) == {"conflicting_event": 1}
        stored = load_events(office.home, "toy", MAY)
        assert stored.of_kind("sheet") == ()
        assert {event.amount_minor for event in stored.quarantined} == {5000, 5500}
    assert offices[0].files() == offices[1].files()


def test_no_card_number_is_stored_or_told(office: Office, tmp_path: Path) -> None:
    rows = {
        **MONTH,
        "pass": [*MONTH["pass"], "p9,tram,app,pass-equal,-1,CHF,2027-05-01,x,77777777"],
    }
    report = office.import_(write_sheets(tmp_path / "in", rows))
    office.share()
    cards = re.compile(r"1000-?000\d|99-1|77777777")
    assert not any(cards.search(notice.line()) for notice in report.notices)
    for path in (office.home / "events").rglob("*"):
        if path.suffix == ".parquet":
            table = pl.read_parquet(path)
            assert not cards.search(str(table.rows())), path
        elif path.is_file():
            assert not cards.search(path.read_text()), path


def test_one_card_has_one_pseudonym_a_month_and_another_the_next(
    office: Office, tmp_path: Path
) -> None:
    randoms = iter([b"a" * 32, b"b" * 32])
    office.random_bytes = lambda n: next(randoms)
    june = "p7,tram,app,pass-equal,80.01,CHF,2027-06-01,2027-06-30,1000 0001"
    office.import_(write_sheets(tmp_path / "in", {**MONTH, "pass": [*MONTH["pass"], june]}))
    may = load_events(office.home, "toy", MAY)
    tokens = {event.event_id: event.token for event in may.of_kind("pass", "tap")}
    assert tokens["p1"] == tokens["a1"] == tokens["a2"] != tokens["p2"]
    (event,) = load_events(office.home, "toy", JUNE).of_kind("pass")
    assert event.token not in tokens.values()
    path = keys.key_path(office.home, "toy", MAY)
    assert path.stat().st_mode & 0o777 == 0o600


class Crash(BaseException):
    """The process ends here."""


def crash_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Make the process die before, inside or after the n-th change of the disk."""
    steps = iter(range(10**6))

    def dying(change: Callable[..., None]) -> Callable[..., None]:
        def run(path: Path, *args: bytes, **options: int) -> None:
            number = next(steps)
            if number == step and args:
                path.with_name(path.name + files.TEMPORARY).write_bytes(
                    args[0][: len(args[0]) // 2]
                )
            if number == step:
                raise Crash
            change(path, *args, **options)

        return run

    for module in (partitions, keys):
        for name in ("write_atomic", "remove"):
            monkeypatch.setattr(module, name, dying(getattr(files, name)))


def test_a_crash_between_any_two_writes_leaves_what_a_new_import_mends(
    make_office: MakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = write_sheets(tmp_path / "early", {kind: rows[:1] for kind, rows in MONTH.items()})
    late = write_sheets(tmp_path / "late", MONTH)
    whole = make_office()
    whole.import_(early)
    old = whole.files()
    whole.import_(late)
    crashes = 0
    for step in range(10**6):
        office = make_office()
        office.import_(early)
        with monkeypatch.context() as patch:
            crash_at(patch, step)
            try:
                office.import_(late)
                break
            except Crash:
                crashes += 1
        stored = read_set(office.home / "events" / "toy" / MAY, "events")
        assert stored is not None
        manifest = (office.home / "events" / "toy" / MAY / "events.json").read_bytes()
        assert manifest in (old[f"toy/{MAY}/events.json"], whole.files()[f"toy/{MAY}/events.json"])
        load_events(office.home, "toy", MAY)  # whichever set it is, it is whole
        office.import_(late)
        assert office.files() == whole.files()
    assert crashes > 10


@pytest.mark.parametrize("room", [0, 1, 2, 5, 20])
def test_a_full_disk_is_told_and_the_import_resumes_when_there_is_room(
    make_office: MakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    office, whole = make_office(), make_office()
    early = write_sheets(tmp_path / "a", {"sheet": MONTH["sheet"][:1]})
    late = write_sheets(tmp_path / "b", MONTH)
    for each in (office, whole):
        each.import_(early)
    before = office.files()
    left = iter(range(room))

    def full(descriptor: int) -> None:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(EnvironmentFault, match="No space left on device"):
            office.import_(late)
    manifest = f"toy/{MAY}/events.json"
    assert office.files()[manifest] == before[manifest]
    load_events(office.home, "toy", MAY)
    for each in (office, whole):
        each.import_(late)
    assert office.files() == whole.files()


def test_two_imports_at_once_are_refused(office: Office, tmp_path: Path) -> None:
    paths = write_sheets(tmp_path / "in", MONTH)
    with (
        files.sole_writer(office.home / "events" / "toy"),
        pytest.raises(EnvironmentFault, match="another process is writing here"),
    ):
        office.import_(paths)
    assert office.import_(paths).new


def test_what_comes_late_is_booked_in_the_next_open_month_once(
    office: Office, tmp_path: Path
) -> None:
    office.whole()
    office.journal.close(MAY, actor="clerk", at=office.caller.clock(), action_id="close")
    closed = {name: data for name, data in office.files().items() if f"/{MAY}/" in name}
    late = "s9,1,2027-05,shop,counter,single,1,5.00,CHF"
    rows = {**MONTH, "sheet": [*MONTH["sheet"], late]}
    report = office.import_(write_sheets(tmp_path / "in", rows, "again"))
    assert (report.new, report.late) == (1, 1)
    (event,) = load_events(office.home, "toy", JUNE).of_kind("sheet")
    assert (event.period, event.event_id) == (MAY, "s9/1")
    again = office.import_(write_sheets(tmp_path / "in", rows, "again"))
    assert (again.new, again.late) == (0, 0)
    assert {name: data for name, data in office.files().items() if f"/{MAY}/" in name} == closed


def test_a_closed_month_takes_no_rates_and_leaves_those_of_the_next_alone(
    office: Office, tmp_path: Path
) -> None:
    office.whole({"sheet": MONTH["sheet"]})
    office.journal.close(MAY, actor="clerk", at=office.caller.clock(), action_id="close")
    rows = {
        "rate": ["2027-05,EUR,CHF,0.9412,ecb,true", "2027-06,EUR,CHF,0.9500,ecb,true"],
        "currency": ["2027-05,tram,EUR", "2027-06,tram,CHF"],
    }
    report = office.import_(write_sheets(tmp_path / "in", rows))
    assert count_by_code(report.notices) == {"closed_period": 2}
    assert (report.new, report.late, report.refused) == (2, 0, 2)
    stored = load_events(office.home, "toy", JUNE)
    assert {event.period for event in stored.of_kind("rate", "currency")} == {JUNE}
    assert stored.quarantined == ()


def test_a_closed_month_knows_its_events_even_without_the_key(
    office: Office, tmp_path: Path
) -> None:
    office.whole()
    office.journal.close(MAY, actor="clerk", at=office.caller.clock(), action_id="close")
    keys.destroy_key(office.home, "toy", MAY)
    report = office.import_(write_sheets(tmp_path / "in", MONTH, "again"))
    assert (report.new, report.duplicate) == (0, len(ROWS) - 1)
    changed = "p1,tram,app,pass-equal,70.00,CHF,2027-05-01,2027-05-31,1000-0001"
    report = office.import_(write_sheets(tmp_path / "in", {"pass": [changed]}, "other"))
    assert count_by_code(report.notices) == {"conflict_closed": 1}
    assert report.new == 0


def test_a_destroyed_key_is_never_made_again(office: Office, tmp_path: Path) -> None:
    office.import_(write_sheets(tmp_path / "in", MONTH))
    assert keys.destroy_key(office.home, "toy", MAY)
    assert not keys.destroy_key(office.home, "toy", MAY)
    with pytest.raises(EnvironmentFault, match="was destroyed"):
        keys.open_key(office.home, "toy", MAY)


def test_a_changed_partition_is_named(office: Office, tmp_path: Path) -> None:
    office.import_(write_sheets(tmp_path / "in", MONTH))
    path = next((office.home / "events").rglob("events-tap-*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckFailed, match=re.escape(path.name)):
        load_events(office.home, "toy", MAY)

"""Editions: whole or not at all, the same anywhere, and refused in one line where they are not."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mobility.core.errors import CheckFailed, EnvironmentFault, FormatVersionError, InputError
from mobility.merge import Region
from mobility.network import compile_network, documents, open_edition, write_edition
from mobility.network import edition as edition_module
from mobility.network.documents import table_hash
from tests.network.build import FIRST_DATE, Feed, Stop, Train, build_tables

PARTS = {"tariff.json": b'{"format":1}', "agreements.json": b"{}"}


def made_up_region(paths: tuple[str, ...] = ("ch", "pt")) -> Region:
    return build_tables(
        [Stop("A", 47.5, 7.6, "Zürich HB"), Stop("B", 47.6, 7.6), Stop("C", 47.6, 7.6, feed=1)],
        [
            Train("t", "A 08:00 B 09:00", days=(0, 1, 3)),
            Train("u", "C 10:00 A 11:00", feed=1, days=(2,)),
        ],
        feeds=[Feed("ch", "Europe/Zurich", "CH"), Feed("pt", "Europe/Lisbon", "PT")],
    ).region(paths)


def build(folder: Path, region: Region | None = None) -> str:
    region = region or made_up_region()
    return write_edition(folder, region, compile_network(region), PARTS)


def test_edition_gives_back_the_region_it_was_made_of(tmp_path: Path) -> None:
    region = made_up_region()
    build(tmp_path / "e", region)
    again = open_edition(tmp_path / "e").region()
    assert again.feeds == region.feeds
    assert again.notices == region.notices
    assert again.train_counts == region.train_counts
    assert (again.first_date, again.n_days) == (region.first_date, region.n_days)
    assert np.array_equal(again.days, region.days)
    assert np.array_equal(again.coverage, region.coverage)
    assert sorted(again.tables) == sorted(region.tables)
    for name, table in region.tables.items():
        assert again.tables[name].equals(table), name
        assert again.tables[name].schema == table.schema, name
    assert [feed.id for feed in again.manifest.feeds] == ["ch", "pt"]
    assert build(tmp_path / "again", again) == open_edition(tmp_path / "e").hash


def test_info_is_the_document_of_the_design(tmp_path: Path) -> None:
    edition_hash = build(tmp_path / "e")
    edition = open_edition(tmp_path / "e")
    info = edition.info
    assert info["versions"] == edition.versions
    assert set(edition.versions) == {"region", "edition", "network", "tariff", "agreement"}
    assert edition.versions["edition"] == edition_hash == edition.hash
    assert info["feeds"][0]["id"] == "ch"
    assert info["feeds"][0]["tables"] == {
        "trips": {"read": 3, "kept": 2, "repaired": 1, "dropped": 1}
    }
    assert info["coverage"] == {
        "ch": [["2027-03-26", "2027-03-27"], ["2027-03-29", "2027-03-29"]],
        "pt": [["2027-03-28", "2027-03-28"]],
    }
    assert info["stations"] == 3
    assert info["trains"] == {"equal": 0, "contained": 0, "overlap": 0, "hand_over": 0}
    assert info["notices"] == {"empty_trip": 2}
    json.dumps(info)


def test_parts_are_there_or_none(tmp_path: Path) -> None:
    build(tmp_path / "e")
    edition = open_edition(tmp_path / "e")
    assert edition.part("tariff.json") == PARTS["tariff.json"]
    assert edition.part("other.json") is None
    assert edition.part("../secret") is None
    assert edition.table("stops") is edition.table("stops")
    with pytest.raises(KeyError, match="no table nonsense"):
        edition.table("nonsense")


def test_slices_stand_in_the_edition_and_outside_its_hash(tmp_path: Path) -> None:
    build(tmp_path / "e")
    edition = open_edition(tmp_path / "e")
    assert edition.slices.get(FIRST_DATE).n_runs == 2
    assert [path.name for path in (tmp_path / "e" / "slices").iterdir()] == [f"{FIRST_DATE}.slice"]
    edition.verify()
    assert open_edition(tmp_path / "e").hash == edition.hash


def test_slices_stand_in_the_home_where_the_edition_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition_hash = build(tmp_path / "e")
    monkeypatch.setenv("MOBILITY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(edition_module.os, "access", lambda *_: False)
    open_edition(tmp_path / "e").slices.get(FIRST_DATE)
    assert (tmp_path / "home" / "slices" / edition_hash / f"{FIRST_DATE}.slice").is_file()
    assert not (tmp_path / "e" / "slices").exists()


def many_trains() -> Region:
    stops = [Stop(name, 47.5 + number / 300, 7.6) for number, name in enumerate("ABCDE")]
    calls = "A 08:00 B 08:10 C 08:20 E 09:00"
    trains = [Train(f"t{n}", calls, days=(n % 3,)) for n in range(9)]
    return build_tables(stops, trains).region()


BUILD_SCRIPT = """
import sys
from pathlib import Path
from tests.network.test_edition import build, many_trains

print(build(Path(sys.argv[1]), many_trains()))
"""


def test_two_builds_anywhere_give_the_same_bytes(tmp_path: Path, project_root: Path) -> None:
    """Another process, folder, hash seed and number of threads."""
    first, second = tmp_path / "here" / "one", tmp_path / "there" / "other"
    edition_hash = build(first, many_trains())
    run = subprocess.run(
        [sys.executable, "-c", BUILD_SCRIPT, str(second)],
        cwd=project_root,
        env=os.environ | {"PYTHONHASHSEED": "4711", "POLARS_MAX_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == edition_hash
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_order_and_place_of_the_sources_change_no_hash(tmp_path: Path) -> None:
    one = build(tmp_path / "a", made_up_region(("here/ch", "here/pt.zip")))
    other = build(tmp_path / "b", made_up_region(("/there/pt", "/elsewhere/ch.zip")))
    assert one == other


def test_notices_and_counts_change_no_hash_but_tables_do(tmp_path: Path) -> None:
    region = made_up_region()
    one = build(tmp_path / "a", region)
    assert build(tmp_path / "b", replace(region, notices=())) == one
    changed = dict(region.tables)
    changed["trips"] = changed["trips"].with_columns(trip_headsign=pl.lit("Basel"))
    assert build(tmp_path / "c", replace(region, tables=changed)) != one
    network = compile_network(region)
    assert write_edition(tmp_path / "d", region, network, {"tariff.json": b"{}"}) != one


def test_table_hash_tells_values_types_names_and_gaps_apart() -> None:
    base = pl.DataFrame({"n": [1, 0, None], "s": ["a", "", None]})
    variants = [
        base,
        base.with_columns(pl.col("n").fill_null(0)),
        base.with_columns(pl.col("s").fill_null("")),
        base.with_columns(pl.col("n").cast(pl.Int32)),
        base.rename({"n": "m"}),
        base.reverse(),
        base.select("s", "n"),
        base.head(2),
        base.with_columns(d=pl.lit(dt.date(2027, 1, 1))),
        base.with_columns(d=pl.lit(dt.date(2027, 1, 2))),
        base.with_columns(b=pl.lit(True)),
        base.with_columns(b=pl.lit(None, pl.Boolean)),
        base.with_columns(x=pl.lit(0.5)),
        base.clear(),
    ]
    hashes = [table_hash(table) for table in variants]
    assert len(set(hashes)) == len(variants)
    assert hashes[0] == table_hash(pl.concat([base.head(1), base.tail(2)], rechunk=False))


def test_interrupt_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(documents, "table_hash", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "e")
    assert list(tmp_path.iterdir()) == []


def test_failed_build_leaves_the_edition_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition_hash = build(tmp_path / "e")

    def no_space(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents, "table_hash", no_space)
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        build(tmp_path / "e")
    monkeypatch.undo()
    edition = open_edition(tmp_path / "e")
    edition.verify()
    assert edition.hash == edition_hash
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


def test_edition_is_replaced_whole(tmp_path: Path) -> None:
    build(tmp_path / "e")
    old = open_edition(tmp_path / "e")
    old.slices.get(FIRST_DATE)
    region = replace(made_up_region(), first_date=FIRST_DATE + dt.timedelta(7))
    edition_hash = build(tmp_path / "e", region)
    assert open_edition(tmp_path / "e").hash == edition_hash != old.hash
    assert not (tmp_path / "e" / "slices").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["e"]
    assert old.network.stop_name[0] == "Zürich HB"  # an open edition stays readable


def test_empty_folder_takes_an_edition_and_any_other_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    build(tmp_path / "empty")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    for name in ("mine", "file"):
        with pytest.raises(InputError, match=f"{name}: exists and is no edition"):
            build(tmp_path / name)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep"


def test_missing_or_foreign_folder_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("none", "foreign", "file"):
        with pytest.raises(
            InputError, match=f"{name}: no edition here.*mobility build SOURCE"
        ) as caught:
            open_edition(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("{", InputError, "not JSON: rebuild with mobility build"),
        ("[]", InputError, "not the file of an edition"),
        ('{"format_version": "1"}', InputError, "not the file of an edition"),
        ('{"format_version": 1}', InputError, "not the file of an edition"),
        (
            '{"format_version": 2}',
            FormatVersionError,
            "format version 2.*rebuild with mobility build",
        ),
    ],
)
def test_edition_file_that_is_none_is_refused(
    tmp_path: Path, content: str, error: type[InputError], message: str
) -> None:
    build(tmp_path / "e")
    (tmp_path / "e" / "edition.json").write_text(content)
    with pytest.raises(error, match=message):
        open_edition(tmp_path / "e")


def test_parts_of_two_builds_are_no_edition(tmp_path: Path) -> None:
    build(tmp_path / "a")
    build(tmp_path / "b", replace(made_up_region(), first_date=dt.date(2027, 1, 1)))
    (tmp_path / "b" / "network.bin").replace(tmp_path / "a" / "network.bin")
    with pytest.raises(InputError, match="not of one build"):
        open_edition(tmp_path / "a")


@pytest.mark.parametrize(
    "part", ["network.bin", "tables/stops.parquet", "tariff.json", "region.json", "info.json"]
)
@pytest.mark.parametrize("damage", ["alter", "remove"])
def test_verify_names_the_part_that_differs(tmp_path: Path, part: str, damage: str) -> None:
    build(tmp_path / "e")
    edition = open_edition(tmp_path / "e")
    edition.verify()
    path = tmp_path / "e" / part
    content = bytearray(path.read_bytes())
    path.unlink()
    if damage == "alter":
        content[-1] ^= 1
        path.write_bytes(content)
    with pytest.raises(CheckFailed, match=part) as caught:
        edition.verify()
    assert "\n" not in str(caught.value)


def test_importing_the_network_loads_no_tables() -> None:
    """Planning needs arrays, not polars or pandas: the server starts the sooner."""
    script = "import sys, mobility.network.slices; print({'polars', 'pandas'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_rows_of_a_table_are_found_without_keeping_it(sample_edition: Path) -> None:
    opened = open_edition(sample_edition)
    some = opened.rows_where("transfers", pl.col("transfer_type") == 2)
    assert some.height and set(some["transfer_type"]) == {2}
    assert opened.rows_where("transfers", pl.col("transfer_type") == 9).height == 0
    assert set(opened.columns_of("transfers")) == set(some.columns)
    assert "transfers" not in opened._tables
    with pytest.raises(KeyError, match="has no table nothing"):
        opened.rows_where("nothing", pl.lit(True))

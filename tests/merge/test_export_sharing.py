"""What tier or licence forbids is refused with its name, and nothing of it leaks another way."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from mobility.api import create_app
from mobility.core.errors import CheckFailed, UnknownPlaceError
from mobility.core.settings import Settings
from mobility.core.time import system_clock
from mobility.feeds import Feed, FeedConfig, Manifest, read_feed
from mobility.feeds.sharing import CORE
from mobility.merge import Region, merge_feeds
from mobility.merge.export.region import export_region
from mobility.merge.export.texts import export_feed_info
from mobility.network import compile_network, open_edition, write_edition
from mobility.planner import locate, suggest
from tests.merge.export_back import read_zip, write_feed
from tests.merge.export_toy import EAST, NUMBER, WEST

OPTIONAL = sorted(set(WEST) - set(CORE))
GROUPS = [OPTIONAL[start::3] for start in range(3)]  # together: each region takes a second


def region(
    folder: Path,
    west: dict[str, str] = WEST,
    east: dict[str, str] = EAST,
    *,
    join: bool = True,
    **stated: Any,
) -> Region:
    """Return the toy region; ``stated`` says more of west, ``of_east`` of east."""
    of_east = stated.pop("of_east", {})
    feeds = []
    for place, (name, files, country, said) in enumerate(
        (("west", west, "CH", stated), ("east", east, "DE", of_east))
    ):
        read = feed_of(name, files, folder)
        more = {"country": country, "precedence": place, "licence": "CC0-1.0", **said}
        config = FeedConfig(id=name, path=read.config.path, train_number=NUMBER, **more)
        feeds.append(replace(read, config=config))
    document = {"format": 1, "id": "toy", "name": "Toy", "folder": folder}
    document["feeds"] = [feed.config for feed in feeds]
    return merge_feeds(feeds, Manifest.model_validate(document), join=join)


READ: dict[tuple[str, ...], Feed] = {}


def feed_of(name: str, files: dict[str, str], folder: Path) -> Feed:
    """Return a toy feed; each is read once, since tiers and licences change nothing in it."""
    key = (name, *sorted(files))
    if key not in READ:
        path = write_feed(folder / name, files)
        READ[key] = read_feed(FeedConfig(id=name, path=path, train_number=NUMBER))
    return READ[key]


def refusal(made: Region, path: Path, **asked: Any) -> str:
    with pytest.raises(CheckFailed) as caught:
        export_region(made, path, **asked)
    assert not path.exists() and "\n" not in str(caught.value)
    return str(caught.value)


def exported(made: Region, path: Path, **asked: Any) -> dict[str, Any]:
    """Return the tables of an export, without the hashes of the feeds."""
    export_region(made, path, **asked)
    tables = read_zip(path)
    for row in tables["feed_info"]:
        del row["feed_version"]
    return tables


@pytest.mark.parametrize(
    ("tier", "table"), [("partners", ""), ("planning", ""), ("partners", "trips")]
)
def test_a_feed_that_is_not_public_is_refused_by_name(
    tmp_path: Path, tier: str, table: str
) -> None:
    made = region(tmp_path, **({"tiers": {table: tier}} if table else {"tier": tier}))
    for withhold in (False, True):  # the timetable itself cannot be left out
        told = refusal(made, tmp_path / "m.zip", withhold=withhold)
        assert told.startswith(f"not for public: feed west: agency: tier '{tier}' is for")
    if tier == "partners":
        assert export_region(made, tmp_path / "m.zip", audience="partners").tables
    else:
        told = refusal(made, tmp_path / "m.zip", audience="partners")
        assert told.startswith("not for partners: feed west")


@pytest.mark.parametrize("tables", GROUPS)
def test_tables_that_are_not_public_are_refused_or_wholly_left_out(
    tmp_path: Path, tables: list[str]
) -> None:
    made = region(tmp_path, tiers=dict.fromkeys(tables, "partners"))
    told = refusal(made, tmp_path / "m.zip")
    assert told.startswith(f"not for public: feed west: {tables[0]}: tier 'partners' is for")
    assert told.endswith("--withhold leaves it out")
    found = exported(made, tmp_path / "m.zip", withhold=True)
    never = region(tmp_path / "never", {k: v for k, v in WEST.items() if k not in tables})
    wanted = exported(never, tmp_path / "never.zip")
    if "feed_info" in tables:  # texts about what is left out are left out too
        texts = wanted.get("translations", [])
        wanted["translations"] = [row for row in texts if row["table_name"] != "feed_info"]
    assert found == wanted
    assert exported(made, tmp_path / "p.zip", audience="partners") != found


@pytest.mark.parametrize("tables", GROUPS)
def test_tables_of_totals_are_as_if_they_were_not_there(tmp_path: Path, tables: list[str]) -> None:
    made = region(tmp_path, tiers=dict.fromkeys(tables, "totals"))
    never = region(tmp_path / "never", {k: v for k, v in WEST.items() if k not in tables})
    assert set(made.tables) == set(never.tables)
    for name, frame in made.tables.items():
        wanted = never.tables[name].select(sorted(frame.columns))
        if name == "translations":
            wanted = wanted.filter(~wanted["table_name"].is_in(tables))
        assert frame.select(sorted(frame.columns)).equals(wanted), name
    (west,) = [feed for feed in made.feeds if feed.id == "west"]
    assert all(west.counts[table].read > 0 for table in tables)


def test_a_feed_of_totals_is_in_no_answer_but_counts_and_name(tmp_path: Path) -> None:
    made = region(tmp_path, of_east={"tier": "totals"})
    for name, frame in made.tables.items():
        if "feed" in frame.columns:
            assert not (frame["feed"] == made.feed_index("east")).any(), name
        texts = {str(value) for column in frame.iter_columns() for value in column.to_list()}
        assert not [text for text in texts if "east" in text or "de:08311" in text], name
    network = compile_network(made)
    write_edition(tmp_path / "edition", made, network, {})
    edition = open_edition(tmp_path / "edition")
    with pytest.raises(UnknownPlaceError):
        locate(edition.network, "east:de:08311:6507")
    assert not [m for m in suggest(edition.network, "Hauptbahnhof") if m.id.startswith("east")]
    east = next(feed for feed in edition.info["feeds"] if feed["id"] == "east")
    assert east["tables"]["trips"]["read"] == 3 and east["name"] == "East Rail"
    assert all(not n.value and not n.row for n in edition.notices if n.feed == "east")
    assert edition.info["coverage"]["east"] == []
    # What is not in the region need not be refused.
    first = made.first_date
    assert first < made.last_date
    feeds = [replace(f, valid_until=first) if f.id == "west" else f for f in made.feeds]
    info = export_feed_info(replace(made, feeds=tuple(feeds)), (first, first), {})
    assert info["feed_end_date"].to_list() == [first]  # the west's, not the east's
    assert "east" not in str(exported(made, tmp_path / "m.zip")["trips"])


@contextmanager
def served(made: Region, folder: Path) -> Iterator[TestClient]:
    """Serve a region."""
    write_edition(folder / "edition", made, compile_network(made), {})
    settings = Settings(home=folder / "home")
    app = create_app(folder / "edition", settings, clock=system_clock)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def test_the_maps_show_only_what_anybody_may_have(tmp_path: Path) -> None:
    everything = region(tmp_path / "all", join=False)
    tiers = {"tiers": {"shapes": "partners"}, "of_east": {"tier": "planning"}}
    hidden = region(tmp_path / "hidden", join=False, **tiers)
    shown: list[tuple[Any, Any]] = []
    for number, made in enumerate((everything, hidden)):
        with served(made, tmp_path / str(number)) as client:
            lines, stations = (
                client.get(f"/api/v1/map/{layer}").json()["features"]
                for layer in ("lines", "stations")
            )
            shown.append((lines, stations))
    (all_lines, all_stations), (lines, stations) = shown
    assert {line["properties"]["feed"] for line in all_lines} == {"east", "west"}
    assert {line["properties"]["feed"] for line in lines} == {"west"}
    ids, all_ids = (
        {one["properties"]["station_id"] for one in f} for f in (stations, all_stations)
    )
    assert ids == {one for one in all_ids if one.startswith("west")} < all_ids
    assert locate(compile_network(hidden), "east:de:08311:6507")  # questions are still answered
    # The path is drawn from stop to stop, not along the shape.
    paths = [line["geometry"]["coordinates"] for line in lines]
    assert [8.54019, 47.37819] not in [point for path in paths for point in path]


def test_the_api_names_a_feed_of_totals_and_no_more(tmp_path: Path) -> None:
    made = region(tmp_path, of_east={"tier": "totals"})
    with served(made, tmp_path) as client:
        for path in ("/api/v1/region", "/api/v1/map/stations", "/api/v1/map/lines"):
            answer = client.get(path)
            assert answer.status_code == 200, answer.text
            assert "de:08311" not in answer.text and "Hauptbahnhof" not in answer.text
        feeds = {feed["id"]: feed for feed in client.get("/api/v1/region").json()["feeds"]}
    assert set(feeds) == {"east", "west"}


@pytest.mark.parametrize(
    ("licence", "audience", "told"),
    [
        ("CC-BY-ND-4.0", "public", "licence CC-BY-ND-4.0 forbids works made from it"),
        ("All rights reserved", "partners", "forbids passing it on"),
        ("Alle Rechte vorbehalten", "public", "forbids passing it on"),
        ("LicenseRef-contract", "public", "is a contract, not an open licence"),
    ],
)
def test_a_licence_that_forbids_is_refused_by_name(
    tmp_path: Path, licence: str, audience: str, told: str
) -> None:
    made = region(tmp_path, licence=licence)
    said = refusal(made, tmp_path / "m.zip", audience=audience)
    assert said.startswith(f"not for {audience}: feed west: agency: ") and told in said


@pytest.mark.parametrize(
    ("west", "east", "conflict"),
    [
        ("ODbL-1.0", "CC-BY-SA-4.0", True),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", False),
        ("ODbL-1.0", "CC-BY-NC-4.0", True),
        ("CC-BY-NC-SA-4.0", "CC-BY-4.0", False),
        ("ODbL-1.0", "etalab-2.0", False),
        ("ODbL-1.0", "", False),
    ],
)
def test_share_alike_licences_that_exclude_each_other_are_refused_with_both_feeds(
    tmp_path: Path, west: str, east: str, conflict: bool
) -> None:
    made = region(tmp_path, licence=west, of_east={"licence": east})
    if conflict:
        told = refusal(made, tmp_path / "m.zip")
        assert "feed west" in told and "feed east" in told and west in told and east in told
        assert "all tables" in told
    else:
        codes = {n.code for n in export_region(made, tmp_path / "m.zip").notices}
        assert "licence_share_alike" in codes
        assert ("licence_unstated" in codes) == (not east)


def test_licences_and_addresses_go_into_the_attributions(tmp_path: Path) -> None:
    made = region(
        tmp_path, licence="CC-BY-4.0", licence_url="https://west.example/terms",
        attribution="Data: West Rail",
    )  # fmt: skip
    export_region(made, tmp_path / "m.zip")
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("attributions.txt").decode())))
    row = next(row for row in rows if row["attribution_id"] == "west")
    assert row["organization_name"] == "West Rail: Data: West Rail [CC-BY-4.0]"
    assert row["attribution_url"] == "https://west.example/terms"


def test_the_command_says_for_whom_and_ends_with_three(tmp_path: Path, mobility) -> None:
    made = region(tmp_path, tiers={"shapes": "partners"})
    write_edition(tmp_path / "edition", made, compile_network(made), {})
    out = tmp_path / "m.zip"
    refused = mobility("export", tmp_path / "edition", "-o", out)
    assert refused.status == 3 and "feed west: shapes" in refused.error_line and not out.exists()
    done = mobility("export", tmp_path / "edition", "-o", out, "--withhold", "--json")
    assert done.status == 0
    withheld = [n for n in done.document["notices"] if n["code"] == "export_withheld"]
    assert [(n["feed"], n["file"], n["count"]) for n in withheld] == [("west", "shapes.txt", 4)]
    assert mobility("export", tmp_path / "edition", "-o", out, "--for", "partners").status == 0
    assert mobility("export", tmp_path / "edition", "-o", out, "--for", "friends").status == 2


def test_the_command_counts_the_feeds_whose_rows_it_wrote(tmp_path: Path, mobility) -> None:
    made = region(tmp_path, of_east={"tier": "totals"})
    write_edition(tmp_path / "edition", made, compile_network(made), {})
    done = mobility("export", tmp_path / "edition", "-o", tmp_path / "m.zip")
    assert done.status == 0 and "of 1 feed, times in" in done.err


def test_a_licence_is_known_by_id_address_or_words() -> None:
    from mobility.feeds.sharing import find_licence

    known = {
        "CC BY 4.0": "CC-BY-4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/deed.de": "CC-BY-SA-4.0",
        "http://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
        "odbl": "ODbL-1.0",
        "Licence Ouverte 2.0": "etalab-2.0",
        "lov2": "etalab-2.0",
        "dl-de/by-2-0": "DL-DE-BY-2.0",
        "NLOD 2.0": "NLOD-2.0",
        "tous droits réservés": "proprietary",
        "see our website": None,
        "": None,
    }
    for text, wanted in known.items():
        found = find_licence(text)
        assert (found.id if found else None) == wanted, text

"""The manifest's checks and bans as tables: what they name, and what names nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from mobility.feeds import Manifest, read_manifest
from mobility.feeds.statements import BoardingBan, BorderCheck
from mobility.merge.region import Region
from mobility.merge.rules import rule_tables, station_countries
from mobility.network import open_edition

BAD_BF = "ch-rail:8500090"
BORDER = "de-regio:de:08336:6599"  # between Weil am Rhein and Basel Bad Bf


@pytest.fixture(scope="module")
def region(sample_edition: Path) -> Region:
    return open_edition(sample_edition).region()


@pytest.fixture(scope="module")
def manifest(sample_region: Path) -> Manifest:
    return read_manifest(sample_region)


def stated(manifest: Manifest, region: Region, **statements: Any) -> tuple[Any, list[str]]:
    statements = {"border_checks": (), "boarding_bans": (), **statements}
    ids = [feed.id for feed in region.feeds]
    tables, notices = rule_tables(manifest.model_copy(update=statements), region.tables, ids)
    assert all(notice.severity == "warning" for notice in notices)
    return tables, [f"{notice.code} {notice.value}" for notice in notices]


def check(**said: Any) -> BorderCheck:
    return BorderCheck.model_validate(said)


def ban(**said: Any) -> BoardingBan:
    return BoardingBan.model_validate({"feed": "ch-city", **said})


def names(region: Region, stations: list[int]) -> set[str]:
    return {region.tables["stations"]["name"][row] for row in stations}


def test_a_check_is_at_the_merged_station(manifest: Manifest, region: Region) -> None:
    said = {"from": dt.date(2027, 6, 14), "from_country": "DE", "minutes": 7}
    documents = {"fr": "passeport", "de": "Ausweis"}
    tables, notices = stated(
        manifest, region,
        border_checks=(check(place=BAD_BF, documents=documents, **said),),
    )  # fmt: skip
    (row,) = tables["border_checks"].to_dicts()
    assert names(region, [row["station"]]) == {"Basel Bad Bf"}
    assert row["documents"] == '{"de": "Ausweis", "fr": "passeport"}'
    assert (row["from_country"], row["to_country"], row["minutes"]) == ("DE", None, 7)
    assert (row["from_date"], row["until_date"]) == (dt.date(2027, 6, 14), None)
    assert notices == []


def test_statements_that_name_nothing_are_told(manifest: Manifest, region: Region) -> None:
    tables, notices = stated(
        manifest, region,
        border_checks=(
            check(place="ch-rail:nowhere"),
            check(place=BORDER, change_of_vehicle=True),
        ),
        boarding_bans=(
            ban(routes=("38", "no such line"), stops=("ch-city:nowhere", BAD_BF)),
            ban(agencies=("nobody",), country="DE"),
            ban(country="ES"),
        ),
    )  # fmt: skip
    assert notices == [
        "border_check_without_place ch-rail:nowhere",
        f"border_check_cannot_change {BORDER}",
        "boarding_ban_without_stop ch-city:nowhere",
        "boarding_ban_without_route ch-city:no such line",
        "boarding_ban_without_agency ch-city:nobody",
        "boarding_ban_without_effect ch-city",
        "boarding_ban_without_effect ch-city",
    ]
    assert tables["border_checks"]["change_of_vehicle"].to_list() == [False]
    assert tables["boarding_bans"]["ban"].to_list() == [0]
    assert names(region, tables["boarding_ban_stations"]["station"].to_list()) == {"Basel Bad Bf"}


def test_a_ban_without_lines_is_about_the_whole_feed(manifest: Manifest, region: Region) -> None:
    tables, notices = stated(manifest, region, boarding_bans=(ban(feed="fr-regio", country="CH"),))
    routes = region.tables["routes"]
    rows = tables["boarding_ban_routes"]["route"].to_list()
    feed = region.feed_index("fr-regio")
    assert rows == [row for row, of in enumerate(routes["feed"]) if of == feed]
    assert "Basel SBB" in names(region, tables["boarding_ban_stations"]["station"].to_list())
    assert notices == []


def test_a_station_lies_where_its_codes_say_and_a_border_point_nowhere(region: Region) -> None:
    countries = station_countries(region.tables, [feed.country for feed in region.feeds])
    by_name = dict(zip(region.tables["stations"]["name"], countries, strict=True))
    assert by_name["Basel Bad Bf"] == "CH"  # listed by the German feed too
    assert by_name["Freiburg Hauptbahnhof"] == "DE"
    assert by_name["Mulhouse Ville"] == "FR"
    stops = region.tables["stops"]
    borders = stops.filter("border_point")["station"].drop_nulls().to_list()
    assert {countries[row] for row in borders} <= {None}

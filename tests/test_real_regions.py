"""Real feeds of seven operators, built from their zips as they are."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.shared]

COUNTED = ("agency", "stops", "routes", "trips", "stop_times", "calendar", "calendar_dates")


def zips_of(folder: Path) -> list[Path]:
    """Return the feeds of a folder."""
    return sorted(folder.glob("*.zip"))


@pytest.fixture(scope="module")
def editions(shared_data, tmp_path_factory):
    """Return the editions of both regions."""
    from mobility.cli.build import build_edition
    from mobility.feeds import manifest_of_sources

    made = {}
    for name in ("iberia_2026", "eu_rail_2025"):
        made[name] = tmp_path_factory.mktemp(name) / "edition"
        build_edition(manifest_of_sources(zips_of(shared_data / name)), made[name])
    return made


def lines_of(path: Path, table: str) -> int | None:
    """Count the rows of a table with csv alone, blank lines left out."""
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.endswith(f"{table}.txt") and "MACOSX" not in n]
        if not names:
            return None
        with archive.open(names[0]) as member:
            text = io.TextIOWrapper(member, encoding="utf-8-sig", newline="")
            rows = csv.reader(text)
            next(rows)
            return sum(1 for row in rows if any(cell.strip() for cell in row))


@pytest.mark.parametrize("region", ["iberia_2026", "eu_rail_2025"])
def test_every_row_read_is_kept_or_dropped(mobility, editions, shared_data, region):
    info = mobility("info", editions[region], "--json").document
    feeds = {feed["id"]: feed["tables"] for feed in info["feeds"]}
    for path in zips_of(shared_data / region):
        tables = feeds[path.stem.replace("_", "-")]
        for counts in tables.values():
            assert counts["read"] == counts["kept"] + counts["dropped"]
        for table in COUNTED:
            expected = lines_of(path, table)
            if expected is not None:
                assert tables[table]["read"] == expected, (path.name, table)


def test_a_train_that_keeps_madrid_time_in_portugal_arrives_at_the_true_instant(mobility, editions):
    edition = editions["iberia_2026"]
    outcome = mobility("plan", edition, "--from", "Vigo-Guixar", "--to", "Porto Campanhã",
                       "--depart", "2026-08-21T08:30", "--json")  # fmt: skip
    assert outcome.status == 0, outcome.err
    journeys = outcome.document["journeys"]
    direct = next(j for j in journeys if j["departure"] == "2026-08-21T08:58:00+02:00")
    assert direct["arrival"] == "2026-08-21T10:24:00+01:00"
    sections = [s for leg in direct["legs"] for s in leg["sections"]]
    assert "0042012026-08-21" in {section["trip_id"] for section in sections}


def test_an_answer_on_a_day_that_a_feed_does_not_cover_says_so(mobility, editions):
    outcome = mobility("plan", editions["iberia_2026"], "--from", "Porto Campanha",
                       "--to", "Lisboa Santa Apolonia", "--depart", "2026-10-05T08:00",
                       "--json")  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert outcome.document["journeys"]
    notices = outcome.document["notices"]
    told = {n["feed"] for n in notices if n["code"] == "feed_not_covering_date"}
    assert told == {"renfe-cercanias"}


def test_trains_that_two_countries_list_in_part_are_joined(mobility, editions):
    trains = mobility("info", editions["eu_rail_2025"], "--json").document["trains"]
    assert trains["contained"] + trains["overlap"] + trains["equal"] >= 40


def test_the_order_of_the_feeds_changes_no_byte(mobility, editions, shared_data, tmp_path):
    backwards = list(reversed(zips_of(shared_data / "eu_rail_2025")))
    outcome = mobility("build", *backwards, "-o", tmp_path / "again")
    assert outcome.status == 0, outcome.err
    first, second = (
        mobility("info", edition, "--json").document["versions"]
        for edition in (editions["eu_rail_2025"], tmp_path / "again")
    )
    assert first == second

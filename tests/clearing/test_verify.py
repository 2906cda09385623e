"""Verification holds for what was done, after the key is gone too, and names what was changed."""

import json
from pathlib import Path

import pytest

from mobility.clearing import close_period, destroy_key, verify
from mobility.clearing.keys import find_key
from mobility.ledger import MemoryJournal
from tests.clearing.region import MAY, MONTH, Office, find_journey, write_sheets


@pytest.fixture
def settled(office: Office) -> Office:
    office.whole()
    return office


def failures(office: Office) -> dict[str, str]:
    result = verify(office.home, office.journal, MAY)
    return {check.name: check.detail for check in result.checks if not check.holds}


def test_it_holds_with_and_without_the_planner(settled: Office) -> None:
    assert failures(settled) == {}
    planned = verify(settled.home, settled.journal, MAY, find_journey=find_journey)
    assert planned.holds


def test_it_still_holds_after_the_key_is_destroyed_and_no_byte_moved(settled: Office) -> None:
    close_period(settled.home, settled.journal, MAY, caller=settled.caller)
    before, links = settled.files(), settled.journal.entries(MAY)
    assert destroy_key(settled.home, settled.journal, MAY, caller=settled.caller)
    assert find_key(settled.home, "toy", MAY) is None
    assert failures(settled) == {}
    assert (settled.files(), settled.journal.entries(MAY)) == (before, links)


def test_a_flipped_byte_in_any_stored_file_is_found_and_the_file_named(settled: Office) -> None:
    folder = settled.home / "events" / "toy" / MAY
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    assert len(paths) > 20
    for number, path in enumerate(paths):
        content = path.read_bytes()
        changed = bytearray(content)
        changed[(len(content) - 1) * (number % 3) // 2] ^= 1  # first, middle or last byte
        path.write_bytes(bytes(changed))
        found = failures(settled)
        assert any(path.name in detail for detail in found.values()), path.name
        assert all("\n" not in detail for detail in found.values())
        path.write_bytes(content)
    assert failures(settled) == {}


def test_a_missing_file_is_found(settled: Office) -> None:
    folder = settled.home / "events" / "toy" / MAY
    path = next(folder.glob("shares-*.parquet"))
    content = path.read_bytes()
    path.unlink()
    assert path.name in failures(settled)["partitions"]
    path.write_bytes(content)
    (folder / "rides.json").unlink()
    assert "rides.json" in failures(settled)["partitions"]


def test_a_planner_that_finds_other_journeys_is_found(settled: Office) -> None:
    result = verify(settled.home, settled.journal, MAY, find_journey=lambda a, b, s: None)
    assert [check.name for check in result.checks if not check.holds] == ["rides"]


def test_an_agreement_changed_with_its_name_is_found(settled: Office) -> None:
    # Whoever rewrites the file and renames it to its new hash still has to rewrite the journal.
    folder = settled.home / "events" / "toy" / MAY
    path = next(folder.glob("agreements-*.json"))
    data = json.loads(path.read_text())
    data["agreements"][0]["without_rides"] = {"tram": 1, "rail": 99}
    path.write_text(json.dumps(data))
    assert path.name in failures(settled)["inputs"]


def test_shares_made_anew_with_another_agreement_are_not_those_posted(settled: Office) -> None:
    changed = json.loads(json.dumps(settled.agreements))
    changed["agreements"][0]["without_rides"] = {"tram": 1, "rail": 99}
    settled.agreements = changed
    settled.share()
    found = failures(settled)
    assert "shares.json" in found["inputs"]
    assert "entries differ" in found["postings"]


def test_another_journal_is_not_the_one_of_these_shares(settled: Office) -> None:
    settled.journal = MemoryJournal("toy")
    assert "entries differ" in failures(settled)["postings"]


def test_events_imported_after_sharing_are_found(settled: Office, tmp_path: Path) -> None:
    more = {"sheet": ["s8,1,2027-05,shop,counter,single,1,5.00,CHF"]}
    settled.import_(write_sheets(tmp_path / "more", {**MONTH, **more}))
    found = failures(settled)
    assert "events.json" in found["inputs"]
    assert "share again" in found["postings"]


def test_a_month_that_was_never_imported_does_not_hold(office: Office) -> None:
    found = failures(office)
    assert "events.json: missing" in found["partitions"]

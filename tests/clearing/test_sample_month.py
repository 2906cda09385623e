"""The sample region's month from its generator to verified statements."""

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from mobility.clearing import (
    close_period,
    destroy_key,
    import_files,
    settle_period,
    share_period,
    statement,
    statement_parties,
    verify,
)
from mobility.clearing.events import load_events
from mobility.clearing.finder import journey_finder
from mobility.core.notices import count_by_code
from mobility.ledger import MemoryJournal
from mobility.network import open_edition
from mobility.planner import Planner
from tests.clearing.region import MAY, caller

SMALL = 0.02  # part of the month in `make test`; the whole month is in .ci/run


@pytest.fixture(scope="module")
def generator(project_root: Path) -> dict[str, Any]:
    return runpy.run_path(str(project_root / "fares/basel/events/make_month.py"))


def run_month(generator: dict[str, Any], edition_path: Path, folder: Path, scale: float) -> None:
    edition = open_edition(edition_path)
    generator["write_month"](folder / "in", generator["make_month"](edition_path, scale=scale))
    fares = {
        name: orjson.loads(edition.part(f"{name}.json") or b"") for name in ("tariff", "agreements")
    }
    home, clerk = folder / "home", caller()
    journal = MemoryJournal("basel")
    zone = edition.region().manifest.timezone or ""
    find = journey_finder(Planner(edition.network, edition.slices), edition.network)
    report = import_files(
        home, journal, sorted((folder / "in").iterdir()), zone=zone, caller=clerk, **fares
    )
    assert (report.refused, report.quarantined) == (0, 0)
    assert report.read == report.new + report.duplicate
    shared = share_period(
        home, journal, MAY, zone=zone, find_journey=find, caller=clerk,
        versions=edition.versions, **fares,
    )  # fmt: skip
    assert set(count_by_code(shared.notices)) <= {
        "price_differs", "ride_no_check_out", "ride_without_pass",
    }  # fmt: skip
    assert not any(shared.suspense_minor.values())
    taken: Counter[str] = Counter()
    for event in load_events(home, "basel", MAY).of_kind("sheet", "sale", "pass", "tap"):
        taken[event.currency or ""] += event.amount_minor or 0
    assert shared.shared_minor == +taken
    settle_period(home, journal, MAY, caller=clerk)
    for planner in (None, find):
        result = verify(home, journal, MAY, find_journey=planner)
        assert result.holds, [check for check in result.checks if not check.holds]
    total: Counter[str] = Counter()
    for party in statement_parties(journal, MAY):
        made = statement(home, journal, MAY, party)
        assert made.versions["network"] == edition.versions["network"]
        assert made.versions["rates_kind"] == "synthetic"
        for part in made.currencies:
            moved = sum(movement.amount_minor for movement in part.movements)
            assert part.opening_minor + moved == part.closing_minor
            total[part.currency] += part.closing_minor
    assert set(total) == {"CHF", "EUR"} and not any(total.values())
    close_period(home, journal, MAY, caller=clerk)
    assert destroy_key(home, journal, MAY, caller=clerk)
    assert verify(home, journal, MAY).holds


def test_a_part_of_the_month_from_sheets_to_statements(
    generator: dict[str, Any], sample_edition: Path, tmp_path: Path
) -> None:
    run_month(generator, sample_edition, tmp_path, SMALL)


@pytest.mark.slow
def test_the_whole_month_from_sheets_to_statements(
    generator: dict[str, Any], sample_edition: Path, tmp_path: Path
) -> None:
    run_month(generator, sample_edition, tmp_path, 1.0)


def test_the_month_is_the_same_each_time_it_is_made(
    generator: dict[str, Any], sample_edition: Path
) -> None:
    make = generator["make_month"]
    assert make(sample_edition, scale=SMALL) == make(sample_edition, scale=SMALL)


def test_its_cards_cannot_be_real_ones(generator: dict[str, Any], sample_edition: Path) -> None:
    rows = generator["make_month"](sample_edition, scale=SMALL)
    cards = {row["card_number"] for row in rows["passes"]} | {r["token_id"] for r in rows["taps"]}
    assert cards and all(card.startswith("FICT-") for card in cards)

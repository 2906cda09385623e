"""The worked examples of the sample region, computed by hand in fares/basel/examples.toml."""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fares_sketch import EXAMPLES, ROOT, cut_sketch, make_journey, make_leg

from mobility.fares import Rider, TariffPricer
from mobility.journey import Fare, Journey


def example_journey(example: dict[str, Any]) -> Journey:
    legs = [
        make_leg(cut_sketch(EXAMPLES["legs"][ride["leg"]], ride), example["date"])
        for ride in example["rides"]
    ]
    return make_journey(legs)


def rider_of(example: dict[str, Any]) -> Rider:
    stated = dict(example.get("rider", {}))
    for name in ("cards", "passes"):
        stated[name] = frozenset(stated.get(name, ()))
    return Rider(**stated)


def price(example: dict[str, Any], pricer: TariffPricer) -> Fare:
    return pricer.for_rider(rider_of(example)).price(example_journey(example))


@pytest.mark.parametrize("example", EXAMPLES["examples"], ids=lambda example: example["id"])
def test_tickets_prices_and_shares_are_those_computed_by_hand(
    example: dict[str, Any], basel_pricer: TariffPricer
) -> None:
    fare = price(example, basel_pricer)
    found = [
        {
            "product": ticket.product,
            "seller": ticket.seller,
            "channel": ticket.channel,
            "legs": list(ticket.legs),
            "price": [ticket.price.amount_minor, ticket.price.currency],
            "shares": [[s.party, s.role, s.amount_minor] for s in ticket.shares],
        }
        for ticket in fare.tickets
    ]
    assert found == example["tickets"]
    assert list(fare.unknown_legs) == example.get("unknown_legs", [])


@pytest.mark.parametrize("example", EXAMPLES["examples"], ids=lambda example: example["id"])
def test_every_paid_ticket_says_why_and_what_it_protects(
    example: dict[str, Any], basel_pricer: TariffPricer
) -> None:
    fare = price(example, basel_pricer)
    for ticket in fare.tickets:
        assert ticket.why[0].startswith(f"{ticket.product} covers leg")
        assert ticket.valid_from < ticket.valid_until
        assert ("not protected" in ticket.protects) == example.get("unprotected", False)
        if ticket.shares:
            assert sum(share.amount_minor for share in ticket.shares) == ticket.price.amount_minor
            assert any("agreement" in line for line in ticket.why)


def test_the_unpublished_split_is_known_to_clearing_only(basel_pricer: TariffPricer) -> None:
    example = next(e for e in EXAMPLES["examples"] if "not-published" in e["id"])
    priced, _ = basel_pricer.price_tickets(example_journey(example))
    assert priced[0].ticket.shares == ()
    assert "split not published" in priced[0].ticket.why
    assert sum(share.amount_minor for share in priced[0].split.shares) == 1480


def test_recognised_rides_are_named_as_not_cleared(basel_pricer: TariffPricer) -> None:
    example = next(e for e in EXAMPLES["examples"] if "recognised" in e["id"])
    why = price(example, basel_pricer).tickets[0].why
    assert "recognised without payment: nothing is cleared for these rides" in why


def test_names_and_protection_are_told_in_the_language_asked_for(
    basel_pricer: TariffPricer,
) -> None:
    example = EXAMPLES["examples"][0]
    french = basel_pricer.for_rider(Rider(), "fr").price(example_journey(example)).tickets[0]
    assert french.name == "Billet triregio"
    assert french.protects.startswith("Les correspondances sur ce billet sont garanties")


PRICE_ALL = """
import sys
sys.path.insert(0, sys.argv[1])
from test_examples import EXAMPLES, price
from conftest import FOLDER
from mobility.core.ids import canonical_json, content_hash
from mobility.fares import TariffPricer, compile_tariff, read_agreements, read_tariff
documents = compile_tariff(read_tariff(FOLDER), {}), read_agreements(FOLDER)
pricer = TariffPricer(*documents)
fares = [price(example, pricer).to_json() for example in EXAMPLES["examples"]]
print(content_hash(canonical_json([documents, fares])))
"""


def test_the_same_bytes_whatever_the_hash_seed() -> None:
    def run(seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", PRICE_ALL, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert run("1") == run("2") != ""


def _load_script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_zones_are_those_of_the_feeds(fares_folder: Path) -> None:
    script = _load_script(fares_folder / "make_zones.py")
    with (fares_folder / "zones.csv").open(encoding="utf-8", newline="") as file:
        shipped = [tuple(row) for row in csv.reader(file)][1:]
    assert shipped == script.list_rows()


def test_the_published_schemas_are_current() -> None:
    script = _load_script(ROOT / "fares" / "schema" / "make_schema.py")
    for name in script.SCHEMAS:
        shipped = (ROOT / "fares" / "schema" / name).read_text(encoding="utf-8")
        assert shipped == script.schema_text(name), f"run fares/schema/make_schema.py for {name}"

"""How the price of a ticket is divided: by published cases, by an independent count, by hand."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from fares_sketch import ROOT, cut_sketch, make_journey, make_leg
from fares_world import (
    DATE,
    SPAN,
    ZONES,
    agreements,
    compile_world,
    journeys,
    line_journey,
    products,
)
from hypothesis import given, settings

from mobility.core.money import Money
from mobility.core.units import distance_m
from mobility.fares import (
    Rider,
    Sale,
    TariffPricer,
    list_stages,
    load_agreements,
    load_tariff,
    split_ticket,
)
from mobility.fares.caps import charge_sequentially, share_pro_rata, share_with_fund
from mobility.fares.ride import HalfHop
from mobility.fares.source import AgreementsFile
from mobility.journey import Journey

CASES = ROOT.parent / "shared" / "reference" / "worked_examples.json"


def fixed_split(total: int, weights: dict[str, int], *, rate: str | None = None) -> dict[str, int]:
    """Return role:party -> share of a sale divided by fixed weights."""
    product = {
        "id": "p", "name": {"en": "p"}, "basis": "flat", "validity": 60, **SPAN,
        "protects": "inside", "source": "", "scope": [{"zones": ["a"]}],
        "prices": [{"seller": "west", "channel": "app", "currency": "CHF", "price": 1}],
    }  # fmt: skip
    data = compile_world([product])
    data["parties"] += [
        {"id": name, "name": {"en": name}, "roles": ["carrier"], "country": None, "agencies": []}
        for name in weights
    ]
    agreement = {
        "id": "x", "products": ["p"], **SPAN, "published": True, "method": "fixed",
        "shares": weights, "source": "", "commissions": [{"rate": rate}] if rate else [],
    }  # fmt: skip
    content = AgreementsFile.model_validate({"format": 1, "agreements": [agreement]})
    agreed = load_agreements(content.model_dump(mode="json"))
    sale = Sale("p", "west", "app", Money(total, "CHF"), DATE, {})
    split = split_ticket(sale, [], agreed, load_tariff(data))
    return {f"{share.role}:{share.party}": share.amount_minor for share in split.shares}


def published_cases() -> list[Any]:
    if not CASES.is_file():
        return []
    return [
        pytest.param(case, id=name)
        for name, case in json.loads(CASES.read_text(encoding="utf-8")).items()
        if case.get("method") == "LR"
    ]


@pytest.mark.parametrize("case", published_cases())
def test_published_cases_of_largest_remainder(case: dict[str, Any]) -> None:
    weights, expect = case["weights"], case["expect"]
    if isinstance(weights, list):
        weights = {f"w{i}": weight for i, weight in enumerate(weights)}
        expect = {f"w{i}": share for i, share in enumerate(expect)}
    named = {name.lower(): weight for name, weight in weights.items()}
    found = fixed_split(case["total"], named)
    assert found == {f"carrier:{name.lower()}": share for name, share in expect.items()}


def test_the_commission_is_borne_in_proportion_to_receipts() -> None:
    # C11: 100.00 at 59 : 41, commission 9 % borne 5.31 and 3.69
    found = fixed_split(10_000, {"a": 59, "b": 41}, rate="0.09")
    assert found == {"carrier:a": 5900 - 531, "carrier:b": 4100 - 369, "seller:west": 900}


@pytest.mark.parametrize("total", [-570, -1, 0, 1, 7])
def test_a_refund_mirrors_the_sale(total: int) -> None:
    sold = fixed_split(total, {"a": 59, "b": 41, "c": 1}, rate="0.05")
    back = fixed_split(-total, {"a": 59, "b": 41, "c": 1}, rate="0.05")
    assert sum(sold.values()) == total
    assert back == {party: -share for party, share in sold.items()}


def test_caps_of_the_published_case() -> None:
    # F13: 0.80 a ride under 3.00 a day
    trips = [80, 80, 80, 80, 80]
    assert charge_sequentially(trips, 300) == [80, 80, 80, 60, 0]
    named = {f"t{i}": fare for i, fare in enumerate(trips)}
    assert share_pro_rata(named, 300) == dict.fromkeys(named, 60)
    assert share_with_fund(named, 300) == (named, 100)


@pytest.mark.parametrize(
    ("prices", "persons"),
    [
        ([2100, 2800, 3500, 4200, 4900], [1, 2, 3, 4, 5]),
        ([3500, 6900, 8900, 9400, 9900], [1, 2, 3, 4, 5]),
    ],
)
def test_group_prices_of_the_published_case(prices: list[int], persons: list[int]) -> None:
    # F14: Trilex day ticket and Dresden-Wrocław special, by number of persons
    product = {
        "id": "p", "name": {"en": "p"}, "basis": "persons", "validity": "day", **SPAN,
        "protects": "inside", "source": "", "scope": [{"zones": ["a"]}],
        "prices": [{"seller": "west", "channel": "app", "currency": "CHF", "price": prices}],
    }  # fmt: skip
    tariff = load_tariff(compile_world([product]))
    journey = line_journey([0, 2])
    for number, amount in zip(persons, prices, strict=True):
        fare = TariffPricer(tariff, rider=Rider(persons=number)).price(journey)
        assert fare.totals == [Money(amount, "CHF")]
    assert TariffPricer(tariff, rider=Rider(persons=6)).price(journey).status == "unknown"


# --- an independent count: straight from the agreement file, without the engine's half hops -------


def largest_remainder(total: int, weights: dict[str, Fraction]) -> dict[str, int]:
    whole = sum(weights.values())
    exact = {name: total * weight / whole for name, weight in weights.items()}
    parts = {name: floor(share) for name, share in exact.items()}
    order = sorted(exact, key=lambda name: (parts[name] - exact[name], name))
    for name in order[: total - sum(parts.values())]:
        parts[name] += 1
    return parts


def weights_by_hand(
    journey: Journey, legs: Sequence[int], agreement: dict[str, Any], contract: dict[str, Any]
) -> dict[str, Fraction]:
    """Return metres per owner, counted again from calls, sections and the file's words."""

    def lies(place: str, wanted: Sequence[str]) -> bool:
        number = int(place.partition(":")[2])
        zones = [*ZONES[number], f"land:{'CH' if number < 5 else 'DE'}"]
        zones += [f"cut:{number}"] if number in (4, 6) else []
        return any(zone == ref or zone.split(":")[0] == ref for zone in zones for ref in wanted)

    weights: dict[str, Fraction] = {}
    for index in legs:
        leg = journey.legs[index]
        for at in range(len(leg.calls) - 1):
            section = next(s for s in leg.sections if s.from_call <= at < s.to_call)
            one, two = leg.calls[at].place, leg.calls[at + 1].place
            metres = round(distance_m(one.lat, one.lon, two.lat, two.lon))
            for place in (one, two):
                if agreement["within"] and not lies(place.id, agreement["within"]):
                    continue
                owner = contract["owner"] if lies(place.id, contract["zones"]) else None
                owner = owner or section.agency_id
                weights[owner] = weights.get(owner, Fraction(0)) + Fraction(metres, 2)
    return weights


@settings(max_examples=60, deadline=None)
@given(products(name="p0"), agreements("p0"), journeys())
def test_shares_by_distance_equal_an_independent_count(
    item: dict[str, Any], agreed: dict[str, Any], journey: Journey
) -> None:
    agreement = agreed["agreements"][0]
    agreement |= {
        "method": "M3", "base": [], "shares": {}, "commissions": [],
        "residual": "largest-remainder",
    }  # fmt: skip
    data = compile_world([item])
    data["cut_points"] = []
    pricer = TariffPricer(data, agreed)
    for ticket in pricer.price(journey).tickets:
        weights = weights_by_hand(journey, ticket.legs, agreement, agreed["contracts"][0])
        if not any(weights.values()):
            weights = {name: Fraction(w) for name, w in agreement["without_rides"].items()}
        expected = largest_remainder(ticket.price.amount_minor, weights)
        assert {share.party: share.amount_minor for share in ticket.shares} == expected


@settings(max_examples=60, deadline=None)
@given(products(name="p0"), agreements("p0"), journeys())
def test_without_rides_the_key_of_the_agreement_divides(
    item: dict[str, Any], agreed: dict[str, Any], journey: Journey
) -> None:
    agreement = agreed["agreements"][0]
    agreement |= {
        "method": "M3", "base": [], "shares": {}, "commissions": [],
        "residual": "largest-remainder",
    }  # fmt: skip
    tariff, terms = load_tariff(compile_world([item])), load_agreements(agreed)
    sale = Sale("p0", "west", "app", Money(1000, "CHF"), DATE, {})
    found = split_ticket(sale, [], terms, tariff)
    assert {s.party: s.amount_minor for s in found.shares} == {"carrier-b": 667, "owner": 333}
    agreement["without_rides"] = {}
    nothing = split_ticket(sale, [], load_agreements(agreed), tariff)
    assert nothing.shares == ()
    assert nothing.why == ("split unknown: agreement split has no weight for part all",)


def test_no_agreement_means_no_shares_and_says_so(basel_tariff: dict[str, Any]) -> None:
    sale = Sale("tnw-single", "tnw", "machine", Money(420, "CHF"), DATE, {})
    split = split_ticket(sale, [], load_agreements(None), load_tariff(basel_tariff))
    assert split.shares == ()
    assert split.why == ("split unknown: no agreement divides tnw-single",)


# --- passes: the price over the rides of a month -------------------------------------------------


def _rides(examples: dict[str, Any], tariff: Any, names: Sequence[tuple[str, int]]) -> list[Any]:
    return [
        list_stages(
            make_journey(
                [
                    make_leg(
                        cut_sketch(examples["legs"][name], {"departs": "08:00"}),
                        dt.date(2027, 5, day),
                    )
                ]
            ),
            tariff,
        )
        for name, day in names
    ]


def test_a_pass_is_shared_equally_among_those_its_holder_used(
    basel_tariff: dict[str, Any], basel_agreements: dict[str, Any], basel_examples: dict[str, Any]
) -> None:
    # M14: tram 8 (carrier in CH, the association by contract in Weil) and S3: a third of 85.00 each
    tariff, terms = load_tariff(basel_tariff), load_agreements(basel_agreements)
    rides = _rides(basel_examples, tariff, [("tram-8", 4), ("tram-8", 5), ("s3", 6)])
    sale = Sale("u-abo", "tnw", "app", Money(8500, "CHF"), dt.date(2027, 5, 1), {})
    split = split_ticket(sale, rides, terms, tariff)
    found = {(s.party, s.role): s.amount_minor for s in split.shares}
    assert found == {
        ("rvl", "revenue_owner"): 2834,
        ("sbahn-nws", "carrier"): 2833,
        ("stadt-basel", "carrier"): 2833,
    }


def test_rides_recognised_abroad_earn_nothing(
    basel_tariff: dict[str, Any], basel_agreements: dict[str, Any], basel_examples: dict[str, Any]
) -> None:
    # M2: bus 55 inside Basel weighs nothing; S6 Zell - Lörrach-Stetten weighs its German single
    tariff, terms = load_tariff(basel_tariff), load_agreements(basel_agreements)
    inside = make_journey(
        [
            make_leg(
                cut_sketch(basel_examples["legs"]["bus-55"], {"departs": "08:00", "last": 2}),
                dt.date(2027, 5, 4),
            )
        ]
    )
    home = make_journey(
        [
            make_leg(
                cut_sketch(
                    basel_examples["legs"]["s6-wiesental"], {"departs": "08:00", "last": 12}
                ),
                dt.date(2027, 5, 4),
            )
        ]
    )
    rides = [list_stages(journey, tariff) for journey in (inside, home)]
    sale = Sale("rvl-pass", "rvl", "app", Money(6900, "EUR"), dt.date(2027, 5, 1), {})
    split = split_ticket(sale, rides, terms, tariff)
    assert [(s.party, s.amount_minor) for s in split.shares] == [("nahverkehr-bw", 6900)]


def test_a_pass_is_shared_by_the_single_fares_its_rides_would_cost(
    basel_tariff: dict[str, Any], basel_agreements: dict[str, Any], basel_examples: dict[str, Any]
) -> None:
    # M2: S6 Lörrach - Schopfheim, three zones, EUR 4.30 (the authority); bus 4 twice, two zones
    # each, 7.00 (bus): 6900 * 430 / 1130 = 2625.66 and 4274.34
    tariff, terms = load_tariff(basel_tariff), load_agreements(basel_agreements)
    rides = _rides(basel_examples, tariff, [("s6-schopfheim", 4), ("bus-4", 4), ("bus-4", 5)])
    sale = Sale("rvl-pass", "rvl", "app", Money(6900, "EUR"), dt.date(2027, 5, 1), {})
    split = split_ticket(sale, rides, terms, tariff)
    found = {share.party: share.amount_minor for share in split.shares}
    assert found == {"bus-dreiland": 4274, "nahverkehr-bw": 2626}


def test_fares_within_a_stage_are_shared_by_distance() -> None:
    # M2: one stage of two equal hops, the second owned by someone else from its middle on
    item = {
        "id": "p0", "name": {"en": "p"}, "basis": "flat", "validity": 60, **SPAN,
        "protects": "inside", "source": "", "scope": [{"zones": ["a"]}],
        "prices": [{"seller": "west", "channel": "app", "currency": "CHF", "price": 400}],
    }  # fmt: skip
    contract = {
        "id": "c", "owner": "owner", "zones": ["a:2"], **SPAN, "published": True, "source": "",
    }  # fmt: skip
    agreement = {
        "id": "m2", "products": ["p0"], **SPAN, "published": True, "method": "M2",
        "base": ["p0"], "source": "",
    }  # fmt: skip
    content = AgreementsFile.model_validate(
        {"format": 1, "agreements": [agreement], "contracts": [contract]}
    )
    pricer = TariffPricer(compile_world([item]), content.model_dump(mode="json"))
    ticket = pricer.price(line_journey([0, 1, 2])).tickets[0]
    # half hops: place 0 (zone 1), place 1 (zones 1 and 2), place 1, place 2 (zone 2): 1 and 3
    assert {s.party: s.amount_minor for s in ticket.shares} == {"carrier-a": 100, "owner": 300}


def test_the_contract_that_names_the_line_speaks_first() -> None:
    def contract(name: str, **scope: list[str]) -> dict[str, Any]:
        return {"id": name, "owner": name, **SPAN, "published": True, "source": "", **scope}

    content = AgreementsFile.model_validate(
        {
            "format": 1,
            "contracts": [
                contract("by-carrier", carriers=["carrier-a"]),
                contract("by-zone", zones=["a"]),
                contract("by-line", lines=["line-x"]),
                contract("by-line-and-zone", lines=["line-x"], zones=["a:2"]),
            ],
        }
    )
    terms = load_agreements(content.model_dump(mode="json"))

    def owner(zone: str, line: str, carrier: str = "carrier-a") -> str:
        half = HalfHop(frozenset({zone}), frozenset(), carrier, frozenset({line}), 1)
        return terms.owner_of(half, DATE)[0]

    assert owner("a:2", "line-x") == "by-line-and-zone"
    assert owner("a:1", "line-x") == "by-line"
    assert owner("a:2", "line-y") == "by-zone"
    assert owner("b:1", "line-y") == "by-carrier"
    assert owner("b:1", "line-y", "carrier-b") == "carrier-b"


def test_a_price_other_than_the_list_price_follows_the_parts_of_the_list(
    basel_tariff: dict[str, Any], basel_agreements: dict[str, Any], basel_examples: dict[str, Any]
) -> None:
    # tram 8, list price CHF 2.60 + 2.10; sold at 2.35 without stated parts: half of each
    tariff, terms = load_tariff(basel_tariff), load_agreements(basel_agreements)
    rides = _rides(basel_examples, tariff, [("tram-8", 4)])
    sale = Sale("triregio-single", "tnw", "counter", Money(235, "CHF"), dt.date(2027, 5, 4), {})
    listed = Sale("triregio-single", "tnw", "machine", Money(235, "CHF"), dt.date(2027, 5, 4), {})
    divided = split_ticket(listed, rides, terms, tariff)
    receipts = {s.party: s.amount_minor for s in divided.shares}
    assert receipts == {"rvl": 101, "stadt-basel": 125, "tnw": 9}  # 105 and 130 less 4 and 5
    unlisted = split_ticket(sale, rides, terms, tariff)
    assert any("rides unknown" in line for line in unlisted.why)
    assert sum(s.amount_minor for s in unlisted.shares) == 235

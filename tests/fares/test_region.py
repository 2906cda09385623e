"""The sample region as a whole: every line is priced, or unknown on purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
from fares_sketch import (
    EXAMPLES,
    cut_sketch,
    make_journey,
    make_leg,
    sample_lines,
    sample_places,
    walk,
)

from mobility.fares import Rider, TariffPricer, check_against_region, read_tariff
from mobility.journey import Fare, Leg

# Whole runs for which nobody published a price, as fares/basel/README.md says.
UNKNOWN = {
    "de-regio:ic4", "de-regio:ec8", "de-regio:ta1", "fr-regio:ta1", "de-regio:re3",
    "de-regio:rb30", "de-regio:touch-de", "de-regio:7308", "fr-regio:7",
}  # fmt: skip
PARTLY = {"ch-rail:ic4", "fr-regio:ter200", "fr-regio:ec9"}
RIDERS = [
    Rider(),
    Rider(cards=frozenset({"half-fare"}), currency="CHF"),
    Rider(age_group="child", currency="EUR", persons=3),
    Rider(passes=frozenset({"u-abo", "rvl-pass", "dis-pass"})),
]


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, str, Leg]]:
    return sample_lines()


def prices_of(
    lines: Sequence[tuple[str, str, Leg]], pricer: TariffPricer
) -> list[tuple[str, Fare]]:
    return [(f"{feed}:{route}", pricer.price(make_journey([leg]))) for feed, route, leg in lines]


def test_every_line_is_priced_or_unknown_on_purpose(
    lines: list[tuple[str, str, Leg]], basel_pricer: TariffPricer
) -> None:
    found = prices_of(lines, basel_pricer)
    assert len(found) >= 110
    assert {name for name, fare in found if fare.status == "unknown"} == UNKNOWN
    assert {name for name, fare in found if fare.status == "partly"} == PARTLY


@pytest.mark.parametrize("rider", RIDERS, ids=lambda rider: rider.age_group)
def test_every_ticket_of_every_line_is_divided_to_the_cent(
    lines: list[tuple[str, str, Leg]], basel_pricer: TariffPricer, rider: Rider
) -> None:
    pricer = basel_pricer.for_rider(rider)
    for _, _, leg in lines:
        for item in pricer.price_tickets(make_journey([leg]))[0]:
            paid = item.ticket.price.amount_minor
            assert sum(share.amount_minor for share in item.split.shares) == paid
            assert item.ticket.shares in ((), item.split.shares)


def test_a_ride_costs_the_same_both_ways_at_the_same_seller(
    lines: list[tuple[str, str, Leg]], basel_pricer: TariffPricer
) -> None:
    pricer = basel_pricer.for_rider(Rider(currency="CHF"))
    by_line: dict[str, set[tuple[int, str]]] = {}
    for name, fare in prices_of(lines, pricer):
        for total in fare.totals:
            by_line.setdefault(f"{name} {total.currency}", set()).add(
                (total.amount_minor, fare.status)
            )
    assert all(len(totals) == 1 for name, totals in by_line.items() if name.endswith("CHF"))


def test_reversing_a_ride_reverses_no_share(basel_pricer: TariffPricer) -> None:
    pricer = basel_pricer.for_rider(Rider(currency="CHF"))
    date = EXAMPLES["examples"][0]["date"]
    for sketch in EXAMPLES["legs"].values():
        ways = [
            pricer.price(
                make_journey(
                    [make_leg(cut_sketch(sketch, {"departs": "08:00", "reverse": r}), date)]
                )
            )
            for r in (False, True)
        ]
        there, back = ([(t.product, t.price, t.shares) for t in fare.tickets] for fare in ways)
        if all(price.currency == "CHF" for _, price, _ in (*there, *back)):
            assert there == back[::-1]


def test_a_walk_needs_no_ticket(
    lines: list[tuple[str, str, Leg]], basel_pricer: TariffPricer
) -> None:
    leg = lines[0][2]
    only = make_journey([walk(leg.origin, leg.destination, leg.departure)])
    assert basel_pricer.price(only).status == "known"
    assert basel_pricer.price(only).tickets == ()
    both = make_journey([leg, walk(leg.destination, leg.origin, leg.arrival)])
    assert basel_pricer.price(both).tickets == basel_pricer.price(make_journey([leg])).tickets


def test_an_unknown_carrier_makes_the_ride_unknown_never_free(basel_pricer: TariffPricer) -> None:
    sketch = dict(EXAMPLES["legs"]["s3"], departs="08:00")
    sketch["sections"] = [{"feed": "ch-rail", "agency": "someone", "route": "s3"}]
    leg = make_leg(sketch, EXAMPLES["examples"][0]["date"])
    assert basel_pricer.price(make_journey([leg])).status == "unknown"


def test_after_the_tariff_ends_nothing_is_known(basel_pricer: TariffPricer) -> None:
    leg = make_leg(dict(EXAMPLES["legs"]["s3"], departs="08:00"), dt.date(2029, 1, 8))
    assert basel_pricer.price(make_journey([leg])).status == "unknown"


def test_the_tariff_names_only_what_the_feeds_have(
    lines: list[tuple[str, str, Leg]], fares_folder: Path
) -> None:
    sections = [(leg, section) for _, _, leg in lines for section in leg.sections]
    agencies = {f"{section.feed}:{section.agency_id}" for _, section in sections}
    routes = {f"{section.feed}:{section.route_id}" for _, section in sections}
    source, stops = read_tariff(fares_folder), set(sample_places())
    assert check_against_region(source, agencies=agencies, routes=routes, stops=stops) == ()

    agencies = agencies - {"fr-regio:ter"} | {"fr-regio:new"}
    found = check_against_region(
        source, agencies=agencies, routes=routes - {"ch-city:8"}, stops=stops - {"ch-rail:8500010"}
    )
    assert [(notice.code, notice.value, notice.count) for notice in found] == [
        ("tariff_agency_not_in_feeds", "fr-regio:ter", 1),
        ("tariff_route_not_in_feeds", "ch-city:8", 1),
        ("tariff_stop_not_in_feeds", "ch-rail:8500010", 1),
        ("agency_without_party", "fr-regio:new", 1),
    ]

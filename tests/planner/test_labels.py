"""Labels: by hand, and that they never change an answer, hide a doubt or take unknown for 0."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.journey import Fare, Journey
from mobility.planner.emissions import Factors, emissions_of
from mobility.planner.labels import (
    Facts,
    Label,
    Ranking,
    amounts_of,
    journeys_to_price,
    label_journeys,
)
from mobility.planner.published import (
    DELAY_COLUMNS,
    DELAYS_FILE,
    FACTOR_COLUMNS,
    FACTORS_FILE,
    read_rows,
)
from mobility.planner.robustness import Delays, risk_of

from .sketched import journey, place, ride, ticket, walk

FACTORS = Factors(
    read_rows(
        f"{','.join(FACTOR_COLUMNS)}\n"
        "CH,rail,,,2020,10,with_infrastructure,,read,x\n"
        "DE,rail,,,2018,50,well_to_wheel,,read,x\n"
        "CH,bus,,,2020,100,with_infrastructure,,read,x\n",
        FACTORS_FILE, FACTOR_COLUMNS,
    )
)  # fmt: skip
DELAYS = Delays(
    read_rows(
        f"{','.join(DELAY_COLUMNS)}\n"
        "CH,rail,,2024,180,0.932,,,read,x\nDE,rail,,2024,360,0.902,,,read,x\n",
        DELAYS_FILE, DELAY_COLUMNS,
    )
)  # fmt: skip
RATES = Ranking({"EUR": 100, "CHF": 106}, "CHF 1 = EUR 1.06 (2026-12-01)")
A, B, C = (place(name, 20 * at) for at, name in enumerate("ABC"))


def facts_of(made: Journey, protected: Fare | None = None) -> Facts:
    return Facts(made, emissions_of(made, FACTORS), risk_of(made, DELAYS), protected)


def labels_of(*made: Journey, ranking: Ranking | None = None) -> dict[str, Label]:
    return {label.kind: label for label in label_journeys([facts_of(j) for j in made], ranking)}


def codes(label: Label, at: int | None = None) -> list[str]:
    return [r.code for r in (label.reasons if at is None else label.given[at].reasons)]


def told(label: Label, code: str) -> dict[str, Any]:
    found = [r for g in label.given for r in g.reasons if r.code == code]
    found += [r for r in label.reasons if r.code == code]
    assert len(found) == 1, (code, label)
    return dict(found[0].figures)


def winners(label: Label) -> list[int]:
    return [given.journey for given in label.given]


def direct(minutes: int, fare: Fare | None = None, **other: Any) -> Journey:
    return journey(ride([(A, 0), (C, minutes)], **other), fare=fare)


def changing(
    minutes: int, change: int, fare: Fare | None = None, *, vehicle: str = "rail"
) -> Journey:
    """Return a journey with one change of so many minutes, which are part of it."""
    middle = (minutes - change) // 2
    return journey(
        ride([(A, 0), (B, middle)]),
        ride([(B, middle + change), (C, minutes)], vehicle=vehicle),
        fare=fare,
    )


def paid(*tickets: tuple[tuple[int, ...], int, str]) -> Fare:
    return Fare(tuple(ticket(*made) for made in tickets))


def test_a_slower_journey_says_what_it_gains_over_the_fastest() -> None:
    fast = changing(40, 3, paid(((0, 1), 730, "EUR")))
    slow = direct(48, paid(((0,), 500, "EUR")))
    labels = labels_of(fast, slow)
    assert winners(labels["fastest"]) == [0]
    assert told(labels["fastest"], "takes") == {"duration_s": 2400}
    # 48 - 40 = 8 min longer; 7.30 - 5.00 = EUR 2.30 cheaper.
    assert winners(labels["cheapest"]) == [1]
    assert told(labels["cheapest"], "longer_but_cheaper") == {
        "longer_s": 480,
        "less": [{"amount_minor": 230, "currency": "EUR"}],
    }
    assert winners(labels["fewest_changes"]) == [1]
    assert told(labels["fewest_changes"], "longer_but_fewer_changes") == {
        "longer_s": 480,
        "fewer": 1,
    }
    # 3 min to change less the usual 2 leave 60 s: 0.5 e^(-60/90.2) (0.5 + 0.25) = 0.193.
    assert codes(labels["fewest_changes"], 0)[0] == "no_change"
    risk = told(labels["most_robust"], "longer_but_less_risk")
    assert risk["missed"] == 0
    assert risk["instead_of"] == pytest.approx(0.193, abs=0.003)


def test_emissions_and_walking_are_compared_in_steps_and_told_in_full() -> None:
    train = direct(60)  # 40 km * 1.03 = 41.2 km at 10 g: 412 g
    bus = direct(50, vehicle="bus")  # 40 km * 1.15 = 46 km at 100 g: 4,600 g
    labels = labels_of(bus, train)
    assert winners(labels["fewest_emissions"]) == [1]
    assert told(labels["fewest_emissions"], "emits") == {"grams": 412}
    assert told(labels["fewest_emissions"], "longer_but_less_emissions") == {
        "longer_s": 600,
        "less_grams": 4188,
    }
    near, far = (
        journey(walk(A, A, 0, 2, metres), ride([(A, 2), (C, 30)])) for metres in (110, 140)
    )
    assert labels_of(near, far)["least_walking"].given[0].journey == 0
    assert winners(labels_of(near, journey(walk(A, A, 0, 2, 120), ride([(A, 2), (C, 30)])))[
        "least_walking"
    ]) == [0, 1]  # fmt: skip


def test_ties_are_told_and_tell_nothing_apart() -> None:
    labels = labels_of(direct(30), direct(30), direct(40))
    assert winners(labels["fastest"]) == [0, 1]
    assert labels["fewest_changes"].all_equal and not labels["fastest"].all_equal


def test_one_journey_needs_no_labels() -> None:
    assert label_journeys([facts_of(direct(30))]) == ()
    assert label_journeys([]) == ()


def test_scopes_that_differ_are_told() -> None:
    labels = labels_of(direct(30), direct(40, country="DE"))
    assert told(labels["fewest_emissions"], "scopes_mixed") == {
        "scopes": ["with_infrastructure", "well_to_wheel"]
    }
    assert "counts_differ" in codes(labels["fewest_emissions"], 0)
    assert "scopes_mixed" not in codes(labels_of(direct(30), direct(40))["fewest_emissions"])


def test_unknown_is_never_least() -> None:
    labels = labels_of(direct(30, vehicle="ferry"), direct(60))
    assert winners(labels["fewest_emissions"]) == [1]
    assert told(labels["fewest_emissions"], "emissions_unknown") == {"unknown": 1, "of": 2}
    nothing = labels_of(direct(30, vehicle="ferry"), direct(60, vehicle="ferry"))
    assert winners(nothing["fewest_emissions"]) == []
    assert codes(nothing["fewest_emissions"]) == ["no_emissions_known"]
    risky = labels_of(changing(30, 5, vehicle="bus"), changing(40, 5, vehicle="bus"))
    assert winners(risky["most_robust"]) == []
    assert codes(risky["most_robust"]) == ["no_risk_known"]


def test_an_unknown_fare_is_not_zero() -> None:
    partly = Fare((ticket((0,), 100),), unknown_legs=(1,))
    labels = labels_of(changing(30, 5, partly), direct(60, paid(((0,), 900, "EUR"))))
    assert winners(labels["cheapest"]) == [1]
    assert told(labels["cheapest"], "fare_unknown") == {"unknown": 1, "of": 2}
    unknown = Fare((), unknown_legs=(0,))
    nothing = labels_of(direct(30, unknown), direct(40, unknown))["cheapest"]
    assert winners(nothing) == [] and codes(nothing) == ["no_fare_known"]
    without = labels_of(direct(30), direct(40))["cheapest"]
    assert winners(without) == [] and codes(without) == ["no_tariff"]


def test_a_free_journey_is_cheapest() -> None:
    labels = labels_of(journey(walk(A, B, 0, 50), fare=Fare()), direct(9, paid(((0,), 1, "EUR"))))
    assert winners(labels["cheapest"]) == [0]
    assert told(labels["cheapest"], "costs") == {"totals": []}


def test_currencies_are_compared_one_by_one_and_else_at_stated_rates() -> None:
    both = paid(((0, 1), 900, "CHF"), ((0, 1), 430, "EUR"))
    # Lower or equal in each currency: no rate is needed.
    exact = labels_of(changing(30, 5, both), direct(40, paid(((0,), 900, "CHF"))))["cheapest"]
    assert winners(exact) == [1] and not exact.approximate
    assert told(exact, "longer_but_cheaper")["less"] == [{"amount_minor": 430, "currency": "EUR"}]
    # CHF 5.00 or EUR 5.20: nobody can tell without a rate; at 1.06, EUR 5.30 against EUR 5.20.
    francs, euros = direct(30, paid(((0,), 500, "CHF"))), direct(40, paid(((0,), 520, "EUR")))
    blind = labels_of(francs, euros)["cheapest"]
    assert winners(blind) == []
    assert told(blind, "currencies_differ") == {"currencies": ["CHF", "EUR"]}
    ranked = labels_of(francs, euros, ranking=RATES)["cheapest"]
    assert winners(ranked) == [1] and ranked.approximate
    assert told(ranked, "ranked_at_rates")["rates"] == RATES.says
    assert "longer_but_cheaper" not in codes(ranked, 0)  # no difference in one currency to tell
    lacking = labels_of(francs, euros, ranking=Ranking({"EUR": 1}, "one"))["cheapest"]
    assert winners(lacking) == []


def test_a_split_that_leaves_a_change_open_is_named_beside_the_cheapest_that_does_not() -> None:
    split = changing(30, 5, paid(((0,), 200, "EUR"), ((1,), 200, "EUR")))
    through = changing(35, 5, paid(((0, 1), 450, "EUR")))
    labels = labels_of(split, through)
    assert winners(labels["cheapest"]) == [0]
    assert told(labels["cheapest"], "unprotected") == {"places": [{"station_id": "B", "name": "B"}]}
    assert winners(labels["cheapest_protected"]) == [1]
    assert told(labels["cheapest_protected"], "costs")["totals"][0]["amount_minor"] == 450


def test_other_tickets_for_the_same_journey_may_protect_it() -> None:
    split = changing(30, 5, paid(((0,), 200, "EUR"), ((1,), 200, "EUR")))
    dear = direct(60, paid(((0,), 900, "EUR")))
    facts = [facts_of(split, paid(((0, 1), 480, "EUR"))), facts_of(dear)]
    labels = {label.kind: label for label in label_journeys(facts)}
    assert winners(labels["cheapest_protected"]) == [0]
    assert told(labels["cheapest_protected"], "with_tickets") == {"tickets": ["Ticket"]}


def test_where_nothing_protects_a_change_that_is_said() -> None:
    split = [paid(((0,), 200, "EUR"), ((1,), 100 * n, "EUR")) for n in (2, 3)]
    labels = labels_of(changing(30, 5, split[0]), changing(40, 5, split[1]))
    assert "cheapest_protected" not in labels
    assert "no_protected" in codes(labels["cheapest"])
    assert "unprotected" in codes(labels["cheapest"], 0)


def test_a_pass_protects_the_ride_that_it_covers() -> None:
    onward = Fare((ticket((0,), 200), ticket((1,), 0, held=True)))
    first = Fare((ticket((0,), 0, held=True), ticket((1,), 200)))
    assert onward.unprotected([0, 1]) == ()
    assert first.unprotected([0, 1]) == ((0, 1),)
    assert Fare((ticket((0,), 200),), unknown_legs=(1,)).unprotected([0, 1]) == ()


def test_of_many_journeys_the_quickest_are_priced_and_that_is_said() -> None:
    made = [direct(minutes) for minutes in (90, 30, 60, 45)]
    chosen = journeys_to_price(made, most=2)
    assert chosen == {1, 3}
    priced = [
        j.with_fare(paid(((0,), 500 + at, "EUR"))) if at in chosen else j
        for at, j in enumerate(made)
    ]
    label = labels_of(*priced)["cheapest"]
    assert winners(label) == [1]
    assert told(label, "bounded") == {"priced": 2, "of": 4}
    assert journeys_to_price(made) == {0, 1, 2, 3}


prices = st.none() | st.lists(
    st.tuples(st.sampled_from([100, 200, 300]), st.sampled_from(["CHF", "EUR"])), max_size=2
)


@st.composite
def answers(draw: st.DrawFn) -> list[Journey]:
    made = []
    for _ in range(draw(st.integers(0, 6))):
        minutes = draw(st.sampled_from([30, 40, 50]))
        rides = draw(st.integers(1, 2))
        price = draw(prices)
        fare = None
        if price is not None:
            legs = list(range(rides))
            tickets = [
                ticket(draw(st.sampled_from([legs, legs[:1], legs[-1:]])), *p) for p in price
            ]
            covered = {leg for t in tickets for leg in t.legs}
            fare = Fare(tuple(tickets), tuple(leg for leg in legs if leg not in covered))
        vehicle = draw(st.sampled_from(["rail", "bus", "ferry"]))
        made.append(
            direct(minutes, fare, vehicle=vehicle)
            if rides == 1
            else changing(minutes, draw(st.sampled_from([2, 5, 9])), fare, vehicle=vehicle)
        )
    return made


@given(made=answers(), rates=st.booleans())
@settings(max_examples=300, deadline=None)
def test_labels_change_no_answer_and_name_only_the_least(made: list[Journey], rates: bool) -> None:
    facts = [facts_of(j) for j in made]
    before = list(facts)
    labels = label_journeys(facts, RATES if rates else None)
    assert facts == before and [f.journey for f in facts] == made
    kinds = [label.kind for label in labels]
    assert len(kinds) == len(set(kinds))
    for label in labels:
        at = winners(label)
        assert at == sorted(set(at)) and all(0 <= i < len(made) for i in at)
        assert at or label.reasons  # nobody can tell: then it is said why
        if label.kind == "fastest":
            assert {made[i].arrival - made[i].departure for i in at} == {
                min(j.arrival - j.departure for j in made)
            }
        if label.kind == "fewest_changes":
            assert {made[i].transfers for i in at} == {min(j.transfers for j in made)}


@given(made=answers(), rates=st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_cheapest_is_beaten_by_no_known_fare(made: list[Journey], rates: bool) -> None:
    found = label_journeys([facts_of(j) for j in made], RATES if rates else None)
    for label in found:
        if label.kind != "cheapest":
            continue
        known = {
            i: amounts_of(j.fare)
            for i, j in enumerate(made)
            if j.fare is not None and j.fare.status == "known"
        }
        at = winners(label)
        assert set(at) <= set(known)
        for i in at:
            for other in known.values():
                codes_ = {*known[i], *other}
                higher = [known[i].get(c, 0) > other.get(c, 0) for c in codes_]
                lower = [known[i].get(c, 0) < other.get(c, 0) for c in codes_]
                assert not any(higher) or any(lower)  # nobody is cheaper in all and dearer in none
                assert label.approximate or not any(higher)


@given(made=answers())
@settings(max_examples=300, deadline=None)
def test_an_open_change_never_stands_first_alone_and_silent(made: list[Journey]) -> None:
    facts = [facts_of(j) for j in made]
    labels = {label.kind: label for label in label_journeys(facts, RATES)}
    cheapest = labels.get("cheapest")
    if cheapest is None or not cheapest.given:
        return
    for at in range(len(cheapest.given)):
        left_open = bool(facts[cheapest.given[at].journey].unprotected)
        assert ("unprotected" in codes(cheapest, at)) == left_open
    if all(facts[i].unprotected for i in winners(cheapest)):
        assert ("cheapest_protected" in labels) != ("no_protected" in codes(cheapest))
    for given_ in labels["cheapest_protected"].given if "cheapest_protected" in labels else ():
        assert not facts[given_.journey].unprotected


def test_labels_come_in_one_order() -> None:
    kinds = [label.kind for label in label_journeys([facts_of(direct(30)), facts_of(direct(40))])]
    assert kinds == [
        "fastest", "fewest_changes", "least_walking", "cheapest", "fewest_emissions",
        "most_robust",
    ]  # fmt: skip
    assert all(a != b for a, b in pairwise(kinds))

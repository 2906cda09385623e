"""The risk of a change: by hand, against the closed form, against draws, and what is unknown."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import ManifestError
from mobility.planner.published import DELAY_COLUMNS, DELAYS_FILE, read_published, read_rows
from mobility.planner.robustness import (
    Delay,
    Delays,
    delay_masses,
    delay_of,
    missed_probability,
    risk_of,
)

from .sketched import journey, place, ride, walk

HEADER = ",".join(DELAY_COLUMNS)
TABLE = f"""{HEADER}
CH,rail,,2024,180,0.932,,,read,one
DE,rail,,2024,360,0.902,,,read,two
CH,tram,,2018,180,0.86,300,0.957,read,three
CH,rail,f:late,2024,180,0.5,,,read,four
"""
A, B, C, D = (place(name, 10 * at) for at, name in enumerate("ABCD"))


def delays(table: str = TABLE) -> Delays:
    return Delays(read_rows(table, DELAYS_FILE, DELAY_COLUMNS))


def delay(late: float, mean_s: float) -> Delay:
    return Delay("CH", "rail", "", 2024, 180, 0.9, late, mean_s, "read", "x")


def closed_form(arriving: Delay, departing: Delay, slack_s: float) -> float:
    """P(A - B > s), s >= 0, for delays in continuous time.

    A is late with p and exponential with mean m, B with q and n. Where B is on time (1 - q):
    p e^(-s/m). Where it is late: p e^(-s/m) times the mean of e^(-B/m), which is m / (m + n).
    """
    p, m, q, n = arriving.late, arriving.mean_s, departing.late, departing.mean_s
    return p * exp(-slack_s / m) * (1 - q + q * m / (m + n))


def test_published_shares_are_met_by_the_delays_made_of_them() -> None:
    rows = read_rows(TABLE, DELAYS_FILE, DELAY_COLUMNS)
    one, _, two, _ = (delay_of(row) for row in rows)
    # One threshold: half are late; 0.5 e^(-180/m) = 0.068, m = 180 / ln(0.5/0.068) = 90.2 s.
    assert one.late == 0.5 and one.mean_s == pytest.approx(90.2, abs=0.05)
    # Two: m = 120 / ln(0.14/0.043) = 101.7 s; p = 0.14 e^(180/101.7) = 0.822.
    assert two.mean_s == pytest.approx(120 / log(0.14 / 0.043))
    assert two.late == pytest.approx(0.822, abs=0.001)
    for made, seconds, share in ((one, 180, 0.932), (two, 180, 0.86), (two, 300, 0.957)):
        assert delay_masses(made)[: seconds + 1].sum() == pytest.approx(share)


def test_a_change_of_five_minutes_by_hand() -> None:
    # 5 min less 2 min for changing leave a slack of 180 s. A is late by more with 0.068. B is on
    # time with 0.5; else its delay has the mean of A's, which halves the risk: m / (m + m).
    # 0.068 * (0.5 + 0.5 * 0.5) = 0.051; whole seconds make 0.0509.
    found = risk_of(journey(ride([(A, 0), (B, 10)]), ride([(B, 15), (C, 30)])), delays())
    (change,) = found.changes
    assert (change.before, change.after, change.slack_s) == (0, 1, 180)
    assert change.missed == pytest.approx(0.051, abs=0.0005)
    assert found.missed == pytest.approx(change.missed)


def test_walks_take_their_own_time_and_a_journey_holds_where_all_changes_hold() -> None:
    found = risk_of(
        journey(
            ride([(A, 0), (B, 10)]),
            walk(B, C, 10, 4),
            ride([(C, 15), (D, 20)], country="DE"),
            ride([(D, 24), (A, 50)], country="DE"),
        ),
        delays(),
    )
    assert [(c.before, c.after, c.slack_s) for c in found.changes] == [(0, 2, 60), (2, 3, 120)]
    first, second = (c.missed or 0.0 for c in found.changes)
    assert found.missed == pytest.approx(1 - (1 - first) * (1 - second))
    assert found.missed > max(first, second) > 0


def test_an_operator_with_figures_of_its_own_is_judged_by_them() -> None:
    late = ride([(A, 0), (B, 10)], agency="late")
    usual = ride([(A, 0), (B, 10)])
    onward = ride([(B, 15), (C, 30)])
    risks = [risk_of(journey(first, onward), delays()).missed for first in (late, usual)]
    assert risks[0] is not None and risks[1] is not None and risks[0] > 4 * risks[1]


def test_where_nothing_is_published_the_risk_is_unknown() -> None:
    bus = ride([(B, 15), (C, 30)], vehicle="bus")
    found = risk_of(journey(ride([(A, 0), (B, 10)]), bus), delays())
    assert found.missed is None and found.changes[0].missed is None
    abroad = ride([(B, 15), (C, 30)], country="PT")
    assert risk_of(journey(ride([(A, 0), (B, 10)]), abroad), delays()).missed is None


def test_connections_that_wait_and_journeys_without_a_change_have_no_risk() -> None:
    legs = (ride([(A, 0), (B, 10)]), ride([(B, 10), (C, 30)], vehicle="ferry"))
    found = risk_of(journey(*legs), delays(), guaranteed=lambda before, after: True)
    assert found.missed == 0 and found.changes[0].guaranteed
    assert risk_of(journey(legs[0]), delays()).missed == 0


def test_the_time_to_change_at_a_stop_is_that_of_the_stop() -> None:
    legs = (ride([(A, 0), (B, 10)]), ride([(B, 15), (C, 30)]))
    found = risk_of(journey(*legs), delays(), change_s=lambda where: 30 if where == B else 0)
    assert found.changes[0].slack_s == 270


def test_a_change_shorter_than_usual_leaves_no_slack_but_can_be_made() -> None:
    found = risk_of(journey(ride([(A, 0), (B, 10)]), ride([(B, 11), (C, 30)])), delays())
    # P(A > B) for equal delays: 0.5 (0.5 + 0.5 * 0.5) = 0.375, a little less in whole seconds.
    assert found.changes[0].slack_s == 0
    assert found.missed == pytest.approx(0.375, abs=0.003)
    late = risk_of(journey(ride([(A, 0), (B, 10)]), ride([(B, 9), (C, 30)])), delays())
    assert late.changes[0].slack_s == -60  # live times that break it
    assert late.missed is not None and late.missed > 0.6


shares = st.floats(0.05, 1.0)
means = st.floats(20, 1200)


@given(late=shares, mean_s=means, other=shares, other_s=means, slack_s=st.integers(0, 3600))
@settings(max_examples=60, deadline=None)
def test_the_convolution_is_the_closed_form(
    late: float, mean_s: float, other: float, other_s: float, slack_s: int
) -> None:
    arriving, departing = delay(late, mean_s), delay(other, other_s)
    found = missed_probability(delay_masses(arriving), delay_masses(departing), slack_s)
    # Whole seconds, rounded up, move a delay by less than one: 1 s in 20 changes e^(-s/m) by 5 %.
    assert found == pytest.approx(closed_form(arriving, departing, slack_s), rel=0.06, abs=1e-4)


@given(late=shares, mean_s=means, other=shares, other_s=means)
@settings(max_examples=30, deadline=None)
def test_more_slack_is_never_riskier(
    late: float, mean_s: float, other: float, other_s: float
) -> None:
    masses = [delay_masses(delay(late, mean_s)), delay_masses(delay(other, other_s))]
    risks = [missed_probability(*masses, slack) for slack in range(-600, 4000, 100)]
    assert all(0 <= b <= a + 1e-12 <= 1 + 1e-9 for a, b in pairwise(risks))


@pytest.mark.parametrize("slack_s", [-60, 0, 60, 180, 600])
@pytest.mark.parametrize(
    ("arriving", "departing"),
    [
        (delay(0.5, 90), delay(0.5, 221)),
        (delay(0.82, 102), delay(0.5, 90)),
        (delay(1, 900), delay(0.1, 60)),
    ],
)
def test_the_convolution_is_what_draws_show(
    arriving: Delay, departing: Delay, slack_s: int
) -> None:
    draws = np.random.default_rng(20_270_504)
    n = 400_000

    def drawn(of: Delay) -> Any:
        late = draws.random(n) < of.late
        return np.where(late, np.ceil(draws.exponential(of.mean_s, n)), 0.0)

    share = float(np.mean(drawn(arriving) - drawn(departing) > slack_s))
    expected = missed_probability(delay_masses(arriving), delay_masses(departing), slack_s)
    # Five standard errors of a share of so many draws.
    assert abs(share - expected) < 5 * max((expected * (1 - expected) / n) ** 0.5, 1 / n)


def test_a_journey_of_two_changes_breaks_as_often_as_draws_show() -> None:
    legs = (
        ride([(A, 0), (B, 10)]),
        ride([(B, 14), (C, 30)]),
        ride([(C, 35), (D, 50)], country="DE"),
    )
    found = risk_of(journey(*legs), delays())
    draws = np.random.default_rng(7)
    n = 400_000
    held = np.ones(n, bool)
    for change in found.changes:
        assert change.arriving is not None and change.departing is not None
        both = [
            np.where(draws.random(n) < of.late, np.ceil(draws.exponential(of.mean_s, n)), 0.0)
            for of in (change.arriving, change.departing)
        ]
        held &= both[0] - both[1] <= change.slack_s
    assert found.missed == pytest.approx(1 - held.mean(), abs=0.003)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("CH,rail,,2024,180,1.2,,,read,x", "share_within '1.2'"),
        ("CH,rail,,2024,0,0.9,,,read,x", "within_s '0'"),
        ("CH,rail,,2024,180,0.9,300,,read,x", "both or neither"),
        ("CH,rail,,2024,180,0.9,120,0.95,read,x", "expected a later threshold"),
        ("CH,rail,,2024,180,0.9,300,0.8,read,x", "expected a later threshold"),
        ("CH,rail,,2024,180,0.2,240,0.99,read,x", "no exponential delay"),
        ("CH,rail,,2024,3600,0.55,,,read,x", "mean delay"),
    ],
)
def test_a_row_that_means_nothing_is_told(row: str, says: str) -> None:
    with pytest.raises(ManifestError) as raised:
        delays(f"{HEADER}\n{row}\n")
    assert says in str(raised.value) and f"{DELAYS_FILE} line 2" in str(raised.value)


def test_every_shipped_row_makes_a_delay() -> None:
    rows = read_published().delays
    assert len(rows) >= 9
    for row in rows:
        made = delay_of(row)
        assert 0 < made.late <= 1 and 30 < made.mean_s < 900 and made.source

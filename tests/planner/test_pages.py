"""Pages, earlier and later: together the whole set, nothing twice, nothing between two pages."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import DateOutsideError, UsageError
from mobility.planner import Cursor, Endpoint, Page, Planner
from mobility.planner.pages import first_page, pages_beside, plan_page
from tests.network.build import Stop, Train, build_network
from tests.planner.nets import Question, end, key_of, planner_of, random_net
from tests.planner.oracle import DAY_S, Found, Oracle, in_window
from tests.planner.test_oracle import _walk

RIDES = 3
EDITION = "ab" * 32


@cache
def _prepared(seed: int) -> tuple[Planner, Oracle, Question, list[Endpoint]]:
    net = random_net(seed)
    network = net.network()
    question = Question(net, 1000 * seed)
    return planner_of(network), Oracle(network), question, question.ends(network)


@cache
def _whole(seed: int, begin: int, end: int) -> list[Found]:
    """All best journeys there ever are that leave in a span: of ever later ones none beats them."""
    _, oracle, _, ends = _prepared(seed)
    access, egress = oracle.opens(ends[0].stops), oracle.opens(ends[1].stops, backwards=True)
    found = oracle.journeys(access, egress, begin, end + DAY_S, end + 2 * DAY_S, RIDES)
    found = [f for f in found if f.arrival - f.departure <= DAY_S]
    return [
        f for f in in_window(found, [], begin, _walk(oracle, ends)) if f.trips and f.departure < end
    ]


def _page(seed: int, cursor: Cursor) -> Page:
    planner, _, _, ends = _prepared(seed)
    read = Cursor.read(cursor.text(), EDITION)
    assert read == cursor
    return plan_page(planner, ends[0], ends[1], read, max_transfers=RIDES - 1)


def _pages(seed: int, first: Cursor, n_earlier: int, n_later: int) -> list[Page]:
    pages = [_page(seed, first)]
    try:
        for _ in range(n_earlier):
            pages.insert(0, _page(seed, pages[0].previous))
        for _ in range(n_later):
            pages.append(_page(seed, pages[-1].next))
    except DateOutsideError:
        pass  # beyond the timetable there are no pages
    return pages


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 24),
    window_s=st.integers(1, 4 * 3600),
    shift_s=st.integers(-20_000, 20_000),
    n_earlier=st.integers(0, 4),
    n_later=st.integers(0, 4),
    arriving=st.booleans(),
)
def test_pages_are_the_parts_of_one_window_without_end(
    seed: int, window_s: int, shift_s: int, n_earlier: int, n_later: int, arriving: bool
) -> None:
    _, oracle, question, ends = _prepared(seed)
    moment = question.moment + shift_s
    first = first_page(
        depart=None if arriving else moment, arrive=moment if arriving else None,
        window_s=window_s, edition=EDITION,
    )  # fmt: skip
    pages = _pages(seed, first, n_earlier, n_later)
    assert all(a.end == b.begin for a, b in pairwise(pages))
    told = [key_of(journey) for page in pages for journey in page.journeys]
    rides = [key for key in told if key.trips]
    begin, end_ = pages[0].begin, pages[-1].end
    if arriving:
        whole = _whole(seed, begin - DAY_S, end_)
        assert sorted(rides) == sorted(f for f in whole if begin <= f.arrival < end_)
    else:
        assert rides == _whole(seed, begin, end_)
    walks = [page for page in pages for j in page.journeys if not key_of(j).trips]
    assert len(walks) <= (_walk(oracle, ends) is not None)
    assert all(page.begin <= first.moment < page.end for page in walks)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 24),
    shift_s=st.integers(-20_000, 20_000),
    n_pages=st.integers(1, 4),
    arriving=st.booleans(),
    earlier=st.booleans(),
)
def test_pages_beside_an_answer_for_one_departure_tell_all_that_it_does_not(
    seed: int, shift_s: int, n_pages: int, arriving: bool, earlier: bool
) -> None:
    planner, _, question, ends = _prepared(seed)
    moment = question.moment + shift_s
    asked = {"arrive" if arriving else "depart": moment}
    answer = planner.plan(*ends, max_transfers=RIDES - 1, **asked)
    before, after = pages_beside(**{"depart": None, "arrive": None, **asked}, edition=EDITION)
    pages, cursor = [], before if earlier else after
    try:
        for _ in range(n_pages):
            pages.append(_page(seed, cursor))
            cursor = pages[-1].previous if earlier else pages[-1].next
    except DateOutsideError:
        if not pages:
            return  # beyond the timetable there are no pages
    told = [key_of(journey) for page in pages for journey in page.journeys]
    assert all(key.trips for key in told)  # walking all the way stands in the answer
    begin, end_ = min(page.begin for page in pages), max(page.end for page in pages)
    if arriving:
        whole = _whole(seed, begin - DAY_S, end_)
        expected = [f for f in whole if begin <= f.arrival < end_]
    else:
        expected = _whole(seed, begin, end_)
    shown = {key_of(journey)[:3] for journey in answer.journeys}
    assert sorted(told) == sorted(f for f in expected if f[:3] not in shown)
    rides = [key_of(j) for j in answer.journeys if key_of(j).trips]
    inside = [f for f in rides if begin <= (f.arrival if arriving else f.departure) < end_]
    assert {*inside} <= {*expected}  # the answer is itself a part of the whole


def test_an_empty_page_grows_until_something_goes() -> None:
    network = build_network(
        [Stop("A", 47.5, 7.6), Stop("B", 47.6, 7.6)], [Train("t", "A 12:00 B 12:30")]
    )
    planner, ends = planner_of(network), [end(network, stop) for stop in "AB"]
    noon = network.epoch_s + DAY_S  # any moment of the first days
    page = plan_page(planner, *ends, first_page(depart=noon, arrive=None, window_s=600, edition=""))
    assert len(page.journeys) == 1
    assert page.begin == noon
    assert page.end - page.begin <= DAY_S
    later = plan_page(planner, *ends, page.next)
    assert [j.departure - page.journeys[0].departure for j in later.journeys] == [DAY_S]


OTHER = first_page(depart=1, arrive=None, window_s=60, edition="cd" * 32).text()


@pytest.mark.parametrize("text", ["", "x", "%%%", "AAAA", "A" * 4000, OTHER])
def test_what_is_no_page_of_this_timetable_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="page: "):
        Cursor.read(text, EDITION)


def test_a_changed_letter_of_a_page_is_noticed() -> None:
    text = first_page(depart=1_800_000_000, arrive=None, window_s=60, edition=EDITION).text()
    for at in range(len(text) - 1):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        with pytest.raises(UsageError, match="page: "):
            Cursor.read(changed, EDITION)

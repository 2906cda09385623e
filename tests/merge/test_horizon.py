"""The horizon of a region: the days asked for must fit an edition, and some trip must run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from mobility.core.errors import InputError
from mobility.feeds import Feed
from mobility.merge import merge_feeds

from .build import manifest_of

Rail = Callable[..., Feed]


def refused(feed: Feed, first: dt.date, last: dt.date) -> str:
    with pytest.raises(InputError) as caught:
        merge_feeds([feed], manifest_of([feed]), first=first, last=last)
    return str(caught.value)


@pytest.fixture
def feed(rail: Rail) -> Feed:
    return rail("a", "p,Port,47.0,7.0\nq,Quay,47.5,7.0", {"t": "1: q 08:00, p 09:00"})


def test_a_span_longer_than_an_edition_holds_is_refused(feed: Feed) -> None:
    told = refused(feed, dt.date(1900, 1, 1), dt.date(2999, 1, 1))
    assert "401,403 days; an edition holds at most 3,660" in told


def test_a_span_without_a_single_trip_is_refused_with_the_days_that_have_some(feed: Feed) -> None:
    told = refused(feed, dt.date(2030, 1, 1), dt.date(2030, 2, 1))
    assert told == (
        "no trip runs from 2030-01-01 to 2030-02-01; the feeds cover: a 2027-03-01 to 2027-03-07"
    )

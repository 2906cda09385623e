"""What now: a journey that holds, one that breaks, and the way on from where the rider is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from mobility.core.errors import InputError, UsageError
from mobility.core.money import Money
from mobility.feeds.realtime import Moment, StopUpdate, TripRef, TripUpdate
from mobility.journey import Fare, Journey, Ticket
from mobility.planner import Needs, Via, locate
from mobility.planner.whatnow import Companion, RideRef, WhatNow
from tests.network.build import FIRST_DATE, Stop, Train, build_network
from tests.planner.live_world import LiveWorld

STOPS = [Stop(name, 47 + row / 10, 7.5) for row, name in enumerate("ABCDX")]
TRAINS = [
    Train("first", "A 08:00 B 08:30 X 08:50"),
    Train("second", "B 08:40 C 09:00"),
    Train("later", "B 09:40 C 10:00"),
    Train("round", "X 08:55 C 09:20"),
    Train("third", "C 09:05 D 09:30"),
    Train("slow", "C 10:05 D 10:30"),
]
RIDES = ("first", 1, 2), ("second", 1, 2), ("third", 1, 2)


class Trip:
    """The journey A - B - C - D of a day, and what operators say of it."""

    def __init__(self, folder: Path) -> None:
        self.network = build_network(STOPS, TRAINS)
        self.origin = int(self.network.zone_origin_s[0, 0])
        self.world = LiveWorld(self.network, folder, self.origin + 7 * 3600)
        self.companion = Companion(self.world.planner)
        self.rides = [[RideRef("one", t, FIRST_DATE, a, b)] for t, a, b in RIDES]

    def say(self, *updates: TripUpdate) -> None:
        self.world.say([("one", update, None) for update in updates])

    def at(self, clock: str, **more: object) -> WhatNow:
        return self.companion.what_now(self.rides, None, self.unix(clock), **more)  # type: ignore[arg-type]

    def unix(self, clock: str) -> int:
        hours, minutes = clock.split(":")
        return self.origin + int(hours) * 3600 + int(minutes) * 60

    def clock(self, unix_s: int) -> str:
        minutes = (unix_s - self.origin) // 60
        return f"{minutes // 60:02d}:{minutes % 60:02d}"


@pytest.fixture
def trip(tmp_path: Path) -> Trip:
    return Trip(tmp_path)


def late(trip_id: str, sequence: int, minutes: int) -> TripUpdate:
    ref = TripRef(trip_id, start_date=FIRST_DATE)
    return TripUpdate(ref, stops=(StopUpdate(sequence, arrival=Moment(delay_s=minutes * 60)),))


def gone(trip_id: str) -> TripUpdate:
    return TripUpdate(TripRef(trip_id, start_date=FIRST_DATE), "canceled")


def test_a_journey_that_holds_says_so_and_shows_its_delays(trip: Trip) -> None:
    trip.say(late("first", 2, 5))
    found = trip.at("07:50")
    assert (found.state, found.broken_leg, found.ways) == ("holds", None, ())
    alight = found.journey.legs[0].calls[-1]
    assert alight.live is not None
    assert trip.clock(alight.arrival) == "08:35"
    assert trip.clock(alight.live.planned_arrival or 0) == "08:30"
    assert trip.at("08:10").on_board == 0
    assert trip.at("09:31").state == "arrived"


def test_without_live_data_the_timetable_is_what_now(trip: Trip) -> None:
    assert trip.at("07:50").state == "holds"
    assert trip.at("07:50").live is None


def test_a_missed_change_leads_on_from_the_train_that_is_late(trip: Trip) -> None:
    trip.say(late("first", 2, 15))
    found = trip.at("08:10")
    assert (found.state, found.reason, found.broken_leg, found.on_board) == (
        "broken", "missed", 1, 0,
    )  # fmt: skip
    # B at 08:45 is too late for 08:40; X at 09:05 too late for 08:55: the next from B it is.
    way = found.ways[0]
    assert way.stay_until is not None
    assert way.stay_until.place.name == "B"
    assert way.journey is not None
    assert [leg.sections[0].trip_id for leg in way.journey.legs] == ["later", "slow"]
    assert trip.clock(way.arrival) == "10:30"


def test_staying_on_board_can_be_the_way_on(trip: Trip) -> None:
    trip.say(gone("second"), gone("later"))
    found = trip.at("08:10")
    assert (found.reason, found.broken_leg) == ("cancelled", 1)
    assert found.journey.legs[1].cancelled
    way = found.ways[0]
    assert way.stay_until is not None
    assert way.stay_until.place.name == "X"
    assert way.journey is not None
    assert [leg.sections[0].trip_id for leg in way.journey.legs] == ["round", "slow"]


def test_at_a_stop_the_way_on_begins_there_and_now(trip: Trip) -> None:
    trip.say(gone("third"))
    found = trip.at("09:02")
    assert (found.on_board, found.reason, found.at and found.at.name) == (None, "cancelled", "C")
    assert found.ways[0].stay_until is None
    assert found.ways[0].journey is not None
    assert trip.clock(found.ways[0].journey.departure) == "10:05"


def test_a_train_that_does_not_stop_breaks_the_journey(trip: Trip) -> None:
    ref = TripRef("first", start_date=FIRST_DATE)
    trip.say(TripUpdate(ref, stops=(StopUpdate(2, state="skipped"),)))
    found = trip.at("08:10")
    assert (found.reason, found.broken_leg, found.on_board) == ("not_alighting", 0, 0)
    way = found.ways[0]
    assert way.stay_until is not None
    assert way.stay_until.place.name == "X"


def test_before_the_first_ride_all_of_it_is_planned_anew(trip: Trip) -> None:
    trip.say(gone("first"))
    found = trip.at("07:50")
    assert (found.on_board, found.at and found.at.name, found.ways) == (None, "A", ())


def test_tickets_tell_whether_they_cover_the_break_and_still_hold(trip: Trip) -> None:
    def fare_of(journey: Journey) -> Fare:
        def ticket(legs: tuple[int, ...], until: str) -> Ticket:
            return Ticket(
                "p", "P", "s", "web", legs, Money(100, "EUR"), journey.departure, trip.unix(until),
                "Europe/Berlin", "protected inside",
            )  # fmt: skip

        return Fare((ticket((0,), "09:00"), ticket((1, 2), "10:00"), ticket((0, 1, 2), "23:00")))

    trip.say(late("first", 2, 15))
    holds = trip.at("08:10", fare_of=fare_of).tickets
    assert [(h.ticket, h.inside, h.in_time) for h in holds] == [(1, False, False), (2, True, True)]


def test_to_another_destination_than_the_last_stop(trip: Trip) -> None:
    trip.say(gone("third"))
    found = trip.companion.what_now(trip.rides, locate(trip.network, "one:X"), trip.unix("08:35"))
    assert found.state == "broken"
    assert not found.ways


@pytest.mark.parametrize(
    ("ride", "told"),
    [
        (RideRef("one", "nobody", FIRST_DATE, 1, 2), "no such trip"),
        (RideRef("none", "first", FIRST_DATE, 1, 2), "no such trip"),
        (RideRef("one", "first", FIRST_DATE + dt.timedelta(90), 1, 2), "does not run"),
        (RideRef("one", "first", FIRST_DATE, 7, 2), "does not run"),
        (RideRef("one", "first", FIRST_DATE, 1, 9), "no calls"),
        (RideRef("one", "first", FIRST_DATE, 2, 1), "boards after"),
    ],
)
def test_rides_that_are_not_there_are_refused(trip: Trip, ride: RideRef, told: str) -> None:
    with pytest.raises(InputError, match=told):
        trip.companion.what_now([[ride]], None, trip.unix("08:00"))


class Riding(Trip):
    """The journey A - B - C, on trains and at stops that say whom they take."""

    def __init__(self, folder: Path) -> None:
        said = (1, 1, 1, 2)
        stops = [
            Stop(name, 47 + row / 10, 7.5, wheelchair=said[row]) for row, name in enumerate("ABCX")
        ]
        stops.append(Stop("B2", 47.1, 7.502, station="B", wheelchair=1))
        stops.append(Stop("C2", 47.2, 7.502, station="C", wheelchair=2))
        trains = [
            Train("first", "A 08:00 B 08:30 X 08:50", wheelchair=1),
            Train("second", "B 08:40 C 09:00", wheelchair=1),
            Train("steps", "B 08:50 C 09:10", wheelchair=2),
            Train("round", "X 08:55 C 09:20", wheelchair=1),
            Train("later", "B 09:40 C 10:00", wheelchair=1),
        ]
        self.network = build_network(stops, trains, walk_radius_m=400)
        self.origin = int(self.network.zone_origin_s[0, 0])
        self.world = LiveWorld(self.network, folder, self.origin + 7 * 3600)
        self.companion = Companion(self.world.planner)
        self.rides = [[RideRef("one", t, FIRST_DATE, 1, 2)] for t in ("first", "second")]

    def arrivals(self, found: WhatNow) -> list[str]:
        return [self.clock(way.arrival) for way in found.ways]


WHEELCHAIR = Needs(wheelchair=True)


@pytest.fixture
def riding(tmp_path: Path) -> Riding:
    return Riding(tmp_path)


def test_ways_on_obey_the_needs_and_know_the_running_day(riding: Riding) -> None:
    riding.say(gone("second"), late("later", 1, 5))
    assert riding.arrivals(riding.at("08:35")) == ["09:10"]
    found = riding.at("08:35", needs=WHEELCHAIR)
    assert (found.state, found.reason) == ("broken", "cancelled")
    assert riding.arrivals(found) == ["10:05"]
    assert found.live is not None
    riding.say(gone("second"), late("later", 1, 20))
    assert riding.arrivals(riding.at("08:35", needs=WHEELCHAIR)) == ["10:20"]
    riding.say(gone("second"), gone("later"))
    assert riding.arrivals(riding.at("08:35", needs=WHEELCHAIR)) == []


def test_nobody_is_sent_on_to_where_they_cannot_alight(riding: Riding) -> None:
    riding.say(gone("second"), gone("steps"), gone("later"))
    assert riding.arrivals(riding.at("08:10")) == ["09:20"]
    assert riding.arrivals(riding.at("08:10", needs=WHEELCHAIR)) == []


def test_a_change_counts_as_the_rider_makes_it(riding: Riding) -> None:
    riding.say(late("first", 2, 6))
    assert riding.at("08:10").state == "holds"
    found = riding.at("08:10", needs=Needs(min_change_s=300))
    assert (found.state, found.reason, found.broken_leg) == ("broken", "missed", 1)
    assert riding.arrivals(found)[0] == "09:10"


def test_a_platform_without_a_way_breaks_the_journey(tmp_path: Path) -> None:
    riding = Riding(tmp_path)
    moved = TripUpdate(
        TripRef("second", start_date=FIRST_DATE), stops=(StopUpdate(1, assigned_stop_id="B2"),)
    )
    riding.say(moved)
    assert riding.at("08:10").state == "holds"
    found = riding.at("08:10", needs=Needs(max_walk_m=100))
    assert (found.state, found.reason) == ("broken", "missed")
    assert found.journey.arrival == riding.unix("09:00")


def test_a_platform_that_is_not_accessible_breaks_the_journey(riding: Riding) -> None:
    moved = TripUpdate(
        TripRef("second", start_date=FIRST_DATE), stops=(StopUpdate(2, assigned_stop_id="C2"),)
    )
    riding.say(moved)
    assert riding.at("08:10").state == "holds"
    found = riding.at("08:45", needs=WHEELCHAIR)
    assert (found.state, found.reason, found.on_board) == ("broken", "not_accessible", 1)


def test_places_to_pass_are_refused(trip: Trip) -> None:
    with pytest.raises(UsageError, match="via"):
        trip.at("08:00", needs=Needs(via=(Via(locate(trip.network, "one:X")),)))

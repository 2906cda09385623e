"""From messages to runs of the region: which train of which day is meant, and how it goes."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mobility.core.time import local_date, service_day_origin
from mobility.core.units import DAY_S
from mobility.feeds.realtime import Moment, StopUpdate, TripRef, TripUpdate
from mobility.network.live.added import NO_ROUTE, NewCall, NewTrain
from mobility.network.live.running import SKIPPED, TOLD, Call, Said, carry_on, propagate
from mobility.network.live.trips import TripRun, Trips
from mobility.network.values import (
    ALIGHTING_BIT,
    BOARDING_BIT,
    Int32s,
    Network,
    UInt8s,
    call_flags,
)

NEAR_S = DAY_S  # a run further from the message's moment than this is not the one meant
LONGEST_TRIP_S = 2 * DAY_S
MAX_NEW_TRAINS = 20_000
_GONE = ("canceled", "deleted")


@dataclass(frozen=True, slots=True)
class ChangedRun:
    """A train of a day as it really runs; without calls where it does not run at all.

    ``points``, ``flags`` and ``status`` are by position of the train; times count from the epoch.
    """

    train: int
    day: int
    arrivals: Sequence[int] = ()
    departures: Sequence[int] = ()
    points: Sequence[int] = ()
    flags: Sequence[int] = ()
    status: Sequence[int] = ()


@dataclass(slots=True)
class Matched:
    """What live messages change: runs that differ from the timetable, and trains beside it.

    ``counts`` says by feed and code how many updates were used, unknown, mended, ….
    """

    runs: list[ChangedRun] = field(default_factory=list)
    trains: list[NewTrain] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass(slots=True)
class _Slots:
    """What is said of a train: by position, and which of its sections do not run at all."""

    feed: str
    said: dict[int, list[tuple[int, Said]]] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)
    off: set[int] = field(default_factory=set)


# A run with what holds for its calls, None where it does not run.
_Runs = dict[tuple[int, dt.date], tuple[TripRun, list[Said | None] | None]]


class Matcher:
    """Finds the runs of a network that live messages of its feeds mean."""

    def __init__(self, trips: Trips) -> None:
        self._trips = trips
        self._net: Network = trips.network
        self._flags: UInt8s = call_flags(self._net.event_flags, self._net.train_event_start)
        self._points: Int32s = self._net.points

    def match(self, said: Iterable[tuple[str, TripUpdate, int | None]]) -> Matched:
        """Return the changes that trip updates make.

        Parameters
        ----------
        said : iterable of (feed, TripUpdate, unix seconds)
            With the moment of the message; of two updates of one run the later in order counts.
        """
        found = Matched()
        runs: _Runs = {}
        replaced: dict[tuple[int, dt.date], tuple[str, TripUpdate]] = {}
        for feed, update, timestamp in said:
            counts = found.counts[feed]
            counts["trip_updates"] += 1
            if update.state in ("added", "duplicated"):
                self._add(feed, update, timestamp, found)
                continue
            run = self._run_of(feed, update, timestamp, counts)
            if run is None:
                continue
            key = (run.trip, run.date)
            counts["repeated_trip" if key in runs else "matched"] += 1
            if update.state == "replacement" and update.stops:
                replaced[key] = (feed, update)
                runs[key] = (run, None)
            else:
                replaced.pop(key, None)
                runs[key] = (run, self._said(feed, run, update, counts))
        self._compose(runs, found)
        for key, (feed, update) in replaced.items():
            self._replace(feed, update, runs[key][0], found)
        return found

    def run_of(self, feed: str, ref: TripRef, timestamp: int | None) -> TripRun | None:
        """Return the run that a reference means, of an alert or a vehicle."""
        return self._run_of(feed, TripUpdate(ref), timestamp, Counter())

    def _run_of(
        self, feed: str, update: TripUpdate, timestamp: int | None, counts: Counter[str]
    ) -> TripRun | None:
        ref = update.trip
        trip = self._trips.find(feed, ref.trip_id, ref.start_time_s)
        if trip is None:
            counts["unknown_trip"] += 1
            return None
        date = ref.start_date or self._infer_date(feed, trip, update, timestamp)
        run = None if date is None else self._trips.run(trip, date)
        if run is None:
            counts["trip_not_on_date"] += 1
        return run

    def _infer_date(
        self, feed: str, trip: int, update: TripUpdate, timestamp: int | None
    ) -> dt.date | None:
        """Return the service date that makes an update's times, or its moment, nearest to plan."""
        about = next(
            (m.time for s in update.stops for m in (s.arrival, s.departure) if m and m.time),
            update.timestamp or timestamp,
        )
        if about is None:
            return None
        best: tuple[int, dt.date] | None = None
        today = local_date(about, self._net.feed_zone[self._trips.feed_rows[feed]])
        near = [today + dt.timedelta(shift) for shift in (-2, -1, 0, 1)]
        for date in near:
            run = self._trips.run(trip, date)
            if run is None:
                continue
            away = self._away_s(feed, run, update, about)
            if away <= NEAR_S and (best is None or away < best[0]):
                best = (away, date)
        return None if best is None else best[1]

    def _away_s(self, feed: str, run: TripRun, update: TripUpdate, about: int) -> int:
        """Return how far a run is from a moment: 0 while it is under way."""
        moment = about - self._net.epoch_s
        for index, stop in self._calls_of(feed, run, update, Counter())[0].items():
            call = run.calls[index]
            for said, planned in ((stop.arrival, call.arrival), (stop.departure, call.departure)):
                if said is not None and said.time is not None:
                    return abs(said.time - self._net.epoch_s - planned)
        first, last = run.calls[0].departure, run.calls[-1].arrival
        return max(first - moment, moment - last, 0)

    def _said(
        self, feed: str, run: TripRun, update: TripUpdate, counts: Counter[str]
    ) -> list[Said | None] | None:
        if update.state in _GONE:
            counts[update.state] += 1
            return None
        updates, moved = self._calls_of(feed, run, update, counts)
        return propagate(run.calls, updates, update.delay_s, self._net.epoch_s, moved)

    def _calls_of(
        self, feed: str, run: TripRun, update: TripUpdate, counts: Counter[str]
    ) -> tuple[dict[int, StopUpdate], dict[int, int]]:
        """Return the updates by index of the call, and the stops that stand in for others.

        ``stop_sequence`` decides where it is given: a loop calls twice at a stop. By ``stop_id``
        alone, updates come in the order of the calls.
        """
        by_sequence = {
            call.sequence: index
            for index, call in enumerate(run.calls)
            if call.sequence is not None
        }
        updates: dict[int, StopUpdate] = {}
        moved: dict[int, int] = {}
        after = 0
        for stop in update.stops:
            row = self._trips.find_stop(feed, stop.stop_id) if stop.stop_id else None
            index = by_sequence.get(stop.stop_sequence) if stop.stop_sequence is not None else None
            at_stop = None if index is not None and self._fits(run, index, row) else row
            if at_stop is not None:
                # Where the two disagree the stop is what travellers see: it counts if it is called.
                counts["stop_differs"] += index is not None
                called = self._at_stop(run, at_stop, after)
                index = index if called is None else called
            if index is None:
                counts["unknown_stop"] += 1
                continue
            after = index + 1
            updates[index] = stop
            planned = run.calls[index].stop
            if stop.assigned_stop_id:
                row = self._trips.find_stop(feed, stop.assigned_stop_id)
            elif self._net.stop_feed[planned] != self._trips.feed_rows[feed]:
                row = None  # the other feed's stop stands for the call: no other platform is meant
            if row is None or row == planned:
                continue
            if stop.assigned_stop_id or self._same_station(row, planned):
                moved[index] = row
        return updates, moved

    def _fits(self, run: TripRun, index: int, row: int | None) -> bool:
        """Return whether a call is at a stop, or at another of its station."""
        return row is None or self._same_station(row, run.calls[index].stop)

    def _at_stop(self, run: TripRun, row: int | None, after: int) -> int | None:
        """Return the first call at a stop from an index on; else at a stop of its station."""
        if row is None:
            return None
        calls = run.calls
        indices = [*range(after, len(calls)), *range(after)]
        at = next((i for i in indices if calls[i].stop == row), None)
        if at is None:
            at = next((i for i in indices if self._same_station(calls[i].stop, row)), None)
        return at

    def _same_station(self, a: int, b: int) -> bool:
        station = self._net.stop_station
        return bool(station[a] == station[b])

    def _compose(self, runs: _Runs, found: Matched) -> None:
        """Make the changed runs of what is said of their trips, section by section."""
        trains: dict[tuple[int, int], _Slots] = {}
        for run, said in runs.values():
            feed = self._net.feed_id[int(self._net.trip_feed[run.trip])]
            for index, places in enumerate(run.places):
                for place in places:
                    slots = trains.setdefault((place.train, place.day), _Slots(feed))
                    if said is None:
                        slots.off.add(place.section)
                        continue
                    slots.told.add(place.section)
                    if (one := said[index]) is not None:
                        slots.said.setdefault(place.pos, []).append((place.section, one))
        for (train, day), slots in trains.items():
            changed, mended = self._train(train, day, slots)
            if mended:
                found.counts[slots.feed]["times_backwards"] += 1
            found.runs.append(changed)

    def _train(self, train: int, day: int, slots: _Slots) -> tuple[ChangedRun, bool]:
        net = self._net
        planned = self._trips.planned(train, day)
        alias = net.section_alias
        said: list[Said | None] = [None] * len(planned)
        for pos, options in slots.said.items():
            if len(options) > 1:
                options.sort(key=lambda one: one[0])
                own = [one for section, one in options if not alias[section]]
                said[pos] = _joined(own or [options[0][1]])
            else:
                said[pos] = options[0][1]
        whole, mended = carry_on(planned, said)
        runs = self._stretches(train, len(planned), slots)
        events = slice(int(net.train_event_start[train]), int(net.train_event_start[train + 1]))
        flags: list[int] = self._flags[events].tolist()
        points: list[int] = self._points[events].tolist()
        status = [one.status for one in whole]
        for pos, one in enumerate(whole):
            arrives, leaves = runs[pos], runs[pos + 1]
            flag = _allowed(flags[pos], one)
            if one.status & SKIPPED or not (arrives or leaves):
                flag = 0
                status[pos] |= SKIPPED
            flags[pos] = flag & (ALIGHTING_BIT * arrives | BOARDING_BIT * leaves)
            if one.stop >= 0:
                points[pos] = one.stop
        boards = next((at for at, flag in enumerate(flags) if flag & BOARDING_BIT), len(flags))
        if not any(flag & ALIGHTING_BIT for flag in flags[boards + 1 :]):
            return ChangedRun(train, day), mended
        return ChangedRun(
            train, day, [one.arrival for one in whole], [one.departure for one in whole],
            points, flags, status,
        ), mended  # fmt: skip

    def _stretches(self, train: int, n_calls: int, slots: _Slots) -> list[bool]:
        """Return whether the train runs to each call, and at the end from the last: it does not.

        The trip that carries a stretch decides; where it says nothing, another feed's trip does
        that lists the stretch too.
        """
        net = self._net
        runs, decided = [True] * (n_calls + 1), [False] * (n_calls + 1)
        runs[0] = runs[n_calls] = False
        sections = sorted(self._trips.sections(train), key=lambda row: bool(net.section_alias[row]))
        for section in sections:
            off = section in slots.off
            for pos in range(
                int(net.section_from_pos[section]) + 1, int(net.section_to_pos[section]) + 1
            ):
                if not decided[pos]:
                    runs[pos] = not off
                    decided[pos] = off or section in slots.told
        return runs

    def _add(self, feed: str, update: TripUpdate, timestamp: int | None, found: Matched) -> None:
        """Make the train of a trip that is added, or of one that runs another time too."""
        counts = found.counts[feed]
        if update.state == "duplicated":
            made = self._copy(feed, update, timestamp, counts)
        else:
            made = self._new(feed, update, counts)
        if made is None:
            return
        if len(found.trains) >= MAX_NEW_TRAINS:
            counts["too_many_added"] += 1
            return
        counts["added"] += 1
        found.trains.append(made)

    def _new(self, feed: str, update: TripUpdate, counts: Counter[str]) -> NewTrain | None:
        calls = self._new_calls(feed, update, None, counts)
        if calls is None:
            return None
        row = self._trips.feed_rows[feed]
        ref, new = update.trip, update.new_trip or TripRef()
        zone = self._net.feed_zone[row]
        date = ref.start_date or new.start_date
        date = date or local_date(calls[0].departure + self._net.epoch_s, zone)
        route = self._trips.find_route(feed, ref.route_id) if ref.route_id else None
        return NewTrain(
            row, date, calls, trip_id=ref.trip_id or new.trip_id,
            route=NO_ROUTE if route is None else route, headsign=update.new_headsign,
            number=update.new_number,
        )  # fmt: skip

    def _copy(
        self, feed: str, update: TripUpdate, timestamp: int | None, counts: Counter[str]
    ) -> NewTrain | None:
        """Return a trip of the timetable at another start, with what is said of its calls."""
        new = update.new_trip
        run = self._run_of(feed, update, timestamp, counts)
        if run is None or new is None or new.start_time_s is None:
            counts["not_duplicated"] += 1
            return None
        net, row = self._net, self._trips.feed_rows[feed]
        date = new.start_date or run.date
        start = service_day_origin(date, net.feed_zone[row]) + new.start_time_s - net.epoch_s
        shift = start - run.calls[0].departure
        calls = [
            call._replace(arrival=call.arrival + shift, departure=call.departure + shift)
            for call in run.calls
        ]
        moved_run = TripRun(run.trip, date, calls, run.places)
        updates, moved = self._calls_of(feed, moved_run, update, counts)
        said = propagate(calls, updates, update.delay_s, net.epoch_s, moved)
        whole, _ = carry_on([(call.arrival, call.departure) for call in calls], said)
        made = tuple(
            NewCall(
                one.stop if one.stop >= 0 else call.stop, one.arrival, one.departure,
                self._copied_flags(run, index, one), call.sequence or index + 1,
            )
            for index, (call, one) in enumerate(zip(calls, whole, strict=True))
        )  # fmt: skip
        trip = run.trip
        return NewTrain(
            row, date, made, trip_id=new.trip_id or update.trip.trip_id,
            route=int(net.trip_route[trip]),
            headsign=update.new_headsign or net.trip_headsign[trip],
            number=update.new_number or net.trip_number[trip],
        )  # fmt: skip

    def _copied_flags(self, run: TripRun, index: int, one: Said) -> int:
        place = run.places[index][0]
        event = int(self._net.train_event_start[place.train]) + place.pos
        return 0 if one.status & SKIPPED else _allowed(int(self._flags[event]), one)

    def _replace(self, feed: str, update: TripUpdate, run: TripRun, found: Matched) -> None:
        """Make the train that runs instead of a trip of the timetable."""
        calls = self._new_calls(feed, update, run, found.counts[feed])
        if calls is not None:
            row = self._trips.feed_rows[feed]
            found.trains.append(NewTrain(row, run.date, calls, trip=run.trip))

    def _new_calls(
        self, feed: str, update: TripUpdate, run: TripRun | None, counts: Counter[str]
    ) -> tuple[NewCall, ...] | None:
        """Return the calls that an update lists; a replacement may count delays from the plan."""
        planned = {call.stop: call for call in run.calls} if run else {}
        calls: list[NewCall] = []
        latest: int | None = None
        for number, stop in enumerate(update.stops):
            row = self._trips.find_stop(feed, stop.assigned_stop_id or stop.stop_id)
            if row is None:
                counts["unknown_stop"] += 1
                continue
            if stop.state == "skipped":
                continue
            times = [
                self._new_time(said, planned.get(row), attribute)
                for said, attribute in ((stop.arrival, "arrival"), (stop.departure, "departure"))
            ]
            known = [time for time in times if time is not None]
            if not known:
                counts["added_without_time"] += 1
                continue
            arrival, departure = known[0], known[-1]
            if (latest is not None and arrival < latest) or departure < arrival:
                counts["times_backwards"] += 1
                arrival = arrival if latest is None else max(arrival, latest)
                departure = max(departure, arrival)
            latest = departure
            kinds = (stop.pickup_type, stop.drop_off_type)
            board, alight = (kind in (None, 0, 3) for kind in kinds)
            flags = BOARDING_BIT * board | ALIGHTING_BIT * alight
            sequence = stop.stop_sequence if stop.stop_sequence is not None else number + 1
            calls.append(NewCall(row, arrival, departure, flags, sequence))
        if len(calls) < 2 or calls[-1].arrival - calls[0].departure > LONGEST_TRIP_S:
            counts["added_without_calls"] += 1
            return None
        calls[0] = calls[0]._replace(flags=calls[0].flags & BOARDING_BIT)
        calls[-1] = calls[-1]._replace(flags=calls[-1].flags & ALIGHTING_BIT)
        return tuple(calls)

    def _new_time(self, said: Moment | None, planned: Call | None, attribute: str) -> int | None:
        if said is None:
            return None
        if said.time is not None:
            return said.time - self._net.epoch_s
        if planned is None or said.delay_s is None:
            return None
        return int(getattr(planned, attribute)) + said.delay_s


def _joined(options: list[Said]) -> Said | None:
    """Return what holds where sections meet: one feed says the arrival, the next the departure."""
    if not options:
        return None
    left = options[0]
    if len(options) == 1:
        return left
    right = options[1]
    if not left.status & TOLD or not right.status & TOLD:
        return left if left.status & TOLD else right
    return Said(
        left.arrival, right.departure, left.status | right.status,
        left.exact & 1 | right.exact & 2, max(left.stop, right.stop), right.board, left.alight,
    )  # fmt: skip


def _allowed(flag: int, one: Said) -> int:
    """Return the flags of a call with what the operator changes."""
    if one.board is None and one.alight is None:
        return flag
    for allowed, bit in ((one.board, BOARDING_BIT), (one.alight, ALIGHTING_BIT)):
        if allowed is not None:
            flag = flag | bit if allowed else flag & ~bit
    return flag

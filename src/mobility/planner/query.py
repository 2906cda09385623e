"""Planning: from endpoints and a time to the complete set of best journeys."""

from __future__ import annotations

import copy
import datetime as dt
import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from mobility.core.errors import UsageError
from mobility.core.notices import Notice
from mobility.core.units import DAY_S
from mobility.journey import Fare, Journey, Leg
from mobility.network import Network
from mobility.planner.answer import (
    MAX_LABELS,
    answer_arrival,
    answer_departure,
    answer_many,
    answer_window,
)
from mobility.planner.assemble import Assembler
from mobility.planner.day import Day, prepared
from mobility.planner.endpoint import Endpoint, Reach, WalkTimes, direct_walk, reach_of
from mobility.planner.fitting import Fit, Fits, LastFew, Slices
from mobility.planner.needs import NO_NEEDS, Needs
from mobility.planner.realtime import LiveView
from mobility.planner.remarks import (
    DEFAULT_LANGUAGE,
    BoardingBans,
    BorderChecks,
    Coverage,
    OnDemand,
)
from mobility.planner.scratch import STRIDE, Scratch
from mobility.planner.values import (
    JOURNEYS,
    MAX_ROUNDS,
    N_WRITTEN,
    NEVER_S,
    no_bounds,
    train_arrays,
)

if TYPE_CHECKING:  # who plans by the timetable alone loads nothing of it
    from mobility.network.live.files import LiveReader, LiveVersion

LONGEST_WINDOW_S = 48 * 3600
MAX_TRANSFERS = MAX_ROUNDS - 1  # real journeys over three countries have eleven
KEPT_DAYS = 4  # slices with their references that a planner holds on to
ASKED_OFTEN = 1_000  # questions for a date after which making its flags pays
AT_ONCE = 16  # questions that a call to a kernel answers at most
BookingText = Callable[[int], str]  # row of a trip -> how its on-demand service is booked


class Pricer(Protocol):
    """Who knows what a journey costs."""

    def price(self, journey: Journey) -> Fare | None:
        """Return the tickets of a journey, or None where there is no tariff."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """All best journeys in the order of `sort_key`, and what the reader must know beside them.

    ``live`` is the version of the running day that they were found in, None for the timetable.
    """

    journeys: tuple[Journey, ...]
    notices: tuple[Notice, ...]
    live: LiveVersion | None = None


class Asked(NamedTuple):
    """A question for one departure, or with `window_s` for all departures in it; unix seconds."""

    origin: Endpoint
    destination: Endpoint
    depart: int
    window_s: int | None = None


class _Task(NamedTuple):
    """A question as it is searched; moments are unix seconds."""

    origin: Reach
    destination: Reach
    arrive: int | None
    window_s: int | None
    moments: tuple[int, int]  # the first and the last that is asked for
    look_beyond: bool
    rounds: int
    max_travel_s: int
    direct: tuple[int, int] | None  # seconds and metres of walking all the way
    view: LiveView | None  # the running day, of one version from begin to end
    notices: tuple[Notice, ...]  # of the dates

    @property
    def is_window(self) -> bool:
        """Whether more than one departure is asked for."""
        return self.window_s is not None

    @property
    def on_foot(self) -> bool:
        """Whether no footpaths of the network lead to the destination: it is no stop."""
        return not self.destination.endpoint.stops

    @property
    def direct_s(self) -> int:
        return -1 if self.direct is None else self.direct[0]


@dataclass(slots=True)
class _Running:
    """The running day in its newest version: one for a planner and for those of its riders."""

    view: LiveView | None


class Planner:
    """Finds journeys in a network; one planner serves all threads.

    Parameters
    ----------
    network : Network
    slices : Slices
        Its day slices.
    pricer : Pricer, optional
        Without one, journeys have no fare.
    walks : WalkTimes, optional
        Walks between positions and stops; the straight line with a detour by default.
    booking : callable, optional
        Returns for a row of the network's trips how to book it; told with on-demand service.
    link_behind : bool
        Make the links of a day that takes long in a thread beside, and the flags of one that is
        asked about often, for who runs on and on.
    live : LiveReader, optional
        Versions of the running day; `refresh_live` takes up the newest.
    """

    def __init__(
        self,
        network: Network,
        slices: Slices,
        *,
        pricer: Pricer | None = None,
        walks: WalkTimes | None = None,
        booking: BookingText | None = None,
        link_behind: bool = False,
        live: LiveReader | None = None,
    ) -> None:
        self.fits = Fits(network, slices, walks)
        self._take(self.fits.usual)
        self._pricer = pricer
        self._assembler = Assembler(network)
        self._coverage = Coverage(network)
        self._on_demand = OnDemand(network, booking)
        self._border_checks = BorderChecks(network)
        self._bans = BoardingBans(network)
        self._train_arrays = train_arrays(network)
        self._no_bounds = no_bounds(network.n_points)
        self._days: OrderedDict[dt.date, Day] = OrderedDict()
        self._asked: Counter[dt.date] = Counter()  # questions for days that could have flags
        self._live = live
        self._running = _Running(None if live is None else LiveView(network))
        self._view: LiveView | None = None  # of a rider
        self._link_behind = link_behind
        self._lock, self._refreshing = threading.Lock(), threading.Lock()
        self._local = threading.local()
        self._riders: LastFew[Planner] = LastFew()

    def plan(
        self,
        origin: Endpoint,
        destination: Endpoint,
        *,
        depart: int | None = None,
        arrive: int | None = None,
        window_s: int | None = None,
        max_transfers: int = MAX_TRANSFERS,
        max_travel_s: int = DAY_S,
        needs: Needs = NO_NEEDS,
        language: str = DEFAULT_LANGUAGE,
        as_planned: bool = False,
        look_beyond: bool = True,
    ) -> Answer:
        """Return the complete Pareto set of journeys.

        For one departure: of arrival and transfers, each with the latest departure not before
        `depart`. For a window: of departure, arrival and transfers, of all departures from
        `depart` on those in [`depart`, `depart` + `window_s`). For an arrival: of departure and
        transfers, each with the earliest arrival, none after `arrive`. Among equal journeys the
        first in the order of `mobility.journey.sort_key` stands for all.

        Walking all the way, where the endpoints are near, is a journey without a ride that leaves
        at `depart` or arrives at `arrive`; a ride that is no faster than walking from its own
        departure is left out.

        Parameters
        ----------
        depart, arrive : int
            Unix seconds; one of the two.
        window_s, max_travel_s : int
            Seconds; a window has at most 48 hours, a journey 24, in a question for one departure
            counted from `depart`.
        needs : Needs
            What journeys must be like; the set is then that of all journeys that are.
        language : str
            In which notices tell what the region's staff have written in several languages.
        as_planned : bool
            By the timetable alone, whatever is known of the running day.
        look_beyond : bool
            Leave out of a window what a departure at or after its end beats: nobody rides away
            and back at midnight to catch the train of the morning, and windows side by side hold
            what one long window does. Comparisons of timetables want the window alone.

        Raises
        ------
        UsageError
            The parameters contradict each other or are beyond their limits.
        DateOutsideError
            No feed covers the date.
        """
        if needs != NO_NEEDS:
            return self.for_rider(needs).plan(
                origin, destination, depart=depart, arrive=arrive, window_s=window_s,
                max_transfers=max_transfers, max_travel_s=max_travel_s, language=language,
                as_planned=as_planned, look_beyond=look_beyond,
            )  # fmt: skip
        task = self._task(
            origin, destination, depart, arrive, window_s, max_transfers, max_travel_s,
            as_planned, look_beyond,
        )  # fmt: skip
        if arrive is not None:
            journeys = self._arriving(task, arrive)
        elif window_s is not None:
            journeys = self._in_window(task)
        else:
            journeys = self._departing(task)
        return self._answer(task, journeys, language)

    def plan_all(
        self,
        questions: Iterable[Asked],
        *,
        max_transfers: int = MAX_TRANSFERS,
        max_travel_s: int = DAY_S,
        needs: Needs = NO_NEEDS,
        language: str = DEFAULT_LANGUAGE,
        as_planned: bool = False,
        look_beyond: bool = True,
    ) -> list[Answer]:
        """Return the answers to many questions, in their order: to each what `plan` returns.

        Questions of one day are searched some at a time in one call, without the interpreter's
        lock: for who asks by the thousand, and in several threads.

        Parameters
        ----------
        questions : iterable of Asked
        max_transfers, max_travel_s, needs, language, as_planned, look_beyond
            As in `plan`, for all.

        Raises
        ------
        UsageError, DateOutsideError
            As in `plan`, for the first question at fault.
        """
        if needs != NO_NEEDS:
            return self.for_rider(needs).plan_all(
                questions, max_transfers=max_transfers, max_travel_s=max_travel_s,
                language=language, as_planned=as_planned, look_beyond=look_beyond,
            )  # fmt: skip
        tasks = [
            self._task(
                q.origin, q.destination, q.depart, None, q.window_s, max_transfers, max_travel_s,
                as_planned, look_beyond,
            )
            for q in questions
        ]  # fmt: skip
        found: dict[int, list[Journey]] = {}
        by_day: defaultdict[tuple[int, dt.date], list[int]] = defaultdict(list)
        for number, task in enumerate(tasks):
            dates = [_utc_date(moment) for moment in task.moments]
            if dates[0] == dates[1]:
                by_day[id(task.view), dates[0]].append(number)
            else:
                found[number] = self._in_window(task)
        for (_, date), numbers in by_day.items():
            for first in range(0, len(numbers), AT_ONCE):
                some = numbers[first : first + AT_ONCE]
                answered = self._answered_at_once([tasks[number] for number in some], date)
                found.update(zip(some, answered, strict=True))
        return [self._answer(task, found[n], language) for n, task in enumerate(tasks)]

    def for_rider(self, needs: Needs) -> Planner:
        """Return a planner that finds journeys which fit the needs only; the last few are kept.

        Raises
        ------
        UsageError
            The needs name an operator that the network does not have, or via places in a network
            too large for them.
        """
        return self._riders.of(needs, self._fitted)

    def _take(self, fit: Fit) -> None:
        self._fit = fit
        self.network, self._slices, self._walks = fit.network, fit.slices, fit.walks
        self._back, self._out_paths, self._in_paths = fit.back, fit.out_paths, fit.in_paths

    def _fitted(self, needs: Needs) -> Planner:
        """Return a planner on other arrays that shares with this one all that is the same."""
        made, fit = copy.copy(self), self.fits.of(needs)
        made._take(fit)
        made._days = OrderedDict()
        made._riders = LastFew()
        made._link_behind = False
        made._live = None  # the running day is followed by who plans for all
        made._lock, made._refreshing = threading.Lock(), threading.Lock()
        if fit.network.n_points != self.network.n_points:
            made._assembler = Assembler(fit.network)
            made._no_bounds = no_bounds(fit.network.n_points)
            made._local = threading.local()
        return made

    def days_asked(self) -> tuple[dt.date, ...]:
        """Return the dates in UTC that it was asked about last."""
        with self._lock:
            return tuple(self._days)

    def day(self, date: dt.date, *, linked: bool = False) -> Day:
        """Return the slice of a date in UTC as the kernels take it.

        Where it has links the search goes from run to run, else by stops, and with flags it
        follows few of them: the answers are the same. `linked` makes both however long it takes; a
        server does so beside its work, flags for a date that it is asked about often.
        """
        with self._lock:
            found = self._days.get(date)
            if found is not None and (found.is_final or not linked):
                self._days.move_to_end(date)
                if self._link_behind and not found.is_final:
                    self._asked[date] += 1
                    if self._asked[date] == ASKED_OFTEN:
                        self._make_beside(date)
                return found
        day = self._slices.get(date)
        links = self._slices.links(date, at_any_cost=linked)
        bounds = self._slices.bounds(at_any_cost=linked) or self._no_bounds
        flags = self._slices.flags(date, at_any_cost=linked)
        made = prepared(
            self.network, day, self._train_arrays, self._back, links, bounds, flags,
            is_final=linked,
        )  # fmt: skip
        with self._lock:
            known = self._days.get(date)
            if known is not None and known.is_final:  # a thread beside was done before
                return known
            self._days[date] = made
            while len(self._days) > KEPT_DAYS:
                self._days.popitem(last=False)
        if self._link_behind and links is None and not made.is_final:
            self._make_beside(date)
        return made

    def _make_beside(self, date: dt.date) -> None:
        """Make links and flags of a day in a thread beside; questions go on with what there is."""
        threading.Thread(
            target=self.day, args=(date,), kwargs={"linked": True}, daemon=True,
            name=f"links {date}",
        ).start()  # fmt: skip

    @property
    def live(self) -> LiveVersion | None:
        """The version of the running day that the next query is answered from."""
        view = self._running.view
        return None if view is None else view.version

    def refresh_live(self) -> LiveVersion | None:
        """Take up the newest version of the running day; queries under way keep theirs.

        Its slices are made ready here, so that no query waits for them.
        """
        if self._live is None:
            return None
        with self._refreshing:
            view = self._running.view
            assert view is not None
            newest = self._live.refresh()
            if newest is not None and newest is not view.version:
                self._running.view = view.follow(newest, self._back, self._assembler)
        return newest

    def _seen(self) -> LiveView | None:
        """Return the running day as the next query sees it; a rider's slices are fitted to them."""
        usual = self._running.view
        if usual is None or self._fit.needs == NO_NEEDS:
            return usual
        with self._refreshing:
            if self._view is None or self._view.version is not usual.version:
                self._view = usual.for_rider(self._fit, self._assembler, self._view)
            return self._view

    def _day_of(self, task: _Task, date: dt.date) -> tuple[Day, Assembler]:
        """Return a day as a query sees it, and who tells of its trains."""
        live = None if task.view is None else task.view.find(date)
        return (self.day(date), self._assembler) if live is None else live

    def _task(
        self, origin: Endpoint, destination: Endpoint, depart: int | None, arrive: int | None,
        window_s: int | None, max_transfers: int, max_travel_s: int, as_planned: bool,
        look_beyond: bool,
    ) -> _Task:  # fmt: skip
        _check(depart, arrive, window_s, max_transfers, max_travel_s)
        first = arrive if depart is None else depart
        assert first is not None  # checked before
        moments = (first, first + (window_s or 1) - 1)
        zone = origin.tz if arrive is None else destination.tz
        notices = self._coverage.check(moments, zone)
        start = reach_of(origin, self._out_paths, self._walks)
        end = reach_of(destination, self._in_paths, self._walks)
        direct = self._direct(origin, destination, start)
        fit = self._fit
        return _Task(
            fit.origin(start), fit.destination(end), arrive, window_s, moments, look_beyond,
            max_transfers + 1, max_travel_s, None if fit.layers else direct,
            None if as_planned else self._seen(), notices,
        )  # fmt: skip

    def _answer(self, task: _Task, journeys: list[Journey], language: str) -> Answer:
        """Return the journeys with prices, and what is to be told beside them."""
        zone = (task.origin if task.arrive is None else task.destination).endpoint.tz
        journeys = _with_walk(journeys, self._walk(task))
        if self._pricer is not None:
            journeys = [j.with_fare(self._pricer.price(j)) for j in journeys]
        notices = task.notices
        notices += self._on_demand.notices(task.origin, task.destination, task.moments, zone)
        notices += self._bans.notices(task.origin, task.destination, task.moments, zone)
        notices += self._border_checks.notices(journeys, language)
        notices += self._fit.notices
        return Answer(tuple(journeys), notices, None if task.view is None else task.view.version)

    def _direct(
        self, origin: Endpoint, destination: Endpoint, start: Reach
    ) -> tuple[int, int] | None:
        """Return seconds and metres of walking all the way, where that is in reach."""
        return direct_walk(self.network, self._walks, origin, destination, start)

    def _scratch(self, day: Day) -> Scratch:
        local = self._local.__dict__  # of this thread
        if local.get("day") is not day:
            if "scratch" not in local:
                local["scratch"] = Scratch(self.network.n_points, day.n_patterns, 1)
            runs = 0 if day.links is None else len(day.links.runs) - 1
            events = 0 if day.links is None else len(day.links.events) - 1
            local["scratch"].fit(day.n_patterns, runs, events, day.n_cells)
            local["day"] = day
        found: Scratch = local["scratch"]
        return found

    def _answered(
        self, answer: Callable[..., int], task: _Task, date: dt.date, *asked: object
    ) -> list[Journey]:
        """Return what a kernel of `mobility.planner.answer` finds in a day, in order."""
        day, assembler = self._day_of(task, date)
        scratch = self._scratch(day)
        while status := answer(
            day.timetable_refs, day.links_refs, day.bounds_refs, day.trains_refs,
            scratch.state_refs, scratch.choice_refs, scratch.found_refs, scratch.written,
            task.origin.ends, task.destination.ends, task.direct_s, task.max_travel_s, task.rounds,
            self.network.epoch_s, MAX_LABELS, *asked,
        ):  # fmt: skip
            scratch.grow(status)
        written = scratch.written.tolist()
        if not written[JOURNEYS]:
            return []
        return next(assembler.answers(scratch.found, [written], [task[:2]]))

    def _answered_at_once(self, tasks: list[_Task], date: dt.date) -> Iterator[list[Journey]]:
        """Yield what is found to each of some questions that stay within a day."""
        day, assembler = self._day_of(tasks[0], date)
        scratch, epoch_s = self._scratch(day), self.network.epoch_s
        ends = [end.ends for task in tasks for end in (task.origin, task.destination)]
        sizes = np.array([end.shape[1] for end in ends], np.int64).reshape(-1, 2)
        asked = np.array(
            [
                (
                    task.moments[0] - epoch_s, task.moments[1] + 1 - epoch_s, task.is_window,
                    task.look_beyond, task.direct_s, task.max_travel_s, task.rounds, task.on_foot,
                )
                for task in tasks
            ],
            np.int64,
        )  # fmt: skip
        questions = np.hstack([asked, sizes])
        written = np.zeros((len(tasks), N_WRITTEN), np.int64)
        flat = np.concatenate([end.reshape(-1) for end in ends])
        while status := answer_many(
            day.timetable_refs, day.links_refs, day.bounds_refs, day.trains_refs,
            scratch.state_refs, scratch.choice_refs, scratch.found_refs, scratch.written,
            questions, flat, written, epoch_s, MAX_LABELS,
        ):  # fmt: skip
            scratch.grow(status)
        yield from assembler.answers(scratch.found, written.tolist(), [task[:2] for task in tasks])

    def _departing(self, task: _Task) -> list[Journey]:
        leave = task.moments[0]
        leave_s = leave - self.network.epoch_s
        return self._answered(answer_departure, task, _utc_date(leave), leave_s, task.on_foot)

    def _in_window(self, task: _Task) -> list[Journey]:
        """Search each UTC date of the window in its own slice, the last first."""
        epoch_s, look_beyond = self.network.epoch_s, task.look_beyond
        start, end = task.moments[0], task.moments[1] + 1
        journeys: list[Journey] = []
        best_s = np.full(STRIDE, NEVER_S, np.int32)
        while end > start:
            first = max(start, (end - 1) // DAY_S * DAY_S)
            span = (first - epoch_s, end - epoch_s, task.on_foot, look_beyond, best_s)
            journeys = self._answered(answer_window, task, _utc_date(first), *span) + journeys
            look_beyond = False  # what is best from here on says so to the days before
            end = first
        return journeys

    def _arriving(self, task: _Task, arrive: int) -> list[Journey]:
        arrive_s, date = arrive - self.network.epoch_s, _utc_date(arrive - task.max_travel_s)
        return self._answered(answer_arrival, task, date, arrive_s)

    def _walk(self, task: _Task) -> Journey | None:
        """Return the journey on foot, where the endpoints are near enough."""
        if task.direct is None:
            return None
        walk_s, walk_m = task.direct
        leave = task.moments[0] if task.arrive is None else task.arrive - walk_s
        places = self._assembler.places
        origin, destination = task.origin.endpoint, task.destination.endpoint
        if origin.stops and destination.stops:
            to = min(
                (s for s in destination.stops if s in task.origin.ends[0]),
                key=lambda s: (self._way_to(task, s), destination.stops.index(s)),
            )
            here, there = task.origin.place_beside(to, places), places[to]
        else:
            here, there = origin.place, destination.place
        leg = Leg("walk", here, there, leave, leave + walk_s, walk_m)
        return Journey(leave, leave + walk_s, 0, walk_m, (leg,))

    @staticmethod
    def _way_to(task: _Task, stop: int) -> tuple[int, int]:
        column = int(np.flatnonzero(task.origin.ends[0] == stop)[0])
        return int(task.origin.ends[1, column]), int(task.origin.ends[2, column])


def _utc_date(unix_s: int) -> dt.date:
    return dt.datetime.fromtimestamp(unix_s, dt.UTC).date()


def _check(
    depart: int | None, arrive: int | None, window_s: int | None, max_transfers: int,
    max_travel_s: int,
) -> None:  # fmt: skip
    if (depart is None) == (arrive is None):
        raise UsageError("give either a departure or an arrival")
    if window_s is not None and arrive is not None:
        raise UsageError("a window goes with a departure, not with an arrival")
    if window_s is not None and not 0 < window_s <= LONGEST_WINDOW_S:
        raise UsageError(f"a window of {window_s} s: expected 1 s to 48 h")
    if not 0 <= max_transfers < MAX_ROUNDS:
        raise UsageError(f"{max_transfers} transfers: expected 0 to {MAX_ROUNDS - 1}")
    if not 0 < max_travel_s <= DAY_S:
        raise UsageError(f"a journey of {max_travel_s} s: expected 1 s to 24 h")


def _with_walk(journeys: list[Journey], walk: Journey | None) -> list[Journey]:
    """Add the journey on foot unless a ride without change leaves no earlier, arrives no later."""
    if walk is None or any(
        j.departure >= walk.departure and j.arrival <= walk.arrival and j.transfers == 0
        for j in journeys
    ):
        return journeys
    return sorted([*journeys, walk], key=lambda j: (j.departure, j.arrival, j.transfers))

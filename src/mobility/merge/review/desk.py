"""The reviewer's desk: candidates, their timetables, what an answer changes, answers on file."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from mobility.core.errors import UsageError
from mobility.core.units import distance_m
from mobility.feeds import Decision, Feed, Manifest, Progress
from mobility.merge.ground import Ground
from mobility.merge.meant import TrainFinder
from mobility.merge.merge import lay_ground, merge_feeds
from mobility.merge.region import Region
from mobility.merge.review.candidates import Answer, Candidate, review_candidates
from mobility.merge.review.effects import Effect, compare_regions
from mobility.merge.review.file import Change, DecisionFile

REGIONS_KEPT = 3  # as things stand, with the other answer, and one step back

STAGES = ("tables", "places", "stations", "joins", "trains")  # of `merge_feeds`, in order
QUICK_S = 5.0  # people wait so long without being asked

Counter = Callable[[Region], int]
_State = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RunCall:
    """A call of a trip as its feed lists it; times in seconds from its service day's origin."""

    stop: int
    station: int
    arrival_s: int
    departure_s: int


class Desk:
    """One region under review. Everything it says is of the feeds as they were read.

    Parameters
    ----------
    feeds : sequence of Feed
    manifest : Manifest
        Its own decisions are not looked at: those of the file count.
    file : DecisionFile
    count_footpaths : callable, optional
        How many footpaths a region has.
    progress : Progress, optional
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        manifest: Manifest,
        file: DecisionFile,
        *,
        count_footpaths: Counter | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.feeds = tuple(feeds)
        self.manifest = manifest
        self.file = file
        self.ground: Ground = lay_ground(feeds, manifest)[0]
        self._count_footpaths = count_footpaths
        self._progress = progress
        self._trains = TrainFinder(self.ground)
        self._stop_of, self._trip_of = self.ground.stop_of(), self.ground.trip_of()
        self._regions: OrderedDict[_State, Region] = OrderedDict()
        self._effects: dict[tuple[_State, str], Effect] = {}
        self._changes: list[Change] = []
        self._lock = threading.RLock()
        self._list: tuple[_State, tuple[Candidate, ...]] | None = None
        self._stations = pl.Series(dtype=pl.Int32)  # of each stop, in the merge that is listed
        self.merge_s = 0.0  # how long the last merge took
        self.merged = 1.0  # how much of the merge under way is done
        self.merges = 0  # how many were made in this sitting

    @property
    def quick(self) -> bool:
        """Whether merging takes so short that nobody need be asked before."""
        return self.merge_s <= QUICK_S

    def region(self) -> Region:
        """Return the region as the decisions on file make it."""
        return self._merged(self.file.read())

    def candidates(self) -> tuple[Candidate, ...]:
        """Return all candidates, questions first (`review_candidates`).

        Where merging takes long, answers of this sitting are laid over the last merge.
        """
        decisions = self.file.read()
        state = _state(decisions)
        known = self._list
        if known is not None:
            if known[0] == state:
                return known[1]
            if not self.quick and known[0] <= state:
                return tuple(self._answered(one) for one in known[1])
        return self._listed(decisions)

    def _listed(self, decisions: tuple[Decision, ...]) -> tuple[Candidate, ...]:
        with self._lock:
            region = self._merged(decisions)
            found = review_candidates(region, self.ground)
            self._stations = region.tables["stops"]["station"]
            self._list = (_state(decisions), found)
            return found

    def _answered(self, candidate: Candidate) -> Candidate:
        decision = self.decision_on(candidate)
        if decision is None:
            return candidate
        return replace(candidate, standing="decided", proposal=decision.decision, confidence=1.0)

    def find(self, left: str, right: str) -> Candidate:
        """Return the candidate of two references, in either order.

        Raises
        ------
        UsageError
            No candidate is about both.
        """
        for one in self.candidates():
            if {one.left, one.right} == {left, right}:
                return one
        told = self._told_of(left, right)
        if told is not None:
            return told
        raise UsageError(f"{left} and {right} are no candidate: see mobility merge review --list")

    def decision_on(self, candidate: Candidate) -> Decision | None:
        """Return what the file says of a candidate; the last row counts.

        Words alone count for trains, whose trips are many, and where an id is gone.
        """
        ids, words = {candidate.left, candidate.right}, {candidate.left_is, candidate.right_is}
        own = [one for one in reversed(self.file.read()) if one.kind == candidate.kind]
        for one in own:
            if ids == {one.left, one.right}:
                return one
        for one in own:
            known = candidate.kind == "station" and {one.left, one.right} <= self._stop_of.keys()
            if words == {one.left_is, one.right_is} and not known:
                return one
        return None

    def decide(self, candidate: Candidate, answer: Answer, reason: str) -> Decision:
        """Write an answer to the file."""
        with self._lock:
            decision = candidate.decided(answer, reason)
            self._changes.append(self.file.put(decision))
            return decision

    @property
    def can_undo(self) -> bool:
        """Whether there is an answer of this sitting to take back."""
        return bool(self._changes)

    def undo(self) -> Decision | None:
        """Take the last answer of this sitting back; None where there is none."""
        with self._lock:
            if not self._changes:
                return None
            change = self._changes.pop()
            self.file.take_back(change)
            return change.decision

    def effect(self, candidate: Candidate, answer: Answer) -> Effect:
        """Return what an answer changes: the feeds are merged again with it."""
        with self._lock:
            decisions = self.file.read()
            key = (_state(decisions), f"{candidate.key} {answer}")
            if key not in self._effects:
                before = self._merged(decisions)
                after = self._merged((*decisions, candidate.decided(answer, "")))
                self._effects[key] = compare_regions(before, after, self._count_footpaths)
                if self._list is None or self._list[0] != key[0]:
                    self._listed(decisions)
            return self._effects[key]

    def known_effect(self, candidate: Candidate, answer: Answer) -> Effect | None:
        """Return what an answer changes where it has been worked out already."""
        return self._effects.get((_state(self.file.read()), f"{candidate.key} {answer}"))

    def run(self, trip: int) -> tuple[RunCall, ...]:
        """Return the calls of a trip as its feed lists them."""
        events = self.ground.tables.events
        self.candidates()
        stations = self._stations
        rows = range(int(events.start[trip]), int(events.start[trip + 1]))
        return tuple(
            RunCall(
                stop := int(events.stop[row]),
                stations[stop],
                int(events.arrival_s[row]),
                int(events.departure_s[row]),
            )
            for row in rows
        )

    def trip(self, reference: str) -> int:
        """Return the row of ``feed:trip_id``."""
        return self._trip_of[reference]

    def place(self, reference: str) -> int:
        """Return the place that a stop (``feed:stop_id``) belongs to."""
        return int(self.ground.places.of_stop[self._stop_of[reference]])

    def next_places(self, place: int) -> tuple[int, ...]:
        """Return the places where trains call just before or after a place."""
        events, of_stop = self.ground.tables.events, self.ground.places.of_stop
        here = np.flatnonzero(of_stop[events.stop] == place)
        trips = np.searchsorted(events.start, here, side="right") - 1
        before = here[here > events.start[trips]] - 1
        after = here[here < events.start[trips + 1] - 1] + 1
        near = np.unique(of_stop[events.stop[np.concatenate([before, after])]])
        return tuple(near[near != place].tolist())

    def places_around(self, places: Sequence[int], radius_m: float) -> tuple[int, ...]:
        """Return other places within a radius of the first that has a position, nearest first."""
        known = self.ground.places
        located = [place for place in places if not np.isnan(known.lat[place])]
        if not located:
            return ()
        centre = located[0]
        metres = np.asarray(
            distance_m(float(known.lat[centre]), float(known.lon[centre]), known.lat, known.lon)
        )
        near = np.flatnonzero((metres <= radius_m) & ~known.border_point)
        order = near[np.lexsort((near, metres[near]))]
        return tuple(place for place in order.tolist() if place not in places)

    def train_text(self, trip: int) -> str:
        """Return a trip in words."""
        return self._trains.words(trip).text()

    def _told_of(self, left: str, right: str) -> Candidate | None:
        """Return the candidate that two references of any of its trips or stops mean."""
        rows = self._trip_of
        if left in rows and right in rows:
            words = {self.train_text(rows[left]), self.train_text(rows[right])}
            return next((c for c in self.candidates() if {c.left_is, c.right_is} == words), None)
        stops = self._stop_of
        if left in stops and right in stops:
            of_stop, names = self.ground.places.of_stop, self.ground.references
            roots = {names[int(of_stop[stops[one]])] for one in (left, right)}
            return next((c for c in self.candidates() if {c.left, c.right} == roots), None)
        return None

    def _note(self, stage: str, done: int, total: int) -> None:
        if stage in STAGES:
            self.merged = (STAGES.index(stage) + done / max(total, 1)) / len(STAGES)
        if self._progress is not None:
            self._progress(stage, done, total)

    def _merged(self, decisions: tuple[Decision, ...]) -> Region:
        with self._lock:
            state = _state(decisions)
            if state not in self._regions:
                manifest = self.manifest.model_copy(update={"decisions": decisions})
                began = time.perf_counter()
                self._regions[state] = merge_feeds(self.feeds, manifest, progress=self._note)
                self.merge_s, self.merged = time.perf_counter() - began, 1.0
                self.merges += 1
            self._regions.move_to_end(state)
            while len(self._regions) > REGIONS_KEPT:
                self._regions.popitem(last=False)
            return self._regions[state]


def _state(decisions: tuple[Decision, ...]) -> _State:
    """Return what decisions come to: the last word on each pair, whatever the reasons."""
    last = {(one.kind, frozenset((one.left, one.right))): one for one in decisions}
    return frozenset(
        (one.kind, one.left, one.right, one.decision, one.left_is, one.right_is)
        for one in last.values()
    )

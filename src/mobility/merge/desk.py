"""The reviewer's desk: candidates, their timetables, what an answer changes, answers on file."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mobility.core.errors import UsageError
from mobility.feeds import Decision, Feed, Manifest, Progress
from mobility.merge.decision_file import Change, DecisionFile
from mobility.merge.effects import Effect, compare_regions
from mobility.merge.ground import Ground
from mobility.merge.meant import TrainFinder
from mobility.merge.merge import lay_ground, merge_feeds
from mobility.merge.region import Region
from mobility.merge.review import Answer, Candidate, review_candidates

REGIONS_KEPT = 3  # as things stand, with the other answer, and one step back

Counter = Callable[[Region], int]


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
        self._regions: OrderedDict[tuple[Decision, ...], Region] = OrderedDict()
        self._effects: dict[tuple[tuple[Decision, ...], str], Effect] = {}
        self._changes: list[Change] = []
        self._lock = threading.RLock()
        self._list: tuple[Candidate, ...] = ()
        self._listed_for: tuple[Decision, ...] | None = None

    def region(self) -> Region:
        """Return the region as the decisions on file make it."""
        return self._merged(self.file.read())

    def candidates(self) -> tuple[Candidate, ...]:
        """Return all candidates as things stand, questions first (`review_candidates`)."""
        with self._lock:
            decisions = self.file.read()
            if decisions != self._listed_for:
                self._list = review_candidates(self._merged(decisions), self.ground)
                self._listed_for = decisions
            return self._list

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
        """Return what the file says of a candidate; the last row counts."""
        pair = {candidate.left_is, candidate.right_is}
        for decision in reversed(self.file.read()):
            words = {decision.left_is, decision.right_is}
            ids = {decision.left, decision.right}
            if decision.kind == candidate.kind and (
                words == pair or ids == {candidate.left, candidate.right}
            ):
                return decision
        return None

    def decide(self, candidate: Candidate, answer: Answer, reason: str) -> Decision:
        """Write an answer to the file."""
        with self._lock:
            decision = candidate.decided(answer, reason)
            self._changes.append(self.file.put(decision))
            return decision

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
            key = (decisions, f"{candidate.key} {answer}")
            if key not in self._effects:
                after = self._merged((*decisions, candidate.decided(answer, "")))
                before = self._merged(decisions)
                self._effects[key] = compare_regions(before, after, self._count_footpaths)
            return self._effects[key]

    def known_effect(self, candidate: Candidate, answer: Answer) -> Effect | None:
        """Return what an answer changes where it has been worked out already."""
        return self._effects.get((self.file.read(), f"{candidate.key} {answer}"))

    def run(self, trip: int) -> tuple[RunCall, ...]:
        """Return the calls of a trip as its feed lists them."""
        events = self.ground.tables.events
        stations = self.region().tables["stops"]["station"]
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
        return self.ground.trip_of()[reference]

    def train_text(self, trip: int) -> str:
        """Return a trip in words."""
        return self._trains.words(trip).text()

    def _told_of(self, left: str, right: str) -> Candidate | None:
        """Return the candidate that two references of any of its trips or stops mean."""
        rows = self.ground.trip_of()
        if left in rows and right in rows:
            words = {self.train_text(rows[left]), self.train_text(rows[right])}
            return next((c for c in self.candidates() if {c.left_is, c.right_is} == words), None)
        stops = self.ground.stop_of()
        if left in stops and right in stops:
            of_stop, names = self.ground.places.of_stop, self.ground.references
            roots = {names[int(of_stop[stops[one]])] for one in (left, right)}
            return next((c for c in self.candidates() if {c.left, c.right} == roots), None)
        return None

    def _merged(self, decisions: tuple[Decision, ...]) -> Region:
        with self._lock:
            if decisions not in self._regions:
                manifest = self.manifest.model_copy(update={"decisions": decisions})
                self._regions[decisions] = merge_feeds(
                    self.feeds, manifest, progress=self._progress
                )
            self._regions.move_to_end(decisions)
            while len(self._regions) > REGIONS_KEPT:
                self._regions.popitem(last=False)
            return self._regions[decisions]

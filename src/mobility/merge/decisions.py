"""What people stated of stations and trains, as indices of this build's rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mobility.core.ids import split_reference
from mobility.core.notices import Notice
from mobility.feeds import Decision
from mobility.merge.ground import Ground
from mobility.merge.meant import Found, StationFinder, TrainFinder
from mobility.merge.pairs import ListedPair
from mobility.merge.schedules import number_codes

Int32s = npt.NDArray[np.int32]


def stale(reference: str, file: str = "decisions.csv") -> Notice:
    """Return the notice of a statement that names nothing in this build."""
    return Notice(
        "decision_without_object",
        "warning",
        file=file,
        value=reference,
        message="names nothing in the feeds of this build; passed over",
    )


def _lost(decision: Decision, side: str, found: Found) -> Notice:
    """Return the notice of a decision of which one side is not to be found."""
    reference, text = getattr(decision, side), getattr(decision, f"{side}_is")
    what = "means several things" if found.several else "means nothing"
    said = f"{what} in the feeds of this build; the decision is passed over"
    if text:
        said = f"{text!r} {said}"
    return replace(stale(reference), message=said)


def _found_again(reference: str, text: str) -> Notice:
    return Notice(
        "decision_found_again",
        "info",
        file="decisions.csv",
        value=reference,
        message=f"the id means something else now; found by {text!r}",
    )


def _overruled(decision: Decision) -> Notice:
    """Return the notice of a row that decides otherwise than an earlier one."""
    return Notice(
        "decision_overruled",
        "info",
        file="decisions.csv",
        value=f"{decision.left} {decision.right}",
        message="an earlier row decides otherwise; this one holds",
    )


def _sides(
    decision: Decision, finder: StationFinder | TrainFinder, notices: list[Notice]
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the rows of both sides of a decision, None where one is not to be found (told)."""
    found = {side: finder.find(getattr(decision, side), getattr(decision, f"{side}_is"))
             for side in ("left", "right")}  # fmt: skip
    for side, one in found.items():
        if not one.rows:
            notices.append(_lost(decision, side, one))
            return None
    for side, one in found.items():
        if one.by_words:
            notices.append(_found_again(getattr(decision, side), getattr(decision, f"{side}_is")))
    return found["left"].rows, found["right"].rows


def station_decisions(
    ground: Ground, notices: list[Notice]
) -> dict[tuple[int, int], tuple[str, str]]:
    """Return decisions on pairs of places (left < right): what and why; tells lost ones."""
    wanted = [decision for decision in ground.manifest.decisions if decision.kind == "station"]
    found: dict[tuple[int, int], tuple[str, str]] = {}
    if not wanted:
        return found
    finder = StationFinder(ground)
    for decision in wanted:
        sides = _sides(decision, finder, notices)
        if sides is None:
            continue
        left, right = sorted((sides[0][0], sides[1][0]))
        if left != right:
            earlier = found.get((left, right))
            if earlier is not None and earlier[0] != decision.decision:
                notices.append(_overruled(decision))
            found[left, right] = (decision.decision, decision.reason)
    return found


class TripDecisions(Mapping[tuple[int, int], tuple[str, str]]):
    """What was decided on pairs of trips (left < right) and why; later rows beat earlier ones.

    A decision holds for every trip of its two trains: pairs are looked up, never listed.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[frozenset[int], frozenset[int], tuple[str, str]]] = []
        self._names: list[str] = []
        self._of_trip: dict[int, list[int]] = {}

    def add(
        self, left: Iterable[int], right: Iterable[int], decided: tuple[str, str], name: str = ""
    ) -> None:
        """Take note of a decision on two sets of trips; the name is for `unheeded`."""
        sides = frozenset(left), frozenset(right)
        for trip in sides[0] | sides[1]:
            self._of_trip.setdefault(trip, []).append(len(self._rows))
        self._rows.append((*sides, decided))
        self._names.append(name)

    def together(self) -> Iterator[tuple[frozenset[int], frozenset[int]]]:
        """Yield both sides of every decision that two trains are one."""
        return ((left, right) for left, right, (what, _) in self._rows if what == "same")

    def unheeded(self, joined: Iterable[tuple[int, int]]) -> list[Notice]:
        """Return notices of trains decided as the same of which no two trips were joined."""
        heeded = set()
        for a, b in joined:
            for at in self._of_trip.get(a, ()):
                left, right, _ = self._rows[at]
                if (a in left and b in right) or (a in right and b in left):
                    heeded.add(at)
        return [
            Notice(
                *("decision_without_effect", "warning"),
                file="decisions.csv",
                value=name,
                message="one train, it says; they share no day, or their calls contradict that",
            )
            for at, (name, row) in enumerate(zip(self._names, self._rows, strict=True))
            if row[2][0] == "same" and at not in heeded
        ]

    def touches(self, trip: int) -> bool:
        """Whether anything was decided about the trip."""
        return trip in self._of_trip

    def __getitem__(self, pair: tuple[int, int]) -> tuple[str, str]:
        a, b = pair
        for at in reversed(self._of_trip.get(a, ())):
            left, right, decided = self._rows[at]
            if (a in left and b in right) or (a in right and b in left):
                return decided
        raise KeyError(pair)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        seen = {
            (min(a, b), max(a, b)) for left, right, _ in self._rows for a in left for b in right
        }
        return iter(sorted(seen))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self._rows)


def trip_decisions(ground: Ground, notices: list[Notice]) -> TripDecisions:
    """Return the decisions on trains, for all trips that are the same schedule; tells lost ones."""
    wanted = [decision for decision in ground.manifest.decisions if decision.kind == "train"]
    found = TripDecisions()
    if not wanted:
        return found
    finder = TrainFinder(ground)
    for decision in wanted:
        sides = _sides(decision, finder, notices)
        if sides is not None:
            first = min(sides[0][0], sides[1][0]), max(sides[0][0], sides[1][0])
            if found.get(first, (decision.decision,))[0] != decision.decision:
                notices.append(_overruled(decision))
            name = f"{decision.left} {decision.right}"
            found.add(*sides, (decision.decision, decision.reason), name)
    return found


def listed_pairs(
    ground: Ground, station_of_place: Int32s, notices: list[Notice]
) -> list[ListedPair]:
    """Return the manifest's hand-overs, each with the smaller feed index on the left."""
    if not ground.manifest.hand_overs:
        return []
    stops = ground.stop_of()
    codes = number_codes(ground.tables.trips["number"])
    known = {
        (feed, number): int(code)
        for feed, number, code in zip(
            ground.tables.trips["feed"], ground.tables.trips["number"], codes, strict=True
        )
    }
    found = []
    for pair in ground.manifest.hand_overs:
        stop = stops.get(pair.station)
        sides = []
        for reference in (pair.left, pair.right):
            feed, number = split_reference(reference, ground.ids)
            index = ground.ids.index(feed) if feed is not None else -1
            sides.append((index, known.get((index, number))))
        (left, left_code), (right, right_code) = sorted(sides, key=lambda side: side[0])
        if stop is None or left_code is None or right_code is None:
            notices.append(stale(f"{pair.left} {pair.right} {pair.station}"))
            continue
        station = int(station_of_place[ground.places.of_stop[stop]])
        found.append(ListedPair(left, left_code, right, right_code, station))
    return found

"""What people stated of stations and trains, as indices of this build's rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mobility.core.ids import split_reference
from mobility.core.notices import Notice
from mobility.merge.ground import Ground
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


def station_decisions(
    ground: Ground, notices: list[Notice]
) -> dict[tuple[int, int], tuple[str, str]]:
    """Return decisions on pairs of places (left < right): what and why; tells stale ones."""
    rows = ground.stop_of() if ground.manifest.decisions else {}
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for decision in ground.manifest.decisions:
        if decision.kind != "station":
            continue
        pair = [rows.get(reference) for reference in (decision.left, decision.right)]
        if pair[0] is None or pair[1] is None:
            notices.append(stale(decision.left if pair[0] is None else decision.right))
            continue
        left, right = sorted(int(ground.places.of_stop[stop]) for stop in pair if stop is not None)
        if left != right:
            found[left, right] = (decision.decision, decision.reason)
    return found


def trip_decisions(ground: Ground, notices: list[Notice]) -> dict[tuple[int, int], tuple[str, str]]:
    """Return decisions on pairs of trips (left < right): what and why; tells stale ones."""
    wanted = [decision for decision in ground.manifest.decisions if decision.kind == "train"]
    rows = ground.trip_of() if wanted else {}
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for decision in wanted:
        left, right = rows.get(decision.left), rows.get(decision.right)
        if left is None or right is None:
            notices.append(stale(decision.left if left is None else decision.right))
            continue
        found[min(left, right), max(left, right)] = (decision.decision, decision.reason)
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

"""What the review shows of a candidate: names, evidence, plan, timetables side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mobility.merge.review.candidates import Candidate
from mobility.merge.review.desk import Desk
from mobility.web.catalogue import Catalogue
from mobility.web.miniature import Spot, Track, draw_map
from mobility.web.review_words import candidate_sentences
from mobility.web.sidebyside import ListedCall, Timetable, pair_timetables
from mobility.web.view import date_text

Document = dict[str, Any]
TRAINS_SHOWN = 60
AROUND_M = 1_500.0
NAMED_AROUND = 3
NAMES_HIGH, NAMES_WIDE = 12, 3  # so many names fit on a plan one above, one beside the other


def candidate_document(desk: Desk, candidate: Candidate, strings: Catalogue) -> Document:
    """Return a candidate for the list: names, standing, numbers in words."""
    decision = desk.decision_on(candidate)
    return {
        "key": candidate.key,
        "kind": candidate.kind,
        "names": [side_name(candidate.left_is), side_name(candidate.right_is)],
        "references": [candidate.left, candidate.right],
        "standing": candidate.standing,
        "proposal": candidate.proposal,
        "confidence": candidate.confidence,
        "relation": strings.text(f"review.relation.{candidate.relation}")
        if candidate.relation
        else "",
        "runs": strings.count("review.runs", candidate.runs),
        "days": strings.count("review.days", candidate.days) if candidate.days else "",
        "sentences": candidate_sentences(candidate, strings),
        "decision": decision,
    }


def side_name(words: str) -> str:
    """Return a side's name for people: a station without its position.

    >>> side_name("Neustadt Hbf @ 47.50000,7.25000"), side_name("7 | A 08:00 → B 09:00")
    ('Neustadt Hbf', '7 · A 08:00 → B 09:00')
    """
    return words.rpartition(" @ ")[0] if " @ " in words else words.replace(" | ", " · ", 1)


def candidate_page(desk: Desk, candidate: Candidate, strings: Catalogue) -> Document:
    """Return a candidate with its plan and both timetables."""
    own = candidate_document(desk, candidate, strings)
    if candidate.kind == "train":
        trips = desk.trip(candidate.left), desk.trip(candidate.right)
        left, right = (timetable_of(desk, trip) for trip in trips)
        plan = _train_map(desk, trips, strings)
        pair = pair_timetables(left, right, strings)
        return {**own, "map": plan, "pair": pair, "trains_at": None}
    places = desk.place(candidate.left), desk.place(candidate.right)
    plan = _station_map(desk, places, strings)
    return {**own, "map": plan, "pair": None, "trains_at": trains_at(desk, places, strings)}


def timetable_of(desk: Desk, trip: int) -> Timetable:
    """Return a trip's timetable, times as its own feed counts them."""
    tables = desk.ground.tables
    stops, feed = tables.stops, int(tables.trip_feed[trip])
    calls, run = [], desk.run(trip)
    for at, call in enumerate(run):
        stop = stops.row(call.stop, named=True)
        border = bool(stop["border_point"])
        calls.append(
            ListedCall(
                # A border point is nobody's station: it stands alone in its feed's column.
                station=f"border {feed} {call.stop}" if border else str(call.station),
                name=stop["stop_name"] or stop["stop_id"],
                arrival=_clock(call.arrival_s) if at else "",
                departure=_clock(call.departure_s) if at < len(run) - 1 else "",
                platform=stop["platform_code"] or "",
                border=border,
            )
        )
    own = desk.ground.feeds[feed]
    agency = tables.routes["agency"][int(tables.trips["route"][trip])]
    about = " · ".join((own.config.id, tables.agencies["agency_name"][agency], own.zone))
    return Timetable(side_name(desk.train_text(trip)), about, tuple(calls))


def _clock(seconds: int) -> str:
    """Return the time of day; a later day than the service day is told.

    >>> _clock(8 * 3600 + 300), _clock(32 * 3600)
    ('08:05', '08:00 +1')
    """
    days, rest = divmod(seconds // 60, 24 * 60)
    return f"{rest // 60:02d}:{rest % 60:02d}" + (f" +{days}" if days else "")


def trains_at(desk: Desk, places: tuple[int, int], strings: Catalogue) -> Document:
    """Return the trains at two places on the day on which both see most, minute by minute.

    Rows have ``time``, ``sides`` (texts of the trains then) and ``common``.
    """
    calls = [_calls_at(desk, place) for place in places]
    per_day = [_trains_per_day(desk, trips) for trips, _ in calls]
    both = np.minimum(*per_day)
    day = int(np.argmax(both if both.any() else np.maximum(*per_day)))
    rows: dict[int, list[list[str]]] = {}
    for side, (trips, seconds) in enumerate(calls):
        for trip, second in zip(trips.tolist(), seconds.tolist(), strict=True):
            if _runs_on(desk, trip, day):
                row = rows.setdefault(second // 60, [[], []])
                row[side].append(side_name(desk.train_text(trip)))
    date = desk.ground.days.first + dt.timedelta(days=day)
    shown = sorted(rows.items())
    return {
        "title": strings.text("review.trains_at", date=date_text(date.isoformat(), strings)),
        "sides": [
            f"{_place_name(desk, place)} ({desk.ground.ids[int(desk.ground.places.feed[place])]})"
            for place in places
        ],
        "rows": [
            {
                "time": _clock(minute * 60),
                "sides": [sorted(set(one)) for one in sides],
                "common": all(sides),
            }
            for minute, sides in shown[:TRAINS_SHOWN]
        ],
        "cut": strings.text("review.trains_at.cut", n=TRAINS_SHOWN)
        if len(shown) > TRAINS_SHOWN
        else "",
    }


def _calls_at(desk: Desk, place: int) -> tuple[np.ndarray, np.ndarray]:
    """Return trips that call at a place and when they depart, in seconds of their service day."""
    ground = desk.ground
    events = ground.tables.events
    rows = np.flatnonzero(ground.places.of_stop[events.stop] == place)
    trips = np.searchsorted(events.start, rows, side="right") - 1
    return trips, events.departure_s[rows]


def _trains_per_day(desk: Desk, trips: np.ndarray) -> np.ndarray:
    services = desk.ground.tables.trip_service[trips]
    counts: np.ndarray = desk.ground.days.rows[services[services >= 0]].sum(axis=0)
    return counts


def _runs_on(desk: Desk, trip: int, day: int) -> bool:
    service = int(desk.ground.tables.trip_service[trip])
    return service >= 0 and bool(desk.ground.days.rows[service, day])


def _place_name(desk: Desk, place: int) -> str:
    stops, root = desk.ground.tables.stops, int(desk.ground.places.root[place])
    return str(stops["stop_name"][root] or stops["stop_id"][root])


def _position(desk: Desk, place: int) -> tuple[float, float] | None:
    lat, lon = float(desk.ground.places.lat[place]), float(desk.ground.places.lon[place])
    return None if np.isnan(lat) or np.isnan(lon) else (lat, lon)


def _station_map(desk: Desk, places: tuple[int, int], strings: Catalogue) -> Document | None:
    spots = [
        Spot(*position, _place_name(desk, place), side)
        for side, place in enumerate(places)
        if (position := _position(desk, place)) is not None
    ]
    if not spots:
        return None
    around = desk.places_around(places, AROUND_M)
    for rank, place in enumerate(around):
        position = _position(desk, place)
        if position is not None:
            name = _place_name(desk, place)
            spots.append(Spot(*position, name if rank < NAMED_AROUND else "", minor=True))
    tracks = [
        Track((here, there), side)
        for side, place in enumerate(places)
        if (here := _position(desk, place)) is not None
        for other in desk.next_places(place)
        if (there := _position(desk, other)) is not None
    ]
    return draw_map(spots, strings, tracks=tracks)


def _train_map(desk: Desk, trips: tuple[int, int], strings: Catalogue) -> Document | None:
    runs = [
        [int(desk.ground.places.of_stop[call.stop]) for call in desk.run(trip)] for trip in trips
    ]
    stations = [{call.station for call in desk.run(trip)} for trip in trips]
    shared = stations[0] & stations[1]
    spots, tracks = [], []
    for side, (trip, run) in enumerate(zip(trips, runs, strict=True)):
        line = [position for place in run if (position := _position(desk, place)) is not None]
        tracks.append(Track(tuple(line), side))
        for at, (call, place) in enumerate(zip(desk.run(trip), run, strict=True)):
            position = _position(desk, place)
            if position is None or (side == 1 and call.station in shared):
                continue
            is_end = at in (0, len(run) - 1)
            own_side = 2 if call.station in shared else side
            name = _place_name(desk, place) if is_end or call.station in shared else ""
            spots.append(Spot(*position, name, own_side, minor=not name))
    plan = draw_map(_thinned(spots), strings, tracks=tracks)
    common = list(dict.fromkeys(spot.label for spot in spots if spot.side == 2 and spot.label))
    left, right = (side_name(desk.train_text(trip)) for trip in trips)
    key = "review.map.trains" if common else "review.map.trains.none"
    said = strings.text(key, left=left, right=right, names=", ".join(common).rstrip("."))
    return plan and {**plan, "text": said}


def _thinned(spots: Sequence[Spot]) -> list[Spot]:
    """Return the spots without the names that would cover up another: those of the ends stay."""
    if not spots:
        return []
    high = max(spot.lat for spot in spots) - min(spot.lat for spot in spots)
    wide = max(spot.lon for spot in spots) - min(spot.lon for spot in spots)
    named: list[Spot] = []
    out = []
    for spot in spots:
        covered = any(
            abs(spot.lat - other.lat) <= high / NAMES_HIGH
            and abs(spot.lon - other.lon) <= wide / NAMES_WIDE
            for other in named
        )
        if spot.label and not covered:
            named.append(spot)
        out.append(replace(spot, label="") if spot.label and covered else spot)
    return out

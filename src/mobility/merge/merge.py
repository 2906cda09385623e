"""Merge: several feeds become one region."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.errors import ManifestError
from mobility.core.ids import split_reference
from mobility.core.notices import Notice
from mobility.feeds import Feed, Manifest, Progress
from mobility.merge.calendar import Days, region_days, zone_origins
from mobility.merge.joins import Judge, Judgement, pair_days, relation_evidence
from mobility.merge.names import Exonyms, find_exonym_files, read_exonyms
from mobility.merge.pairs import ListedPair, relate_feeds
from mobility.merge.places import (
    RAIL,
    Forms,
    Places,
    find_places,
    mode_kinds,
    place_forms,
    route_mode,
)
from mobility.merge.region import JOINED_KINDS, FeedInfo, Region
from mobility.merge.region_stations import (
    StationCountries,
    build_stations,
    finish_stops,
    number_stations,
    place_references,
    stop_zones,
)
from mobility.merge.schedules import Schedules, build_schedules, number_codes
from mobility.merge.splice import Splicer
from mobility.merge.stations import Match, evidence_json, find_candidates, match_stations
from mobility.merge.tables import Assembled, assemble
from mobility.merge.timeline import TripCalls
from mobility.merge.trains import TrainTables, build_trains
from mobility.merge.votes import count_neighbours, count_votes, votable

VOTE_ROUNDS_MAX = 3

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every step of one merge stands on."""

    feeds: tuple[Feed, ...]
    ids: tuple[str, ...]
    manifest: Manifest
    days: Days
    tables: Assembled
    places: Places
    references: list[str]
    origins: list[Int64s]

    def stop_of(self) -> dict[str, int]:
        """Return the row of each ``feed:stop_id``."""
        rows = zip(self.tables.stops["feed"], self.tables.stops["stop_id"], strict=True)
        return {f"{self.ids[feed]}:{stop}": row for row, (feed, stop) in enumerate(rows)}

    def trip_of(self) -> dict[str, int]:
        """Return the row of each ``feed:trip_id``."""
        rows = zip(self.tables.trips["feed"], self.tables.trips["trip_id"], strict=True)
        return {f"{self.ids[feed]}:{trip}": row for row, (feed, trip) in enumerate(rows)}


def merge_feeds(
    feeds: Sequence[Feed],
    manifest: Manifest,
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    join: bool = True,
    progress: Progress | None = None,
) -> Region:
    """Return the region that several feeds make: stations, trains and where each row came from.

    Parameters
    ----------
    feeds : sequence of Feed
        In any order; ids must differ.
    manifest : Manifest
    first, last : date, optional
        Horizon, both inclusive; by default from the first to the last day of any feed.
    join : bool
        False keeps stations and trains of different feeds apart.
    progress : Progress, optional

    Raises
    ------
    ManifestError
        No feed, or two of the same id.
    InputError
        The last day lies before the first.
    """
    tell = progress or _silent
    several = join and len(feeds) > 1
    ground, looped, forms = _lay_ground(feeds, manifest, first, last, tell, described=several)
    notices: list[Notice] = [notice for feed in ground.feeds for notice in feed.notices]
    notices += _loop_notices(ground, looped)
    tell("stations", 0, 1)
    solved = _Solved(*number_stations(np.arange(len(ground.places))), [], None)
    if several:
        solved = _solve_stations(ground, forms, notices)
    station_of_place = solved.station_of_place
    splicer, judge = _join_trains(ground, solved, notices, tell)
    tell("trains", 0, 1)
    trains = _build_trains(ground, splicer)
    notices += _never_notices(ground, trains.never)
    tables = _region_tables(ground, station_of_place, looped, trains, solved.matches)
    tables["train_matches"], counts = _train_matches(ground, splicer, judge)
    tell("trains", 1, 1)
    return Region(
        manifest=manifest,
        feeds=tuple(_feed_info(feed) for feed in ground.feeds),
        first_date=ground.days.first,
        days=_frozen(trains.days),
        coverage=_frozen(_coverage(ground)),
        tables=tables,
        notices=tuple(notices),
        train_counts=counts,
    )


def _silent(stage: str, done: int, total: int) -> None:
    """Take no note of progress."""


def _frozen(array: Bools) -> Bools:
    array.setflags(write=False)
    return array


def _lay_ground(
    feeds: Sequence[Feed],
    manifest: Manifest,
    first: dt.date | None,
    last: dt.date | None,
    tell: Progress,
    *,
    described: bool,
) -> tuple[_Ground, Int64s, tuple[Forms, ...]]:
    ordered = tuple(sorted(feeds, key=lambda feed: feed.config.id))
    ids = tuple(feed.config.id for feed in ordered)
    if not ids:
        raise ManifestError("a region needs at least one feed")
    if len(set(ids)) < len(ids):
        raise ManifestError(f"two feeds have the same id: {', '.join(ids)}")
    tell("tables", 0, 1)
    days = region_days(ordered, first, last)
    tables = assemble(ordered, days)
    tell("places", 0, 1)
    exonyms: Exonyms = read_exonyms(*find_exonym_files(manifest.folder))
    places, looped = find_places(tables, exonyms, described=described)
    ground = _Ground(
        feeds=ordered,
        ids=ids,
        manifest=manifest,
        days=days,
        tables=tables,
        places=places,
        references=place_references(tables.stops, places, ids),
        origins=[zone_origins(feed.zone, days.first, days.n_days) for feed in ordered],
    )
    return ground, looped, place_forms(places, exonyms) if described else ()


def _loop_notices(ground: _Ground, looped: Int64s) -> list[Notice]:
    ids = ground.tables.stops["stop_id"].to_list()
    feeds = ground.tables.stops["feed"].to_list()
    return [
        Notice(
            *("parent_station_loop", "warning", ground.ids[feeds[stop]], "stops.txt"),
            field="parent_station",
            value=str(ids[stop]),
            message="parents form a loop; cut",
        )
        for stop in looped.tolist()
    ]


def _station_decisions(
    ground: _Ground, notices: list[Notice]
) -> dict[tuple[int, int], tuple[str, str]]:
    rows = ground.stop_of() if ground.manifest.decisions else {}
    found = {}
    for decision in ground.manifest.decisions:
        if decision.kind != "station":
            continue
        pair = [rows.get(reference) for reference in (decision.left, decision.right)]
        if pair[0] is None or pair[1] is None:
            notices.append(_stale(decision.left if pair[0] is None else decision.right))
            continue
        left, right = sorted(int(ground.places.of_stop[stop]) for stop in pair if stop is not None)
        if left != right:
            found[left, right] = (decision.decision, decision.reason)
    return found


def _stale(reference: str) -> Notice:
    return Notice(
        "decision_without_object",
        "warning",
        file="decisions.csv",
        value=reference,
        message="names nothing in the feeds of this build; passed over",
    )


@dataclass(frozen=True, slots=True)
class _Solved:
    """Stations, how they came about, and the schedules on them (None: feeds stay apart)."""

    station_of_place: Int32s
    members: list[Int64s]
    matches: list[Match]
    schedules: Schedules | None


def _solve_stations(ground: _Ground, forms: Sequence[Forms], notices: list[Notice]) -> _Solved:
    """Return the stations: match, let the timetable vote, match again."""
    decisions = _station_decisions(ground, notices)
    votes: dict[tuple[int, int], tuple[int, int]] = {}
    for _ in range(VOTE_ROUNDS_MAX):
        candidates = find_candidates(ground.places, forms, votes, sorted(decisions))
        station, matches = match_stations(ground.places, candidates, decisions, ground.references)
        station_of_place, members = number_stations(station)
        schedules = _schedules(ground, station_of_place, members)
        pairs = votable(candidates, ground.places, station)
        calls = _place_of_call(ground, station_of_place, schedules)
        trains = count_votes(pairs, schedules, calls, ground.origins)
        neighbours = count_neighbours(pairs, schedules, calls)
        counted = {
            pair: (trains.get(pair, 0), neighbours.get(pair, 0))
            for pair in sorted({*trains, *neighbours})
        }
        if all(votes.get(pair) == count for pair, count in counted.items()):
            break
        votes |= counted
    return _Solved(station_of_place, members, matches, schedules)


def _schedules(ground: _Ground, station_of_place: Int32s, members: Sequence[Int64s]) -> Schedules:
    tables = ground.tables
    station_of_stop = station_of_place[ground.places.of_stop].astype(np.int32)
    station_of_stop[tables.stops["border_point"].to_numpy()] = -1
    shared = np.array([len(set(ground.places.feed[own].tolist())) > 1 for own in members], np.bool_)
    return build_schedules(
        tables.events,
        station_of_stop[tables.events.stop],
        shared,
        tables.trip_feed,
        number_codes(tables.trips["number"]),
        tables.trip_service,
        ground.days.rows,
    )


def _place_of_call(ground: _Ground, station_of_place: Int32s, schedules: Schedules) -> Int32s:
    """Return the place behind each call: the first of its feed in the station."""
    places = np.arange(len(ground.places))[::-1]
    n_stations = int(station_of_place.max(initial=-1)) + 1
    table = np.full((len(ground.feeds), n_stations), -1, np.int32)
    table[ground.places.feed[places], station_of_place[places]] = places
    feed_of_call = np.repeat(schedules.feed, np.diff(schedules.start))
    found: Int32s = table[feed_of_call, schedules.station]
    return found


def _listed_pairs(
    ground: _Ground, station_of_place: Int32s, notices: list[Notice]
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
            notices.append(_stale(f"{pair.left} {pair.right} {pair.station}"))
            continue
        station = int(station_of_place[ground.places.of_stop[stop]])
        found.append(ListedPair(left, left_code, right, right_code, station))
    return found


def _trip_decisions(
    ground: _Ground, notices: list[Notice]
) -> dict[tuple[int, int], tuple[str, str]]:
    wanted = [decision for decision in ground.manifest.decisions if decision.kind == "train"]
    rows = ground.trip_of() if wanted else {}
    found = {}
    for decision in wanted:
        left, right = rows.get(decision.left), rows.get(decision.right)
        if left is None or right is None:
            notices.append(_stale(decision.left if left is None else decision.right))
            continue
        found[min(left, right), max(left, right)] = (decision.decision, decision.reason)
    return found


def _join_trains(
    ground: _Ground, solved: _Solved, notices: list[Notice], tell: Progress
) -> tuple[Splicer, Judge | None]:
    schedules = solved.schedules
    calls = _TripCallsOf(ground, solved.station_of_place)
    splicer = Splicer(calls, _StationCodes(ground, solved.members), ground.days.n_days)
    if schedules is None:
        return splicer, None
    modes = np.array([route_mode(kind) for kind in ground.tables.routes["route_type"]], np.int32)
    kinds = mode_kinds(modes)
    judge = Judge(
        schedules,
        ground.days.rows,
        ground.tables.trip_service,
        kinds[ground.tables.trips["route"].to_numpy()],
        RAIL,
        _trip_decisions(ground, notices),
    )
    listed = _listed_pairs(ground, solved.station_of_place, notices)
    n_feeds = len(ground.feeds)
    pairs = [(left, right) for left in range(n_feeds) for right in range(left + 1, n_feeds)]
    for done, (left, right) in enumerate(pairs):
        tell("joins", done, len(pairs))
        own = [pair for pair in listed if (pair.left_feed, pair.right_feed) == (left, right)]
        origins = ground.origins[left], ground.origins[right]
        judge.hear(relate_feeds(schedules, left, right, origins, own))
    splicer.splice(judge.joins)
    return splicer, judge


def _country_codes(ground: _Ground) -> dict[str | None, int]:
    """Return a code per country of the feeds."""
    countries = {feed.config.country for feed in ground.feeds if feed.config.country is not None}
    return {country: code for code, country in enumerate(sorted(countries))}


class _StationCodes(dict[int, int]):
    """Country code per station, found when first asked; -1 where unknown or no feed's."""

    def __init__(self, ground: _Ground, members: list[Int64s]) -> None:
        super().__init__()
        configs = [feed.config for feed in ground.feeds]
        self.codes = _country_codes(ground)
        self.said = StationCountries(
            ground.places,
            members,
            [config.country for config in configs],
            [config.precedence for config in configs],
        )

    def __missing__(self, station: int) -> int:
        code = self[station] = self.codes.get(self.said.country(station), -1)
        return code


class _TripCallsOf:
    """Looks up the calls of a trip; remembers them."""

    def __init__(self, ground: _Ground, station_of_place: Int32s) -> None:
        self.ground = ground
        self.known: dict[int, TripCalls] = {}
        self.contents: dict[tuple[object, ...], int] = {}
        self.station = station_of_place[ground.places.of_stop].astype(np.int32)
        self.station[ground.tables.stops["border_point"].to_numpy()] = -1
        self.codes = _country_codes(ground)

    def __call__(self, trip: int) -> TripCalls:
        found = self.known.get(trip)
        if found is None:
            found = self.known[trip] = self._read(trip)
        return found

    def _read(self, trip: int) -> TripCalls:
        events = self.ground.tables.events
        rows = slice(int(events.start[trip]), int(events.start[trip + 1]))
        feed = int(self.ground.tables.trip_feed[trip])
        config = self.ground.feeds[feed].config
        columns = (
            *(events.stop, events.arrival_s, events.departure_s),
            *(events.pickup_type, events.drop_off_type, events.sequence),
        )
        key = (feed, *(column[rows].tobytes() for column in columns))
        return TripCalls(
            trip=trip,
            feed=feed,
            country=self.codes.get(config.country, -1),
            precedence=config.precedence,
            content=self.contents.setdefault(key, len(self.contents)),
            station=self.station[events.stop[rows]].tolist(),
            stop=events.stop[rows].tolist(),
            arrival_s=events.arrival_s[rows].tolist(),
            departure_s=events.departure_s[rows].tolist(),
            pickup_type=events.pickup_type[rows].tolist(),
            drop_off_type=events.drop_off_type[rows].tolist(),
            sequence=events.sequence[rows].tolist(),
        )


def _build_trains(ground: _Ground, splicer: Splicer) -> TrainTables:
    zones = [feed.zone for feed in ground.feeds]
    return build_trains(
        ground.tables.events,
        ground.tables.trip_service,
        ground.days.rows,
        ground.tables.stops["border_point"].to_numpy(),
        [zones[feed] for feed in ground.tables.trip_feed.tolist()],
        splicer.trains,
        splicer.used,
    )


def _never_notices(ground: _Ground, never: Bools) -> list[Notice]:
    counts = np.bincount(ground.tables.trip_feed[never], minlength=len(ground.feeds))
    out = [
        Notice(
            *("trip_without_service_days", "info", ground.ids[feed], "trips.txt"),
            message="trips run on no day of the horizon; left out of the trains",
            count=int(count),
        )
        for feed, count in enumerate(counts.tolist())
        if count
    ]
    if ground.days.cut:
        out.append(
            Notice(
                *("horizon_cut", "warning"),
                value=str(ground.days.n_days),
                message="the feeds claim more days than an edition holds; later days are left out",
            )
        )
    return out


def _region_tables(
    ground: _Ground,
    station_of_place: Int32s,
    looped: Int64s,
    trains: TrainTables,
    matches: Sequence[Match],
) -> dict[str, pl.DataFrame]:
    zones = [feed.zone for feed in ground.feeds]
    stops = ground.tables.stops
    return {
        "agencies": ground.tables.agencies,
        "stops": finish_stops(
            stops, ground.places, station_of_place, stop_zones(stops, zones), looped
        ),
        "stations": build_stations(
            stops,
            ground.places,
            station_of_place,
            ground.references,
            [feed.config.precedence for feed in ground.feeds],
            zones,
        ),
        "station_matches": _station_matches(ground, matches),
        "routes": ground.tables.routes,
        "trips": ground.tables.trips,
        "trains": trains.trains,
        "stop_times": trains.stop_times,
        "sections": trains.sections,
        **ground.tables.others,
    }


def _station_matches(ground: _Ground, matches: Sequence[Match]) -> pl.DataFrame:
    rows = [
        (
            ground.references[match.left],
            ground.references[match.right],
            _station_decision(match),
            round(match.confidence, 3),
            evidence_json(match.evidence),
        )
        for match in matches
    ]
    schema = {
        **dict.fromkeys(("left", "right", "decision"), pl.String),
        "confidence": pl.Float64,
        "evidence": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("left", "right")


def _station_decision(match: Match) -> str:
    return "same" if match.accepted else "different"


def _train_matches(
    ground: _Ground, splicer: Splicer, judge: Judge | None
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the `train_matches` table and the number of joined pairs of trips per kind."""
    told: list[Judgement] = list(judge.rejected) if judge is not None else []
    counts = dict.fromkeys(JOINED_KINDS, 0)
    days = pair_days(judge.joins) if judge is not None else {}
    for (left, right), (join, decision) in sorted(splicer.kept.items()):
        kind = join.relation.kind
        counts[kind] = counts.get(kind, 0) + 1
        evidence = relation_evidence(join.relation)
        told.append(
            Judgement(left, right, kind, days[left, right], decision, join.confidence, evidence)
        )
    ids, numbers = ground.tables.trips["trip_id"].to_list(), ground.tables.trips["number"].to_list()
    feeds = ground.tables.trip_feed.tolist()
    rows = [
        (
            f"{ground.ids[feeds[one.left]]}:{ids[one.left]}",
            f"{ground.ids[feeds[one.right]]}:{ids[one.right]}",
            *(one.kind, one.days, one.decision, round(one.confidence, 3)),
            evidence_json({**one.evidence, "numbers": [numbers[one.left], numbers[one.right]]}),
        )
        for one in told
    ]
    schema = {
        **dict.fromkeys(("left_trip", "right_trip", "kind"), pl.String),
        "days": pl.Int32,
        "decision": pl.String,
        "confidence": pl.Float64,
        "evidence": pl.String,
    }
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.sort("left_trip", "right_trip", "kind", "decision"), counts


def _coverage(ground: _Ground) -> Bools:
    """Return per feed and day whether the feed is valid and at least one of its trips runs."""
    out = np.zeros((len(ground.feeds), ground.days.n_days), np.bool_)
    dates = [ground.days.first + dt.timedelta(days=day) for day in range(ground.days.n_days)]
    for index, feed in enumerate(ground.feeds):
        services = ground.tables.trip_service[ground.tables.trip_feed == index]
        services = np.unique(services[services >= 0])
        valid = np.array([feed.valid_from <= date <= feed.valid_until for date in dates])
        out[index] = ground.days.rows[services].any(axis=0) & valid
    return out


def _feed_info(feed: Feed) -> FeedInfo:
    agencies = feed.tables["agency"]
    published = feed.tables.get("feed_info")
    name = feed.config.id
    if agencies.height and agencies["agency_name"][0]:
        name = str(agencies["agency_name"][0])
    if published is not None and published.height and published["feed_publisher_name"][0]:
        name = str(published["feed_publisher_name"][0])
    return FeedInfo(
        id=feed.config.id,
        version=feed.version,
        country=feed.config.country,
        zone=feed.zone,
        valid_from=feed.valid_from,
        valid_until=feed.valid_until,
        precedence=feed.config.precedence,
        licence=feed.config.licence,
        attribution=feed.config.attribution,
        counts=feed.counts,
        name=name,
    )

"""Merge: several feeds become one region."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.errors import ManifestError
from mobility.core.notices import Notice
from mobility.feeds import Feed, Manifest, Progress
from mobility.feeds.feed import published_name
from mobility.feeds.sharing import without_totals
from mobility.merge.calendar import region_days, zone_origins
from mobility.merge.calls import StationCodes, TripCallsOf
from mobility.merge.candidates import find_candidates
from mobility.merge.decisions import listed_pairs, station_decisions, trip_decisions
from mobility.merge.ground import Ground
from mobility.merge.joins import Judge
from mobility.merge.lasting import GivenIds, keep_station_ids
from mobility.merge.locations import location_rows
from mobility.merge.matches import station_matches, train_matches
from mobility.merge.names import Exonyms, find_exonym_files, read_exonyms
from mobility.merge.pairs import decided_pairs, relate_feeds
from mobility.merge.places import (
    RAIL,
    Forms,
    find_places,
    mode_kinds,
    place_forms,
    route_mode,
)
from mobility.merge.region import FeedInfo, Region
from mobility.merge.region_stations import (
    build_stations,
    finish_stops,
    number_stations,
    place_references,
)
from mobility.merge.rules import rule_tables
from mobility.merge.schedules import Schedules, build_schedules, number_codes
from mobility.merge.splice import Splicer
from mobility.merge.stated import state_stations, station_statements, told_zones
from mobility.merge.stations import Match, match_stations
from mobility.merge.tables import assemble
from mobility.merge.trains import TrainTables, build_trains
from mobility.merge.twins import TwinTrips, find_twins, told_numbers
from mobility.merge.votes import count_neighbours, count_votes, votable

VOTE_ROUNDS_MAX = 3

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def merge_feeds(
    feeds: Sequence[Feed],
    manifest: Manifest,
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    join: bool = True,
    given: GivenIds | None = None,
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
    given : GivenIds, optional
        Station ids in use, which stations keep whatever ids the feeds have now.
    progress : Progress, optional

    Raises
    ------
    ManifestError
        No feed, or two of the same id.
    InputError
        The horizon ends before it begins, is longer than an edition holds, or nothing runs in it.
    """
    tell = progress or _silent
    feeds = [without_totals(feed) for feed in feeds]
    several = join and len(feeds) > 1
    ground, looped, forms = lay_ground(feeds, manifest, first, last, tell, described=several)
    notices: list[Notice] = [notice for feed in ground.feeds for notice in feed.notices]
    notices += _skip_notices(manifest) + _question_notices(manifest)
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
    notices += _twice_notices(ground, splicer)
    tables = _region_tables(ground, station_of_place, looped, trains, solved.matches, notices)
    if given is not None:
        tables["stations"] = keep_station_ids(
            tables["stations"], tables["stops"], list(ground.ids), given
        )
    tables["train_matches"], counts = train_matches(ground, splicer, judge)
    stated, told = rule_tables(manifest, tables, ground.ids)
    tables |= stated
    notices += told
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


def lay_ground(
    feeds: Sequence[Feed],
    manifest: Manifest,
    first: dt.date | None = None,
    last: dt.date | None = None,
    tell: Progress = _silent,
    *,
    described: bool = False,
) -> tuple[Ground, Int64s, tuple[Forms, ...]]:
    """Return what a merge stands on, the stops whose parents form a loop, and forms of names.

    Names, codes and forms are there where they are asked for (`described`).

    Raises as `merge_feeds` does.
    """
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
    ground = Ground(
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


def _question_notices(manifest: Manifest) -> list[Notice]:
    if not manifest.open_questions:
        return []
    told = "questions of the manifest that nobody has answered yet"
    code, count = "manifest_question_open", manifest.open_questions
    return [Notice(code, "warning", file="region.toml", message=told, count=count)]


def _skip_notices(manifest: Manifest) -> list[Notice]:
    return [
        Notice("feed_skipped", "info", feed.id, value=feed.id, message=f"left out: {feed.skip}")
        for feed in manifest.feeds
        if feed.skip
    ]


def _loop_notices(ground: Ground, looped: Int64s) -> list[Notice]:
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


@dataclass(frozen=True, slots=True)
class _Solved:
    """Stations, how they came about, and the schedules on them (None: feeds stay apart)."""

    station_of_place: Int32s
    members: list[Int64s]
    matches: list[Match]
    schedules: Schedules | None


def _solve_stations(ground: Ground, forms: Sequence[Forms], notices: list[Notice]) -> _Solved:
    """Return the stations: match, let the timetable vote, match again."""
    decisions = station_decisions(ground, notices)
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


def _schedules(ground: Ground, station_of_place: Int32s, members: Sequence[Int64s]) -> Schedules:
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


def _place_of_call(ground: Ground, station_of_place: Int32s, schedules: Schedules) -> Int32s:
    """Return the place behind each call: the first of its feed in the station."""
    places = np.arange(len(ground.places))[::-1]
    n_stations = int(station_of_place.max(initial=-1)) + 1
    table = np.full((len(ground.feeds), n_stations), -1, np.int32)
    table[ground.places.feed[places], station_of_place[places]] = places
    feed_of_call = np.repeat(schedules.feed, np.diff(schedules.start))
    found: Int32s = table[feed_of_call, schedules.station]
    return found


def _join_trains(
    ground: Ground, solved: _Solved, notices: list[Notice], tell: Progress
) -> tuple[Splicer, Judge | None]:
    schedules = solved.schedules
    calls = TripCallsOf(ground, solved.station_of_place)
    splicer = Splicer(calls, StationCodes(ground, solved.members), ground.days.n_days)
    modes = np.array([route_mode(kind) for kind in ground.tables.routes["route_type"]], np.int32)
    trip_mode = mode_kinds(modes)[ground.tables.trips["route"].to_numpy()]
    decisions = trip_decisions(ground, notices)
    twins = find_twins(_twin_trips(ground, solved.station_of_place, trip_mode), decisions)
    if schedules is None:
        splicer.splice(twins)
        notices += decisions.unheeded(splicer.kept)
        return splicer, None
    judge = Judge(
        schedules, ground.days.rows, ground.tables.trip_service, trip_mode, RAIL, decisions
    )
    listed = listed_pairs(ground, solved.station_of_place, notices)
    decided = decided_pairs(schedules, decisions.together())
    n_feeds = len(ground.feeds)
    pairs = [(left, right) for left in range(n_feeds) for right in range(left + 1, n_feeds)]
    for done, (left, right) in enumerate(pairs):
        tell("joins", done, len(pairs))
        own = [pair for pair in listed if (pair.left_feed, pair.right_feed) == (left, right)]
        origins = ground.origins[left], ground.origins[right]
        judge.hear(relate_feeds(schedules, left, right, origins, own, decided))
    splicer.splice([*twins, *judge.joins])
    notices += decisions.unheeded(splicer.kept)
    return splicer, judge


def _twin_trips(ground: Ground, station_of_place: Int32s, trip_mode: Int32s) -> TwinTrips:
    return TwinTrips(
        events=ground.tables.events,
        station_of_stop=station_of_place[ground.places.of_stop].astype(np.int32),
        border=ground.tables.stops["border_point"].to_numpy(),
        feed=ground.tables.trip_feed,
        mode=trip_mode,
        number=told_numbers(ground.tables.trips),
        service=ground.tables.trip_service,
        rows=ground.days.rows,
    )


def _build_trains(ground: Ground, splicer: Splicer) -> TrainTables:
    zones = [feed.zone for feed in ground.feeds]
    return build_trains(
        ground.tables.events,
        ground.tables.trip_service,
        ground.days.rows,
        ground.tables.services["days"].to_numpy(),
        ground.tables.stops["border_point"].to_numpy(),
        [zones[feed] for feed in ground.tables.trip_feed.tolist()],
        splicer.trains,
        splicer.used,
    )


def _twice_notices(ground: Ground, splicer: Splicer) -> list[Notice]:
    """Tell of each feed how many of its trips are second listings of its own trains."""
    feed_of = ground.tables.trip_feed
    own = [feed_of[left] for left, right in splicer.kept if feed_of[left] == feed_of[right]]
    counts = np.bincount(np.array(own, np.int64), minlength=len(ground.feeds))
    return [
        Notice(
            *("trips_listed_twice", "info", ground.ids[feed], "trips.txt"),
            message="pairs of trips that are one run on their common days; shown once",
            count=int(count),
        )
        for feed, count in enumerate(counts.tolist())
        if count
    ]


def _never_notices(ground: Ground, never: Bools) -> list[Notice]:
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
    ground: Ground,
    station_of_place: Int32s,
    looped: Int64s,
    trains: TrainTables,
    matches: Sequence[Match],
    notices: list[Notice],
) -> dict[str, pl.DataFrame]:
    stops = ground.tables.stops
    statements = station_statements(ground, station_of_place, notices)
    stations = build_stations(
        stops,
        ground.places,
        station_of_place,
        ground.references,
        [feed.config.precedence for feed in ground.feeds],
        [feed.zone for feed in ground.feeds],
    )
    stations = state_stations(stations, statements)
    zones = told_zones(ground, station_of_place, stations, statements)
    areas = location_rows(ground.feeds, notices)
    return {
        "agencies": ground.tables.agencies,
        "stops": finish_stops(stops, ground.places, station_of_place, zones, looped),
        "stations": stations,
        "station_matches": station_matches(ground, matches),
        "routes": ground.tables.routes,
        "trips": ground.tables.trips,
        "services": ground.tables.services.with_columns(days=pl.Series(trains.service_days)),
        "trains": trains.trains,
        "stop_times": trains.stop_times,
        "sections": trains.sections,
        **ground.tables.others,
        **({} if areas is None else {"locations": areas}),
    }


def _coverage(ground: Ground) -> Bools:
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
        name=published_name(feed),
    )

"""The values of the package: a region as flat arrays, and the trains of one day.

Both are made of read-only numpy arrays, mostly views of a mapped file. An array named ``x_start``
is the first half of a CSR pair: the items of row ``i`` are ``x_start[i]`` up to, not including,
``x_start[i + 1]``.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from mobility.network.slices import SliceStore

Bools = npt.NDArray[np.bool_]
UInt8s = npt.NDArray[np.uint8]
UInt16s = npt.NDArray[np.uint16]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

# Bits of `Network.event_flags`: pickup_type, drop_off_type (GTFS values 0 to 3), border point.
PICKUP_MASK = 0b11
DROP_OFF_SHIFT = 2
BORDER_POINT_BIT = 1 << 4
# wheelchair_boarding, wheelchair_accessible, bikes_allowed: 2 is no.
UNKNOWN, ALLOWED = 0, 1
# Bits of `DaySlice.pattern_flags`.
BOARDING_BIT = 1
ALIGHTING_BIT = 2


@dataclass(frozen=True, slots=True, eq=False)
class StringArray:
    """Many strings in two arrays: UTF-8 bytes side by side and where each begins.

    Parameters
    ----------
    offsets : int64[n + 1]
        String ``i`` is ``data[offsets[i]:offsets[i + 1]]``.
    data : uint8[n_bytes]
        UTF-8.

    >>> names = StringArray.of(["Northtown", "", "Südstadt Hbf"])
    >>> names[2], len(names)
    ('Südstadt Hbf', 3)
    """

    offsets: Int64s
    data: UInt8s

    @classmethod
    def of(cls, strings: Iterable[str]) -> StringArray:
        """Return the array of these strings."""
        encoded = [string.encode() for string in strings]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(item) for item in encoded], out=offsets[1:])
        return cls(read_only(offsets), np.frombuffer(b"".join(encoded), np.uint8))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"{index} is outside the {len(self)} strings")
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes().decode()

    def find(self, text: str) -> list[int]:
        """Return the rows that hold this string.

        >>> StringArray.of(["417", "418", "417"]).find("417")
        [0, 2]
        """
        wanted = text.encode()
        rows = np.flatnonzero(np.diff(self.offsets) == len(wanted))
        for place in range(len(wanted) - 1, -1, -1):  # ids differ at their ends
            rows = rows[self.data[self.offsets[rows] + place] == wanted[place]]
        return rows.tolist()

    def __iter__(self) -> Iterator[str]:
        whole = self.data.tobytes()
        bounds = self.offsets.tolist()
        for start, end in pairwise(bounds):
            yield whole[start:end].decode()


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array, contiguous and no longer writable."""
    array = np.ascontiguousarray(array)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A region as flat arrays: everything the planner reads but the times of one day.

    Row numbers are those of the region's tables: stop 7 here is row 7 of ``tables/stops``.
    Text fields are empty where the feed says nothing.

    Parameters
    ----------
    first_date, n_days : date, int
        The horizon: day ``d`` is ``first_date + d`` days.
    epoch_s : int
        Unix second that the times of slices count from, a day before the first origin.
    least_s, greatest_s : int
        Bounds of all event times, in seconds from the origin of the train's service date.
    walk_radius_m, max_walk_s : int
        How footpaths were made: metres between stops linked on foot, longest walk in seconds.
    n_services : int
        Services of the region; rows of ``service_bits`` beyond are of trains that rules divided
        or joined.
    n_crowded_stops : int
        Stops at which transfers.txt names so many trips that it is not obeyed trip by trip.
    n_cut_trains : int
        Trains whose vehicles go on further, or on more ways, than who stays seated is carried.
    hash : str
        Content hash where the network was read from a file, else empty.
    feed_id, feed_country, feed_zone : StringArray
        One entry per feed, in order of the id.
    coverage : bool[n_feeds, n_days]
        Whether the feed speaks for the day.
    agency_id, agency_name, agency_feed
        StringArray, StringArray, int16.
    route_id, route_short_name, route_long_name, route_color, route_feed, route_agency, route_type
        StringArray (4), int16, int32, int16 (also the extended types).
    trip_id, trip_headsign, trip_number, trip_feed, trip_route
        StringArray (3), int16, int32.
    trip_wheelchair, trip_bikes, trip_headway_s
        uint8 (2: `UNKNOWN`, `ALLOWED` or not), int32 (of a run that stands for one of a headway,
        without exact times; else 0).
    stop_id, stop_name, stop_platform, stop_zone_id
        StringArray.
    stop_feed, stop_station, stop_lat, stop_lon, stop_tz, stop_border_point
        int16, int32, float64 degrees, float64 degrees, int16 (index into ``zone_name``), bool.
    stop_wheelchair : uint8
        `UNKNOWN`, `ALLOWED` or not; what a stop leaves open its parent says.
    station_id, station_name, station_lat, station_lon, station_tz
        StringArray (2), float64 (2), int16.
    station_country : StringArray
        ISO 3166 code of each station; without any border check there are no entries.
    check_station, check_from, check_to, check_first, check_last, check_s, check_documents
        Border checks: int32 (station), StringArray (2: countries, empty for any), int32 (2:
        ordinals of the first and last date, -1 for none), int32 seconds, StringArray (JSON by
        language).
    ban_first, ban_last, ban_reason, ban_route_start, ban_routes, ban_station_start, ban_stations
        Boarding bans: int32 (2: ordinals of the first and last date, -1 for none), StringArray;
        CSR of the routes whose trains carry nobody among the stations: int32 (4).
    station_stop_start, station_stops
        CSR: the stops of each station at which trains can be boarded (no entrances, no rows that
        stand for the station as a whole).
    zone_name : StringArray
        IANA names of all zones in use, sorted.
    zone_origin_s : int64[n_zones, n_days]
        Unix second of the service-day origin.
    service_bits : uint8[n_services, ceil(n_days / 8)]
        Bit ``d % 8`` of byte ``d // 8``: the service runs on day ``d``.
    train_trip, train_zone, train_service, train_pattern
        int32 (lead trip), int16, int32, int32: trains of equal pattern call at the same stops with
        the same flags, in the same order.
    train_event_start : int64[n_trains + 1]
        CSR over events.
    train_of : int32
        Row of ``tables/trains``: rules make several trains of one (`mobility.network.divide`).
    train_through : bool
        The train is for those who stay seated from that row of ``tables/trains`` to later ones
        (`mobility.network.in_seat`); they have trains of their own as well.
    in_seat_from, in_seat_to : int32
        Trips between which one may stay seated, in order.
    event_stop, event_arrival_s, event_departure_s, event_sequence : int32
        Stop, seconds from the origin of the train's service date in its zone, raw sequence.
    event_point : int32
        Point of each event; empty where each stop is one point (`Network.points`).
    event_flags : uint8
        `PICKUP_MASK`, `DROP_OFF_SHIFT`, `BORDER_POINT_BIT`.
    section_start, section_trip, section_day_shift, section_from_pos, section_to_pos
        CSR by train: int32, int32, int16, int32, int32 (positions in the train, inclusive).
    section_from_sequence, section_to_sequence, section_alias
        int32, int32, bool (the trip lists this run too, but another has precedence).
    stop_of : int32[n_points]
        The stop of each point: first the stops, each its own, then those that a stop is split
        into because changes there depend on the trains (`mobility.network.points`).
    walk_start, walk_to, walk_s, walk_m
        CSR by point: footpaths to other points, seconds, metres, in order of ``walk_to``. Closed
        (a chain of footpaths is a footpath) up to the longest walk, save for the pairs that
        transfers.txt forbids or states a time for.
    walk_stated : bool
        Of each footpath, whether transfers.txt states its time, or a border check asks for one.
    change_s : int32[n_points]
        Least seconds between two rides at the same point.
    pathway_from, pathway_to, pathway_free_s, pathway_free_m : int32
        Pairs of platforms of stations that have pathways, in order, with seconds and metres of
        the way without a step (-1: there is none).
    """

    first_date: dt.date
    n_days: int
    epoch_s: int
    least_s: int
    greatest_s: int
    walk_radius_m: int
    max_walk_s: int
    n_services: int
    n_crowded_stops: int
    n_cut_trains: int
    hash: str
    feed_id: StringArray
    feed_country: StringArray
    feed_zone: StringArray
    coverage: Bools
    agency_id: StringArray
    agency_name: StringArray
    agency_feed: Int16s
    route_id: StringArray
    route_short_name: StringArray
    route_long_name: StringArray
    route_color: StringArray
    route_feed: Int16s
    route_agency: Int32s
    route_type: Int16s
    trip_id: StringArray
    trip_headsign: StringArray
    trip_number: StringArray
    trip_feed: Int16s
    trip_route: Int32s
    trip_wheelchair: UInt8s
    trip_bikes: UInt8s
    trip_headway_s: Int32s
    stop_id: StringArray
    stop_name: StringArray
    stop_platform: StringArray
    stop_zone_id: StringArray
    stop_feed: Int16s
    stop_station: Int32s
    stop_lat: Float64s
    stop_lon: Float64s
    stop_tz: Int16s
    stop_border_point: Bools
    stop_wheelchair: UInt8s
    station_id: StringArray
    station_name: StringArray
    station_lat: Float64s
    station_lon: Float64s
    station_tz: Int16s
    station_country: StringArray
    check_station: Int32s
    check_from: StringArray
    check_to: StringArray
    check_first: Int32s
    check_last: Int32s
    check_s: Int32s
    check_documents: StringArray
    ban_first: Int32s
    ban_last: Int32s
    ban_reason: StringArray
    ban_route_start: Int32s
    ban_routes: Int32s
    ban_station_start: Int32s
    ban_stations: Int32s
    station_stop_start: Int32s
    station_stops: Int32s
    zone_name: StringArray
    zone_origin_s: Int64s
    service_bits: UInt8s
    train_trip: Int32s
    train_zone: Int16s
    train_service: Int32s
    train_pattern: Int32s
    train_event_start: Int64s
    train_of: Int32s
    train_through: Bools
    in_seat_from: Int32s
    in_seat_to: Int32s
    event_stop: Int32s
    event_point: Int32s
    event_arrival_s: Int32s
    event_departure_s: Int32s
    event_flags: UInt8s
    event_sequence: Int32s
    section_start: Int32s
    section_trip: Int32s
    section_day_shift: Int16s
    section_from_pos: Int32s
    section_to_pos: Int32s
    section_from_sequence: Int32s
    section_to_sequence: Int32s
    section_alias: Bools
    stop_of: Int32s
    walk_start: Int32s
    walk_to: Int32s
    walk_s: Int32s
    walk_m: Int32s
    walk_stated: Bools
    change_s: Int32s
    pathway_from: Int32s
    pathway_to: Int32s
    pathway_free_s: Int32s
    pathway_free_m: Int32s

    @property
    def n_feeds(self) -> int:
        """Number of feeds."""
        return len(self.feed_id)

    @property
    def n_stops(self) -> int:
        """Number of stops, stations' and entrances' rows included."""
        return len(self.stop_id)

    @property
    def n_points(self) -> int:
        """Number of stops and of the points that some are split into."""
        return len(self.stop_of)

    @property
    def points(self) -> Int32s:
        """int32[n_events]: the point at which each event's train calls."""
        return self.event_point if len(self.event_point) else self.event_stop

    @property
    def n_stations(self) -> int:
        """Number of merged stations."""
        return len(self.station_id)

    @property
    def n_trains(self) -> int:
        """Number of trains; each runs on the days of its service."""
        return len(self.train_trip)

    @property
    def last_date(self) -> dt.date:
        """Last date of the horizon."""
        return self.first_date + dt.timedelta(self.n_days - 1)

    def day_of(self, date: dt.date) -> int:
        """Return the number of the date's day; outside 0 … n_days - 1 it is not in the horizon."""
        return (date - self.first_date).days

    def date_of(self, day: int) -> dt.date:
        """Return the date of a day."""
        return self.first_date + dt.timedelta(int(day))

    def slices(self, cache_dir: Path | None) -> SliceStore:
        """Return the store of day slices that keeps its files in the folder (None: in memory)."""
        from mobility.network.slices import SliceStore

        return SliceStore(self, cache_dir)


@dataclass(frozen=True, slots=True, eq=False)
class DaySlice:
    """Every train run under way at some moment of a span of days, in patterns, in absolute time.

    A run is one train on one service day. Runs of a pattern call at the same stops with the same
    flags, are consecutive and in order of departure, and none overtakes another at any position.

    Parameters
    ----------
    date : date
        The slice holds what is under way from 00:00 UTC of the date less three hours …
    n_days : int
        … until 00:00 UTC of the date and this many days.
    epoch_s : int
        Unix second that the times count from: `Network.epoch_s`.
    pattern_stop_start, pattern_stops, pattern_flags
        CSR: int32, int32 (points), uint8 per position (`BOARDING_BIT`, `ALIGHTING_BIT`).
    pattern_run_start : int32[n_patterns + 1]
        CSR over runs.
    pattern_time_start : int64[n_patterns]
        ``arrivals_s[pattern_time_start[p] + pos * n_runs(p) + k]`` is run ``k`` of the pattern.
    arrivals_s, departures_s : int32
        Seconds since ``epoch_s``.
    run_train, run_day : int32, int16
        Train, and days since ``Network.first_date``.
    stop_pattern_start, stop_patterns, stop_pattern_pos : int32
        CSR by point: every pattern that calls there, with the position of the call.
    """

    date: dt.date
    n_days: int
    epoch_s: int
    pattern_stop_start: Int32s
    pattern_stops: Int32s
    pattern_flags: UInt8s
    pattern_run_start: Int32s
    pattern_time_start: Int64s
    arrivals_s: Int32s
    departures_s: Int32s
    run_train: Int32s
    run_day: Int16s
    stop_pattern_start: Int32s
    stop_patterns: Int32s
    stop_pattern_pos: Int32s

    @property
    def n_patterns(self) -> int:
        """Number of patterns."""
        return len(self.pattern_time_start)

    @property
    def n_runs(self) -> int:
        """Number of train runs."""
        return len(self.run_train)


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """The runs of a day slice laid out one by one, and the changes between them worth making.

    What a search reads together stands together in memory.

    Parameters
    ----------
    runs : int32[n_runs + 1, 4]
        First event of the run, first place of its pattern, last position, and the run after the
        last of its pattern; the last row says where the events end.
    places : int32
        By position of the patterns, as `DaySlice.pattern_stops`: the point, or its complement
        (``~point``) where nobody may alight.
    events : int32[n_events + 1, 2]
        Arrival as in the slice, but the times of one run side by side, and the first link of the
        event; the last row says where the links end.
    links : int32[n_links, 2]
        Run to board, and the position to board it at.
    """

    runs: Int32s
    places: Int32s
    events: Int32s
    links: Int32s


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """The least time and the fewest rides from anywhere to anywhere, between cells of points.

    Parameters
    ----------
    cell_of : int32[n_points]
    least_units : uint16[n_cells * n_cells]
        ``least_units[to * n_cells + origin]``, in units of two seconds, rounded down; the
        greatest value where there is no way within 24 hours.
    fewest_rides : uint8[n_cells * n_cells]
        Likewise; 0 where one may walk, the greatest value where there is no way.
    """

    cell_of: Int32s
    least_units: UInt16s
    fewest_rides: UInt8s

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return math.isqrt(len(self.fewest_rides))


@dataclass(frozen=True, slots=True, eq=False)
class Flags:
    """Towards which parts of a network the links of a day slice are of use, and the day's bounds.

    Parameters
    ----------
    part_of : int32[n_points]
        Part of the network, below 64.
    link_parts : int64[n_links]
        A bit for each part to which some best journey takes the link.
    least_units : uint16[n_points * n_points]
        As in `Bounds`, each point a cell, but with the waits of the day: from an arrival by ride
        to an arrival by ride.
    fewest_rides : uint8[n_points * n_points]
        Likewise.
    """

    part_of: Int32s
    link_parts: Int64s
    least_units: UInt16s
    fewest_rides: UInt8s


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """The hops of a day slice from one call of a run to the next, in order of departure.

    Where nobody may board or alight, the point is `Network.n_points`: nowhere. In the mirrored
    ones, for looking backwards, times are negated and the ends swapped.

    Parameters
    ----------
    departures_s, arrivals_s : int32
        Seconds since ``epoch_s``.
    from_point, to_point, run : int32
        Points, and the run of the slice. Hops of one run stand in the order of the ride.
    run_train : int32[n_runs]
        The train of each run, as in the slice.
    """

    departures_s: Int32s
    arrivals_s: Int32s
    from_point: Int32s
    to_point: Int32s
    run: Int32s
    run_train: Int32s

    @property
    def n_runs(self) -> int:
        """Number of runs of the slice."""
        return len(self.run_train)


def call_flags(event_flags: UInt8s, train_event_start: Int64s) -> UInt8s:
    """Return `BOARDING_BIT` and `ALIGHTING_BIT` of each event.

    Regular calls (type 0) and those arranged with the driver on the spot (type 3: a request stop);
    a call to phone for beforehand (2) is none that one can count on. Nobody boards at the last
    position or alights at the first, whatever the feed says. Source: GTFS Schedule, stop_times.
    """
    pickup = event_flags & PICKUP_MASK
    drop_off = (event_flags >> DROP_OFF_SHIFT) & PICKUP_MASK
    boarding = (pickup == 0) | (pickup == 3)
    alighting = (drop_off == 0) | (drop_off == 3)
    flags = boarding * np.uint8(BOARDING_BIT) | alighting * np.uint8(ALIGHTING_BIT)
    flags[(event_flags & BORDER_POINT_BIT) != 0] = 0
    flags[train_event_start[:-1]] &= np.uint8(0xFF ^ ALIGHTING_BIT)
    flags[train_event_start[1:] - 1] &= np.uint8(0xFF ^ BOARDING_BIT)
    return np.asarray(flags, np.uint8)

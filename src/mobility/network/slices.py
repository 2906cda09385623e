"""Day slices: every train run of a date with its absolute times, made on demand and kept as files.

A file is written under a temporary name and renamed, so that other processes see all of it or
nothing. A damaged or foreign file is made anew; one that cannot be written is no fault, the slice
then stays in memory.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import re
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mobility.core.errors import EnvironmentFault, InputError, UsageError
from mobility.core.units import DAY_S
from mobility.network.bounds import MAX_CELLS, build_bounds
from mobility.network.connections import build_connections
from mobility.network.file import (
    FileKind,
    Kind,
    MappedFile,
    arrays_of,
    network_hash,
    open_file,
    value_fields,
    write_file,
)
from mobility.network.flags import build_flags, can_flag
from mobility.network.kernels import (
    checksum,
    fill_times,
    find_runs,
    index_by_stop,
    split_overtaking,
)
from mobility.network.links import build_links
from mobility.network.values import (
    Bounds,
    Connections,
    DaySlice,
    Flags,
    Int16s,
    Int32s,
    Links,
    Network,
    call_flags,
    read_only,
)

Part = TypeVar("Part", Links, Bounds, Flags, Connections)
BEFORE_S = 3 * 3600  # a slice begins so long before 00:00 UTC of its date
USUAL_DAYS = 2  # a departure on the date, in UTC, and 24 hours of travel
MAX_DAYS = 5  # the longest window, two days, and 24 hours of travel
KEPT_SLICES = 8
LINKED_AT_ONCE = 500_000  # events of a slice whose links are made in well under a second
FLAGGED_AT_ONCE = 5_000_000  # pairs of a stop and a link whose flags take some 30 ms
_LOG = logging.getLogger(__name__)
_NAME = r"\d{4}-\d{2}-\d{2}(\+\d)?\.(slice|links|flags|forwards|backwards)"
_FILE_NAME, _UNFINISHED = re.compile(_NAME), re.compile(rf"\.{_NAME}\.\d+\.\d+")
ABANDONED_S = 3_600  # an unfinished file this old belongs to a process that was killed


def quick_digest(data: np.ndarray[Any, np.dtype[np.uint8]]) -> str:
    """Checksum of the bytes: a cache needs to notice damage, not forgery."""
    whole = len(data) // 8 * 8
    return f"{int(checksum(data[:whole].view(np.uint64))):016x}{data[whole:].tobytes().hex()}"


def _cached(name: str, magic: bytes, format_version: int = 1) -> FileKind:
    return FileKind(name, magic, format_version, "remove it, it is made anew", quick_digest)


SLICE_FILE = _cached("day slice", b"MOBISLC\x00")
LINKS_FILE = _cached("links of a day slice", b"MOBILNK\x00", 2)
FLAGS_FILE = _cached("flags of a day slice", b"MOBIFLG\x00")
CONNECTIONS_FILE = _cached("connections of a day slice", b"MOBICON\x00")
BOUNDS_FILE = _cached("bounds of a network", b"MOBIBND\x00")
BOUNDS_NAME = "network.bounds"


def build_slice(network: Network, date: dt.date, n_days: int = USUAL_DAYS) -> DaySlice:
    """Return every run under way from 00:00 UTC of the date less 3 h until ``n_days`` after it.

    Under way is a run from its first departure to its last arrival, both included; the span is
    half-open. A date outside the horizon gives a slice without runs.
    """
    midnight = int(dt.datetime.combine(date, dt.time(), dt.UTC).timestamp()) - network.epoch_s
    runs = _find_runs(network, midnight - BEFORE_S, midnight + n_days * DAY_S)
    train, day, origin, part = _in_patterns(network, *runs)
    n_patterns = int(part[-1]) + 1 if len(part) else 0
    run_start = np.searchsorted(part, np.arange(n_patterns + 1)).astype(np.int32)
    first_event = network.train_event_start[train[run_start[:-1]]]
    length = network.train_event_start[train[run_start[:-1]] + 1] - first_event
    stop_start = np.concatenate([[0], np.cumsum(length)])
    events = np.arange(stop_start[-1]) + np.repeat(first_event - stop_start[:-1], length)
    time_start = np.concatenate([[0], np.cumsum(length * np.diff(run_start))])
    arrivals, departures = (np.empty(time_start[-1], np.int32) for _ in range(2))
    fill_times(
        run_start, time_start[:-1], train, origin,
        network.train_event_start, network.event_arrival_s, network.event_departure_s,
        arrivals, departures,
    )  # fmt: skip
    stops = network.points[events]
    by_stop = np.zeros(network.n_points + 1, np.int32)
    stop_patterns, stop_positions = np.empty_like(stops), np.empty_like(stops)
    index_by_stop(stop_start.astype(np.int32), stops, by_stop, stop_patterns, stop_positions)
    return DaySlice(
        date=date,
        n_days=n_days,
        epoch_s=network.epoch_s,
        pattern_stop_start=read_only(stop_start.astype(np.int32)),
        pattern_stops=read_only(stops),
        pattern_flags=read_only(call_flags(network.event_flags[events], stop_start)),
        pattern_run_start=read_only(run_start),
        pattern_time_start=read_only(time_start[:-1]),
        arrivals_s=read_only(arrivals),
        departures_s=read_only(departures),
        run_train=read_only(train),
        run_day=read_only(day),
        stop_pattern_start=read_only(by_stop),
        stop_patterns=read_only(stop_patterns),
        stop_pattern_pos=read_only(stop_positions),
    )


def _find_runs(network: Network, begin_s: int, end_s: int) -> tuple[Int32s, Int16s, Int32s]:
    """Train, day and origin of all runs under way in the span, in order of train and day."""
    origins = network.zone_origin_s - network.epoch_s
    late_enough = origins.max(axis=0) + network.greatest_s >= begin_s
    early_enough = origins.min(axis=0) + network.least_s < end_s
    days = np.flatnonzero(late_enough & early_enough)
    first_day, end_day = (int(days[0]), int(days[-1]) + 1) if len(days) else (0, 0)
    byte = first_day // 8  # only the bytes of these days: a long horizon has many
    some = network.service_bits[:, byte : -(-end_day // 8)]
    bits = np.unpackbits(some, axis=1, bitorder="little")[
        :, first_day - 8 * byte : end_day - 8 * byte
    ]
    trains = np.bincount(network.train_service, minlength=len(bits))
    capacity = int(bits.sum(axis=1, dtype=np.int64) @ trains)
    train, origin = np.empty(capacity, np.int32), np.empty(capacity, np.int32)
    day = np.empty(capacity, np.int16)
    n_runs = find_runs(
        network.service_bits, network.train_service, network.train_zone, origins,
        network.train_event_start, network.event_arrival_s, network.event_departure_s,
        first_day, end_day, begin_s, end_s, train, day, origin,
    )  # fmt: skip
    return train[:n_runs], day[:n_runs], origin[:n_runs]


def _in_patterns(
    network: Network, train: Int32s, day: Int16s, origin: Int32s
) -> tuple[Int32s, Int16s, Int32s, Int32s]:
    """Train, day, origin and slice pattern of the runs, those of a pattern side by side."""
    first, last = network.train_event_start[train], network.train_event_start[train + 1] - 1
    departure = network.event_departure_s[first] + origin
    arrival = network.event_arrival_s[last] + origin
    key = (network.train_pattern[train].astype(np.int64) << 32) + departure
    order = np.lexsort((arrival, key))  # stable: what is equal stays in order of train and day
    train, day, origin = train[order], day[order], origin[order]
    part = split_overtaking(
        network.train_pattern[train], train, origin,
        network.train_event_start, network.event_arrival_s, network.event_departure_s,
    )  # fmt: skip
    order = np.argsort(part, kind="stable")
    return train[order], day[order], origin[order], part[order]


class SliceStore:
    """The day slices of a network: a few in the process, their files shared by all processes.

    Parameters
    ----------
    network : Network
        Whose slices.
    cache_dir : Path or None
        Folder of the files, made where it is missing; None keeps slices in memory only.

    All methods may be called from several threads at once.
    """

    def __init__(self, network: Network, cache_dir: Path | None) -> None:
        self._network = network
        self._cache_dir = cache_dir
        self._slices: OrderedDict[tuple[dt.date, int], DaySlice] = OrderedDict()
        self._making: dict[tuple[dt.date, int], threading.Lock] = {}
        self._links: OrderedDict[dt.date, Links] = OrderedDict()
        self._flags: OrderedDict[dt.date, Flags] = OrderedDict()
        self._bounds: Bounds | None = None
        self._linking = threading.Lock()
        self._flagging = threading.Lock()
        self._bounding = threading.Lock()
        self._connections: OrderedDict[tuple[dt.date, bool], Connections] = OrderedDict()
        self._connecting = threading.Lock()
        self._lock = threading.Lock()
        self._hash = network_hash(network) if cache_dir else ""

    def get(self, date: dt.date, n_days: int = USUAL_DAYS) -> DaySlice:
        """Return the slice of a date, from memory, from its file, or made now.

        Parameters
        ----------
        date : date
            Date in UTC of the earliest departure that is looked for.
        n_days : int
            How many days after 00:00 UTC of the date the slice reaches, 1 to `MAX_DAYS`; two
            hold 24 hours of travel after any departure on the date.

        Raises
        ------
        UsageError
            ``n_days`` outside its limits.
        """
        if not 1 <= n_days <= MAX_DAYS:
            raise UsageError(f"a slice of {n_days} days: expected 1 to {MAX_DAYS}")
        key = (date, n_days)
        with self._lock:
            if found := self._recall(key):
                return found
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if found := self._recall(key):
                    return found
            try:
                made = self._load(date, n_days)
                with self._lock:
                    self._slices[key] = made
                    while len(self._slices) > KEPT_SLICES:
                        self._slices.popitem(last=False)
            finally:
                with self._lock:
                    self._making.pop(key, None)
            return made

    def links(self, date: dt.date, *, at_any_cost: bool = False) -> Links | None:
        """Return the links of a date's slice, from memory, from their file, or made now.

        None where making them takes more than an instant (`LINKED_AT_ONCE`), unless that is to be
        taken `at_any_cost`; and, whatever the cost, where they cannot be numbered.
        """
        found = self._links.get(date)
        if found is not None:
            return found
        day = self.get(date)
        found = self._read_links(date)
        if found is None:
            if len(day.arrivals_s) > LINKED_AT_ONCE and not at_any_cost:
                return None
            with self._linking:  # a second thread that waited here finds them made
                found = self._links.get(date) or self._make_links(day)
        if found is not None:
            with self._lock:
                self._links[date] = found
                while len(self._links) > KEPT_SLICES:
                    self._links.popitem(last=False)
        return found

    def connections(self, date: dt.date, *, backwards: bool = False) -> Connections:
        """Return the connections of a date's slice, from memory, from their file, or made now."""
        key = (date, backwards)
        with self._lock:
            if found := self._connections.get(key):
                self._connections.move_to_end(key)
                return found
        day = self.get(date)
        with self._connecting:  # a second thread that waited here finds them made
            found = self._connections.get(key) or self._load_connections(day, backwards)
            with self._lock:
                self._connections[key] = found
                while len(self._connections) > KEPT_SLICES:
                    self._connections.popitem(last=False)
        return found

    def _load_connections(self, day: DaySlice, backwards: bool) -> Connections:
        name = f"{day.date.isoformat()}.{'backwards' if backwards else 'forwards'}"
        path = None if self._cache_dir is None else self._cache_dir / name
        meta = {"date": day.date.isoformat(), "backwards": backwards}
        found = self._read_part(path, CONNECTIONS_FILE, Connections, meta)
        if found is None:
            made = build_connections(self._network, day, backwards=backwards)
            found = self._keep_part(path, CONNECTIONS_FILE, meta, made)
        return found

    def bounds(self, *, at_any_cost: bool = False) -> Bounds | None:
        """Return the bounds of the network, from memory, from their file, or made now.

        None where making them takes more than an instant, unless that is to be taken
        `at_any_cost`.
        """
        if self._bounds is not None:
            return self._bounds
        with self._bounding:
            if self._bounds is None:
                path = None if self._cache_dir is None else self._cache_dir / BOUNDS_NAME
                found = self._read_part(path, BOUNDS_FILE, Bounds, {})
                if found is None and (at_any_cost or self._network.n_points <= MAX_CELLS):
                    found = self._keep_part(path, BOUNDS_FILE, {}, build_bounds(self._network))
                self._bounds = found
        return self._bounds

    def flags(self, date: dt.date, *, at_any_cost: bool = False) -> Flags | None:
        """Return the flags of a date's links, from memory, from their file, or made now.

        None where there are no links, where the network is too large for flags, and where making
        them takes more than an instant (`FLAGGED_AT_ONCE`), unless that is to be taken
        `at_any_cost`.
        """
        with self._lock:
            if found := self._flags.get(date):
                self._flags.move_to_end(date)
                return found
        links = self.links(date, at_any_cost=at_any_cost)
        if links is None or not can_flag(self._network, links):
            return None
        found = self._read_flags(date)
        if found is None and (at_any_cost or self._is_quick_to_flag(links)):
            with self._flagging:  # a second thread that waited here finds them made
                found = self._flags.get(date) or self._make_flags(date, links)
        if found is not None:
            with self._lock:
                self._flags[date] = found
                while len(self._flags) > KEPT_SLICES:
                    self._flags.popitem(last=False)
        return found

    def _is_quick_to_flag(self, links: Links) -> bool:
        return self._network.n_points * len(links.links) <= FLAGGED_AT_ONCE

    def _flags_path(self, date: dt.date) -> Path | None:
        return None if self._cache_dir is None else self._cache_dir / f"{date.isoformat()}.flags"

    def _read_flags(self, date: dt.date) -> Flags | None:
        meta = {"date": date.isoformat()}
        return self._read_part(self._flags_path(date), FLAGS_FILE, Flags, meta)

    def _make_flags(self, date: dt.date, links: Links) -> Flags | None:
        bounds = self.bounds(at_any_cost=True)
        made = None if bounds is None else build_flags(self._network, links, bounds)
        meta = {"date": date.isoformat()}
        path = self._flags_path(date)
        return None if made is None else self._keep_part(path, FLAGS_FILE, meta, made)

    def _links_path(self, date: dt.date) -> Path | None:
        return None if self._cache_dir is None else self._cache_dir / f"{date.isoformat()}.links"

    def _read_links(self, date: dt.date) -> Links | None:
        meta = {"date": date.isoformat()}
        return self._read_part(self._links_path(date), LINKS_FILE, Links, meta)

    def _make_links(self, day: DaySlice) -> Links | None:
        made, path = build_links(self._network, day), self._links_path(day.date)
        meta = {"date": day.date.isoformat()}
        return None if made is None else self._keep_part(path, LINKS_FILE, meta, made)

    def _read_part(
        self, path: Path | None, kind: FileKind, part: type[Part], meta: dict[str, Any]
    ) -> Part | None:
        """Return what a file beside the slices holds, None where there is none that is whole."""
        if path is None or not path.exists():
            return None
        try:
            found = part(**_read_fields(path, kind, part, {"network": self._hash, **meta}))
        except InputError as error:
            _LOG.warning("%s are made anew: %s", kind.name, error)
            return None
        with suppress(OSError):
            os.utime(path)
        return found

    def _keep_part(
        self, path: Path | None, kind: FileKind, meta: dict[str, Any], made: Part
    ) -> Part:
        """Write a file beside the slices and return the same as mapped, for all processes."""
        if path is None:
            return made
        try:
            self._write(path, kind, {"network": self._hash, **meta}, made)
            return self._read_part(path, kind, type(made), meta) or made
        except (EnvironmentFault, InputError, OSError) as error:
            _LOG.warning("%s stay in memory: %s", kind.name, error)
            return made

    def _recall(self, key: tuple[dt.date, int]) -> DaySlice | None:
        found = self._slices.get(key)
        if found is not None:
            self._slices.move_to_end(key)
        return found

    def _load(self, date: dt.date, n_days: int) -> DaySlice:
        if self._cache_dir is None:
            return build_slice(self._network, date, n_days)
        extra = "" if n_days == USUAL_DAYS else f"+{n_days}"
        path = self._cache_dir / f"{date.isoformat()}{extra}.slice"
        meta = {"network": self._hash, "date": date.isoformat(), "n_days": n_days}
        if path.exists():
            try:
                found = _read_slice(path, meta, self._network.epoch_s)
                with suppress(OSError):  # the time of last use decides what is removed
                    os.utime(path)
                return found
            except InputError as error:
                _LOG.warning("a day slice is made anew: %s", error)
        made = build_slice(self._network, date, n_days)
        try:
            self._write(path, SLICE_FILE, meta, made)
            return _read_slice(path, meta, self._network.epoch_s)
        except (EnvironmentFault, InputError, OSError) as error:
            _LOG.warning("a day slice stays in memory: %s", error)
            return made

    def _write(
        self,
        path: Path,
        kind: FileKind,
        meta: dict[str, Any],
        made: DaySlice | Links | Bounds | Flags | Connections,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            write_file(temporary, kind, meta, arrays_of(made))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        self._remove_oldest(path)

    def _remove_oldest(self, newest: Path) -> None:
        """Keep the files last used; another process may remove the same ones at the same time."""
        now = newest.stat().st_mtime
        used: list[tuple[float, Path]] = []
        removed: list[Path] = []
        for path in newest.parent.iterdir():
            with suppress(OSError):
                at = path.stat().st_mtime
                kept = _FILE_NAME.fullmatch(path.name) and path.suffix == newest.suffix
                if kept and path != newest:
                    used.append((at, path))
                elif _UNFINISHED.fullmatch(path.name) and at < now - ABANDONED_S:
                    removed.append(path)
        removed += [path for _, path in sorted(used, reverse=True)[KEPT_SLICES - 1 :]]
        for path in removed:
            path.unlink(missing_ok=True)


def _read_slice(path: Path, meta: dict[str, Any], epoch_s: int) -> DaySlice:
    return DaySlice(
        date=dt.date.fromisoformat(meta["date"]),
        n_days=meta["n_days"],
        epoch_s=epoch_s,
        **_read_fields(path, SLICE_FILE, DaySlice, meta),
    )


def _read_fields(path: Path, file_kind: FileKind, kind: Kind, meta: dict[str, Any]) -> Any:
    mapped: MappedFile = open_file(path, file_kind)
    if mapped.meta != meta:
        raise InputError(f"{path}: {file_kind.name} of another network or date")
    if damaged := mapped.damaged():
        raise InputError(f"{path}: section {damaged[0]} is damaged")
    return value_fields(kind, mapped)

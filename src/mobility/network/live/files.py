"""Versions of the running day as files: one poller writes them, all workers map them.

    <home>/live/<edition>/CURRENT      which files are valid now, and how old each source is
                          R-<hash>.runs          changed runs and added trains
                          R-<hash>-<date>.slice  a live day slice
                          N-<hash>.json          alerts and vehicles

A file is written under a temporary name and renamed, ``CURRENT`` last of all: whoever reads sees
one version, whole. Files that ``CURRENT`` no longer names stay for two more versions; who has
mapped one keeps it as long as it likes.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobility.core.errors import EnvironmentFault, InputError
from mobility.core.files import TEMPORARY, make_folder, write_atomic
from mobility.core.ids import canonical_json, content_hash
from mobility.core.units import DAY_S
from mobility.feeds.realtime import Alert, Informed, TripRef, Vehicle
from mobility.network.edition import Edition
from mobility.network.file import (
    FileKind,
    MappedFile,
    arrays_of,
    open_file,
    value_fields,
    write_file,
)
from mobility.network.live.added import NewTrain, lengthened
from mobility.network.live.matching import ChangedRun, Matched
from mobility.network.live.patch import (
    UNIX_ORDINAL,
    Changes,
    LiveSlice,
    changes_of,
    patch_slice,
)
from mobility.network.live.running import NEW, TOLD
from mobility.network.slices import BEFORE_S, USUAL_DAYS, SliceStore, quick_digest
from mobility.network.values import DaySlice, Network

POINTER = "CURRENT"
FORMAT = 1
MAX_POINTER_BYTES = 4 << 20
MAX_DATES = 10  # of which live slices are kept, from yesterday on
KEPT_VERSIONS = 3
_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"[RN]-[0-9a-f]{16}(-\d{4}-\d{2}-\d{2})?\.(runs|slice|json)")

RUNS_FILE = FileKind(
    name="file of live runs",
    magic=b"MOBLIVE\x00",
    format_version=1,
    remedy="start mobility live again",
    digest=quick_digest,
)
LIVE_SLICE_FILE = FileKind(
    name="live day slice",
    magic=b"MOBLSLC\x00",
    format_version=1,
    remedy="start mobility live again",
    digest=quick_digest,
)


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source stands: when its message was made and received, and what came of it.

    Parameters
    ----------
    timestamp, received_s : int or None
        Unix seconds; of the last good message.
    fault : str
        Why it cannot be read now; empty where all is well.
    counts : dict
        By code: trip updates, matched, unknown trips, ….
    """

    feed: str
    address: str
    timestamp: int | None = None
    received_s: int | None = None
    fault: str = ""
    counts: Mapping[str, int] | None = None

    def age_s(self, now_s: int) -> int | None:
        """Return how old the data are; None as long as there were none."""
        made = self.timestamp or self.received_s
        return None if made is None else max(0, now_s - made)


@dataclass(frozen=True, slots=True)
class Notes:
    """Alerts by feed, and where vehicles are by feed, trip and service date."""

    alerts: tuple[tuple[str, Alert], ...] = ()
    vehicles: tuple[tuple[str, str, dt.date, Vehicle], ...] = ()


@dataclass(frozen=True, eq=False)
class LiveVersion:
    """One version of the running day, as a reader holds it.

    Parameters
    ----------
    version : str
        Content hash of all that is said; what answers name as ``realtime``.
    runs : str
        Of the runs alone: while it stays, slices stay.
    network : Network
        With the added trains.
    slices : mapping of date to LiveSlice
        Only dates that differ from the timetable.
    changes : Changes
    notes : Notes
    sources : tuple of SourceState
    polled_s : int
        Unix second of the poll.
    """

    version: str
    runs: str
    network: Network
    slices: Mapping[dt.date, LiveSlice]
    changes: Changes
    notes: Notes
    sources: tuple[SourceState, ...]
    polled_s: int

    @property
    def newest_s(self) -> int | None:
        """Unix second at which the newest message was made."""
        made = [s.timestamp or s.received_s for s in self.sources]
        return max((one for one in made if one is not None), default=None)


def live_folder(home: Path, edition_hash: str) -> Path:
    """Return where the versions of an edition's running day are."""
    return home / "live" / edition_hash[:16]


def reader_of(edition: Edition, home: Path) -> LiveReader:
    """Return who reads the running day of an edition."""
    return LiveReader(live_folder(home, edition.hash), edition.hash, edition.network)


class LiveWriter:
    """Writes versions; there is one per folder (`mobility.core.files.sole_writer`)."""

    def __init__(
        self, folder: Path, edition_hash: str, network: Network, slices: SliceStore
    ) -> None:
        self._folder, self._edition = folder, edition_hash
        self._network, self._slices = network, slices
        self._known: tuple[str, dt.date] | None = None
        self._names: dict[str, str] = {}
        self._kept: deque[set[str]] = deque(maxlen=KEPT_VERSIONS)

    def write(
        self, matched: Matched, notes: Notes, sources: Sequence[SourceState], now_s: int,
        *, about_s: int | None = None,
    ) -> str:  # fmt: skip
        """Write a version and let readers see it; return its hash.

        Parameters
        ----------
        now_s : int
            Unix second of the poll.
        about_s : int, optional
            Unix second that the messages are about; slices are kept from the day before on.

        Raises
        ------
        EnvironmentFault
            The disk or the permissions do not allow it; the version before stands.
        """
        make_folder(self._folder)
        changes = changes_of([*matched.runs, *self._added(matched.trains)])
        trains = [train.to_json() for train in matched.trains]
        arrays = arrays_of(changes)
        digests = [quick_digest(array.view(np.uint8)) for array in arrays.values()]
        runs = content_hash([self._edition, digests, trains])[:16]
        today = dt.datetime.fromtimestamp(about_s or now_s, dt.UTC).date()
        runs_name = f"R-{runs}.runs"
        if self._known != (runs, today):
            self._put(runs_name, RUNS_FILE, {"edition": self._edition, "trains": trains}, arrays)
            self._names = self._write_slices(runs, changes, matched.trains, today)
            self._known = runs, today
        said = canonical_json(_notes_document(notes))
        notes_name = f"N-{content_hash(said)[:16]}.json"
        if not (self._folder / notes_name).exists():
            write_atomic(self._folder / notes_name, said)
        version = content_hash([runs, notes_name])
        pointer = {
            "format": FORMAT,
            "edition": self._edition,
            "version": version,
            "runs": runs_name,
            "slices": self._names,
            "notes": notes_name,
            "polled": now_s,
            "sources": [asdict(source) for source in sources],
        }
        write_atomic(self._folder / POINTER, canonical_json(pointer))
        self._clear({runs_name, notes_name, *self._names.values()})
        return version

    def _added(self, trains: Sequence[NewTrain]) -> Iterator[ChangedRun]:
        net = self._network
        for row, train in enumerate(trains, net.n_trains):
            calls = train.calls
            yield ChangedRun(
                row, net.day_of(train.date), [c.arrival for c in calls],
                [c.departure for c in calls], [c.stop for c in calls], [c.flags for c in calls],
                [NEW | TOLD] * len(calls),
            )  # fmt: skip

    def _write_slices(
        self, runs: str, changes: Changes, trains: Sequence[NewTrain], today: dt.date
    ) -> dict[str, str]:
        names = {}
        for date in touched_dates(self._network, changes, today)[:MAX_DATES]:
            live = patch_slice(self._slices.get(date), changes, self._network.n_points)
            if live is None:
                continue
            meta = {
                "edition": self._edition, "date": date.isoformat(), "n_days": USUAL_DAYS,
                "first_live_run": live.first_live_run,
            }  # fmt: skip
            arrays = {**arrays_of(live.day), **_status_arrays(live)}
            name = names[date.isoformat()] = f"R-{runs}-{date}.slice"
            self._put(name, LIVE_SLICE_FILE, meta, arrays)
        return names

    def _put(
        self, name: str, kind: FileKind, meta: Mapping[str, Any], arrays: Mapping[str, Any]
    ) -> None:
        temporary = self._folder / f"{name}{TEMPORARY}"
        try:
            write_file(temporary, kind, meta, arrays)
            temporary.replace(self._folder / name)
        except OSError as error:
            raise EnvironmentFault(f"{self._folder / name}: {error.strerror}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def _clear(self, named: set[str]) -> None:
        """Remove what the last versions do not name; what is mapped stays with who mapped it."""
        if not self._kept or self._kept[-1] != named:
            self._kept.append(named)
        kept = set().union(*self._kept)
        for path in self._folder.iterdir():
            mine = _NAME.fullmatch(path.name.removesuffix(TEMPORARY))
            if mine and path.name not in kept:
                path.unlink(missing_ok=True)


def touched_dates(network: Network, changes: Changes, today: dt.date) -> list[dt.date]:
    """Return the dates whose slices the changes touch, from yesterday on, in order."""
    first, last = changes.start[:-1], changes.start[1:] - 1
    rides = last >= first
    spans = [(changes.departures_s[first[rides]], changes.arrivals_s[last[rides]])]
    own = np.flatnonzero(changes.train < network.n_trains)
    train, day = changes.train[own], changes.day[own]
    origin = network.zone_origin_s[network.train_zone[train], day] - network.epoch_s
    events = network.train_event_start
    spans.append(
        (
            network.event_departure_s[events[train]] + origin,
            network.event_arrival_s[events[train + 1] - 1] + origin,
        )
    )
    begins = np.concatenate([span[0] for span in spans]).astype(np.int64) + network.epoch_s
    ends = np.concatenate([span[1] for span in spans]).astype(np.int64) + network.epoch_s
    earliest, latest = begins // DAY_S - USUAL_DAYS + 1, (ends + BEFORE_S) // DAY_S
    days = np.unique(np.concatenate([earliest + shift for shift in range(USUAL_DAYS + 2)]))
    if not len(days):
        return []
    reached = [
        int(day) for day in days.tolist() if bool(((earliest <= day) & (day <= latest)).any())
    ]
    dates = [dt.date.fromordinal(UNIX_ORDINAL + day) for day in reached]
    return [date for date in dates if date >= today - dt.timedelta(1)]


class LiveReader:
    """Reads versions as they come; one reader serves all threads of a process.

    `current` returns what was read last and never waits; `refresh` looks for a newer version.
    """

    def __init__(self, folder: Path, edition_hash: str, network: Network) -> None:
        self._folder, self._edition, self._network = folder, edition_hash, network
        self._seen: tuple[int, int, int] | None = None
        self._current: LiveVersion | None = None

    @property
    def current(self) -> LiveVersion | None:
        """The version read last, None where there was none."""
        return self._current

    def refresh(self) -> LiveVersion | None:
        """Return the newest version; where it cannot be read, the last one that could."""
        path = self._folder / POINTER
        for _ in range(KEPT_VERSIONS):  # the poller may have moved on twice meanwhile
            try:
                stat = path.stat()
            except OSError:
                return self._current
            seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if seen == self._seen:
                return self._current
            try:
                self._current = self._read(_pointer(path, self._edition))
                self._seen = seen
                return self._current
            except InputError as error:
                _LOG.warning("the running day stays as it was: %s", error)
        return self._current

    def _read(self, pointer: Mapping[str, Any]) -> LiveVersion:
        sources = tuple(SourceState(**source) for source in pointer["sources"])
        notes = self._read_notes(pointer["notes"])
        before = self._current
        if (
            before is not None
            and before.runs == pointer["runs"]
            and set(map(dt.date.isoformat, before.slices)) == set(pointer["slices"])
        ):
            return replace(
                before, version=pointer["version"], notes=notes, sources=sources,
                polled_s=pointer["polled"],
            )  # fmt: skip
        mapped = self._open(pointer["runs"], RUNS_FILE)
        trains = [NewTrain.from_json(train) for train in mapped.meta["trains"]]
        return LiveVersion(
            version=pointer["version"],
            runs=pointer["runs"],
            network=lengthened(self._network, trains),
            slices={
                dt.date.fromisoformat(date): self._read_slice(name)
                for date, name in pointer["slices"].items()
            },
            changes=Changes(**value_fields(Changes, mapped)),
            notes=notes,
            sources=sources,
            polled_s=pointer["polled"],
        )

    def _open(self, name: str, kind: FileKind) -> MappedFile:
        path = self._folder / name
        mapped = open_file(path, kind)
        if mapped.meta.get("edition") != self._edition:
            raise InputError(f"{path}: of another edition")
        if damaged := mapped.damaged():
            raise InputError(f"{path}: section {damaged[0]} is damaged")
        return mapped

    def _read_slice(self, name: str) -> LiveSlice:
        mapped = self._open(name, LIVE_SLICE_FILE)
        meta = mapped.meta
        return LiveSlice(
            day=DaySlice(
                date=dt.date.fromisoformat(meta["date"]),
                n_days=meta["n_days"],
                epoch_s=self._network.epoch_s,
                **value_fields(DaySlice, mapped),
            ),
            first_live_run=meta["first_live_run"],
            status_start=mapped.arrays["status_start"],
            status=mapped.arrays["status"],
        )

    def _read_notes(self, name: str) -> Notes:
        path = self._folder / name
        try:
            return _notes_of(json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from None


def _status_arrays(live: LiveSlice) -> dict[str, Any]:
    return {"status_start": live.status_start, "status": live.status}


def _pointer(path: Path, edition: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_POINTER_BYTES))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: of another format: start mobility live again")
    if document.get("edition") != edition:
        raise InputError(f"{path}: of another edition")
    names = [document["runs"], document["notes"], *document["slices"].values()]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise InputError(f"{path}: names files that are none of the running day")
    return document


def _notes_document(notes: Notes) -> dict[str, Any]:
    return {
        "alerts": [[feed, _plain(asdict(alert))] for feed, alert in notes.alerts],
        "vehicles": [
            [feed, trip, date.isoformat(), _plain(asdict(vehicle))]
            for feed, trip, date, vehicle in notes.vehicles
        ],
    }


def _plain(value: Any) -> Any:
    """Return a document with dates as texts."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _notes_of(document: Mapping[str, Any]) -> Notes:
    return Notes(
        alerts=tuple((feed, _alert_of(alert)) for feed, alert in document["alerts"]),
        vehicles=tuple(
            (feed, trip, dt.date.fromisoformat(date), Vehicle(**vehicle | _trip_in(vehicle)))
            for feed, trip, date, vehicle in document["vehicles"]
        ),
    )


def _alert_of(alert: dict[str, Any]) -> Alert:
    pairs = {
        name: tuple((one[0], one[1]) for one in alert[name])
        for name in ("header", "description", "url", "periods")
    }
    informed = tuple(Informed(**one | _trip_in(one)) for one in alert["informed"])
    return Alert(**alert | pairs | {"informed": informed})


def _trip_in(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the field ``trip`` of a document as the value that it stands for."""
    trip = document["trip"]
    if trip is None:
        return {"trip": None}
    date = trip["start_date"]
    return {"trip": TripRef(**trip | {"start_date": date and dt.date.fromisoformat(date)})}

"""The region's trains: trips that run alone pass through, joined trains stand after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.calendar import unique_rows
from mobility.merge.further import DISTANCE, TIMEPOINT
from mobility.merge.region import TRAIN_KINDS
from mobility.merge.splice import JoinedTrain
from mobility.merge.tables import Events

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrainTables:
    """The tables that hold the region's service.

    Parameters
    ----------
    trains, stop_times, sections : DataFrame
    days : bool[n_services, n_days]
        Unique rows that trains and services use.
    never : bool[n_trips]
        Trips that run on no day of the horizon.
    service_days : int32[n_feed_services]
        Row of `days` of each service that a feed names.
    """

    trains: pl.DataFrame
    stop_times: pl.DataFrame
    sections: pl.DataFrame
    days: Bools
    never: Bools
    service_days: Int32s


def _single_days(
    trip_service: Int32s, rows: Bools, used: Mapping[int, Bools]
) -> tuple[Int64s, Int32s, Bools, Bools]:
    """Return trips that run alone with their days, all rows, and trips that never run."""
    service = trip_service.copy()
    left_over: list[Bools] = []
    for trip in sorted(used):
        rest = rows[trip_service[trip]] & ~used[trip]
        if rest.any():
            service[trip] = len(rows) + len(left_over)
            left_over.append(rest)
        else:
            service[trip] = -2
    all_rows = np.concatenate([rows, np.array(left_over)]) if left_over else rows
    runs: Bools = np.any(all_rows, axis=1, keepdims=True)[:, 0]
    never = service == -1
    never[service >= 0] = ~runs[service[service >= 0]]
    trips = np.flatnonzero((service >= 0) & ~never)
    return trips, service[trips], all_rows, never


def _single_tables(
    events: Events, trips: Int64s, border: Bools
) -> tuple[dict[str, npt.NDArray[np.generic] | pl.Series], Int64s]:
    """Return the columns of stop_times of trips that run alone, and their first events."""
    counts = np.diff(events.start)
    chosen = np.zeros(events.n_trips, np.bool_)
    chosen[trips] = True
    if chosen.all():
        keep: slice | Bools = slice(None)
    else:
        keep = np.repeat(chosen, counts)
    start = np.zeros(len(trips) + 1, np.int64)
    np.cumsum(counts[trips], out=start[1:])
    stop = events.stop[keep]
    at_border = border[stop]
    columns: dict[str, npt.NDArray[np.generic] | pl.Series] = {
        "train": np.repeat(np.arange(len(trips), dtype=np.int32), counts[trips]),
        "stop": stop,
        "arrival_s": events.arrival_s[keep],
        "departure_s": events.departure_s[keep],
        "pickup_type": np.where(at_border, np.int8(1), events.pickup_type[keep]),
        "drop_off_type": np.where(at_border, np.int8(1), events.drop_off_type[keep]),
        "border_point": at_border,
        "sequence": events.sequence[keep],
    }
    for name, values in events.further.items():
        columns[name] = values if isinstance(keep, slice) else values.filter(pl.Series(keep))
    return columns, start


def _single_sections(events: Events, trips: Int64s) -> pl.DataFrame:
    first, last = events.start[trips], events.start[trips + 1] - 1
    return _sections_frame(
        {
            "train": np.arange(len(trips)),
            "trip": trips,
            "day_shift": np.zeros(len(trips), np.int16),
            "from_pos": np.zeros(len(trips), np.int32),
            "to_pos": last - first,
            "from_sequence": events.sequence[first],
            "to_sequence": events.sequence[last],
            "alias": np.zeros(len(trips), np.bool_),
        }
    )


def _sections_frame(columns: Mapping[str, object]) -> pl.DataFrame:
    table = pl.DataFrame(columns)
    own = {"day_shift": pl.Int16(), "alias": pl.Boolean()}
    return table.select(pl.col(name).cast(own.get(name, pl.Int32())) for name in table.columns)


def _joined_columns(
    events: Events, joined: Sequence[JoinedTrain], first: int
) -> dict[str, npt.NDArray[np.generic] | pl.Series]:
    lines = [train.line for train in joined]
    counts = [len(line.stop) for line in lines]
    shift = np.repeat(np.array([train.seconds for train in joined], np.int32), counts)
    names = ("stop", "pickup_type", "drop_off_type", "border_point", "sequence")
    columns = {name: np.concatenate([getattr(line, name) for line in lines]) for name in names}
    for name in ("arrival_s", "departure_s"):
        columns[name] = np.concatenate([getattr(line, name) for line in lines]) + shift
    columns["train"] = np.repeat(np.arange(first, first + len(joined), dtype=np.int32), counts)
    return {name: columns[name] for name in _STOP_TIMES} | _joined_further(events, joined)


def _joined_further(events: Events, joined: Sequence[JoinedTrain]) -> dict[str, pl.Series]:
    """Return the further columns of joined trains, each call's as the trip says that counts there.

    Distances along a shape go on only where one trip's shape is the whole train's.
    """
    if not events.further:
        return {}
    arrives, departs = (
        pl.Series(np.concatenate([_rows(events, train, name) for train in joined]))
        for name in ("arrives", "departs")
    )
    whole = np.concatenate([_of_one_trip(train) for train in joined])
    found = {}
    for name, values in events.further.items():
        told = values.gather(arrives if name == "drop_off_booking_rule" else departs)
        if name == TIMEPOINT:
            exact = pl.DataFrame({"arrives": values.gather(arrives), "departs": told})
            told = exact.select(pl.min_horizontal("arrives", "departs")).to_series()
        elif name == DISTANCE:
            told = told.zip_with(pl.Series(whole), told.clear(len(told)))
        found[name] = told
    return found


def _rows(events: Events, train: JoinedTrain, name: str) -> Int64s:
    """Return the stop_time behind each call of a joined train."""
    source: Int32s = getattr(train.line, name)
    rows: Int64s = events.start[np.array(train.trips)[source[:, 0]]] + source[:, 1]
    return rows


def _of_one_trip(train: JoinedTrain) -> Bools:
    """Return which calls are of the trip that owns the whole train; none where several own it."""
    owner = int(np.argmax(train.line.owned))
    alone = train.line.owned[owner] == sum(train.line.owned)
    mask: Bools = (train.line.departs[:, 0] == owner) & alone
    return mask


def _joined_sections(joined: Sequence[JoinedTrain], first: int) -> pl.DataFrame:
    rows = [
        (
            *(number, part.trip, train.shifts[part.trip], part.from_pos, part.to_pos),
            *(part.from_sequence, part.to_sequence, part.alias),
        )
        for number, train in enumerate(joined, start=first)
        for part in train.parts
    ]
    names = (
        *("train", "trip", "day_shift", "from_pos", "to_pos"),
        *("from_sequence", "to_sequence", "alias"),
    )
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    return _sections_frame(columns)


_STOP_TIMES = {
    "train": pl.Int32,
    "stop": pl.Int32,
    "arrival_s": pl.Int32,
    "departure_s": pl.Int32,
    "pickup_type": pl.Int8,
    "drop_off_type": pl.Int8,
    "border_point": pl.Boolean,
    "sequence": pl.Int32,
}


def build_trains(
    events: Events,
    trip_service: Int32s,
    rows: Bools,
    services: Int32s,
    border: Bools,
    zones: Sequence[str],
    joined: Sequence[JoinedTrain],
    used: Mapping[int, Bools],
) -> TrainTables:
    """Return trains, stop_times and sections of trips that run alone and of joined trains.

    Parameters
    ----------
    events : Events
    trip_service : int32[n_trips]
        Row of `rows`, -1 where the trip has none.
    rows : bool[n_services, n_days]
    services : int32[n_feed_services]
        Row of `rows` of each service that a feed names.
    border : bool[n_stops]
        Stops that are border points.
    zones : sequence of str
        Zone per trip.
    joined : sequence of JoinedTrain
    used : mapping of trip to bool[n_days]
        Days on which a joined train carries the trip.
    """
    trips, service, all_rows, never = _single_days(trip_service, rows, used)
    columns, start = _single_tables(events, trips, border)
    stop_times = pl.DataFrame(columns, schema_overrides=_STOP_TIMES)
    sections = _single_sections(events, trips)
    counts = np.diff(start)
    lead = trips
    kinds = ["single"] * len(trips)
    if joined:
        more = pl.DataFrame(
            _joined_columns(events, joined, len(trips)), schema_overrides=_STOP_TIMES
        )
        stop_times = pl.concat([stop_times, more], rechunk=True)
        sections = pl.concat([sections, _joined_sections(joined, len(trips))])
        counts = np.concatenate([counts, [len(train.line.stop) for train in joined]])
        lead = np.concatenate([lead, [train.lead for train in joined]])
        service = np.concatenate([service, np.arange(len(joined)) + len(all_rows)])
        all_rows = np.concatenate([all_rows, np.array([train.days for train in joined])])
        kinds += [train.kind for train in joined]
    used_rows, place = np.unique(np.concatenate([service, services]), return_inverse=True)
    days, unique = unique_rows(all_rows[used_rows])
    place = unique[place.ravel()]
    first_event = np.zeros(len(lead) + 1, np.int64)
    np.cumsum(counts, out=first_event[1:])
    trains = pl.DataFrame(
        {
            "trip": lead.astype(np.int32),
            "zone": [zones[trip] for trip in lead.tolist()],
            "service": place[: len(lead)].astype(np.int32),
            "first_event": first_event[:-1],
            "n_events": counts.astype(np.int32),
            "kind": kinds,
        },
        schema_overrides={"zone": pl.String, "kind": pl.Enum(TRAIN_KINDS)},
    ).with_columns(pl.col("kind").cast(pl.String))
    return TrainTables(
        trains, stop_times, sections, days, never, place[len(lead) :].astype(np.int32)
    )

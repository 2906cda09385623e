"""Trips and stop_times of the export, and which of them each trip of a feed is part of."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.export.runs import Runs, service_ids
from mobility.merge.export.stops import ExportedStops
from mobility.merge.further import BOOKING
from mobility.merge.region import Region
from mobility.schema import TABLES

NO_CALL = 1  # pickup_type and drop_off_type: nobody gets on or off
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def scoped_ids(region: Region, table: str, column: str) -> pl.Series:
    """Return ``feed:raw`` of an id column of a region table."""
    frame = region.tables[table]
    feeds = pl.Series([feed.id for feed in region.feeds], dtype=pl.String)
    return feeds.gather(frame["feed"].cast(pl.UInt32)) + ":" + frame[column].cast(pl.String)


def run_ids(lead_ids: list[str]) -> list[str]:
    """Return a trip id per run: the lead trip's, and with a number from its second run on.

    >>> run_ids(["a:1", "a:1", "a:1#2", "b:1"])
    ['a:1', 'a:1#3', 'a:1#2', 'b:1']
    """
    taken = set(lead_ids)
    seen: dict[str, int] = {}
    out = []
    for lead in lead_ids:
        number = seen.get(lead, 0) + 1
        name = lead if number == 1 else f"{lead}#{number}"
        while number > 1 and name in taken:
            number += 1
            name = f"{lead}#{number}"
        seen[lead] = number
        taken.add(name)
        out.append(name)
    return out


def _further(name: str, table: pl.DataFrame, known: Collection[str]) -> list[str]:
    """Return the columns of the schema that a region table has beyond those known, ids apart."""
    return [
        column.name
        for column in TABLES[name].columns
        if column.name in table.columns and column.name not in known and column.kind != "id"
    ]


def find_memberships(region: Region, runs: Runs) -> pl.DataFrame:
    """Return which runs each trip is part of, as a section or as an alias.

    Columns: ``trip`` (row of the region's trips), ``run`` (row of the export's), ``train``,
    ``from_pos``, ``to_pos`` (positions in the train), ``alias``; by (trip, run, from_pos).
    """
    of_train = pl.DataFrame(
        {"train": runs.train, "run": np.arange(len(runs), dtype=np.int32)},
        schema={"train": pl.Int32, "run": pl.Int32},
    )
    sections = region.tables["sections"].select("train", "trip", "from_pos", "to_pos", "alias")
    return sections.join(of_train, on="train").sort("trip", "run", "from_pos", "alias")


def export_trips(region: Region, runs: Runs, shape_of_run: pl.Series) -> pl.DataFrame:
    """Return ``trips``: one per run.

    The lead trip gives line, number (the manifest's rule may find it elsewhere than in the short
    name) and what the vehicle offers, the last section the headsign: that is where the train goes.
    A block is kept by trains of a single trip only: it tells what that trip's vehicle does next.
    """
    trains, trips = region.tables["trains"], region.tables["trips"]
    of = pl.Series(runs.train).cast(pl.UInt32)
    lead = trains["trip"].gather(of).cast(pl.UInt32)
    routes = scoped_ids(region, "routes", "route_id").gather(trips["route"].cast(pl.UInt32))
    single = (trains["kind"] == "single").gather(of)
    blocks = scoped_ids(region, "trips", "block_id").gather(lead)
    services = pl.Series(service_ids(runs), dtype=pl.String)
    lead_headsign = trips["trip_headsign"].gather(lead)
    last = _last_trips(region).gather(of).cast(pl.UInt32)
    columns = {
        "route_id": routes.gather(lead),
        "service_id": services.gather(pl.Series(runs.service).cast(pl.UInt32)),
        "trip_id": pl.Series(
            run_ids(scoped_ids(region, "trips", "trip_id").gather(lead).to_list()), dtype=pl.String
        ),
        "trip_headsign": trips["trip_headsign"].gather(last).fill_null(lead_headsign),
        "trip_short_name": trips["trip_short_name"].fill_null(trips["number"]).gather(lead),
        "block_id": blocks.zip_with(single, pl.Series([None] * len(runs), dtype=pl.String)),
        "shape_id": shape_of_run,
    }
    further = _further("trips", trips, columns)
    return pl.DataFrame(columns | {name: trips[name].gather(lead) for name in further})


def _last_trips(region: Region) -> pl.Series:
    """Return for each train the trip of its last section."""
    own = region.tables["sections"].filter(~pl.col("alias")).sort("train", "to_pos")
    last = own.group_by("train", maintain_order=True).agg(pl.col("trip").last())
    trains = pl.DataFrame({"train": np.arange(region.tables["trains"].height, dtype=np.int32)})
    found = trains.join(last, on="train", how="left", maintain_order="left")["trip"]
    return found.fill_null(region.tables["trains"]["trip"])


def export_stop_times(region: Region, runs: Runs, stops: ExportedStops) -> pl.DataFrame:
    """Return ``stop_times`` in the form of `Feed.tables`: ``trip`` and ``stop`` are rows.

    Times are seconds from the run's own service-day origin. A train of one trip keeps that trip's
    stop_sequence, a joined train is numbered from 1.
    """
    trains, calls = region.tables["trains"], region.tables["stop_times"]
    counts = trains["n_events"].to_numpy().astype(np.int64)[runs.train]
    first = trains["first_event"].to_numpy().astype(np.int64)[runs.train]
    run = np.repeat(np.arange(len(runs), dtype=np.int32), counts)
    position = np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts, counts)
    event = np.repeat(first, counts) + position
    whole = (trains["kind"] == "single").to_numpy()[runs.train]
    sequence = np.where(whole[run], calls["sequence"].to_numpy()[event], position + 1)
    border = calls["border_point"].fill_null(False).to_numpy()[event]
    columns = {"trip": run, "stop": stops.row[calls["stop"].to_numpy()[event]]}
    for name, source in (("arrival_time", "arrival_s"), ("departure_time", "departure_s")):
        times = calls[source].to_numpy()[event] + runs.seconds[run]
        columns[name] = times.astype(np.int32)
    columns["stop_sequence"] = sequence.astype(np.int32)
    for name in ("pickup_type", "drop_off_type"):
        kinds = calls[name].fill_null(0).to_numpy()[event]
        columns[name] = np.where(border, NO_CALL, kinds).astype(np.int8)
    rows = pl.Series(event).cast(pl.UInt32)
    told = {name: calls[name].gather(rows) for name in _further("stop_times", calls, columns)}
    for name in BOOKING:
        if name in calls.columns:
            rules = scoped_ids(region, "booking_rules", "booking_rule_id")
            told[f"{name}_id"] = rules.gather(calls[name].gather(rows).cast(pl.UInt32))
    return pl.DataFrame({**columns, **told})


def numbered_calls(region: Region, trains: Int32s) -> pl.DataFrame:
    """Return the calls of some trains with their numbers in the feed and in the export.

    Columns: ``train``, ``position``, ``sequence`` (raw), ``number`` (stop_sequence of the export),
    ``ends`` (the train's last call).
    """
    table = region.tables["trains"]
    calls = calls_of(region, trains).drop("stop", "station")
    of = calls["train"].cast(pl.UInt32)
    event = table["first_event"].gather(of) + calls["position"]
    sequence = region.tables["stop_times"]["sequence"].gather(event.cast(pl.UInt32))
    single, last = table["kind"].gather(of) == "single", table["n_events"].gather(of) - 1
    return calls.with_columns(
        sequence=sequence,
        number=sequence.zip_with(single, calls["position"] + 1),
        ends=calls["position"] == last,
    )


def calls_of(region: Region, trains: Int32s) -> pl.DataFrame:
    """Return the calls of some trains: ``train``, ``position``, ``stop``, ``station``."""
    table, calls = region.tables["trains"], region.tables["stop_times"]
    chosen = np.unique(trains)
    first = table["first_event"].to_numpy().astype(np.int64)[chosen]
    counts = table["n_events"].to_numpy().astype(np.int64)[chosen]
    position = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    stop = calls["stop"].to_numpy()[np.repeat(first, counts) + position]
    stations = region.tables["stops"]["station"].fill_null(-1).to_numpy()
    return pl.DataFrame(
        {
            "train": np.repeat(chosen, counts).astype(np.int32),
            "position": position.astype(np.int32),
            "stop": stop.astype(np.int32),
            "station": stations[stop].astype(np.int32),
        }
    )

"""transfers.txt of all feeds between the stops and trips of the export."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.export.runs import Runs
from mobility.merge.export.scope import Findings, Scope, first_by_key
from mobility.merge.export.stops import BOARDING_AREA, STATION, STOP, ExportedStops
from mobility.merge.export.trips import calls_of
from mobility.merge.region import Region
from mobility.schema import TABLES

NAME = "transfers"
IN_SEAT_TYPES = (4, 5)
FORBIDDEN_TYPE = 3
ENDS = ("from", "to")
_COLUMNS = tuple(column.name for column in TABLES[NAME].columns)


@dataclass(frozen=True, slots=True)
class Transfers:
    """Makes the ``transfers`` of the export.

    Parameters
    ----------
    region, runs, stops, scope
        What is exported, and how ids map.
    trips : DataFrame
        ``trips`` of the export.
    members : DataFrame
        See `find_memberships`.
    findings : Findings
    """

    region: Region
    runs: Runs
    stops: ExportedStops
    scope: Scope
    trips: pl.DataFrame
    members: pl.DataFrame
    findings: Findings

    def table(self) -> pl.DataFrame | None:
        """Return ``transfers``, or None where no feed has any.

        Of several rows for one pair the one that names most stops rather than stations counts;
        among those, one that forbids, then the longest minimum.
        """
        raw = self.region.tables.get(NAME)
        if raw is None or not raw.height:
            return None
        rows = self._prepared(raw)
        of_trips = pl.col("from_trip_id").is_not_null() | pl.col("to_trip_id").is_not_null()
        plain = self._between_places(rows.filter(~of_trips))
        named = self._between_trips(rows.filter(of_trips))
        dropped = rows.height - plain["_row"].n_unique() - named["_row"].n_unique()
        self.findings.add(
            "export_row_dropped", NAME, "between what never meets in the region: dropped", dropped
        )
        table = pl.concat([plain, named]).sort("_row", *TABLES[NAME].key, maintain_order=True)
        forbids = pl.when(pl.col("transfer_type") == FORBIDDEN_TYPE).then(0).otherwise(1)
        longest = -pl.col("min_transfer_time").fill_null(-1)
        order = [pl.col("_stations"), forbids, longest]
        table = first_by_key(table, TABLES[NAME].key, order, self.findings, NAME)
        return table.select("feed", *_COLUMNS)

    def _prepared(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Return the rows with every column; ``from_at``, ``to_at`` are stops of the region."""
        rows = raw.with_columns(
            pl.lit(None, pl.Int32 if column.kind in ("enum", "int") else pl.String).alias(
                column.name
            )
            for column in TABLES[NAME].columns
            if column.name not in raw.columns
        ).with_row_index("_row")
        prefix = self.scope.prefixes(rows)
        return rows.with_columns(
            *(
                self.scope.find_stops(rows, f"{end}_stop_id", "at").alias(f"{end}_at")
                for end in ENDS
            ),
            *((prefix + rows[f"{end}_route_id"]).alias(f"{end}_route_id") for end in ENDS),
            min_transfer_time=pl.when(pl.col("min_transfer_time") >= 0).then("min_transfer_time"),
        )

    def _between_places(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows between stops and stations."""
        places = self._places()
        ids = self.stops.table["stop_id"]
        for end in ENDS:
            rows = rows.join(
                places.rename({name: f"{end}_{name}" for name in places.columns}),
                on=f"{end}_at",
                maintain_order="left",
            )
            rows = rows.with_columns(
                ids.gather(rows[f"{end}_row"].cast(pl.UInt32)).alias(f"{end}_stop_id")
            )
        stations = pl.col("from_folded").cast(pl.Int8) + pl.col("to_folded").cast(pl.Int8)
        return rows.select("_row", "feed", *_COLUMNS, _stations=stations)

    def _places(self) -> pl.DataFrame:
        """Return ``at`` (stop of the region), ``row`` (of the export) it stands for, ``folded``.

        A feed's own station whose merged station holds more stands for its own stops only: what
        its feed says of it does not hold for the others.
        """
        stops = self.stops
        at = np.arange(len(stops.row), dtype=np.int32)
        kind = stops.kind[stops.row]
        boarding = np.isin(kind, (STOP, BOARDING_AREA))
        usable = (boarding | (kind == STATION)) & ~stops.shared
        root = self.region.tables["stops"]["parent"].fill_null(-1).to_numpy().astype(np.int32)
        root = np.where(root >= 0, root, at)
        root = root[root] if len(root) else root
        below = boarding & (root != at) & stops.shared[root]
        return pl.DataFrame(
            {
                "at": np.concatenate([at[usable], root[below]]).astype(np.int32),
                "row": np.concatenate([stops.row[usable], stops.row[below]]),
                "folded": np.concatenate([stops.folded[usable], np.ones(below.sum(), bool)]),
            }
        )

    def _between_trips(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows that name trips, once for each pair of runs that meet on a day."""
        for end in ENDS:
            rows = self._with_runs(rows, end)
        rows = rows.filter((pl.col("from_run") != pl.col("to_run")).fill_null(True))
        rows = rows.filter(self._meet(rows))
        trains = pl.concat([rows["from_train"], rows["to_train"]]).drop_nulls()
        calls = calls_of(self.region, trains.to_numpy())
        for end in ENDS:
            rows = self._with_stop(rows, end, calls)
        rows = rows.filter(
            pl.all_horizontal(pl.col(f"{end}_stop_id").is_not_null() for end in ENDS)
        )
        for end in ENDS:
            of = rows[f"{end}_run"].cast(pl.UInt32)
            rows = rows.with_columns(
                self.trips["trip_id"].gather(of).alias(f"{end}_trip_id"),
                pl.when(pl.col(f"{end}_run").is_null() | pl.col(f"{end}_route_id").is_null())
                .then(f"{end}_route_id")
                .otherwise(self.trips["route_id"].gather(of))
                .alias(f"{end}_route_id"),
            )
        return rows.select("_row", "feed", *_COLUMNS, _stations=pl.lit(0, pl.Int8))

    def _with_runs(self, rows: pl.DataFrame, end: str) -> pl.DataFrame:
        """Return the rows once for each run of the trip at one end; a trip without runs drops."""
        trips = self.region.tables["trips"].select(
            "feed", pl.col("trip_id").alias(f"{end}_trip_id"),
            trip=pl.int_range(pl.len(), dtype=pl.Int32),
        )  # fmt: skip
        spans = self.members.group_by("trip", "run", "train", maintain_order=True).agg(
            pl.col("from_pos").min(), pl.col("to_pos").max()
        )
        runs = trips.join(spans, on="trip").select(
            "feed", f"{end}_trip_id",
            **{f"{end}_{name}": name for name in ("run", "train", "from_pos", "to_pos")},
        )  # fmt: skip
        found = rows.join(runs, on=["feed", f"{end}_trip_id"], how="left", maintain_order="left")
        return found.filter(pl.col(f"{end}_trip_id").is_null() | pl.col(f"{end}_run").is_not_null())

    def _meet(self, rows: pl.DataFrame) -> pl.Series:
        """Return whether both runs are under way on one service day, or the second on the next.

        Who stays seated goes on at once: on the same service day if the second run starts after
        the first one's end, else on the next.
        """
        days = self.runs.days
        known = rows["from_run"].is_not_null() & rows["to_run"].is_not_null()
        first, second = (rows[f"{end}_run"].fill_null(0).to_numpy() for end in ENDS)
        services = np.column_stack([self.runs.service[first], self.runs.service[second]])
        pairs, place = np.unique(services, axis=0, return_inverse=True)
        place = place.reshape(-1)
        same, following = (
            np.array([bool((days[a, :end] & days[b, start:]).any()) for a, b in pairs], np.bool_)
            for end, start in ((None, 0), (-1, 1))
        )
        leaves = self._seconds(second, rows["to_from_pos"], "departure_s")
        goes_on = leaves >= self._seconds(first, rows["from_to_pos"], "arrival_s")
        in_seat = rows["transfer_type"].is_in(list(IN_SEAT_TYPES)).fill_null(False).to_numpy()
        at_once = np.where(goes_on, same[place], following[place])
        return ~known | pl.Series(np.where(in_seat, at_once, (same | following)[place]))

    def _seconds(
        self, run: npt.NDArray[np.int32], position: pl.Series, column: str
    ) -> npt.NDArray[np.int64]:
        """Return the time of each run's call at a position, from the run's service-day origin."""
        first = self.region.tables["trains"]["first_event"].to_numpy()[self.runs.train[run]]
        times = self.region.tables["stop_times"][column].to_numpy()
        seconds: npt.NDArray[np.int64] = times[first + position.fill_null(0).to_numpy()]
        return seconds.astype(np.int64) + self.runs.seconds[run]

    def _with_stop(self, rows: pl.DataFrame, end: str, calls: pl.DataFrame) -> pl.DataFrame:
        """Return the rows with the stop at one end.

        A run calls at the stop itself, or at another of its station where another feed's listing
        of the train counts; who stays seated does so where one trip ends and the next begins.
        """
        stations = self.region.tables["stops"]["station"].fill_null(-1)
        station = stations.gather(rows[f"{end}_at"].cast(pl.UInt32)).cast(pl.Int32)
        edge = rows[f"{end}_to_pos" if end == "from" else f"{end}_from_pos"]
        keys = pl.DataFrame(
            {"train": rows[f"{end}_train"], "stop": rows[f"{end}_at"], "station": station,
             "position": edge}
        )  # fmt: skip

        def lookup(on: str) -> pl.Series:
            table = calls.select("train", on, found="stop").unique(
                ["train", on], keep="first", maintain_order=True
            )
            return keys.join(table, on=["train", on], how="left", maintain_order="left")["found"]

        in_seat = rows["transfer_type"].is_in(list(IN_SEAT_TYPES)).fill_null(False)
        called = pl.select(pl.coalesce(lookup("stop"), lookup("station"))).to_series()
        stop = lookup("position").zip_with(in_seat, called)
        stop = rows[f"{end}_at"].zip_with(rows[f"{end}_run"].is_null(), stop)
        row = pl.Series(self.stops.row).gather(stop.cast(pl.UInt32))
        ids = self.stops.table["stop_id"].gather(row.cast(pl.UInt32))
        return rows.with_columns(ids.alias(f"{end}_stop_id"))

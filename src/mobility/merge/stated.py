"""What the manifest states of merged stations, and the zones that follow for their stops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.notices import Notice
from mobility.feeds import StationStatement
from mobility.merge.decisions import stale
from mobility.merge.ground import Ground

Int32s = npt.NDArray[np.int32]


def station_statements(
    ground: Ground, station_of_place: Int32s, notices: list[Notice]
) -> dict[int, StationStatement]:
    """Return the statement on each station by its row; tells those that name nothing or clash."""
    rows = ground.stop_of() if ground.manifest.stations else {}
    found: dict[int, StationStatement] = {}
    for statement in ground.manifest.stations:
        stop = rows.get(statement.member)
        if stop is None:
            notices.append(stale(statement.member, "region.toml"))
            continue
        station = int(station_of_place[ground.places.of_stop[stop]])
        if station in found:
            notices.append(
                Notice(
                    "station_stated_twice",
                    "warning",
                    file="region.toml",
                    value=statement.member,
                    message=f"the same station as {found[station].member}; the first one counts",
                )
            )
            continue
        found[station] = statement
    return found


def state_stations(stations: pl.DataFrame, statements: dict[int, StationStatement]) -> pl.DataFrame:
    """Return the `stations` table with the names and zones that the manifest states."""
    if not statements:
        return stations
    stated = pl.DataFrame(
        {
            "row": list(statements),
            "stated_name": [statement.name for statement in statements.values()],
            "stated_tz": [statement.tz for statement in statements.values()],
        },
        schema={"row": pl.Int64, "stated_name": pl.String, "stated_tz": pl.String},
    )
    return (
        stations.with_columns(pl.int_range(pl.len()).alias("row"))
        .join(stated, on="row", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("stated_name", "name").alias("name"),
            pl.coalesce("stated_tz", "tz").alias("tz"),
        )
        .select(stations.columns)
    )


def told_zones(
    ground: Ground,
    station_of_place: Int32s,
    stations: pl.DataFrame,
    statements: dict[int, StationStatement],
) -> pl.Series:
    """Return the zone that the times at each stop are told in.

    What the manifest states for its station; else its own or its parent's ``stop_timezone``; else,
    where several feeds share the station, the station's, so that one place has one time; else its
    feed's.
    """
    stops, places = ground.tables.stops, ground.places
    station = station_of_place[places.of_stop]
    own = stops["stop_timezone"]
    of_station = stations["tz"].gather(station)
    stated = np.isin(station, [row for row, one in statements.items() if one.tz is not None])
    least = np.full(stations.height, len(ground.feeds), np.int32)
    most = np.full(stations.height, -1, np.int32)
    np.minimum.at(least, station_of_place, places.feed)
    np.maximum.at(most, station_of_place, places.feed)
    shared = (least < most)[station]
    feed_zones = pl.Series([feed.zone for feed in ground.feeds], dtype=pl.String)
    table = pl.DataFrame(
        {
            "own": own,
            "parent": own.gather(stops["parent"]),
            "station": of_station,
            "stated": stated,
            "shared": shared,
            "feed": feed_zones.gather(stops["feed"]),
        }
    )
    return table.select(
        pl.when("stated")
        .then("station")
        .otherwise(pl.coalesce("own", "parent", pl.when("shared").then("station"), "feed"))
    ).to_series()

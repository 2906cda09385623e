"""The `stations` and `stops` tables: names, positions, zones and ids that stay."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.codes import code_country
from mobility.merge.places import Places

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def station_ids(references: pl.Series) -> pl.Series:
    """Return an id per reference: letters and digits in lower case, all else as ``-``.

    Where two references come out the same, each carries a part of its own hash.

    >>> station_ids(pl.Series(["rail:StopArea:X87212027", "b:x y"])).to_list()
    ['rail-stoparea-x87212027', 'b-x-y']
    """
    slugs = references.str.to_lowercase().str.replace_all("[^a-z0-9]+", "-").str.strip_chars("-")
    unclear = slugs.is_duplicated() | (slugs == "")
    if not unclear.any():
        return slugs
    hashed = [
        f"{slug}-{hashlib.sha256(reference.encode()).hexdigest()[:8]}".strip("-") if doubt else slug
        for slug, reference, doubt in zip(slugs, references, unclear, strict=True)
    ]
    return pl.Series(hashed, dtype=pl.String)


def number_stations(first_place: Int64s) -> tuple[Int32s, list[Int64s]]:
    """Return the station of each place and the places of each station, in order of first places."""
    heads, station = np.unique(first_place, return_inverse=True)
    order = np.argsort(station, kind="stable")
    bounds = np.searchsorted(station[order], np.arange(len(heads) + 1))
    members = [order[bounds[at] : bounds[at + 1]] for at in range(len(heads))]
    return station.astype(np.int32), members


def place_references(stops: pl.DataFrame, places: Places, feed_ids: Sequence[str]) -> list[str]:
    """Return ``feed:stop_id`` of each place's root."""
    ids = stops["stop_id"].to_list()
    return [
        f"{feed_ids[feed]}:{ids[root]}"
        for feed, root in zip(places.feed.tolist(), places.root.tolist(), strict=True)
    ]


def build_stations(
    stops: pl.DataFrame,
    places: Places,
    station_of_place: Int32s,
    references: Sequence[str],
    precedences: Sequence[int],
    feed_zones: Sequence[str],
) -> pl.DataFrame:
    """Return the `stations` table.

    The zone is the one that most members state, else that of the best member's feed. Id, name and
    position come from the best member: one whose feed keeps the station's own zone, because people
    there know the station by the name their own operators give it; then by precedence.
    """
    stated = stops.select(
        pl.Series("station", station_of_place[places.of_stop]), pl.col("stop_timezone").alias("tz")
    ).drop_nulls()
    zones = (
        stated.group_by("station", "tz")
        .len()
        .sort(["station", "len", "tz"], descending=[False, True, False])
        .unique("station", keep="first", maintain_order=True)
    )
    feed_zone = pl.Series(feed_zones, dtype=pl.String).gather(places.feed)
    table = pl.DataFrame(
        {
            "station": station_of_place,
            "precedence": np.array(precedences, np.int64)[places.feed],
            "feed": places.feed,
            "reference": references,
            "root": places.root,
            "lat": places.lat,
            "lon": places.lon,
        },
        schema_overrides={"reference": pl.String},
    )
    table = table.with_columns(feed_zone=feed_zone).join(
        zones, on="station", how="left", maintain_order="left"
    )
    abroad = (pl.col("tz") != pl.col("feed_zone")).fill_null(value=False)
    lead = (
        table.with_columns(abroad=abroad)
        .sort("station", "abroad", "precedence", "feed", "reference")
        .unique("station", keep="first", maintain_order=True)
    )
    root = lead["root"]
    names, ids = stops["stop_name"].gather(root), stops["stop_id"].gather(root)
    return lead.with_columns(names.alias("stop_name"), ids.alias("stop_id")).select(
        station_ids(lead["reference"]).alias("station_id"),
        pl.coalesce("stop_name", "stop_id").alias("name"),
        pl.col("lat", "lon").fill_nan(None),
        pl.coalesce("tz", "feed_zone").alias("tz"),
    )


class StationCountries:
    """The country of each station, looked up when a joined train calls there.

    What the codes of its members say, else the country of the feed that lists most calls.
    """

    def __init__(
        self,
        places: Places,
        members: Sequence[Int64s],
        feed_countries: Sequence[str | None],
        precedences: Sequence[int],
    ) -> None:
        self.places = places
        self.members = members
        self.feed_countries = feed_countries
        self.precedences = precedences

    def country(self, station: int) -> str | None:
        """Return the ISO 3166 code, None where nothing says."""
        places = self.places
        own: list[int] = self.members[station].tolist()
        said = Counter(
            country
            for place in (own if places.codes else ())
            for code in places.codes[place]
            if (country := code_country(code)) is not None
        )
        if said:
            return min(said, key=lambda country: (-said[country], country))
        feeds = {place: int(places.feed[place]) for place in own}
        busiest = min(
            own,
            key=lambda place: (-int(places.events[place]), self.precedences[feeds[place]], place),
        )
        return self.feed_countries[feeds[busiest]]


def finish_stops(
    stops: pl.DataFrame, places: Places, station: Int32s, zones: pl.Series, looped: Int64s
) -> pl.DataFrame:
    """Return the `stops` table with station and zone; parents that form a loop are cut."""
    parent = stops["parent"].to_numpy().copy() if not len(looped) else None
    if parent is None:
        cut = pl.Series(np.isin(np.arange(stops.height), looped))
        stops = stops.with_columns(
            pl.when(cut).then(None).otherwise(pl.col("parent")).alias("parent")
        )
    first = (
        *("feed", "stop_id", "stop_name", "stop_code", "stop_lat", "stop_lon", "platform_code"),
        *("location_type", "parent", "station", "tz", "zone_id", "wheelchair_boarding"),
        "border_point",
    )
    further = [name for name in stops.columns if name not in (*first, "stop_timezone")]
    return stops.with_columns(
        pl.Series("station", station[places.of_stop], dtype=pl.Int32),
        zones.alias("tz"),
    ).select(*first, *further)

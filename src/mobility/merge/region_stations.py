"""The `stations` and `stops` tables: names, positions, zones and ids that stay."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.codes import code_country
from mobility.merge.places import Places

_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def slug(reference: str) -> str:
    """Return the reference in lower case with everything but letters and digits as ``-``.

    >>> slug("sncf:StopArea:OCE87212027")
    'sncf-stoparea-oce87212027'
    """
    return _NOT_PLAIN.sub("-", reference.lower()).strip("-")


def station_ids(references: Sequence[str]) -> list[str]:
    """Return an id per reference; where slugs meet, each carries a part of its reference's hash.

    >>> station_ids(["a:1", "b:x y"])
    ['a-1', 'b-x-y']
    """
    slugs = [slug(reference) for reference in references]
    count = Counter(slugs)
    return [
        own
        if own and count[own] == 1
        else f"{own}-{hashlib.sha256(reference.encode()).hexdigest()[:8]}".strip("-")
        for own, reference in zip(slugs, references, strict=True)
    ]


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


def stop_zones(stops: pl.DataFrame, feed_zones: Sequence[str]) -> list[str]:
    """Return the zone that each stop's times are told in: its own, its parent's, its feed's."""
    own = stops["stop_timezone"].to_list()
    parents = stops["parent"].to_list()
    feeds = stops["feed"].to_list()
    return [
        own[stop]
        or (own[parents[stop]] if parents[stop] is not None else None)
        or feed_zones[feeds[stop]]
        for stop in range(len(own))
    ]


def build_stations(
    stops: pl.DataFrame,
    places: Places,
    members: Sequence[Int64s],
    references: Sequence[str],
    precedences: Sequence[int],
    feed_zones: Sequence[str],
) -> pl.DataFrame:
    """Return the `stations` table.

    Id, name and position come from the member of best precedence; the zone is the one that most
    members state, else that of the best member's feed.
    """
    leads = [
        min(
            own.tolist(),
            key=lambda place: (
                precedences[places.feed[place]],
                places.feed[place],
                references[place],
            ),
        )
        for own in members
    ]
    stated = stops["stop_timezone"].to_list()
    names = stops["stop_name"].fill_null("").to_list()
    ids = stops["stop_id"].to_list()
    zones = []
    stops_of = _stops_by_place(places)
    for lead, own in zip(leads, members, strict=True):
        votes = Counter(
            stated[stop] for place in own.tolist() for stop in stops_of[place] if stated[stop]
        )
        best = min(votes, key=lambda zone: (-votes[zone], zone)) if votes else None
        zones.append(best or feed_zones[places.feed[lead]])
    at = np.array(leads, np.int64)
    return pl.DataFrame(
        {
            "station_id": station_ids([references[lead] for lead in leads]),
            "name": [names[places.root[lead]] or ids[places.root[lead]] for lead in leads],
            "lat": places.lat[at],
            "lon": places.lon[at],
            "tz": zones,
        },
        schema_overrides={"station_id": pl.String, "name": pl.String, "tz": pl.String},
    ).with_columns(pl.col("lat", "lon").fill_nan(None))


def _stops_by_place(places: Places) -> list[list[int]]:
    out: list[list[int]] = [[] for _ in range(len(places))]
    for stop, place in enumerate(places.of_stop.tolist()):
        out[place].append(stop)
    return out


def station_countries(
    places: Places,
    members: Sequence[Int64s],
    feed_countries: Sequence[str | None],
    precedences: Sequence[int],
) -> list[str | None]:
    """Return the country of each station: what its codes say, else where most calls are listed."""
    out = []
    for own in members:
        said = Counter(
            country
            for place in own.tolist()
            for code in places.codes[place]
            if (country := code_country(code)) is not None
        )
        if said:
            out.append(min(said, key=lambda country: (-said[country], country)))
            continue
        busiest = min(
            own.tolist(),
            key=lambda place: (-places.events[place], precedences[places.feed[place]], place),
        )
        out.append(feed_countries[places.feed[busiest]])
    return out


def finish_stops(
    stops: pl.DataFrame, places: Places, station: Int32s, zones: Sequence[str], looped: Int64s
) -> pl.DataFrame:
    """Return the `stops` table with station and zone; parents that form a loop are cut."""
    parent = stops["parent"].to_numpy().copy() if not len(looped) else None
    if parent is None:
        cut = pl.Series(np.isin(np.arange(stops.height), looped))
        stops = stops.with_columns(
            pl.when(cut).then(None).otherwise(pl.col("parent")).alias("parent")
        )
    return stops.with_columns(
        pl.Series("station", station[places.of_stop], dtype=pl.Int32),
        pl.Series("tz", list(zones), dtype=pl.String),
    ).select(
        *("feed", "stop_id", "stop_name", "stop_code", "stop_lat", "stop_lon", "platform_code"),
        *("location_type", "parent", "station", "tz", "zone_id", "wheelchair_boarding"),
        "border_point",
    )

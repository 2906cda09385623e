"""What stands in an edition beside the arrays: its documents, and the hash of a table's content."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import numpy as np
import polars as pl

from mobility.core.ids import canonical_json
from mobility.core.notices import Notice, count_by_code
from mobility.merge.region import Region
from mobility.network.special import read_special_rules
from mobility.network.values import Bools, Network

CROWDED = "transfers_of_trips_left_out"
CUT = "staying_seated_cut"
RULE_TABLES = ("border_checks", "boarding_bans")


def table_hash(table: pl.DataFrame) -> str:
    """Return the SHA-256 of a table's columns: names, types, values and which are missing.

    >>> import polars as pl
    >>> a = pl.DataFrame({"n": [1, None], "s": ["x", "y"]})
    >>> b = pl.DataFrame({"n": [1, None], "s": ["xy", ""]})
    >>> table_hash(a) == table_hash(a.clone()), table_hash(a) == table_hash(b)
    (True, False)
    """
    total = hashlib.sha256(canonical_json([table.height, table.width]))
    for column in table.iter_columns():
        total.update(canonical_json([column.name, str(column.dtype)]))
        total.update(np.packbits(column.is_null().to_numpy()).tobytes())
        if column.dtype == pl.String:
            texts = column.fill_null("")
            total.update(texts.str.len_bytes().to_numpy().astype("<u4").tobytes())
            if len(texts):
                total.update(texts.str.join("").item().encode())
        else:
            values = column.to_physical()
            filled = values.fill_null(False if values.dtype == pl.Boolean else 0).to_numpy()
            total.update(filled.astype(filled.dtype.newbyteorder("<")).tobytes())
    return total.hexdigest()


def region_document(region: Region) -> dict[str, Any]:
    """Return what a region is beside its tables and days; feeds in order of their ids."""
    places = {
        "path",
        "url",
        "realtime",
    }  # where a feed came from says nothing of it, and may hold a secret
    manifest = region.manifest.model_dump(
        mode="json",
        by_alias=True,
        exclude={"folder": True, "open_questions": True, "feeds": {"__all__": places}},
    )
    manifest["feeds"].sort(key=lambda feed: feed["id"])
    feeds = [
        {
            "id": feed.id,
            "version": feed.version,
            "country": feed.country,
            "zone": feed.zone,
            "valid_from": feed.valid_from.isoformat(),
            "valid_until": feed.valid_until.isoformat(),
            "precedence": feed.precedence,
            "licence": feed.licence,
            "attribution": feed.attribution,
            "name": feed.name,
        }
        for feed in region.feeds
    ]
    return {"manifest": manifest, "feeds": feeds, "trains": dict(region.train_counts)}


def notices_of(region: Region, network: Network) -> tuple[Notice, ...]:
    """Return what was found in the region and, where it could not all be obeyed, in compiling."""
    found = [notice for notice in region.notices if notice.code not in (CROWDED, CUT)]
    for code, file, count, message in (
        (
            *(CROWDED, "transfers.txt", network.n_crowded_stops),
            "stops at which rules name more trips than can be told apart; left out there",
        ),
        (
            *(CUT, "trips.txt", network.n_cut_trains),
            "trains whose vehicles go on for more trips, or on more ways, than are followed; who"
            " stays seated longer is told to change",
        ),
    ):
        if count:
            found.append(Notice(code, "warning", file=file, count=count, message=message))
    return tuple(found)


def rule_counts(region: Region, network: Network) -> dict[str, int]:
    """Return how many rules for travellers there are, and what the network has more for them.

    ``transfers`` are rows of transfers.txt that name a route or a trip of the region; ``trains``
    those of the region that are several in the network, ``points`` what stops are split into.
    """
    tables, special = region.tables, read_special_rules(region.tables)
    stated = {name: tables[name].height if name in tables else 0 for name in RULE_TABLES}
    copies = (
        np.bincount(network.train_of[~network.train_through]) if network.n_trains else np.zeros(0)
    )
    return stated | {
        "transfers": 0 if special is None else special.rules.height,
        "trains": int((copies > 1).sum()),
        "points": network.n_points - network.n_stops,
    }


def info_document(region: Region, network: Network) -> dict[str, Any]:
    """Return the document ``info`` of the design without versions."""
    feeds = region_document(region)["feeds"]
    for document, feed in zip(feeds, region.feeds, strict=True):
        document["tables"] = {
            name: {key: getattr(counts, key) for key in ("read", "kept", "repaired", "dropped")}
            for name, counts in feed.counts.items()
        }
    return {
        "feeds": feeds,
        "first_date": region.first_date.isoformat(),
        "last_date": region.last_date.isoformat(),
        "stations": region.tables["stations"].height,
        "trains": dict(region.train_counts),
        "coverage": {
            feed.id: date_runs(days, region.first_date)
            for feed, days in zip(region.feeds, region.coverage, strict=True)
        },
        "rules": rule_counts(region, network),
        "notices": count_by_code(notices_of(region, network)),
    }


def date_runs(days: Bools, first_date: dt.date) -> list[list[str]]:
    """Return the first and last date of every unbroken run of days.

    >>> date_runs(np.array([True, True, False, True]), dt.date(2027, 5, 1))
    [['2027-05-01', '2027-05-02'], ['2027-05-04', '2027-05-04']]
    """
    steps = np.diff(np.concatenate([[False], days, [False]]).astype(np.int8))
    pairs = zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)
    return [
        [(first_date + dt.timedelta(int(day))).isoformat() for day in (start, end - 1)]
        for start, end in pairs
    ]

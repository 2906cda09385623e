"""Golden lists: what is joined on real feeds, with its evidence, for people to read.

They hold ids, names, minutes and evidence of matched stations and trains only.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

from mobility.core.time import gtfs_time
from mobility.feeds import Feed, FeedConfig, Manifest, read_feed
from mobility.merge import Region, merge_feeds

FOLDER = Path(__file__).parent / "golden"
GOLDEN = {
    "stations_db_sncf": ("stations", ("db", "sncf")),
    "stations_db_zssk": ("stations", ("db", "zssk")),
    "stations_cp_renfe": ("stations", ("cp", "renfe")),
    "stations_renfe_cercanias": ("stations", ("renfe", "cercanias")),
    "trains_db_sncf": ("trains", ("db", "sncf")),
    "trains_db_zssk": ("trains", ("db", "zssk")),
    "trains_renfe_cercanias": ("numbers", ("renfe", "cercanias")),
}
# Where a trip id holds the train's number; a train has a trip per day or per week there.
NUMBERS = {
    "cercanias": r"^cercanias:\d{4}[A-Z]0*(\d+)",
    "renfe": r"^renfe:0*(\d+)\d\d{4}-\d\d-\d\d$",
}
BORDER = r"\(Gr\)|\((?:fr|at|be|dk|nl|pl)\)\s*$"
CONFIGS = {
    "db": {"path": "eu_rail_2025/db_fernverkehr.zip", "country": "DE", "border_point": BORDER},
    "sncf": {
        "path": "eu_rail_2025/sncf_voyageurs.zip",
        "country": "FR",
        "train_number": {"column": "trip_headsign", "pattern": "0*([0-9]+)"},
    },
    "zssk": {
        "path": "eu_rail_2025/zssk_slovakia.zip",
        "country": "SK",
        "train_number": {"column": "trip_id", "pattern": "^0*([0-9]+)"},
    },
    "cp": {"path": "iberia_2026/cp_portugal.zip", "country": "PT"},
    "renfe": {
        "path": "iberia_2026/renfe_av_ld_md.zip",
        "country": "ES",
        "train_number": {"column": "trip_short_name", "pattern": "0*([0-9]+)"},
    },
    # Its ids hold numbers, but of a numbering of their own: they tell no train from another.
    "cercanias": {"path": "iberia_2026/renfe_cercanias.zip", "country": "ES"},
}


class RealFeeds:
    """Reads real feeds once and makes regions of them."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.feed = cache(self._read)
        self.merge = cache(self._merge)

    def _read(self, feed_id: str) -> Feed:
        config = CONFIGS[feed_id] | {"path": self.data / CONFIGS[feed_id]["path"], "id": feed_id}
        return read_feed(FeedConfig.model_validate(config), check=False)

    def _merge(self, *ids: str) -> Region:
        feeds = [self.feed(feed_id) for feed_id in ids]
        configs = tuple(feed.config for feed in feeds)
        manifest = Manifest(format=1, id="real", name="Real", feeds=configs, folder=self.data)
        return merge_feeds(feeds, manifest)


def golden_csv(region: Region, kind: str) -> str:
    """Return the joined stations or trains of a region as CSV; "numbers": trains, not trips."""
    if kind == "stations":
        matches = region.tables["station_matches"]
        return matches.filter(matches["decision"] == "same").write_csv()
    matches = region.tables["train_matches"]
    kept = matches.filter(matches["decision"].is_in(["joined", "portion"]))
    if kind == "numbers":
        return _by_number(kept).write_csv()
    runs = _runs(region)
    return kept.with_columns(
        pl.Series("left_run", [runs[trip] for trip in kept["left_trip"]], dtype=pl.String),
        pl.Series("right_run", [runs[trip] for trip in kept["right_trip"]], dtype=pl.String),
    ).write_csv()


def _by_number(matches: pl.DataFrame) -> pl.DataFrame:
    """Return joined trips counted by the numbers of their trains."""
    numbers = [
        pl.coalesce(pl.col(side).str.extract(pattern) for pattern in NUMBERS.values()).alias(side)
        for side in ("left_trip", "right_trip")
    ]
    twins = (
        pl.col("left_trip").str.split(":").list.first()
        == pl.col("right_trip").str.split(":").list.first()
    )
    return (
        matches.filter(~twins)
        .with_columns(numbers)
        .group_by("left_trip", "right_trip", "kind", "decision")
        .agg(
            pl.len().alias("trips"),
            pl.col("confidence").min().alias("least_confidence"),
        )
        .rename({"left_trip": "left_number", "right_trip": "right_number"})
        .sort("left_number", "right_number", "kind", "decision")
    )


def _runs(region: Region) -> dict[str, str]:
    """Return where and when each trip on a joined train begins and ends, by its own sections."""
    tables = region.tables
    names = tables["stops"]["stop_name"].to_list()
    joined = tables["trains"].with_row_index("train").filter(pl.col("kind") != "single")
    out = {}
    for train, first in joined.select("train", "first_event").iter_rows():
        own = tables["sections"].filter(pl.col("train") == train)
        for trip, low, high in (
            own.group_by("trip").agg(pl.col("from_pos").min(), pl.col("to_pos").max()).iter_rows()
        ):
            row = tables["trips"].row(trip, named=True)
            start = tables["stop_times"].row(first + low, named=True)
            end = tables["stop_times"].row(first + high, named=True)
            out[f"{region.feeds[row['feed']].id}:{row['trip_id']}"] = (
                f"{names[start['stop']]} {gtfs_time(start['departure_s'])[:5]}"
                f" - {names[end['stop']]} {gtfs_time(end['arrival_s'])[:5]}"
            )
    return out


def main() -> None:
    """Write every golden list anew."""
    real = RealFeeds(FOLDER.parents[2].parent / "shared" / "data")
    for name, (kind, feeds) in GOLDEN.items():
        (FOLDER / f"{name}.csv").write_text(golden_csv(real.merge(*feeds), kind), "utf-8")


if __name__ == "__main__":
    main()

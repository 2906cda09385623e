"""Review: what the merge is not certain of, as a sheet that people decide on.

The first five columns are those of ``decisions.csv``: a decided row is copied there as it is. Rows
name stable things (``feed:stop_id``, ``feed:trip_id``), so decisions outlive a new feed version.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from mobility.merge.region import Region
from mobility.merge.stations import CERTAIN

REVIEW_COLUMNS = ("kind", "left", "right", "decision", "reason", "proposal", "confidence", "days")


def review_rows(region: Region) -> pl.DataFrame:
    """Return what is below certainty: stations and trains, the least certain first.

    Columns are `REVIEW_COLUMNS` and ``evidence``; ``decision`` and ``reason`` are empty for people
    to fill, ``proposal`` says what the build did. What was decided already is left out.
    """
    undecided = ~pl.col("evidence").str.contains('"decided"', literal=True)
    stations = region.tables.get("station_matches", pl.DataFrame())
    trains = region.tables.get("train_matches", pl.DataFrame())
    parts = []
    if stations.height:
        unsure = stations.filter((pl.col("confidence") < CERTAIN) & undecided)
        parts.append(
            unsure.select(
                pl.lit("station").alias("kind"),
                *("left", "right"),
                pl.col("decision").alias("proposal"),
                "confidence",
                pl.lit(None, pl.Int32).alias("days"),
                "evidence",
            )
        )
    if trains.height:
        asked = pl.col("decision").is_in(["joined", "portion", "review"])
        unsure = trains.filter((pl.col("confidence") < CERTAIN) & asked & undecided)
        joined = pl.col("decision").is_in(["joined", "portion"])
        parts.append(
            unsure.select(
                pl.lit("train").alias("kind"),
                pl.col("left_trip").alias("left"),
                pl.col("right_trip").alias("right"),
                pl.when(joined)
                .then(pl.lit("same"))
                .otherwise(pl.lit("different"))
                .alias("proposal"),
                *("confidence", "days", "evidence"),
            )
        )
    empty = pl.DataFrame(
        schema={
            **dict.fromkeys(("kind", "left", "right", "proposal"), pl.String),
            **{"confidence": pl.Float64, "days": pl.Int32, "evidence": pl.String},
        }
    )
    rows = pl.concat([empty, *parts]).sort("confidence", "kind", "left", "right")
    blank = pl.lit("").alias
    return rows.with_columns(blank("decision"), blank("reason")).select(*REVIEW_COLUMNS, "evidence")


def write_review(region: Region, path: Path) -> int:
    """Write `review_rows` as CSV and return how many there are."""
    rows = review_rows(region)
    path.write_text(rows.write_csv(), encoding="utf-8")
    return rows.height

"""A small region under review: one doubtful train, one doubtful station, one train kept apart."""

from __future__ import annotations

from pathlib import Path

from mobility.feeds import Feed
from mobility.merge.review.desk import Desk
from mobility.merge.review.file import DecisionFile

from ..merge.build import NUMBER, feed_of, lines, manifest_of

NORTH = "z,Zentrum,47.50,7.50\nn,Nord <b>,47.60,7.60\ns,Süd,47.40,7.40\no,Ort,47.30,7.30"
SOUTH = "zz,Zentrum Bf,47.5005,7.5005\nnn,Nord <b>,47.6003,7.6003\noo,Ort West,47.3009,7.3"


def small_feeds(folder: Path) -> list[Feed]:
    """Return two feeds that list one train in part."""
    return [
        feed_of(folder, "north", lines(NORTH, {"a": ": n 08:00, z 08:10, s 08:30",
                                               "o": ": n 09:00, o 09:30"}), country="CH"),
        feed_of(folder, "south", lines(SOUTH, {"x": "7: nn 08:00, zz 08:10",
                                               "y": "8: zz 09:40, oo 10:30"}),
                country="DE", train_number=NUMBER),
    ]  # fmt: skip


def small_desk(folder: Path) -> Desk:
    """Return the desk of two small feeds; decisions are kept in the folder."""
    feeds = small_feeds(folder)
    manifest = manifest_of(feeds).model_copy(update={"languages": ("de", "fr", "en")})
    return Desk(feeds, manifest, DecisionFile(folder / "decisions.csv"),
                count_footpaths=lambda region: region.tables["stations"].height)  # fmt: skip

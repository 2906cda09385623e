"""Pairs of stations to be judged by reading, found without any code of the matcher.

They are read from the operators' own files. The rules are generous and simple: whatever lies
within 2.5 km, has the same number, or has a like name within 5 km or an equal one anywhere.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .golden_lists import CONFIGS

NEAR_M = 2_500.0
LIKE_M = 5_000.0
LIKE = 0.6
EARTH_M = 6_371_008.8
LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d"})
PAIRS = (("db", "sncf"), ("db", "zssk"), ("cp", "renfe"), ("renfe", "cercanias"))
EXONYMS = Path(__file__).parents[2] / "feeds" / "exonyms.csv"


@dataclass(frozen=True)
class Station:
    """A stop without a parent, as its operator wrote it."""

    reference: str
    name: str
    lat: float
    lon: float

    @property
    def number(self) -> str:
        """The station's number: five digits or more of its id, without zeros and check digit."""
        found = re.search(r"OCE(\d{7})\d$|^(\d{5,7})$", self.reference.partition(":")[2])
        return (found[1] or found[2]).lstrip("0") if found else ""


def read_stations(data: Path, feed: str) -> list[Station]:
    """Return the stations of a real feed, border points left out."""
    with zipfile.ZipFile(data / CONFIGS[feed]["path"]) as archive:
        text = archive.read("stops.txt").decode("utf-8-sig")
    border = re.compile(CONFIGS[feed].get("border_point", r"(?!)"))
    rows = csv.DictReader(io.StringIO(text))
    rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
    cells = [{key: (value or "").strip() for key, value in row.items() if key} for row in rows]
    return [
        Station(
            f"{feed}:{row['stop_id']}",
            row["stop_name"],
            float(row["stop_lat"]),
            float(row["stop_lon"]),
        )
        for row in cells
        if not row.get("parent_station") and not border.search(row["stop_name"])
    ]


def plain(name: str, exonyms: dict[str, str]) -> str:
    """Return the name's letters and digits in lower case, foreign names of towns replaced."""
    marked = unicodedata.normalize("NFKD", name.casefold().translate(LETTERS))
    folded = "".join(sign for sign in marked if not unicodedata.combining(sign))
    words = " ".join(re.findall(r"[a-z0-9]+", folded))
    for foreign, own in exonyms.items():
        if words == foreign or words.startswith(f"{foreign} "):
            return own + words[len(foreign) :]
    return words


def read_foreign_names() -> dict[str, str]:
    """Return town names by their foreign forms, as `plain` writes them."""
    with EXONYMS.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {plain(row["name"], {}): plain(row["same_as"], {}) for row in rows}


def metres(one: Station, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return the great-circle distances from a station, in metres."""
    north, other = np.radians(one.lat), np.radians(lat)
    half = np.sin((other - north) / 2) ** 2
    half += np.cos(north) * np.cos(other) * np.sin(np.radians(lon - one.lon) / 2) ** 2
    return 2 * EARTH_M * np.arcsin(np.sqrt(half))


def like(one: str, other: str) -> bool:
    """Whether one plain name is part of the other or reads much like it."""
    return one in other or other in one or difflib.SequenceMatcher(None, one, other).ratio() >= LIKE


def find_pairs(data: Path, left: str, right: str) -> Iterator[tuple[Station, Station, int]]:
    """Yield the pairs to judge with their distance in metres."""
    exonyms = read_foreign_names()
    others = read_stations(data, right)
    names = [plain(other.name, exonyms) for other in others]
    same: dict[str, list[int]] = {}
    for at, other in enumerate(others):
        for word in filter(None, (names[at], other.number)):
            same.setdefault(word, []).append(at)
    lat = np.array([other.lat for other in others])
    lon = np.array([other.lon for other in others])
    for one in read_stations(data, left):
        name = plain(one.name, exonyms)
        distance = metres(one, lat, lon)
        alike = {*same.get(name, ()), *same.get(one.number or name, ())}
        for at in sorted({*np.flatnonzero(distance <= LIKE_M).tolist(), *alike}):
            if distance[at] <= NEAR_M or at in alike or like(name, names[at]):
                yield one, others[at], round(float(distance[at]))

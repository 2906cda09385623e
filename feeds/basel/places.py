"""The rows of ``places.csv``: stations and stops as each feed lists them."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A row of places.csv: one station or stop as one feed lists it."""

    row: dict[str, str]

    @property
    def stop_id(self) -> str:
        """Raw id of the station, or of the stop where it has no platforms."""
        return self.row["stop_id"]

    @property
    def is_border_point(self) -> bool:
        """Whether trains only pass here: a tariff border listed as a stop."""
        return self.row["kind"] == "border"

    @property
    def platforms(self) -> list[str]:
        """Platform codes, if the feed lists them."""
        return self.row["platforms"].split()

    def platform_id(self, code: str) -> str:
        """Raw id of a platform, in the manner of the feed's country."""
        if self.stop_id.startswith("StopArea:"):
            return f"{self.stop_id.replace('StopArea:', 'StopPoint:')}-{code}"
        area = "0" if self.row["feed"].startswith("ch-") else "1"
        return f"{self.stop_id}:{area}:{code}"

    def quay_id(self, code: str | None, line_key: str) -> str:
        """Raw id of the stop a line calls at; a fixed choice where the table names none."""
        if not self.platforms:
            return self.stop_id
        if code not in self.platforms:
            code = self.platforms[zlib.crc32(line_key.encode()) % len(self.platforms)]
        return self.platform_id(code)

    @property
    def position(self) -> tuple[str, str]:
        """Latitude and longitude as written in the table."""
        return self.row["stop_lat"], self.row["stop_lon"]


def read_places(path: Path) -> dict[str, dict[str, Place]]:
    """Places by feed and name; the name is the same in every feed that has the place."""
    places: dict[str, dict[str, Place]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            places.setdefault(row["feed"], {})[row["place"]] = Place(row)
    return places

"""Small feeds written from text, and the real ones read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import pytest

from mobility.feeds import Feed, FeedConfig, read_feed

BASE = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Bus,http://b.example,Europe/Zurich\n",
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon\n"
        "S1,One,47.50,7.50\nS2,Two,47.51,7.50\nS3,Three,47.52,7.50\nS4,Four,47.54,7.50\n"
    ),
    "routes.txt": "route_id,agency_id,route_short_name,route_type\nR1,A,1,3\n",
    "trips.txt": "route_id,service_id,trip_id\nR1,WD,T1\nR1,WD,T2\n",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "T1,08:00:00,08:00:00,S1,1\nT1,08:05:00,08:06:00,S2,2\nT1,08:10:00,08:10:00,S3,3\n"
        "T2,09:00:00,09:00:00,S3,1\nT2,09:05:00,09:06:00,S2,2\nT2,09:10:00,09:10:00,S1,3\n"
    ),
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "WD,1,1,1,1,1,0,0,20270104,20270129\n"
    ),
}  # fmt: skip

Files = Mapping[str, str | bytes | None]


@pytest.fixture
def base() -> dict[str, str]:
    """Return the files of a small whole feed."""
    return dict(BASE)


@pytest.fixture
def write_feed(tmp_path: Path) -> Callable[[Files], Path]:
    """Return a function that writes the base feed with some files replaced (None: left out)."""

    def write(files: Files | None = None, name: str = "feed") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for file, content in (BASE | dict(files or {})).items():
            (folder / file).unlink(missing_ok=True)
            if content is not None:
                data = content.encode() if isinstance(content, str) else content
                (folder / file).write_bytes(data)
        return folder

    return write


@pytest.fixture
def read_files(write_feed: Callable[[Files], Path]) -> Callable[..., Feed]:
    """Return a function that reads the base feed with some files replaced."""

    def read(files: Files | None = None, **config: object) -> Feed:
        return read_feed(FeedConfig(id="f", path=write_feed(files), **config))

    return read


@lru_cache(maxsize=32)
def read_real(path: Path) -> Feed:
    """Return a real feed; each is read once per run."""
    return read_feed(FeedConfig(id=path.stem.replace("_", "-"), path=path))


@pytest.fixture(scope="session")
def real_feed(shared_data: Path) -> Callable[[str], Feed]:
    """Return a function that reads a real feed by its path below the shared data."""
    return lambda name: read_real(shared_data / name)

"""Areas of service on demand: the features of every feed's ``locations.geojson`` as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from mobility.core.ids import canonical_json
from mobility.core.notices import Notice
from mobility.feeds import Feed

FILE = "locations.geojson"
FEATURES_MAX = 100_000
_SCHEMA = {"feed": pl.Int16(), "location_id": pl.String(), "feature": pl.String()}


def location_rows(feeds: Sequence[Feed], notices: list[Notice]) -> pl.DataFrame | None:
    """Return ``feed``, ``location_id``, ``feature`` (canonical JSON); None where no feed has any.

    A file that is no collection of features with ids is told and left out whole.

    Source: GTFS Schedule reference, locations.geojson.
    """
    rows: list[tuple[int, str, str]] = []
    for index, feed in enumerate(feeds):
        if feed.locations is None:
            continue
        try:
            features = _features(feed.locations)
        except ValueError as fault:
            notices.append(
                Notice("invalid_geojson", "warning", feed.config.id, FILE, message=str(fault))
            )
            continue
        rows.extend((index, name, text) for name, text in features.items())
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row") if rows else None


def _features(content: bytes) -> dict[str, str]:
    """Return each feature by its id, the first of an id.

    Raises
    ------
    ValueError
        What was expected.
    """
    try:
        document = json.loads(content, parse_constant=_no_number)
        json.dumps(document)
    except (ValueError, RecursionError):
        raise ValueError("not JSON: left out") from None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise ValueError("not a FeatureCollection with features: left out")
    if len(features) > FEATURES_MAX:
        raise ValueError(f"{len(features)} features, at most {FEATURES_MAX}: left out")
    found: dict[str, str] = {}
    for number, feature in enumerate(features, start=1):
        name = feature.get("id") if isinstance(feature, dict) else None
        if not isinstance(name, str | int) or isinstance(name, bool):
            raise ValueError(f"feature {number} has no id: left out")
        found.setdefault(str(name), canonical_json(feature).decode())
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def collection(rows: pl.DataFrame) -> bytes:
    """Return rows of ``location_id`` and ``feature`` as one FeatureCollection, ids as given.

    >>> rows = pl.DataFrame({"location_id": ["a:1"], "feature": ['{"id":"1","type":"Feature"}']})
    >>> collection(rows).decode()
    '{"features":[{"id":"a:1","type":"Feature"}],"type":"FeatureCollection"}'
    """
    features = [
        json.loads(feature) | {"id": name}
        for name, feature in rows.select("location_id", "feature").iter_rows()
    ]
    return canonical_json({"features": features, "type": "FeatureCollection"})

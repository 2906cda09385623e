"""Make the plain data that an edition keeps of a tariff: zones by stop and station, products."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from mobility.core.ids import content_hash
from mobility.fares.read import TariffSource
from mobility.fares.source import FORMAT, System


def compile_tariff(
    source: TariffSource, station_refs: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return the ``tariff.json`` of an edition: plain data, the same from any order of files.

    Parameters
    ----------
    station_refs : mapping of station id to references ``feed:raw_id``
        Members of each merged station, platforms included; a station lies in all zones of its
        members.
    """
    stops: dict[str, set[str]] = {}
    for row in source.zones:
        stops.setdefault(row.stop, set()).add(f"{row.system}:{row.zone}")
    stations = {
        station: sorted({zone for ref in refs for zone in stops.get(ref, ())})
        for station, refs in station_refs.items()
    }
    tariff = source.tariff.model_dump(mode="json")
    return {
        "format": FORMAT,
        "id": tariff["id"],
        "notice": tariff["notice"],
        "between_tickets": tariff["between_tickets"],
        "protections": tariff["protections"],
        "comparison": tariff["comparison"],
        "holidays": {country: sorted(days) for country, days in tariff["holidays"].items()},
        "cut_points": sorted(tariff["cut_points"]),
        "parties": sorted(tariff["parties"], key=_id),
        "systems": [
            {"id": system.id, "name": system.name, "kind": system.kind, "passed": _passed(system)}
            for system in sorted(source.tariff.systems, key=lambda system: system.id)
        ],
        "lines": sorted(tariff["lines"], key=_id),
        "stop_zones": {stop: sorted(zones) for stop, zones in sorted(stops.items())},
        "station_zones": {station: zones for station, zones in sorted(stations.items()) if zones},
        "products": [product.model_dump(mode="json") for product in source.products],
    }


def tariff_version(tariff: Mapping[str, Any]) -> str:
    """Return the content hash by which an answer names a compiled tariff or set of agreements."""
    return content_hash(dict(tariff))


def _id(item: Mapping[str, Any]) -> str:
    return str(item["id"])


def _passed(system: System) -> dict[str, list[str]]:
    """Return per pair of zones (``a|b``, a < b) the zones passed between them.

    The way with the fewest zones counts, among equals the one with the smallest ids; neighbours
    and zones without a way have no entry.
    """
    neighbours: dict[str, set[str]] = {}
    for left, right in system.adjacent:
        neighbours.setdefault(left, set()).add(right)
        neighbours.setdefault(right, set()).add(left)
    passed = {}
    for start in sorted(neighbours):
        ways = {start: [start]}
        queue = deque([start])
        while queue:
            zone = queue.popleft()
            for near in sorted(neighbours[zone]):
                if near not in ways:
                    ways[near] = [*ways[zone], near]
                    queue.append(near)
        for end, way in sorted(ways.items()):
            if start < end and len(way) > 2:
                passed[f"{start}|{end}"] = way[1:-1]
    return passed

"""What can be reached: all places from one, areas by cut-offs, many to many."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import orjson

from mobility.api.isochrones import area
from mobility.api.maps import collection
from mobility.api.served import Served, needs_of, notice_documents
from mobility.api.timetable_queries import IsochroneQuery, MatrixQuery, OneToAllQuery, ReachQuery
from mobility.core.notices import Notice
from mobility.core.stop import current_stop
from mobility.core.time import local_time, parse_duration_s, parse_instant
from mobility.planner import Endpoint, locate
from mobility.planner.one_to_all import Arrivals, percentiles

Document = dict[str, Any]


class ReachDesk:
    """Answers what can be reached in the edition that is served; stops when it is told to."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._network = served.edition.network

    @cached_property
    def _heads(self) -> list[bytes]:
        """The document of each station up to its travel time: the same in every answer."""
        net = self._network
        columns = (net.station_id, net.station_name, net.station_lat, net.station_lon)
        return [
            orjson.dumps({"station_id": id_, "name": name, "lat": lat, "lon": lon})[:-1]
            + b',"travel_s":'
            for id_, name, lat, lon in zip(
                *columns[:2], *(column.tolist() for column in columns[2:]), strict=True
            )
        ]

    def one_to_all(self, query: OneToAllQuery) -> bytes:
        """Return the stations in reach with their travel times, the nearest first, as JSON."""
        endpoint, found, notices = self._reach(query, parse_duration_s(query.horizon))
        travel_s = found.at_stations(self._network)
        reached = np.flatnonzero(travel_s >= 0)
        nearest = reached[np.argsort(travel_s[reached], kind="stable")][: query.limit]
        heads = self._heads
        rows = zip(nearest.tolist(), travel_s[nearest].tolist(), strict=True)
        stations = b",".join(b"%b%d}" % (heads[row], seconds) for row, seconds in rows)
        rest = {**self._head(endpoint, found, notices), "reached": len(reached)}
        return orjson.dumps(rest)[:-1] + b',"stations":[' + stations + b"]}"

    def isochrone(self, query: IsochroneQuery) -> bytes:
        """Return the area within each cut-off, the largest first, as GeoJSON."""
        cut_offs = sorted({60 * minutes for minutes in query.minutes}, reverse=True)
        endpoint, found, notices = self._reach(query, cut_offs[0])
        net, stop = self._network, current_stop()
        travel_s = found.at_stations(net)
        rows = np.flatnonzero(travel_s >= 0)
        lat = np.append(net.station_lat[rows], endpoint.place.lat)
        lon = np.append(net.station_lon[rows], endpoint.place.lon)
        seconds = np.append(travel_s[rows], 0)
        needs, walk_s = needs_of(net, query), 60 * query.walk_minutes
        features = [
            {
                "type": "Feature",
                "id": cut_off // 60,
                "geometry": area(lat, lon, cut_off - seconds, walk_s, stop, needs),
                "properties": {
                    "minutes": cut_off // 60,
                    "stations": int((seconds[:-1] <= cut_off).sum()),
                },
            }
            for cut_off in cut_offs
        ]
        document = collection(self._served.versions, features)
        return orjson.dumps(document | self._head(endpoint, found, notices))

    def matrix(self, query: MatrixQuery) -> bytes:
        """Return travel times from each origin to each destination, as JSON."""
        net = self._network
        origins = [locate(net, text) for text in query.origins]
        destinations = [locate(net, text) for text in query.destinations]
        first = parse_instant(query.depart, origins[0].tz)
        step_s = parse_duration_s(query.step)
        departures = [first + at * step_s for at in range(query.n_departures)]
        travel_s, notices = self._served.reaching.matrix(
            origins, destinations, departures, horizon_s=parse_duration_s(query.horizon),
            needs=needs_of(net, query), stop=current_stop(),
        )  # fmt: skip
        if query.window is None:
            tables: list[Document] = [{"percentile": None, "travel_s": _table(travel_s[0])}]
        else:
            found = percentiles(travel_s, query.percentiles)
            tables = [
                {"percentile": share, "travel_s": _table(table)}
                for share, table in zip(query.percentiles, found, strict=True)
            ]
        return orjson.dumps(
            {
                "versions": self._served.versions,
                "depart": local_time(first, origins[0].tz),
                "departures": len(departures),
                "origins": [origin.place.to_json() for origin in origins],
                "destinations": [end.place.to_json() for end in destinations],
                "tables": tables,
                "notices": notice_documents(notices),
            }
        )

    def _reach(
        self, query: ReachQuery, horizon_s: int
    ) -> tuple[Endpoint, Arrivals, tuple[Notice, ...]]:
        endpoint = locate(self._network, query.place)
        arrive = parse_instant(query.arrive, endpoint.tz) if query.arrive else None
        depart = parse_instant(query.depart, endpoint.tz) if query.depart else None
        if arrive is None and depart is None:
            depart = self._served.now_s()
        found, notices = self._served.reaching.reach(
            endpoint, depart=depart, arrive=arrive, horizon_s=horizon_s,
            needs=needs_of(self._network, query), stop=current_stop(),
        )  # fmt: skip
        return endpoint, found, notices

    def _head(self, endpoint: Endpoint, found: Arrivals, notices: tuple[Notice, ...]) -> Document:
        moment = local_time(found.moment, endpoint.tz)
        return {
            "versions": self._served.versions,
            "place": endpoint.place.to_json(),
            "depart": None if found.backwards else moment,
            "arrive": moment if found.backwards else None,
            "horizon_s": found.horizon_s,
            "notices": notice_documents(notices),
        }


def _table(travel_s: Any) -> list[list[int | None]]:
    return [[None if s < 0 else s for s in row] for row in travel_s.tolist()]

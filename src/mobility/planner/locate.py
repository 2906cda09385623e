"""From what people write to an endpoint: references, names, positions."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mobility.core.errors import AmbiguousPlaceError, UnknownPlaceError
from mobility.core.ids import split_reference
from mobility.core.units import distance_m
from mobility.journey import Place
from mobility.network import Network
from mobility.network.names import NameIndex
from mobility.planner.endpoint import Endpoint

TEXT_MAX = 200  # characters of a place that are looked at
LISTED_MAX = 8  # candidates that an error lists
SUGGESTED = 3  # nearest names that an error tells
KEPT_NETWORKS = 4
_POSITION = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d+)?)\s*,\s*([+-]?\d{1,3}(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class PlaceMatch:
    """A station that a text may mean; ``score`` from 0 to 1, ``countries`` of its feeds."""

    id: str
    name: str
    kind: str
    lat: float
    lon: float
    tz: str
    countries: tuple[str, ...]
    score: float


class _Places:
    """Look-up tables of one network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.feeds = {feed: row for row, feed in enumerate(network.feed_id)}
        self.stations = {id_: row for row, id_ in enumerate(network.station_id)}
        self.stops: dict[str, list[int]] = defaultdict(list)
        for row, id_ in enumerate(network.stop_id):
            self.stops[id_].append(row)
        self._zones = list(network.zone_name)
        self._boarded = np.zeros(network.n_stops, bool)
        self._boarded[network.station_stops] = True

    @cached_property
    def names(self) -> NameIndex:
        """The names of the stations; made when a name is first asked for."""
        return NameIndex(self.network)

    def reference(self, stop: int) -> str:
        net = self.network
        return f"{net.feed_id[int(net.stop_feed[stop])]}:{net.stop_id[stop]}"

    def station(self, at: int) -> Endpoint:
        """Return a station as an endpoint, its stops in order of their references."""
        net = self.network
        rows = net.station_stops[net.station_stop_start[at] : net.station_stop_start[at + 1]]
        place = Place(
            id="",
            station_id=net.station_id[at],
            name=net.station_name[at],
            lat=float(net.station_lat[at]),
            lon=float(net.station_lon[at]),
            tz=self._zones[int(net.station_tz[at])],
        )
        return Endpoint("station", tuple(sorted(rows.tolist(), key=self.reference)), place)

    def stop(self, row: int) -> Endpoint:
        """Return a stop as an endpoint; one that stands for its station as the station."""
        net = self.network
        if not self._boarded[row]:
            return self.station(int(net.stop_station[row]))
        place = Place(
            id=self.reference(row),
            station_id=net.station_id[int(net.stop_station[row])],
            name=net.stop_name[row],
            lat=float(net.stop_lat[row]),
            lon=float(net.stop_lon[row]),
            tz=self._zones[int(net.stop_tz[row])],
            platform=net.stop_platform[row] or None,
        )
        return Endpoint("stop", (row,), place)

    def position(self, lat: float, lon: float) -> Endpoint:
        """Return a position as an endpoint, in the zone of the nearest station."""
        net = self.network
        metres = distance_m(lat, lon, net.station_lat, net.station_lon)
        zone = self._zones[int(net.station_tz[int(np.nanargmin(metres))])]
        return Endpoint("position", (), Place("", "", f"{lat:.5f},{lon:.5f}", lat, lon, zone))

    def match(self, at: int, score: float) -> PlaceMatch:
        net, place = self.network, self.station(at).place
        stops = np.flatnonzero(net.stop_station == at)
        feeds = sorted({int(net.stop_feed[stop]) for stop in stops.tolist()})
        countries = {net.feed_country[feed] for feed in feeds} - {""}
        return PlaceMatch(
            place.station_id, place.name, "station", place.lat, place.lon, place.tz,
            tuple(sorted(countries)), round(score, 3),
        )  # fmt: skip


_known: OrderedDict[int, _Places] = OrderedDict()
_lock = threading.Lock()


def _places_of(network: Network) -> _Places:
    """Return the tables of a network, kept for the last few networks."""
    with _lock:
        places = _known.get(id(network))
        if places is None or places.network is not network:
            places = _known[id(network)] = _Places(network)
            while len(_known) > KEPT_NETWORKS:
                _known.popitem(last=False)
        _known.move_to_end(id(network))
        return places


def locate(network: Network, text: str, *, prefer: str | None = None) -> Endpoint:
    """Return the endpoint that a text stands for.

    In this order: ``lat,lon``; ``feed:stop_id``; a station's id; a stop_id alone; a station's
    name, without regard to case, accents and the words that only say "station".

    Parameters
    ----------
    prefer : str, optional
        Feed whose stop is meant where a stop_id alone stands in several feeds.

    Raises
    ------
    UnknownPlaceError
        No place; the error tells the nearest names.
    AmbiguousPlaceError
        Several places; the error lists them.
    """
    places = _places_of(network)
    text = text.strip()
    if not text or len(text) > TEXT_MAX:
        raise UnknownPlaceError(
            f"expected a reference, a station's name or lat,lon of 1 to {TEXT_MAX} characters"
        )
    if position := _POSITION.fullmatch(text):
        return _position(places, float(position[1]), float(position[2]))
    feed, raw = split_reference(text, places.feeds)
    rows = places.stops.get(raw, [])
    if feed is not None:
        rows = [row for row in rows if network.stop_feed[row] == places.feeds[feed]]
        if not rows:
            raise UnknownPlaceError(f"feed {feed} has no stop {raw!r}{_hint(places, raw)}")
        return places.stop(rows[0])
    if text in places.stations:
        return places.station(places.stations[text])
    if len(rows) > 1 and prefer in places.feeds:
        rows = [row for row in rows if network.stop_feed[row] == places.feeds[prefer]] or rows
    if len(rows) > 1:
        raise _ambiguous(text, [places.reference(row) for row in rows])
    return places.stop(rows[0]) if rows else _by_name(places, text)


def station_name(network: Network, station_id: str) -> str:
    """Return the name of a station; the id itself where there is none."""
    at = _places_of(network).stations.get(station_id)
    return station_id if at is None else network.station_name[at]


def _position(places: _Places, lat: float, lon: float) -> Endpoint:
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise UnknownPlaceError(f"{lat},{lon} is no position: expected latitude,longitude")
    return places.position(lat, lon)


def _by_name(places: _Places, text: str) -> Endpoint:
    found = places.names.exact(text)
    if len(found) == 1:
        return places.station(found[0])
    if found:
        listed = sorted(found, key=lambda at: (-int(places.names.importance[at]), at))
        raise _ambiguous(text, [_tell(places, at) for at in listed])
    raise UnknownPlaceError(f"no station is called {text!r}{_hint(places, text)}")


def _tell(places: _Places, at: int) -> str:
    return f"{places.network.station_name[at]} ({places.network.station_id[at]})"


def _hint(places: _Places, text: str) -> str:
    near = [_tell(places, at) for at, _ in places.names.search(text, SUGGESTED)]
    return f"; did you mean {', '.join(near)}?" if near else ""


def _ambiguous(text: str, candidates: list[str]) -> AmbiguousPlaceError:
    listed = ", ".join(candidates[:LISTED_MAX])
    more = len(candidates) - LISTED_MAX
    tail = f" and {more} more" if more > 0 else ""
    return AmbiguousPlaceError(f"{text!r} stands for several places: {listed}{tail}")


def suggest(network: Network, text: str, *, limit: int = 10) -> list[PlaceMatch]:
    """Return the stations that an unfinished or mistyped name may mean, best first."""
    places = _places_of(network)
    found = places.names.search(text.strip()[:TEXT_MAX], max(0, min(limit, 100)))
    return [places.match(at, score) for at, score in found]

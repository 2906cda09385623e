"""What riders call the places of a journey: the station's name, whoever runs the train."""

from __future__ import annotations

from collections.abc import Iterable

from mobility.journey import Journey, Place
from mobility.network import Network
from mobility.planner import station_name


def station_names(network: Network, journeys: Iterable[Journey]) -> dict[str, str]:
    """Return the names of the stations that journeys touch, by station id, in order of the ids.

    A journey's places have the names that their operators use, which may be in another language.
    """
    places = [
        place
        for journey in journeys
        for leg in journey.legs
        for place in (leg.origin, leg.destination, *(call.place for call in leg.calls))
    ]
    return names_of(network, places)


def names_of(network: Network, places: Iterable[Place]) -> dict[str, str]:
    """Return the names of the places' stations, by station id, in order of the ids."""
    ids = sorted({place.station_id for place in places if place.station_id})
    return {station_id: station_name(network, station_id) for station_id in ids}

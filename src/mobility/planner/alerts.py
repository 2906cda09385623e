"""Which of the operators' alerts a journey meets, and in which words a rider reads them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from mobility.journey import Journey, Leg, Section
from mobility.network import Network

if TYPE_CHECKING:  # who plans by the timetable alone loads nothing of it
    from mobility.feeds.realtime import Alert, Informed, TripRef
    from mobility.network.live.files import LiveVersion

FALLBACK = "en"
FAR_S = 1 << 40


class Alerts:
    """Finds the alerts that a journey meets; one serves all threads."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def of(self, version: LiveVersion, journey: Journey) -> list[int]:
        """Return the places in the version's notes of the alerts that a journey meets.

        An alert is met by a ride on its line, trip, operator or kind of vehicle, and by boarding
        or alighting at its stop, during one of its periods; all that an informed entity names must
        fit the same ride.
        """
        return [
            row
            for row, (feed, alert) in enumerate(version.notes.alerts)
            if holds(alert, journey.departure, journey.arrival)
            and any(
                self._meets(feed, informed, leg)
                for leg in journey.legs
                if leg.mode == "transit"
                for informed in alert.informed
            )
        ]

    def _meets(self, feed: str, informed: Informed, leg: Leg) -> bool:
        trip = informed.trip
        named = bool(informed.agency_id or informed.route_id or trip)
        named = named or informed.route_type is not None
        if named and not any(
            section.feed == feed
            and informed.agency_id in ("", section.agency_id)
            and informed.route_id in ("", section.route_id)
            and informed.route_type in (None, self._types.get((feed, section.route_id)))
            and (trip is None or _is_trip(trip, section))
            for section in leg.sections
        ):  # fmt: skip
            return False
        if informed.stop_id:
            station = self._stations.get((feed, informed.stop_id))
            return station is not None and station in (
                leg.origin.station_id, leg.destination.station_id
            )  # fmt: skip
        return named

    @cached_property
    def _types(self) -> dict[tuple[str, str], int]:
        net = self._network
        return {
            (net.feed_id[feed], route_id): route_type
            for route_id, feed, route_type in zip(
                net.route_id, net.route_feed.tolist(), net.route_type.tolist(), strict=True
            )
        }

    @cached_property
    def _stations(self) -> dict[tuple[str, str], str]:
        net, feeds, stations = self._network, list(self._network.feed_id), self._network.station_id
        names = list(stations)
        return {
            (feeds[feed], stop_id): names[station]
            for stop_id, feed, station in zip(
                net.stop_id, net.stop_feed.tolist(), net.stop_station.tolist(), strict=True
            )
            if station >= 0
        }


def _is_trip(trip: TripRef, section: Section) -> bool:
    return (
        trip.trip_id in ("", section.trip_id)
        and trip.route_id in ("", section.route_id)
        and trip.start_date in (None, section.service_date)
    )


def holds(alert: Alert, first_s: int, last_s: int) -> bool:
    """Return whether an alert holds at some moment of a span, both ends included."""
    return not alert.periods or any(
        (start or 0) <= last_s and first_s < (FAR_S if end is None else end)
        for start, end in alert.periods
    )


def in_language(texts: Iterable[tuple[str, str]], language: str | None) -> tuple[str, str]:
    """Return language and text of a translation: the rider's, the untagged, English, the first.

    >>> in_language([("fr", "Retard"), ("de", "Verspätung")], "de")
    ('de', 'Verspätung')
    >>> in_language([("fr", "Retard"), ("nl", "Vertraging")], "de")
    ('fr', 'Retard')
    """
    known = dict(reversed(list(texts)))
    for wanted in (language or "", "", FALLBACK):
        if wanted in known:
            return wanted, known[wanted]
    return next(reversed(known.items()), ("", ""))

"""Calls of single trips and countries of single stations, looked up while trains are spliced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mobility.merge.ground import Ground
from mobility.merge.region_stations import StationCountries
from mobility.merge.timeline import TripCalls

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def country_codes(ground: Ground) -> dict[str | None, int]:
    """Return a code per country of the feeds."""
    countries = {feed.config.country for feed in ground.feeds if feed.config.country is not None}
    return {country: code for code, country in enumerate(sorted(countries))}


class StationCodes(dict[int, int]):
    """Country code per station, found when first asked; -1 where unknown or no feed's."""

    def __init__(self, ground: Ground, members: list[Int64s]) -> None:
        super().__init__()
        configs = [feed.config for feed in ground.feeds]
        self.codes = country_codes(ground)
        self.said = StationCountries(
            ground.places,
            members,
            [config.country for config in configs],
            [config.precedence for config in configs],
        )

    def __missing__(self, station: int) -> int:
        code = self[station] = self.codes.get(self.said.country(station), -1)
        return code


class TripCallsOf:
    """Looks up the calls of a trip; remembers them, once for all trips that call alike."""

    def __init__(self, ground: Ground, station_of_place: Int32s) -> None:
        self.ground = ground
        self.known: dict[int, TripCalls] = {}
        self.alike: dict[tuple[object, ...], TripCalls] = {}
        self.station = station_of_place[ground.places.of_stop].astype(np.int32)
        self.station[ground.tables.stops["border_point"].to_numpy()] = -1
        self.codes = country_codes(ground)

    def __call__(self, trip: int) -> TripCalls:
        """Return the calls of a trip."""
        found = self.known.get(trip)
        if found is None:
            found = self.known[trip] = self._read(trip)
        return found

    def _read(self, trip: int) -> TripCalls:
        events = self.ground.tables.events
        rows = slice(int(events.start[trip]), int(events.start[trip + 1]))
        feed = int(self.ground.tables.trip_feed[trip])
        leaves_s = int(events.departure_s[rows.start])
        columns = (
            *(events.stop[rows], events.arrival_s[rows] - leaves_s),
            *(events.departure_s[rows] - leaves_s, events.pickup_type[rows]),
            *(events.drop_off_type[rows], events.sequence[rows]),
        )
        key = (feed, *(column.tobytes() for column in columns))
        alike = self.alike.get(key)
        if alike is not None:
            return replace(alike, trip=trip, leaves_s=leaves_s)
        config = self.ground.feeds[feed].config
        made = TripCalls(
            *(trip, leaves_s, feed, self.codes.get(config.country, -1), config.precedence),
            *(len(self.alike), self.station[events.stop[rows]].tolist()),
            *(column.tolist() for column in columns),
        )
        self.alike[key] = made
        return made

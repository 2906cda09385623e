"""What a decision meant, in words that people and the program read.

Ids are made anew in many feeds' new versions. A station is its name and position, a train its
number (else its line) with the stations and minutes at both ends. By these words a decision finds
its objects again, and never holds for something else that happens to bear the old id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from mobility.core.ids import split_reference
from mobility.core.units import distance_m
from mobility.merge.candidates import ALIKE
from mobility.merge.ground import Ground
from mobility.merge.names import (
    Exonyms,
    find_exonym_files,
    full_form,
    normal_form,
    read_exonyms,
    similarity,
)
from mobility.merge.places import find_roots

SAME_PLACE_M = 200.0
SAME_TIME_MIN = 3  # as far as equal train numbers may lie apart

_STATION = re.compile(
    r"(?P<name>.*?)\s+@\s+(?P<lat>-?\d+(?:\.\d+)?)\s*,\s*(?P<lon>-?\d+(?:\.\d+)?)"
)
_TRAIN = re.compile(
    r"(?:(?P<label>.*?)\s+\|\s+)?(?P<first>.+?)\s+(?P<departure>\d{1,3}:\d\d)"
    r"\s+(?:→|->)\s+(?P<last>.+?)\s+(?P<arrival>\d{1,3}:\d\d)"
)


@dataclass(frozen=True, slots=True)
class StationWords:
    """A station by name and position.

    >>> words = StationWords("Neustadt Hbf", 47.5, 7.25)
    >>> words.text()
    'Neustadt Hbf @ 47.50000,7.25000'
    >>> StationWords.read(words.text()) == words, StationWords.read("Neustadt").lat is None
    (True, True)
    """

    name: str
    lat: float | None = None
    lon: float | None = None

    def text(self) -> str:
        """Return the words; the name alone where the feed states no position."""
        name = " ".join(self.name.split())
        return name if self.lat is None else f"{name} @ {self.lat:.5f},{self.lon:.5f}"

    @classmethod
    def read(cls, text: str) -> StationWords:
        """Return the station that words name; without a position they are a name."""
        found = _STATION.fullmatch(text.strip())
        if found is None:
            return cls(text.strip())
        return cls(found["name"], float(found["lat"]), float(found["lon"]))


@dataclass(frozen=True, slots=True)
class TrainWords:
    """A train by number or line, ends and minutes (of the feed's service day) at both ends.

    >>> words = TrainWords("76", "Neustadt", 480, "Altdorf (Süd)", 1513)
    >>> words.text()
    '76 | Neustadt 08:00 → Altdorf (Süd) 25:13'
    >>> TrainWords.read(words.text()) == words
    True
    >>> TrainWords.read("Neustadt 8:00 -> Altdorf 9:13").label, TrainWords.read("76")
    ('', None)
    """

    label: str
    first: str
    departure_min: int
    last: str
    arrival_min: int

    def text(self) -> str:
        """Return the words."""
        ends = f"{self.first} {_clock(self.departure_min)} → {self.last} {_clock(self.arrival_min)}"
        words = " ".join(ends.split())
        return f"{' '.join(self.label.split())} | {words}" if self.label.strip() else words

    @classmethod
    def read(cls, text: str) -> TrainWords | None:
        """Return the train that words name, None where they do not say both ends."""
        found = _TRAIN.fullmatch(text.strip())
        if found is None:
            return None
        minutes = [_minutes(found[side]) for side in ("departure", "arrival")]
        return cls(found["label"] or "", found["first"], minutes[0], found["last"], minutes[1])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a reference.

    Parameters
    ----------
    rows : tuple of int
        The place, or the trips; empty where it means nothing in this build.
    by_words : bool
        The id was gone or means something else now.
    several : bool
        Nothing was chosen because several fit.
    """

    rows: tuple[int, ...] = ()
    by_words: bool = False
    several: bool = False


class StationFinder:
    """Finds the places that references and words mean."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._stop_of = ground.stop_of()
        self._exonyms = _exonyms(ground)
        self._forms: dict[int, dict[str, list[int]]] = {}

    def words(self, place: int) -> StationWords:
        """Return the words of a place."""
        places = self._ground.places
        lat, lon = float(places.lat[place]), float(places.lon[place])
        known = not (np.isnan(lat) or np.isnan(lon))
        return StationWords(self._name(place), *((lat, lon) if known else (None, None)))

    def find(self, reference: str, text: str) -> Found:
        """Return the place that a reference means, checked against the words where there are any.

        The id counts where a place of that normal name is nearest to where it was; else the one
        place of equal normal name within `SAME_PLACE_M`; else the id where it was only respelt.
        """
        stop = self._stop_of.get(reference)
        own = int(self._ground.places.of_stop[stop]) if stop is not None else None
        if not text:
            return Found((own,)) if own is not None else Found()
        feed, _ = split_reference(reference, self._ground.ids)
        if feed is None:
            return Found()
        meant = StationWords.read(text)
        near = sorted(
            (metres, place)
            for place in self._of_form(self._ground.ids.index(feed), meant.name)
            if (metres := self._metres(place, meant)) <= SAME_PLACE_M
        )
        if own is not None and any(place == own and m <= near[0][0] for m, place in near):
            return Found((own,))
        if len(near) == 1:
            return Found((near[0][1],), by_words=True)
        if not near and own is not None and self._respelt(own, meant):
            return Found((own,))
        return Found(several=len(near) > 1)

    def _name(self, place: int) -> str:
        root = int(self._ground.places.root[place])
        stops = self._ground.tables.stops
        return str(stops["stop_name"][root] or stops["stop_id"][root])

    def _of_form(self, feed: int, name: str) -> list[int]:
        """Return the places of a feed whose name has the normal form of this name."""
        if feed not in self._forms:
            places, forms = self._ground.places, self._forms.setdefault(feed, {})
            for place in np.flatnonzero((places.feed == feed) & ~places.border_point).tolist():
                form = normal_form(self._name(place), self._exonyms)
                forms.setdefault(form, []).append(place)
        return self._forms[feed].get(normal_form(name, self._exonyms), [])

    def _metres(self, place: int, meant: StationWords) -> float:
        places = self._ground.places
        if meant.lat is None or meant.lon is None:
            return 0.0
        metres = distance_m(
            meant.lat, meant.lon, float(places.lat[place]), float(places.lon[place])
        )
        return float("inf") if np.isnan(metres) else metres

    def _respelt(self, place: int, meant: StationWords) -> bool:
        forms = (normal_form(name, self._exonyms) for name in (self._name(place), meant.name))
        return similarity(*forms) >= ALIKE and self._metres(place, meant) <= SAME_PLACE_M


class TrainFinder:
    """Finds the trips that references and words mean: all that are one schedule to a rider."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._trip_of = ground.trip_of()
        self._exonyms = _exonyms(ground)
        self._named = _named_ends(ground)
        self._feeds: dict[int, pl.DataFrame] = {}

    def words(self, trip: int) -> TrainWords:
        """Return the words of a trip."""
        return TrainWords(*self._named.row(trip))

    def find(self, reference: str, text: str) -> Found:
        """Return the trips that a reference means, checked against the words where there are any.

        Trips of equal words are one train on different days. Where two such trips run on one day by
        different calls, words cannot tell them apart: then the id decides, else nothing is found.
        """
        own = self._trip_of.get(reference)
        feed, _ = split_reference(reference, self._ground.ids)
        meant = TrainWords.read(text) if text else None
        if meant is None and not text and own is not None:
            meant = self.words(own)
        if feed is None or meant is None:
            return Found()
        near = self._near(self._ground.ids.index(feed), meant)
        exact = near.filter(departure_min=meant.departure_min, arrival_min=meant.arrival_min)
        groups = (
            [exact]
            if exact.height
            else near.partition_by("departure_min", "arrival_min", maintain_order=True)
        )
        if len(groups) != 1:
            return Found(several=len(groups) > 1)
        trips = groups[0]["trip"].to_list()
        if self._one_train(trips):
            return Found(tuple(trips), by_words=own not in trips)
        if own is not None and own in trips:
            content = self._content(own)
            return Found(tuple(trip for trip in trips if self._content(trip) == content))
        return Found(several=True)

    def _near(self, feed: int, meant: TrainWords) -> pl.DataFrame:
        """Return the feed's trips of these words, both ends within `SAME_TIME_MIN`."""
        if feed not in self._feeds:
            self._feeds[feed] = self._feed_table(feed)
        forms = [full_form(name, self._exonyms) for name in (meant.first, meant.last)]
        minutes = ("departure_min", meant.departure_min), ("arrival_min", meant.arrival_min)
        return self._feeds[feed].filter(
            pl.col("label") == " ".join(meant.label.split()),
            *(pl.col(side) == form for side, form in zip(("first", "last"), forms, strict=True)),
            *((pl.col(name) - value).abs() <= SAME_TIME_MIN for name, value in minutes),
        )

    def _feed_table(self, feed: int) -> pl.DataFrame:
        """Return the words of a feed's trips, names in normal form, with ``trip``."""
        own = self._named.with_row_index("trip").filter(
            pl.Series(self._ground.tables.trip_feed == feed)
        )
        names = pl.concat([own["first"], own["last"]]).unique().to_list()
        forms = {name: full_form(name, self._exonyms) for name in names}
        return own.with_columns(
            pl.col("label").str.replace_all(r"\s+", " ").str.strip_chars(),
            *(pl.col(side).replace_strict(forms, return_dtype=pl.String) for side in _ENDS),
        )

    def _one_train(self, trips: list[int]) -> bool:
        """Whether no two of the trips run on one day by different calls."""
        services, rows = self._ground.tables.trip_service, self._ground.days.rows
        days_of: dict[tuple[bytes, ...], np.ndarray] = {}
        for trip in trips:
            if services[trip] >= 0:
                content = self._content(trip)
                days = rows[services[trip]]
                days_of[content] = days_of[content] | days if content in days_of else days
        total = sum(days.astype(np.int64) for days in days_of.values())
        return bool(np.max(total, initial=0) <= 1)

    def _content(self, trip: int) -> tuple[bytes, ...]:
        events = self._ground.tables.events
        own = slice(int(events.start[trip]), int(events.start[trip + 1]))
        place = self._ground.places.of_stop[events.stop[own]]
        return place.tobytes(), events.arrival_s[own].tobytes(), events.departure_s[own].tobytes()


_ENDS = ("first", "last")


def _exonyms(ground: Ground) -> Exonyms:
    return read_exonyms(*find_exonym_files(ground.manifest.folder))


def _named_ends(ground: Ground) -> pl.DataFrame:
    """Return the words of every trip: label, first, departure_min, last, arrival_min."""
    tables, events = ground.tables, ground.tables.events
    stops = tables.stops
    names = pl.coalesce(stops["stop_name"], stops["stop_id"], eager=True)
    parent = stops["parent"].fill_null(-1).to_numpy().astype(np.int64)
    names = names.gather(find_roots(parent)[0])
    lines = tables.routes["route_short_name"].gather(tables.trips["route"])
    first, last = events.start[:-1], events.start[1:] - 1
    return pl.DataFrame(
        {
            "label": pl.coalesce(tables.trips["number"], lines, pl.lit(""), eager=True),
            "first": names.gather(events.stop[first]),
            "departure_min": events.departure_s[first] // 60,
            "last": names.gather(events.stop[last]),
            "arrival_min": events.arrival_s[last] // 60,
        }
    )

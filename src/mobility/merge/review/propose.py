"""What a feed suggests for its place in a manifest: country, train numbers, border points.

Proposals, each with its reason: people confirm them. Nothing is decided here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from urllib.parse import urlsplit

import polars as pl

from mobility.feeds import Feed, TrainNumberRule
from mobility.merge.codes import UIC_COUNTRY, find_code

RAIL_TYPES = (2, *range(100, 118))  # GTFS route types, the extended ones included
NUMBER_RATE = 0.5  # a rule that finds fewer is none
NUMBERS_SHARE = 0.02  # of the trips: fewer different numbers are those of lines, not of trains
CODED_SHARE = 0.1  # of the stops: fewer codes say nothing of the feed
CODE_MAJORITY = 0.5
MAX_CODES = 20_000

# Whole values that are a number, then a number after a category ("IC 114 Name").
NUMBER_PATTERNS = (
    ("trip_short_name", "^0*([0-9]+)$"),
    ("trip_short_name", "^[^0-9]*0*([0-9]+)"),
    ("trip_headsign", "^0*([0-9]{2,6})$"),
)
# What feeds write in brackets behind a point that stands for the border, in several languages.
BORDER_WORDS = (
    *("Gr", "Grenze", "fr", "front", "frontière", "border", "confine", "frontera", "fronteira"),
    *("hranica", "hranice", "granica", "meja", "határ", "graniță", "grens"),
)
_BORDER = re.compile(
    r"\((?:" + "|".join(map(re.escape, BORDER_WORDS)) + r")\.?\)\s*$", re.IGNORECASE
)
_TLD_COUNTRY = {"uk": "GB"}  # country-code domains that are not the ISO 3166 code


@dataclass(frozen=True, slots=True)
class CountryGuess:
    """A country (ISO 3166) and what speaks for it; ``certain`` where all signals agree."""

    country: str
    reasons: tuple[str, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class NumberGuess:
    """A rule for train numbers and how well it does.

    Parameters
    ----------
    rate : float
        Share of the trips in which it finds a number, 0 to 1.
    trips, numbers : int
        Trips looked at; different numbers found.
    rail : bool
        Whether only rail trips were looked at (all, where the feed has none).
    example : str
    """

    rule: TrainNumberRule
    rate: float
    trips: int
    numbers: int
    rail: bool
    example: str


@dataclass(frozen=True, slots=True)
class BorderGuess:
    """A pattern for border points, how many stops it finds, one of them."""

    pattern: str
    stops: int
    example: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that one feed suggests."""

    publisher: str
    agencies: tuple[str, ...]
    zone: str
    country: CountryGuess | None
    number: NumberGuess | None
    border: BorderGuess | None


def propose(feed: Feed) -> Proposal:
    """Return what a feed suggests for its place in a manifest."""
    agency, info = feed.tables["agency"], feed.tables["feed_info"]
    names = agency["agency_name"].drop_nulls().unique(maintain_order=True).to_list()
    publishers = info["feed_publisher_name"].drop_nulls().to_list()
    return Proposal(
        publisher=publishers[0] if publishers else (names[0] if names else ""),
        agencies=tuple(names),
        zone=feed.zone,
        country=guess_country(feed),
        number=guess_number(feed),
        border=guess_border(feed),
    )


def guess_country(feed: Feed) -> CountryGuess | None:
    """Return the country that codes, domains and the time zone speak for, or None.

    Codes of stops count first, then the operators' domains, then the zone.
    """
    signals = list(_country_signals(feed))
    if not signals:
        return None
    votes = Counter(country for country, _ in signals)
    first = [country for country, _ in signals]
    best = max(votes, key=lambda country: (votes[country], -first.index(country)))
    reasons = tuple(reason for country, reason in signals if country == best)
    return CountryGuess(best, reasons, certain=len(votes) == 1 and len(signals) > 1)


def _country_signals(feed: Feed) -> Iterator[tuple[str, str]]:
    stops = feed.tables["stops"]["stop_id"].unique(maintain_order=True).head(MAX_CODES).to_list()
    coded = Counter(filter(None, map(_code_country, stops)))
    if coded and coded.total() >= CODED_SHARE * len(stops):
        country, n = coded.most_common(1)[0]
        share = n / coded.total()
        if share > CODE_MAJORITY:
            yield country, f"{share:.0%} of the station codes in stop_id are of {country}"
    domains = Counter(
        found
        for url in feed.tables["agency"]["agency_url"].drop_nulls()
        if (found := _domain_country(url)) is not None
    )
    if domains:
        domain = min(domains, key=lambda one: (-domains[one], one))
        yield domain, f"agency_url ends in a domain of {domain}"
    of_zone = _zone_countries().get(feed.zone)
    if of_zone:
        yield of_zone, f"the agency's zone {feed.zone} is of {of_zone}"


def _code_country(stop_id: str) -> str | None:
    code = find_code(stop_id)
    if code is None:
        return None
    kind, _, rest = code.partition(":")
    return UIC_COUNTRY.get(rest[:2]) if kind == "uic" else rest[:2].upper()


def _domain_country(url: str) -> str | None:
    """Return the country of a web address's top-level domain, None where it has none.

    >>> _domain_country("https://www.rail.example.ch/a"), _domain_country("http://rail.com")
    ('CH', None)
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    top = host.rpartition(".")[2]
    if len(top) != 2 or top == "eu" or not top.isalpha():
        return None
    return _TLD_COUNTRY.get(top, top.upper())


@lru_cache(maxsize=1)
def _zone_countries() -> dict[str, str]:
    """Return the country of each time zone. Source: zone.tab of the IANA time zone database."""
    try:
        text = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8")
    except OSError:
        return {}
    rows = (line.split("\t") for line in text.splitlines() if line and line[0] != "#")
    return {row[2]: row[0] for row in rows if len(row) > 2}


def guess_number(feed: Feed) -> NumberGuess | None:
    """Return the rule that finds a number in most rail trips, or None where none finds many."""
    trips = feed.tables["trips"]
    routes = feed.tables["routes"].filter(pl.col("route_type").is_in(RAIL_TYPES))["route_id"]
    rail = trips.filter(pl.col("route_id").is_in(routes.implode()))
    looked = rail if rail.height else trips
    found = [
        guess
        for column, pattern in NUMBER_PATTERNS
        if column in looked.columns and (guess := _try_rule(looked, column, pattern)) is not None
    ]
    best = max(found, key=lambda guess: round(guess.rate, 2), default=None)
    if best is None or best.rate < NUMBER_RATE or best.numbers < NUMBERS_SHARE * best.trips:
        return None
    return NumberGuess(
        best.rule, best.rate, best.trips, best.numbers, rail.height > 0, best.example
    )


def _try_rule(trips: pl.DataFrame, column: str, pattern: str) -> NumberGuess | None:
    numbers = trips[column].cast(pl.String).str.extract(pattern, 1)
    hits = numbers.drop_nulls()
    if not hits.len():
        return None
    return NumberGuess(
        rule=TrainNumberRule(column=column, pattern=pattern),
        rate=hits.len() / trips.height,
        trips=trips.height,
        numbers=hits.n_unique(),
        rail=True,
        example=str(hits.sort()[hits.len() // 2]),
    )


def guess_border(feed: Feed) -> BorderGuess | None:
    """Return a pattern for border points where stop names carry such a mark, else None.

    >>> bool(_BORDER.search("Northtown (Gr)")), bool(_BORDER.search("Weston de la Frontera"))
    (True, False)
    """
    names = feed.tables["stops"]["stop_name"].drop_nulls().unique(maintain_order=True).to_list()
    marked = {name: found[0].strip() for name in names if (found := _BORDER.search(name))}
    if not marked:
        return None
    words = sorted(set(marked.values()))
    pattern = "|".join(re.escape(word).replace("\\ ", " ") for word in words)
    pattern = f"(?:{pattern})" if len(words) > 1 else pattern
    return BorderGuess(rf"{pattern}\s*$", len(marked), next(iter(marked)))

"""What the manifest states about travellers, as tables: border checks and boarding bans.

Places become stations, agencies and routes become rows of routes. A statement that names nothing
in the feeds is told, never dropped in silence.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from mobility.core.notices import Notice
from mobility.feeds import BoardingBan, Manifest
from mobility.merge.codes import code_country, find_code

Tables = dict[str, pl.DataFrame]
Countries = list[str | None]

CHECKS = {
    "check": pl.Int32, "station": pl.Int32, "from_country": pl.String, "to_country": pl.String,
    "from_date": pl.Date, "until_date": pl.Date, "minutes": pl.Int32,
    "change_of_vehicle": pl.Boolean, "documents": pl.String,
}  # fmt: skip
BANS = {"ban": pl.Int32, "from_date": pl.Date, "until_date": pl.Date, "reason": pl.String}
BAN_ROUTES = {"ban": pl.Int32, "route": pl.Int32}
BAN_STATIONS = {"ban": pl.Int32, "station": pl.Int32}
MANIFEST = "region.toml"


def rule_tables(
    manifest: Manifest, tables: Mapping[str, pl.DataFrame], feed_ids: Sequence[str]
) -> tuple[Tables, list[Notice]]:
    """Return ``border_checks``, ``boarding_bans`` and what the bans hold for, and the notices.

    Parameters
    ----------
    manifest : Manifest
    tables : mapping of table name to DataFrame
        The region's ``agencies``, ``stops``, ``stations``, ``routes`` and ``stop_times``.
    feed_ids : sequence of str
        By the ``feed`` columns.

    Returns
    -------
    tables : dict of table name to DataFrame
        ``border_checks`` (`CHECKS`; ``documents`` is JSON by language), ``boarding_bans``
        (`BANS`), ``boarding_ban_routes`` and ``boarding_ban_stations`` (which trains, which
        section). ``check`` and ``ban`` count the manifest's statements from 0.
    notices : list of Notice
        Statements that name nothing, or ask for what cannot be.
    """
    notices: list[Notice] = []
    stations: dict[str, int] = {}
    borders: set[str] = set()
    if manifest.border_checks or manifest.boarding_bans:
        stops = tables["stops"]
        columns = ("feed", "stop_id", "station", "border_point")
        for feed, stop_id, station, border in stops.select(columns).iter_rows():
            reference = f"{feed_ids[feed]}:{stop_id}"
            if station is not None:
                stations[reference] = station
            if border:
                borders.add(reference)
    checks = _checks(manifest, stations, borders, notices)
    bans, routes, members = _bans(manifest, tables, stations, feed_ids, notices)
    return {
        "border_checks": pl.DataFrame(checks, schema=CHECKS, orient="row"),
        "boarding_bans": pl.DataFrame(bans, schema=BANS, orient="row"),
        "boarding_ban_routes": pl.DataFrame(routes, schema=BAN_ROUTES, orient="row"),
        "boarding_ban_stations": pl.DataFrame(members, schema=BAN_STATIONS, orient="row"),
    }, notices


def station_countries(
    tables: Mapping[str, pl.DataFrame], feed_countries: Sequence[str | None]
) -> Countries:
    """Return the ISO 3166 code of each station, None for border points and where nothing says.

    What the codes in its stops' ids say, else the country of the feed that calls there most: the
    same that decides who owns a section.
    """
    stops = tables["stops"]
    calls = tables["stop_times"].group_by("stop").len().select("stop", "len").iter_rows()
    n_calls: dict[int, int] = dict(calls)
    said: dict[int, Counter[str]] = defaultdict(Counter)
    busy: dict[int, Counter[int]] = defaultdict(Counter)
    columns = ("feed", "stop_id", "stop_code", "station", "border_point")
    for row, (feed, stop_id, stop_code, station, border) in enumerate(
        stops.select(columns).iter_rows()
    ):
        if border or station is None:
            continue
        codes = {find_code(text) for text in (stop_id, stop_code) if text} - {None}
        countries = {code_country(code) for code in codes if code is not None} - {None}
        said[station].update(country for country in countries if country is not None)
        busy[station][feed] += n_calls.get(row, 0)
    return [
        _country(said[station], busy[station], feed_countries) if station in busy else None
        for station in range(tables["stations"].height)
    ]


def _country(
    said: Counter[str], busy: Counter[int], feed_countries: Sequence[str | None]
) -> str | None:
    if said:
        return min(said, key=lambda country: (-said[country], country))
    return feed_countries[min(busy, key=lambda feed: (-busy[feed], feed))]


def _checks(
    manifest: Manifest,
    stations: Mapping[str, int],
    borders: set[str],
    notices: list[Notice],
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number, check in enumerate(manifest.border_checks):
        station = stations.get(check.place)
        if station is None:
            text = "no feed has this stop: the check holds nowhere"
            notices.append(_notice("border_check_without_place", check.place, text))
            continue
        change = check.change_of_vehicle
        if change and check.place in borders:
            text = "nobody can change at a border point: trains are not cut there"
            notices.append(_notice("border_check_cannot_change", check.place, text))
            change = False
        documents = json.dumps(check.documents, sort_keys=True, ensure_ascii=False)
        rows.append(
            (
                *(number, station, check.from_country, check.to_country),
                *(check.from_date, check.until_date, check.minutes, change, documents),
            )
        )
    return rows


def _bans(
    manifest: Manifest,
    tables: Mapping[str, pl.DataFrame],
    stations: Mapping[str, int],
    feed_ids: Sequence[str],
    notices: list[Notice],
) -> tuple[list[tuple[object, ...]], list[tuple[int, int]], list[tuple[int, int]]]:
    bans: list[tuple[object, ...]] = []
    routes: list[tuple[int, int]] = []
    members: list[tuple[int, int]] = []
    countries: Countries = []
    if any(ban.country for ban in manifest.boarding_bans):
        stated = {feed.id: feed.country for feed in manifest.feeds}
        countries = station_countries(tables, [stated[feed_id] for feed_id in feed_ids])
    for number, ban in enumerate(manifest.boarding_bans):
        section = _section(ban, stations, countries, notices)
        trains = _routes(ban, tables, feed_ids, notices)
        if not section or not trains:
            what = "section" if trains else "train"
            text = f"no {what} of the region is meant: the ban holds nowhere"
            notices.append(_notice("boarding_ban_without_effect", ban.feed, text))
            continue
        bans.append((number, ban.from_date, ban.until_date, ban.reason))
        routes += [(number, route) for route in trains]
        members += [(number, station) for station in section]
    return bans, routes, members


def _section(
    ban: BoardingBan,
    stations: Mapping[str, int],
    countries: Countries,
    notices: list[Notice],
) -> list[int]:
    """Return the stations among which nobody may both board and alight."""
    if ban.country is not None:
        return [row for row, country in enumerate(countries) if country == ban.country]
    known = set()
    for reference in ban.stops:
        if reference in stations:
            known.add(stations[reference])
        else:
            text = "no feed has this stop: the ban does not hold there"
            notices.append(_notice("boarding_ban_without_stop", reference, text))
    return sorted(known)


def _routes(
    ban: BoardingBan,
    tables: Mapping[str, pl.DataFrame],
    feed_ids: Sequence[str],
    notices: list[Notice],
) -> list[int]:
    """Return the rows of the routes whose trains the ban means."""
    if ban.feed not in feed_ids:
        return []
    feed = list(feed_ids).index(ban.feed)
    agencies = tables["agencies"]["agency_id"].to_list()
    columns = ("feed", "route_id", "agency")
    own = [
        (row, route_id, agencies[agency])
        for row, (of, route_id, agency) in enumerate(tables["routes"].select(columns).iter_rows())
        if of == feed
    ]
    if not ban.agencies and not ban.routes:
        return [row for row, _, _ in own]
    _tell_unknown("agency", ban.agencies, {agency for _, _, agency in own}, ban.feed, notices)
    _tell_unknown("route", ban.routes, {route_id for _, route_id, _ in own}, ban.feed, notices)
    return [
        row for row, route_id, agency in own if route_id in ban.routes or agency in ban.agencies
    ]


def _tell_unknown(
    what: str, named: Iterable[str], known: set[str], feed: str, notices: list[Notice]
) -> None:
    for one in named:
        if one not in known:
            text = f"the feed has no {what} of this id with a route: the ban does not hold for it"
            notices.append(_notice(f"boarding_ban_without_{what}", f"{feed}:{one}", text))


def _notice(code: str, value: str, text: str) -> Notice:
    return Notice(code, "warning", file=MANIFEST, value=value, message=text)

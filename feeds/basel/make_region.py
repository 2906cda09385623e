"""Write the sample region's feeds from ``lines.toml``, ``places.csv`` and ``translations.csv``.

    python feeds/basel/make_region.py            rewrites the zips beside this file
    python feeds/basel/make_region.py --out DIR  writes them elsewhere

Only the standard library; the same input gives the same bytes under one zlib, and the same table
contents everywhere.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import random
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from places import Place, read_places
from timetable import (
    SERVICE_NAMES,
    Call,
    exceptions_of,
    list_departures,
    list_holidays,
    parse_back_run,
    parse_bands,
    parse_run,
    weekdays_of,
)

HERE = Path(__file__).resolve().parent
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can state: says nothing
BUS_ROUTE_TYPE, TRAM_ROUTE_TYPE = 3, 0
PLATFORM_GAP_DEG = 0.00006  # about 7 m between neighbouring platforms
LOW_FLOOR_SHARE, STEP_FREE_SHARE = 0.9, 0.85
PROJECT_URL = "https://example.org/mobility/basel"
FOT_URL = "https://opentransportdata.swiss"

COLUMNS = {
    "agency": "agency_id agency_name agency_url agency_timezone agency_lang",
    "stops": "stop_id stop_code stop_name stop_desc stop_lat stop_lon zone_id location_type"
    " parent_station stop_timezone wheelchair_boarding platform_code",
    "routes": "route_id agency_id route_short_name route_long_name route_type route_color"
    " route_text_color route_sort_order",
    "trips": "route_id service_id trip_id trip_headsign trip_short_name direction_id shape_id"
    " wheelchair_accessible bikes_allowed",
    "stop_times": "trip_id arrival_time departure_time stop_id stop_sequence pickup_type"
    " drop_off_type pickup_booking_rule_id drop_off_booking_rule_id",
    "calendar": "service_id monday tuesday wednesday thursday friday saturday sunday start_date"
    " end_date",
    "calendar_dates": "service_id date exception_type",
    "shapes": "shape_id shape_pt_lat shape_pt_lon shape_pt_sequence",
    "frequencies": "trip_id start_time end_time headway_secs exact_times",
    "transfers": "from_stop_id to_stop_id transfer_type min_transfer_time",
    "feed_info": "feed_publisher_name feed_publisher_url feed_lang default_lang feed_start_date"
    " feed_end_date feed_version feed_contact_email",
    "translations": "table_name field_name language translation record_id",
    "attributions": "attribution_id organization_name is_producer is_operator is_authority"
    " attribution_url",
    "booking_rules": "booking_rule_id booking_type prior_notice_duration_min message phone_number",
}
Row = tuple[object, ...]
Tables = dict[str, list[Row]]


@dataclass(slots=True)
class Feed:
    """One feed in the making: what has been written and what is still known by name only."""

    feed_id: str
    meta: dict[str, Any]
    places: dict[str, Place]
    first_day: dt.date
    last_day: dt.date
    tables: Tables = field(default_factory=lambda: {name: [] for name in COLUMNS})
    used_stops: set[str] = field(default_factory=set)  # names of places
    used_quays: set[str] = field(default_factory=set)  # raw stop ids
    masks: set[str] = field(default_factory=set)


def clock(second: int) -> str:
    """Seconds since the service day's origin as GTFS writes them."""
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def listed_calls(calls: list[Call], listing: dict[str, str], back: bool, feed: Feed) -> list[Call]:
    """Cut a run to the part that a feed lists, with plain times at its two ends."""
    out = calls[::-1] if back else calls
    names = [call.place for call in out]
    low = names.index(listing["from"]) if "from" in listing else 0
    high = names.index(listing["to"]) if "to" in listing else len(names) - 1
    part = out[low : high + 1]
    part = [c for c in (part[::-1] if back else part) if not c.stops or c.place in feed.places]
    stops = [c for c in part if c.stops]
    return [
        replace(
            c,
            arrival_s=c.departure_s if c is stops[0] else c.arrival_s,
            departure_s=c.arrival_s if c is stops[-1] else c.departure_s,
        )
        for c in part
    ]


def check_line(line: dict[str, Any], feeds: dict[str, Feed]) -> None:
    """Refuse a line that names a place which none of its feeds lists."""
    for call in parse_run(line["run"]):
        known = [feed for feed in feeds.values() if call.place in feed.places]
        if call.stops:
            known = [f for f in known if f.feed_id in {item["feed"] for item in line["listed"]}]
        if not known:
            raise ValueError(f"line {line['id']}: no feed lists the place {call.place!r}")


def add_line(line: dict[str, Any], feeds: dict[str, Feed], seed: int) -> None:
    """Write a line into every feed that lists it."""
    check_line(line, feeds)
    runs = [parse_run(line["run"]), parse_back_run(line["run"])][: len(line["offset"])]
    for listing in line["listed"]:
        feed = feeds[listing["feed"]]
        for direction, calls in enumerate(runs):
            part = listed_calls(calls, listing, direction == 1, feed)
            if direction == 0:
                add_route(line, listing, part, feed)
            add_shape(f"{line['id']}.{direction}", part, feeds, feed)
            rng = random.Random(f"{seed} {feed.feed_id} {line['id']} {direction}")
            shift_s = start_shift(calls, line.get("anchor")) + 60 * line["offset"][direction]
            if line.get("frequency"):
                add_frequency_trips(line, direction, part, shift_s, feed)
            else:
                add_trips(line, listing, direction, calls, part, shift_s, feed, rng)


def start_shift(calls: list[Call], anchor: str | None) -> int:
    """Seconds from a departure of the table to the start of the run (0 or less)."""
    if anchor is None:
        return 0
    at_anchor = [call.departure_s for call in calls if call.place == anchor]
    if not at_anchor:
        raise ValueError(f"the run does not call at its anchor {anchor!r}")
    return -at_anchor[0]


def name_in(feed: Feed, place: str) -> str:
    """Name of a place in a feed."""
    return feed.places[place].row["stop_name"]


def add_route(line: dict[str, Any], listing: dict[str, str], part: list[Call], feed: Feed) -> None:
    """Add the row of routes.txt."""
    stops = [c for c in part if c.stops]
    long_name = f"{name_in(feed, stops[0].place)} – {name_in(feed, stops[-1].place)}"
    order = len(feed.tables["routes"]) + 1
    feed.tables["routes"].append(
        (line["id"], listing["agency"], line["name"], long_name, line["type"], line["colour"],
         line["text_colour"], order)
    )  # fmt: skip


def add_shape(shape_id: str, part: list[Call], feeds: dict[str, Feed], feed: Feed) -> None:
    """Add a shape through the places of a run, those passed without a stop included."""
    for sequence, call in enumerate(part):
        place = feed.places.get(call.place)
        if place is None:
            place = next(f.places[call.place] for f in feeds.values() if call.place in f.places)
        feed.tables["shapes"].append((shape_id, *place.position, sequence))


def add_trips(
    line: dict[str, Any],
    listing: dict[str, str],
    direction: int,
    calls: list[Call],
    part: list[Call],
    shift_s: int,
    feed: Feed,
    rng: random.Random,
) -> None:
    """Add a trip per departure, under the service of the day types on which it runs."""
    terminus = next(c.place for c in reversed(calls) if c.stops)
    last = terminus if terminus in feed.places else part[-1].place
    for i, (second, mask) in enumerate(list_departures(line["days"]).items()):
        start_s = second + shift_s
        number = ""
        if "number" in line:
            plain = line["number"][direction] + 2 * i
            number = listing.get("number", "{}").format(plain)
            trip_id = f"{line['id']}-{plain}"
        else:
            trip_id = f"{line['id']}.{direction}.{clock(start_s)[:5].replace(':', '')}"
        is_rail = line["type"] not in (TRAM_ROUTE_TYPE, BUS_ROUTE_TYPE)
        low_floor = 1 if is_rail or rng.random() < LOW_FLOOR_SHARE else 2
        feed.masks.add(mask)
        feed.tables["trips"].append(
            (line["id"], SERVICE_NAMES[mask], trip_id, name_in(feed, last), number, direction,
             f"{line['id']}.{direction}", low_floor, 1 if is_rail else 2)
        )  # fmt: skip
        add_stop_times(trip_id, line, direction, part, start_s, feed)


def add_frequency_trips(
    line: dict[str, Any], direction: int, part: list[Call], shift_s: int, feed: Feed
) -> None:
    """Add one pattern trip per set of day types with its rows of frequencies.txt."""
    for mask, text in line["days"].items():
        *bands, last = parse_bands(text)
        # The table's last time is a departure; a frequency ends before its end time.
        bands[-1] = replace(bands[-1], end_s=last.start_s + bands[-1].headway_s)
        trip_id = f"{line['id']}.{direction}.{SERVICE_NAMES[mask]}"
        feed.masks.add(mask)
        feed.tables["trips"].append(
            (line["id"], SERVICE_NAMES[mask], trip_id, name_in(feed, part[-1].place), "", direction,
             f"{line['id']}.{direction}", 1, 2)
        )  # fmt: skip
        for band in bands:
            start, end = clock(band.start_s + shift_s), clock(band.end_s + shift_s)
            feed.tables["frequencies"].append((trip_id, start, end, band.headway_s, 1))
        add_stop_times(trip_id, line, direction, part, bands[0].start_s + shift_s, feed)


def add_stop_times(
    trip_id: str, line: dict[str, Any], direction: int, part: list[Call], start_s: int, feed: Feed
) -> None:
    """Add the rows of stop_times.txt of one trip."""
    rule = line.get("booking", "")
    sequence = 0
    for call in part:
        if not call.stops:
            continue
        place = feed.places[call.place]
        quay = place.quay_id(call.platform, f"{line['id']}.{direction}")
        feed.used_stops.add(call.place)
        feed.used_quays.add(quay)
        kind = 1 if place.is_border_point else (2 if rule else 0)
        feed.tables["stop_times"].append(
            (trip_id, clock(start_s + call.arrival_s), clock(start_s + call.departure_s), quay,
             sequence, kind, kind, rule, rule)
        )  # fmt: skip
        sequence += 1


def add_stops(feed: Feed, seed: int) -> None:
    """Add the stations, stops and platforms that trips call at."""
    for name in sorted(feed.used_stops, key=lambda used: feed.places[used].stop_id):
        place = feed.places[name]
        row = place.row
        # Seeded by the stop, so that a new stop changes no other.
        step_free = random.Random(f"{seed} {feed.feed_id} {place.stop_id}").random()
        wheelchair = 1 if place.platforms or step_free < STEP_FREE_SHARE else 2
        note = "Position estimated" if row["estimated"] == "1" else ""
        shared = (row["stop_code"], row["stop_name"], note)
        lat, lon = place.position
        is_station = 1 if place.platforms else 0
        feed.tables["stops"].append(
            (place.stop_id, *shared, lat, lon, row["zone_id"], is_station, "",
             row["stop_timezone"], 0 if place.is_border_point else wheelchair, "")
        )  # fmt: skip
        for i, code in enumerate(place.platforms):
            if place.platform_id(code) not in feed.used_quays:
                continue
            shift = (i - (len(place.platforms) - 1) / 2) * PLATFORM_GAP_DEG
            feed.tables["stops"].append(
                (place.platform_id(code), "", row["stop_name"], note, f"{float(lat) + shift:.5f}",
                 lon, row["zone_id"], 0, place.stop_id, "", wheelchair, code)
            )  # fmt: skip


def add_transfers(feed: Feed, walks: list[dict[str, Any]]) -> None:
    """Add the minimum times inside hubs and the walks between stations of the feed."""
    for name in sorted(feed.used_stops):
        row = feed.places[name].row
        if row["min_transfer_s"]:
            stop_id = row["stop_id"]
            feed.tables["transfers"].append((stop_id, stop_id, 2, int(row["min_transfer_s"])))
    for walk in walks:
        if walk["feed"] == feed.feed_id:
            a, b = (feed.places[walk[end]].stop_id for end in ("from", "to"))
            feed.tables["transfers"] += [(a, b, 2, walk["seconds"]), (b, a, 2, walk["seconds"])]


def add_calendar(feed: Feed) -> None:
    """Add the services in use, with the public holidays of the feed's country."""
    holidays = list_holidays(feed.meta["country"], feed.first_day, feed.last_day)
    for mask, service in SERVICE_NAMES.items():
        if mask not in feed.masks:
            continue
        usual = weekdays_of(mask)
        days = (int(weekday in usual) for weekday in range(7))
        first, last = f"{feed.first_day:%Y%m%d}", f"{feed.last_day:%Y%m%d}"
        feed.tables["calendar"].append((service, *days, first, last))
        feed.tables["calendar_dates"] += [
            (service, f"{day:%Y%m%d}", kind) for day, kind in exceptions_of(mask, holidays)
        ]


def add_about(feed: Feed, table: dict[str, Any], translations: list[dict[str, str]]) -> None:
    """Add agencies, feed_info, attributions, translations and booking rules."""
    zone, lang = feed.meta["timezone"], feed.meta["lang"]
    feed.tables["agency"] += [
        (agency_id, name, PROJECT_URL, zone, lang)
        for agency_id, name in feed.meta["agency"].items()
    ]
    feed.tables["feed_info"].append(
        ("Sample region Basel (illustrative timetable)", PROJECT_URL, lang, lang,
         f"{feed.first_day:%Y%m%d}", f"{feed.last_day:%Y%m%d}", table["version"],
         "timetable@example.org")
    )  # fmt: skip
    feed.tables["attributions"].append(
        ("project", "Sample region Basel (illustrative timetable)", 1, 0, 0, PROJECT_URL)
    )
    used = [feed.places[name].row for name in feed.used_stops]
    if any(row["source"].startswith("FOT") for row in used):
        source = "Names and positions of Swiss stops: Federal Office of Transport, stop list"
        feed.tables["attributions"].append(("fot", source, 1, 0, 0, FOT_URL))
    for row in translations:
        if row["feed"] == feed.feed_id:
            stop_id = feed.places[row["place"]].stop_id
            feed.tables["translations"].append(
                ("stops", "stop_name", row["language"], row["translation"], stop_id)
            )
    for rule_id, rule in table["booking"].items():
        if any(row[-1] == rule_id for row in feed.tables["stop_times"]):
            feed.tables["booking_rules"].append((rule_id, *rule.values()))


def make_feeds(folder: Path) -> Iterator[Feed]:
    """Make the feeds of the region from the tables in a folder."""
    table = tomllib.loads((folder / "lines.toml").read_text(encoding="utf-8"))
    with (folder / "translations.csv").open(encoding="utf-8", newline="") as file:
        translations = list(csv.DictReader(file))
    places = read_places(folder / "places.csv")
    feeds = {
        feed_id: Feed(
            feed_id,
            meta,
            places[feed_id],
            table["first_day"],
            meta.get("last_day", table["last_day"]),
        )
        for feed_id, meta in table["feed"].items()
    }
    for line in table["line"]:
        add_line(line, feeds, table["seed"])
    for feed in feeds.values():
        add_stops(feed, table["seed"])
        add_transfers(feed, table["walk"])
        add_calendar(feed)
        add_about(feed, table, translations)
        yield feed


def zip_feed(tables: Tables) -> bytes:
    """Zip of the tables that have rows, in the order of ``COLUMNS``, without time stamps."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, columns in COLUMNS.items():
            if not tables[name]:
                continue
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns.split())
            writer.writerows(tables[name])
            info = zipfile.ZipInfo(f"{name}.txt", ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, text.getvalue().encode("utf-8"))
    return buffer.getvalue()


def main() -> None:
    """Write the feeds and say what is in them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the zips")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for feed in make_feeds(HERE):
        data = zip_feed(feed.tables)
        (out / f"{feed.feed_id}.zip").write_bytes(data)
        counts = ", ".join(
            f"{len(feed.tables[name])} {name}" for name in ("routes", "trips", "stops")
        )
        print(f"{feed.feed_id}: {counts}, {len(data) // 1024} KiB")


if __name__ == "__main__":
    main()

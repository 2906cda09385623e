"""GTFS Realtime: a protobuf message becomes our values.

What cannot be used is left out and counted: an entity without what it needs, a text or a list
beyond its limit. A message that is no GTFS Realtime at all is refused.

Source: GTFS Realtime reference, version 2.0.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as pb

from mobility.core.errors import FeedError
from mobility.core.time import parse_gtfs_time
from mobility.feeds.realtime.values import (
    Alert,
    Informed,
    Message,
    Moment,
    StopState,
    StopUpdate,
    Texts,
    TripRef,
    TripState,
    TripUpdate,
    Vehicle,
)

MAX_ENTITIES = 200_000
MAX_CALLS = 1_000  # of one trip
MAX_INFORMED = 1_000  # of one alert
MAX_LANGUAGES = 40
MAX_PERIODS = 100
MAX_ID = 256
MAX_TEXT = 8_000
MAX_DELAY_S = 2 * 86_400
MAX_UNIX_S = 1 << 33
_DATE = re.compile(r"\d{8}")
_URL = re.compile(r"https?://[^\s<>\"]+")

_TRIP_STATES: dict[int, TripState] = {
    pb.TripDescriptor.SCHEDULED: "scheduled",
    pb.TripDescriptor.ADDED: "added",
    pb.TripDescriptor.NEW: "added",
    pb.TripDescriptor.UNSCHEDULED: "unscheduled",
    pb.TripDescriptor.CANCELED: "canceled",
    pb.TripDescriptor.DELETED: "deleted",
    pb.TripDescriptor.REPLACEMENT: "replacement",
    pb.TripDescriptor.DUPLICATED: "duplicated",
}
_STOP_STATES: dict[int, StopState] = {
    pb.TripUpdate.StopTimeUpdate.SCHEDULED: "scheduled",
    pb.TripUpdate.StopTimeUpdate.SKIPPED: "skipped",
    pb.TripUpdate.StopTimeUpdate.NO_DATA: "no_data",
    pb.TripUpdate.StopTimeUpdate.UNSCHEDULED: "unscheduled",
}


class _LeftOutError(Exception):
    """An entity cannot be used; the message is the code that counts it."""


def decode_gtfs_rt(data: bytes) -> Message:
    """Return what a GTFS Realtime message says.

    Raises
    ------
    FeedError
        The bytes are no such message, or it has more than `MAX_ENTITIES`.
    """
    feed = pb.FeedMessage()
    try:
        feed.ParseFromString(data)
    except (DecodeError, ValueError):
        raise FeedError("no GTFS Realtime message, or one that is cut short") from None
    version = feed.header.gtfs_realtime_version
    if isinstance(version, bytes) or not version.startswith(("1.", "2.")):
        raise FeedError(f"GTFS Realtime version {version[:20]!r}: expected 1.0 or 2.0")
    if len(feed.entity) > MAX_ENTITIES:
        raise FeedError(f"{len(feed.entity)} entities: at most {MAX_ENTITIES}")
    if feed.header.incrementality == pb.FeedHeader.DIFFERENTIAL:
        raise FeedError("a differential message, which GTFS Realtime leaves undefined")
    updates: list[TripUpdate] = []
    alerts: list[Alert] = []
    vehicles: list[Vehicle] = []
    left_out: Counter[str] = Counter()
    for entity in feed.entity:
        if entity.is_deleted:
            continue
        if entity.HasField("trip_update"):
            _keep(updates, left_out, _trip_update, entity.trip_update)
        if entity.HasField("alert"):
            _keep(alerts, left_out, lambda alert: _alert(entity.id, alert), entity.alert)  # noqa: B023
        if entity.HasField("vehicle"):
            _keep(vehicles, left_out, _vehicle, entity.vehicle)
    timestamp = _unix_s(feed.header, "timestamp")
    return Message(timestamp, tuple(updates), tuple(alerts), tuple(vehicles), dict(left_out))


def _keep(kept: list[Any], left_out: Counter[str], make: Any, entity: Any) -> None:
    try:
        kept.append(make(entity))
    except _LeftOutError as why:
        left_out[str(why)] += 1


def _trip_update(update: Any) -> TripUpdate:
    if len(update.stop_time_update) > MAX_CALLS:
        raise _LeftOutError("too_many_calls")
    new = update.trip_properties
    return TripUpdate(
        trip=_trip(update.trip),
        state=_TRIP_STATES.get(update.trip.schedule_relationship, "scheduled"),
        stops=tuple(map(_stop_update, update.stop_time_update)),
        delay_s=_delay_s(update) if update.HasField("delay") else None,
        timestamp=_unix_s(update, "timestamp"),
        new_trip=_new_trip(new) if update.HasField("trip_properties") else None,
        new_headsign=_text(new.trip_headsign),
        new_number=_text(new.trip_short_name),
    )


def _trip(trip: Any) -> TripRef:
    return TripRef(
        trip_id=_id(trip.trip_id),
        route_id=_id(trip.route_id),
        start_date=_date(trip.start_date),
        start_time_s=_clock_s(trip.start_time),
        direction=trip.direction_id if trip.HasField("direction_id") else None,
    )


def _new_trip(new: Any) -> TripRef:
    return TripRef(
        trip_id=_id(new.trip_id),
        start_date=_date(new.start_date),
        start_time_s=_clock_s(new.start_time),
    )


def _stop_update(stop: Any) -> StopUpdate:
    said = stop.stop_time_properties
    return StopUpdate(
        stop_sequence=stop.stop_sequence if stop.HasField("stop_sequence") else None,
        stop_id=_id(stop.stop_id),
        arrival=_moment(stop.arrival) if stop.HasField("arrival") else None,
        departure=_moment(stop.departure) if stop.HasField("departure") else None,
        state=_STOP_STATES.get(stop.schedule_relationship, "scheduled"),
        assigned_stop_id=_id(said.assigned_stop_id),
        pickup_type=said.pickup_type if said.HasField("pickup_type") else None,
        drop_off_type=said.drop_off_type if said.HasField("drop_off_type") else None,
    )


def _moment(event: Any) -> Moment | None:
    time = _unix_s(event, "time")
    delay_s = _delay_s(event) if event.HasField("delay") else None
    return None if time is None and delay_s is None else Moment(time, delay_s)


def _alert(number: str | bytes, alert: Any) -> Alert:
    if len(alert.informed_entity) > MAX_INFORMED or len(alert.active_period) > MAX_PERIODS:
        raise _LeftOutError("too_long_alert")
    header = _texts(alert.header_text)
    if not header and not alert.description_text.translation:
        raise _LeftOutError("alert_without_text")
    return Alert(
        id=_id(number),
        informed=tuple(map(_informed, alert.informed_entity)),
        header=header,
        description=_texts(alert.description_text),
        url=tuple(one for one in _texts(alert.url) if _URL.fullmatch(one[1])),
        periods=tuple(
            (_unix_s(period, "start"), _unix_s(period, "end")) for period in alert.active_period
        ),
        cause=_name(pb.Alert.Cause, alert, "cause"),
        effect=_name(pb.Alert.Effect, alert, "effect"),
        severity=_name(pb.Alert.SeverityLevel, alert, "severity_level"),
    )


def _informed(entity: Any) -> Informed:
    return Informed(
        agency_id=_id(entity.agency_id),
        route_id=_id(entity.route_id),
        route_type=entity.route_type if entity.HasField("route_type") else None,
        direction=entity.direction_id if entity.HasField("direction_id") else None,
        trip=_trip(entity.trip) if entity.HasField("trip") else None,
        stop_id=_id(entity.stop_id),
    )


def _vehicle(vehicle: Any) -> Vehicle:
    lat, lon = vehicle.position.latitude, vehicle.position.longitude
    if not vehicle.HasField("position") or not _on_earth(lat, lon):
        raise _LeftOutError("vehicle_without_position")
    bearing = vehicle.position.bearing
    return Vehicle(
        trip=_trip(vehicle.trip),
        lat=round(lat, 6),
        lon=round(lon, 6),
        bearing=round(bearing, 1) if vehicle.position.HasField("bearing") and math.isfinite(bearing)
        else None,
        stop_id=_id(vehicle.stop_id),
        stop_sequence=vehicle.current_stop_sequence
        if vehicle.HasField("current_stop_sequence") else None,
        timestamp=_unix_s(vehicle, "timestamp"),
        label=_text(vehicle.vehicle.label),
    )  # fmt: skip


def _on_earth(lat: float, lon: float) -> bool:
    return -90 <= lat <= 90 and -180 <= lon <= 180 and (lat, lon) != (0, 0)


def _texts(translated: Any) -> Texts:
    return tuple(_translations(translated))


def _translations(translated: Any) -> Iterator[tuple[str, str]]:
    for one in translated.translation[:MAX_LANGUAGES]:
        if text := _text(one.text):
            yield _said(one.language).partition("-")[0].partition("_")[0].lower()[:8], text


def _name(names: Any, message: Any, field: str) -> str:
    if not message.HasField(field):
        return ""
    try:
        return str(names.Name(getattr(message, field))).lower()
    except ValueError:  # a value of a later version
        return ""


def _said(text: str | bytes) -> str:
    """Return a text; what is no UTF-8 protobuf hands out as bytes."""
    if isinstance(text, bytes):
        raise _LeftOutError("not_utf_8")
    return text


def _id(text: str | bytes) -> str:
    if len(text) > MAX_ID:
        raise _LeftOutError("too_long_id")
    return _said(text)


def _text(text: str | bytes) -> str:
    """Return a text for people, without control characters, cut to its limit."""
    plain = "".join(letter for letter in _said(text) if letter.isprintable() or letter == "\n")
    return plain[:MAX_TEXT].strip()


def _date(text: str | bytes) -> dt.date | None:
    if not text:
        return None
    try:
        if not _DATE.fullmatch(date := _said(text)):
            raise ValueError
        return dt.date.fromisoformat(date)
    except ValueError:
        raise _LeftOutError("bad_start_date") from None


def _clock_s(text: str | bytes) -> int | None:
    if not text:
        return None
    seconds = parse_gtfs_time(_said(text))
    if seconds is None:
        raise _LeftOutError("bad_start_time")
    return seconds


def _unix_s(message: Any, field: str) -> int | None:
    """Return a moment; 0 is what programs write that do not know it."""
    if not message.HasField(field):
        return None
    seconds = int(getattr(message, field))
    return seconds if 0 < seconds < MAX_UNIX_S else None


def _delay_s(message: Any) -> int:
    if abs(message.delay) > MAX_DELAY_S:
        raise _LeftOutError("delay_beyond_two_days")
    return int(message.delay)

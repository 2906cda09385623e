"""Live messages as they come: decoded within limits, damage told, the last good one kept."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from google.transit import gtfs_realtime_pb2 as pb
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import FeedError, UsageError
from mobility.feeds.realtime import Message, Moment, StopUpdate, TripRef, TripUpdate
from mobility.feeds.realtime.decoders import DECODERS
from mobility.feeds.realtime.gtfs_rt import MAX_TEXT, decode_gtfs_rt
from mobility.feeds.realtime.source import Inbox, LiveSource
from mobility.feeds.versions.download import Downloader


def message(**header: Any) -> Any:
    feed = pb.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.timestamp = 1_800_000_000
    for name, value in header.items():
        setattr(feed.header, name, value)
    return feed


def update_of(feed: Any, trip_id: str) -> Any:
    entity = feed.entity.add()
    entity.id = trip_id
    entity.trip_update.trip.trip_id = trip_id
    return entity.trip_update


def test_trip_update_is_read_with_all_that_it_says() -> None:
    feed = message()
    update = update_of(feed, "t1")
    update.trip.start_date, update.trip.start_time = "20270328", "25:10:00"
    update.delay = 60
    stop = update.stop_time_update.add(stop_sequence=3, stop_id="A")
    stop.arrival.delay = 0
    stop.departure.time = 1_800_000_100
    stop.stop_time_properties.assigned_stop_id = "A2"
    update.stop_time_update.add(stop_id="B").schedule_relationship = 1
    update.stop_time_update.add(stop_id="C").schedule_relationship = 2
    assert decode_gtfs_rt(feed.SerializeToString()) == Message(
        1_800_000_000,
        (
            TripUpdate(
                TripRef("t1", start_date=dt.date(2027, 3, 28), start_time_s=90_600),
                delay_s=60,
                stops=(
                    StopUpdate(
                        3, "A", Moment(delay_s=0), Moment(1_800_000_100), assigned_stop_id="A2"
                    ),
                    StopUpdate(stop_id="B", state="skipped"),
                    StopUpdate(stop_id="C", state="no_data"),
                ),
            ),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("relationship", "state"),
    [
        ("SCHEDULED", "scheduled"), ("ADDED", "added"), ("NEW", "added"), ("CANCELED", "canceled"),
        ("DELETED", "deleted"), ("REPLACEMENT", "replacement"), ("DUPLICATED", "duplicated"),
        ("UNSCHEDULED", "unscheduled"),
    ],
)  # fmt: skip
def test_every_relationship_of_a_trip_is_told_apart(relationship: str, state: str) -> None:
    feed = message()
    update = update_of(feed, "t1")
    update.trip.schedule_relationship = pb.TripDescriptor.ScheduleRelationship.Value(relationship)
    assert decode_gtfs_rt(feed.SerializeToString()).trip_updates[0].state == state


def test_what_cannot_be_used_is_left_out_and_counted_while_the_rest_goes_on() -> None:
    feed = message()
    update_of(feed, "good")
    update_of(feed, "x" * 300)
    update_of(feed, "dated").trip.start_date = "tomorrow"
    update_of(feed, "timed").trip.start_time = "noon"
    update_of(feed, "late").delay = 1_000_000
    nowhere = feed.entity.add(id="v")
    nowhere.vehicle.trip.trip_id = "good"
    silent = feed.entity.add(id="a")
    silent.alert.informed_entity.add().stop_id = "A"
    found = decode_gtfs_rt(feed.SerializeToString())
    assert [update.trip.trip_id for update in found.trip_updates] == ["good"]
    assert found.left_out == {
        "too_long_id": 1, "bad_start_date": 1, "bad_start_time": 1, "delay_beyond_two_days": 1,
        "vehicle_without_position": 1, "alert_without_text": 1,
    }  # fmt: skip


@pytest.mark.parametrize("field", ["trip_id", "start_date", "start_time"])
def test_a_trip_named_in_no_utf_8_is_left_out_and_counted(field: str) -> None:
    feed = message()
    update_of(feed, "good")
    setattr(update_of(feed, "bad").trip, field, "wxyz")
    found = decode_gtfs_rt(feed.SerializeToString().replace(b"wxyz", b"w\x80yz"))
    assert [update.trip.trip_id for update in found.trip_updates] == ["good"]
    assert found.left_out == {"not_utf_8": 1}


def test_an_alert_in_no_utf_8_is_left_out_and_counted() -> None:
    feed = message()
    for text, language in (("wxyz", "de"), ("Works", "wxyz")):
        alert = feed.entity.add(id=language).alert
        alert.header_text.translation.add(text=text, language=language)
    found = decode_gtfs_rt(feed.SerializeToString().replace(b"wxyz", b"w\x80yz"))
    assert (found.alerts, found.left_out) == ((), {"not_utf_8": 2})


def test_alert_texts_are_plain_bounded_and_their_links_are_links() -> None:
    feed = message()
    alert = feed.entity.add(id="a").alert
    alert.header_text.translation.add(text="A\x00B\x1b[31m" + "x" * 20_000, language="de-CH")
    alert.url.translation.add(text="javascript:alert(1)")
    alert.url.translation.add(text="https://operator.example/a", language="fr")
    alert.active_period.add(start=5, end=0)
    found = decode_gtfs_rt(feed.SerializeToString()).alerts[0]
    language, text = found.header[0]
    assert (language, len(text), text[:6]) == ("de", MAX_TEXT, "AB[31m")
    assert found.url == (("fr", "https://operator.example/a"),)
    assert found.periods == ((5, None),)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"<html>Sorry</html>", "no GTFS Realtime message"),
        (message(gtfs_realtime_version="3.0").SerializeToString(), "expected 1.0 or 2.0"),
        (message(gtfs_realtime_version="2.0!").SerializeToString().replace(b"!", b"\x80"), "2.0"),
        (message(incrementality=1).SerializeToString(), "differential"),
    ],
)
def test_what_is_no_message_is_refused_in_one_line(data: bytes, told: str) -> None:
    with pytest.raises(FeedError, match=told):
        decode_gtfs_rt(data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_never_ends_in_anything_but_values_or_one_clear_error(data: st.DataObject) -> None:
    feed = message()
    for number in range(3):
        update = update_of(feed, f"t{number}")
        update.stop_time_update.add(stop_id="A").arrival.delay = 60
    whole = bytearray(feed.SerializeToString())
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        assert isinstance(decode_gtfs_rt(bytes(whole[:cut])), Message)
    except FeedError as error:
        assert "\n" not in str(error)


def test_a_source_that_fails_keeps_what_it_said_last_with_its_age(tmp_path: Path) -> None:
    path, inbox = tmp_path / "trips.pb", Inbox()
    source = LiveSource.parse(f"north={path}")
    missing = inbox.receive(source, 10)
    assert missing.message is None
    assert "cannot be read" in missing.fault
    path.write_bytes(message().SerializeToString())
    good = inbox.receive(source, 20)
    assert (good.fault, good.received_s) == ("", 20)
    path.write_bytes(b"half a mess")
    bad = inbox.receive(source, 30)
    assert bad.message is good.message
    assert bad.received_s == 20
    assert bad.fault == f"north: {path}: no GTFS Realtime message, or one that is cut short"


def test_the_same_bytes_are_the_same_message_and_are_not_decoded_again(tmp_path: Path) -> None:
    path, inbox = tmp_path / "trips.pb", Inbox()
    path.write_bytes(message().SerializeToString())
    source = LiveSource.parse(f"north={path}")
    assert inbox.receive(source, 1).message is inbox.receive(source, 2).message


def test_fetching_uses_the_guarded_download_and_shows_no_secret() -> None:
    environment = {"KEY": "s3cret"}
    inbox = Inbox(Downloader(resolve=lambda *_: ["10.0.0.7"]), environment)
    source = LiveSource.parse("north=https://live.example/${KEY}/trips.pb?key=${KEY}")
    fault = inbox.receive(source, 1).fault
    assert "not of the open internet" in fault
    assert "s3cret" not in fault
    told = inbox.receive(LiveSource.parse("north=https://live.example/t?k=${NONE}"), 1).fault
    assert "the environment has no NONE" in told
    assert "only https" in inbox.receive(LiveSource.parse("north=http://live.example/t"), 1).fault


@pytest.mark.parametrize("text", ["north", "north=", "North Line=trips.pb", "=trips.pb"])
def test_a_source_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected FEED=FILE_OR_URL"):
        LiveSource.parse(text)


def test_another_format_joins_with_a_decoder_of_a_few_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode_journeys(data: bytes) -> Message:
        """Estimated calls as SIRI ET says them, here in JSON."""
        document = json.loads(data)
        return Message(
            document["ResponseTimestamp"],
            tuple(
                TripUpdate(
                    TripRef(one["JourneyRef"], start_date=dt.date.fromisoformat(one["DataFrame"])),
                    "canceled" if one.get("Cancellation") else "scheduled",
                    tuple(
                        StopUpdate(call["Order"], departure=Moment(call["ExpectedDeparture"]))
                        for call in one.get("EstimatedCalls", ())
                    ),
                )
                for one in document["EstimatedVehicleJourneys"]
            ),
        )

    monkeypatch.setitem(DECODERS, "siri-et", decode_journeys)
    path = tmp_path / "et.json"
    journey = {
        "JourneyRef": "t1", "DataFrame": "2027-03-28",
        "EstimatedCalls": [{"Order": 2, "ExpectedDeparture": 1_800_000_300}],
    }  # fmt: skip
    path.write_text(
        json.dumps({"ResponseTimestamp": 1_800_000_000, "EstimatedVehicleJourneys": [journey]})
    )
    found = Inbox().receive(LiveSource.parse(f"north=siri-et+{path}"), 1).message
    feed = message()
    update = update_of(feed, "t1")
    update.trip.start_date = "20270328"
    update.stop_time_update.add(stop_sequence=2).departure.time = 1_800_000_300
    assert found == decode_gtfs_rt(feed.SerializeToString())
    unknown = Inbox().receive(LiveSource.parse(f"north=hafas+{path}"), 1)
    assert "format 'hafas' is not known; one of gtfs-rt, siri-et" in unknown.fault

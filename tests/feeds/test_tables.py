"""Tables after reading: references hold, keys are unique, cells typed, service days right."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.core.errors import FeedError
from mobility.core.notices import count_by_code
from mobility.feeds import Feed, FeedConfig, service_days
from mobility.feeds.calendar import WEEKDAYS, service_span
from mobility.feeds.findings import RULES
from mobility.schema import TABLES

Read = Callable[..., Feed]

# A feed with every table, one row of each referring to rows of others.
WHOLE_TEXT = """
# stops.txt
stop_id,stop_name,stop_lat,stop_lon,zone_id,location_type,parent_station,level_id
P,Station,47.50,7.50,,1,,
S1,One,47.50,7.50,z1,0,P,L1
S2,Two,47.51,7.50,z2,0,,
S3,Three,47.52,7.50,z2,0,,
# routes.txt
route_id,agency_id,route_type,network_id
R1,A,3,N0
R2,A,3,
# trips.txt
route_id,service_id,trip_id,shape_id
R1,WD,T1,H1
R2,SA,T2,H1
R2,WD,T3,
# stop_times.txt
trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_booking_rule_id
T1,08:00:00,08:00:00,S1,1,B1
T1,08:05:00,08:06:00,S2,2,
T1,08:10:00,08:10:00,S3,3,
T2,08:00:00,08:00:00,S1,1,
T2,08:05:00,08:06:00,S2,2,
T3,09:00:00,09:00:00,S3,1,
T3,09:05:00,09:06:00,S2,2,
# calendar_dates.txt
service_id,date,exception_type
SA,20270109,1
WD,20270106,2
# fare_attributes.txt
fare_id,price,currency_type,payment_method,transfers,agency_id
F1,2.5,EUR,0,0,A
# fare_rules.txt
fare_id,route_id,origin_id,destination_id,contains_id
F1,R1,z1,z2,
F1,,z2,z1,z2
# timeframes.txt
timeframe_group_id,start_time,end_time,service_id
TF,06:00:00,09:00:00,WD
# rider_categories.txt
rider_category_id,rider_category_name
RC,Adult
# fare_media.txt
fare_media_id,fare_media_type
FM,2
# fare_products.txt
fare_product_id,rider_category_id,fare_media_id,amount,currency
FP,RC,FM,3.00,EUR
# fare_leg_rules.txt
leg_group_id,network_id,from_area_id,to_area_id,from_timeframe_group_id,fare_product_id
LG,N1,AR,AR,TF,FP
LG0,N0,,,,FP
# fare_leg_join_rules.txt
from_network_id,to_network_id,from_stop_id,to_stop_id
N1,N0,S1,S2
# fare_transfer_rules.txt
from_leg_group_id,to_leg_group_id,fare_transfer_type,fare_product_id
LG,LG0,0,FP
# areas.txt
area_id
AR
# stop_areas.txt
area_id,stop_id
AR,S1
# networks.txt
network_id
N1
# route_networks.txt
network_id,route_id
N1,R2
# shapes.txt
shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence
H1,47.5,7.5,1
H1,47.6,7.5,2
# transfers.txt
from_stop_id,to_stop_id,from_route_id,to_route_id,from_trip_id,to_trip_id,transfer_type
S1,S2,,,,,2
S1,S2,R1,R2,,,1
,,,,T1,T2,4
# pathways.txt
pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional
W1,S1,S2,1,1
# levels.txt
level_id,level_index
L1,-1.0
# location_groups.txt
location_group_id
G
# location_group_stops.txt
location_group_id,stop_id
G,S1
# booking_rules.txt
booking_rule_id,booking_type,prior_notice_service_id
B1,2,WD
# translations.txt
table_name,field_name,language,translation,record_id,record_sub_id,field_value
stops,stop_name,fr,Un,S1,,
trips,trip_headsign,fr,x,T2,,
stop_times,stop_headsign,fr,y,T1,1,
stops,stop_name,fr,Deux,,,Two
# feed_info.txt
feed_publisher_name,feed_publisher_url,feed_lang
X,http://x.example,mul
# attributions.txt
attribution_id,agency_id,route_id,trip_id,organization_name
1,A,,,O
2,,R2,,O
3,,,T1,O
"""


def files_of(text: str) -> dict[str, str]:
    """Return the files of a text in which a line ``# name`` opens each."""
    parts = re.split(r"^# (.+)\n", text.strip() + "\n", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


WHOLE = files_of(WHOLE_TEXT)


def test_a_whole_feed_keeps_every_row(read_files: Read) -> None:
    feed = read_files(WHOLE)
    assert not feed.notices
    assert set(feed.counts) | {"frequencies"} == set(TABLES)
    for counts in feed.counts.values():
        assert counts.read == counts.kept and not counts.repaired


def dangling(tables: dict[str, pl.DataFrame]) -> list[tuple[str, str, str]]:
    """Every value that refers to nothing, found cell by cell."""
    found = []
    for table in TABLES.values():
        if table.name == "stop_times":
            continue
        for column in table.columns:
            if not column.references:
                continue
            known = {
                value
                for target in column.references
                for value in tables[target.partition(".")[0]][target.partition(".")[2]]
            }
            values = set(tables[table.name][column.name]) - {None}
            found += [(table.name, column.name, value) for value in values - known]
    times = tables["stop_times"]
    assert times["trip"].is_between(0, len(tables["trips"]) - 1).all()
    assert times["stop"].is_between(0, len(tables["stops"]) - 1).all()
    if "pickup_booking_rule_id" in times.columns:
        used = set(times["pickup_booking_rule_id"]) - {None}
        assert used <= set(tables["booking_rules"]["booking_rule_id"])
    keys = {"stops": "stop_id", "trips": "trip_id", "stop_times": "trip_id"}
    for name, record in tables["translations"].select("table_name", "record_id").iter_rows():
        target = "trips" if name == "stop_times" else name
        if record is not None and record not in set(tables[target][keys[name]]):
            found.append(("translations", name, record))
    return found


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_nothing_dangles_whatever_rows_are_lost(
    read_files: Read, base: dict[str, str], data: st.DataObject
) -> None:
    files = {}
    for name, text in (base | WHOLE).items():
        header, *rows = text.splitlines(keepends=True)
        lost = data.draw(st.sets(st.integers(0, len(rows) - 1), max_size=2), label=name)
        files[name] = header + "".join(row for i, row in enumerate(rows) if i not in lost)
    try:
        feed = read_files(files)
    except FeedError as error:
        assert "\n" not in str(error)
        return
    assert dangling(feed.tables) == []
    for counts in feed.counts.values():
        assert counts.read == counts.kept + counts.dropped


def test_a_lost_stop_takes_its_whole_closure_along(read_files: Read) -> None:
    lost = WHOLE["stops.txt"].replace("S1,One,47.50,7.50,z1,0,P,L1\n", "")
    feed = read_files(WHOLE | {"stops.txt": lost})
    dropped = {name: counts.dropped for name, counts in feed.counts.items() if counts.dropped}
    assert dropped == {
        "fare_rules": 2, "fare_leg_join_rules": 1, "stop_areas": 1, "location_group_stops": 1,
        "pathways": 1, "transfers": 3, "translations": 2, "stop_times": 3, "trips": 1,
    }  # fmt: skip
    assert all(RULES[n.code].effect == "drop" for n in feed.notices if n.severity == "error")


def test_keys_are_unique_after_reading(read_files: Read) -> None:
    doubled = {
        name: text + "".join(text.splitlines(keepends=True)[1:])
        for name, text in WHOLE.items()
        if name != "stop_times.txt"
    }
    feed = read_files(WHOLE | doubled)
    clean = read_files(WHOLE)
    assert feed.counts["feed_info"].dropped == feed.counts["levels"].dropped == 1
    for name, frame in feed.tables.items():
        assert frame.drop("line", strict=False).equals(
            clean.tables[name].drop("line", strict=False)
        )
    assert set(count_by_code(feed.notices)) == {"duplicate_row"}


def test_a_key_with_two_meanings_is_an_error_and_the_first_row_stays(read_files: Read) -> None:
    feed = read_files({"routes.txt": "route_id,agency_id,route_type\nR1,A,3\nR1,A,2\n"})
    assert feed.tables["routes"]["route_type"].to_list() == [3]
    (notice,) = feed.notices
    assert (notice.code, notice.row, notice.value) == ("duplicate_key", 3, "R1")


def test_cells_are_typed_and_bad_optional_ones_emptied(read_files: Read) -> None:
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,wheelchair_boarding,stop_timezone,mine\n"
        "S1,One,47.5,7.5,0,1,Europe/Berlin,x\nS2,Two,47.51,7.5,0.0,9,Mars/Base,\n"
        "S3,Three,95,7.5,,2,,\n"
    )
    routes = "route_id,agency_id,route_type,route_color\nR1,A,715,#ff00aa\n"
    feed = read_files({"stops.txt": stops, "routes.txt": routes})
    frame = feed.tables["stops"]
    assert frame["location_type"].to_list() == [0, 0, 0]
    assert frame["wheelchair_boarding"].to_list() == [1, None, 2]
    assert frame["stop_timezone"].to_list() == ["Europe/Berlin", None, None]
    assert frame["mine"].to_list() == ["x", None, None]
    assert frame["stop_lat"].to_list()[2] is None
    assert frame["line"].to_list() == [2, 3, 4]
    assert frame.schema["stop_lat"] == pl.Float64 and frame.schema["level_id"] == pl.String
    route = feed.tables["routes"].row(0, named=True)
    assert (route["route_color"], route["route_type"]) == ("FF00AA", 715)
    assert count_by_code(feed.notices) == {
        "invalid_timezone_cleared": 1, "missing_position": 1, "number_out_of_range_cleared": 1,
        "unexpected_enum_value_cleared": 1, "unknown_column": 1,
    }  # fmt: skip


def test_rows_that_mean_nothing_without_a_field_go_under_its_code(read_files: Read) -> None:
    calendar_dates = (
        "service_id,date,exception_type\nWD,20270230,1\nWD,2027-01-05,1\nWD,20270105,3\n"
        ",20270105,1\nWD,20270105,1\n"
    )
    feed = read_files({"calendar_dates.txt": calendar_dates})
    told = {(n.code, n.field): (n.row, n.count) for n in feed.notices}
    assert told == {
        ("invalid_date", "date"): (2, 2),
        ("unexpected_enum_value", "exception_type"): (4, 1),
        ("missing_required_field", "service_id"): (5, 1),
    }
    assert feed.counts["calendar_dates"].kept == 1


def test_parents_are_stations_and_no_loops(read_files: Read) -> None:
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "S1,a,47.5,7.5,0,S2\nS2,b,47.5,7.5,0,\nS3,c,47.5,7.5,1,S4\nS4,d,47.5,7.5,1,S3\n"
        "S5,e,47.5,7.5,0,S5\nS6,f,47.5,7.5,0,S3\nS7,g,47.5,7.5,0,gone\n"
    )
    feed = read_files({"stops.txt": stops})
    parents = dict(feed.tables["stops"].select("stop_id", "parent_station").iter_rows())
    assert parents == dict.fromkeys(["S1", "S2", "S3", "S4", "S5", "S7"]) | {"S6": "S3"}
    assert count_by_code(feed.notices) == {
        "foreign_key_violation_cleared": 1, "parent_station_loop": 3,
        "wrong_parent_location_type": 1,
    }  # fmt: skip


def test_positions_come_from_relatives_or_are_missing(read_files: Read) -> None:
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "P,p,,,1,\nS1,a,47.50,7.50,0,P\nS2,b,47.52,7.52,0,P\nS3,c,0,0,0,P\nS4,d,-90,360,0,\n"
    )
    feed = read_files({"stops.txt": stops})
    places = feed.tables["stops"].select("stop_lat", "stop_lon").rows()
    assert places == [(47.51, 7.51), (47.5, 7.5), (47.52, 7.52), (47.51, 7.51), (None, None)]
    assert count_by_code(feed.notices) == {
        "missing_position": 1, "number_out_of_range_cleared": 1, "point_near_origin": 1,
        "point_near_pole": 1, "position_from_relatives": 2,
    }  # fmt: skip


def test_a_feed_without_agency_ids_gets_one(read_files: Read) -> None:
    feed = read_files(
        {
            "agency.txt": "agency_name,agency_url,agency_timezone\nBus,http://b.example,Europe/Paris\n",
            "routes.txt": "route_id,route_type\nR1,3\n",
        }
    )
    assert feed.zone == "Europe/Paris"
    assert feed.tables["agency"]["agency_id"].to_list() == ["_"]
    assert feed.tables["routes"]["agency_id"].to_list() == ["_"]


def test_the_manifest_gives_the_zone_that_a_feed_lacks(read_files: Read) -> None:
    for agency in (
        None,
        "agency_id,agency_name\nA,Bus\n",
        "agency_id,agency_name,agency_timezone\nA,Bus,Nowhere\n",
    ):
        files = {"agency.txt": agency}
        with pytest.raises(FeedError, match="default_timezone"):
            read_files(files)
    feed = read_files(files, default_timezone="Europe/Kyiv")
    assert feed.zone == "Europe/Kyiv"
    assert feed.tables["routes"]["agency_id"].to_list() == ["A"]


def test_a_missing_column_of_a_required_table_is_named(read_files: Read) -> None:
    with pytest.raises(FeedError, match=r"stops.txt has no column 'stop_id'; its header is"):
        read_files({"stops.txt": "stopid,stop_name\nS1,One\n"})
    with pytest.raises(FeedError, match=r"stop_times.txt has no column 'stop_id'"):
        read_files({"stop_times.txt": "trip_id,stop_sequence,departure_time\nT1,1,08:00:00\n"})
    with pytest.raises(FeedError, match=r"trips.txt is empty"):
        read_files({"trips.txt": ""})


def test_a_missing_column_of_another_table_drops_its_rows(read_files: Read) -> None:
    feed = read_files({"levels.txt": "level_id,level_name\nL1,x\n"})
    assert feed.counts["levels"].dropped == 1
    assert count_by_code(feed.notices) == {"missing_required_column": 1}


days_of_spring = st.integers(0, 40).map(lambda n: date(2027, 3, 20) + timedelta(days=n))
weeks = st.lists(st.booleans(), min_size=7, max_size=7)


def calendar_feed(
    rows: dict[str, tuple[list[bool], date, date]], dates: dict[tuple[str, date], int]
) -> Feed:
    """A feed of service days only."""
    calendar = [
        {"service_id": name, "start_date": start, "end_date": end}
        | {day: int(on) for day, on in zip(WEEKDAYS, week, strict=True)}
        for name, (week, start, end) in rows.items()
    ]
    exceptions = [
        {"service_id": name, "date": when, "exception_type": kind}
        for (name, when), kind in dates.items()
    ]
    types = {"service_id": pl.String, "start_date": pl.Date, "end_date": pl.Date}
    tables = {
        "calendar": pl.DataFrame(calendar, types | dict.fromkeys(WEEKDAYS, pl.Int32)),
        "calendar_dates": pl.DataFrame(
            exceptions, {"service_id": pl.String, "date": pl.Date, "exception_type": pl.Int32}
        ),
        "trips": pl.DataFrame({"service_id": ["A", "B"]}),
    }
    config = FeedConfig(id="f", path=Path("f"))
    return Feed(config, "", tables, {}, (), "Europe/Zurich", date.min, date.max)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.sampled_from("ABC"), st.tuples(weeks, days_of_spring, days_of_spring)),
    st.dictionaries(st.tuples(st.sampled_from("ABC"), days_of_spring), st.sampled_from([1, 2])),
)
def test_service_days_follow_the_specification_day_by_day(
    rows: dict[str, tuple[list[bool], date, date]], dates: dict[tuple[str, date], int]
) -> None:
    feed = calendar_feed(rows, dates)
    first, n_days = date(2027, 3, 15), 60
    numbers, days = service_days(feed, first, n_days)
    assert list(numbers) == sorted({*rows, *(name for name, _ in dates)})
    used = []
    for name, row in numbers.items():
        for n in range(n_days):
            when = first + timedelta(days=n)
            week, start, end = rows.get(name, ([False] * 7, when, when))
            runs = start <= when <= end and week[when.weekday()]
            runs = {1: True, 2: False}.get(dates.get((name, when), 0), runs)
            assert days[row, n] == runs
            used += [when] if runs and name in "AB" else []
    assert service_span(feed.tables) == ((min(used), max(used)) if used else None)


def test_absurd_calendars_stay_small(read_files: Read, base: dict[str, str]) -> None:
    feed = read_files(
        {"calendar.txt": base["calendar.txt"].replace("20270104,20270129", "19000101,21991231")}
    )
    assert feed.valid_from == date(1970, 1, 1)
    assert feed.valid_until == date(2199, 12, 31)


def test_reading_twice_gives_equal_tables_and_notices(read_files: Read) -> None:
    one, other = read_files(WHOLE), read_files(WHOLE)
    assert one.notices == other.notices and one.version == other.version
    assert all(one.tables[name].equals(other.tables[name]) for name in one.tables)

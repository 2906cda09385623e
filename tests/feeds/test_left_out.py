"""Agencies that the manifest leaves out of a feed: their lines and trips, nothing else."""

from pathlib import Path

import pytest

from mobility.feeds import FeedConfig, read_feed

TABLES = {
    "agency": "agency_id,agency_name,agency_url,agency_timezone\n"
    "own,Own Lines,https://own.example,Europe/Zurich\n"
    "far,Far Trains,https://far.example,Europe/Zurich",
    "stops": "stop_id,stop_name,stop_lat,stop_lon\nA,Aville,47.0,7.0\nB,Bdorf,47.1,7.0",
    "routes": "route_id,agency_id,route_short_name,route_type\nR1,own,1,3\nR2,far,2,2",
    "trips": "route_id,service_id,trip_id,shape_id\n"
    "R2,S,f1,SF\nR1,S,o1,SO\nR2,S,f2,SF\nR1,S,o2,SO\nR2,S,f3,",
    "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,"
    "start_pickup_drop_off_window,end_pickup_drop_off_window\n"
    + "\n".join(
        f"{trip},{hour}:{minute}:00,{hour}:{minute}:00,{stop},{number},,"
        for hour, trip in enumerate(("f1", "o1", "f2", "o2"), start=10)
        for number, (stop, minute) in enumerate((("A", "00"), ("B", "10")))
    )
    + "\nf3,,,A,0,08:00:00,18:00:00\nf3,,,B,1,08:00:00,18:00:00",
    "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
    "start_date,end_date\nS,1,1,1,1,1,1,1,20270301,20270307",
    "shapes": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n"
    "SF,47.0,7.0,1\nSF,47.1,7.0,2\nSO,47.0,7.0,1\nSO,47.1,7.0,2",
    "fare_attributes": "fare_id,price,currency_type,payment_method,transfers\nF,2.00,CHF,0,0",
    "fare_rules": "fare_id,route_id\nF,R1\nF,R2",
    "transfers": "from_stop_id,to_stop_id,from_trip_id,to_trip_id,transfer_type\n"
    "A,A,,,2\nB,B,f1,o1,1",
    "translations": "table_name,field_name,language,translation,record_id\n"
    "routes,route_short_name,fr,deux,R2\nroutes,route_short_name,fr,un,R1\n"
    "trips,trip_headsign,fr,loin,f1",
    "attributions": "attribution_id,trip_id,organization_name,is_operator\nX,f2,Crew,1",
}


def feed_without(tmp_path: Path, *agencies: str):
    for name, text in TABLES.items():
        (tmp_path / f"{name}.txt").write_text(text + "\n")
    dropped = [{"agency": agency, "reason": "its own feed is here"} for agency in agencies]
    return read_feed(FeedConfig(id="x", path=tmp_path, drop_agencies=dropped))


@pytest.mark.parametrize("named", ["far", "Far Trains"])
def test_lines_and_trips_of_the_agency_and_all_that_names_them_are_left_out(tmp_path, named):
    feed = feed_without(tmp_path, named)
    tables = feed.tables
    assert tables["trips"]["trip_id"].to_list() == ["o1", "o2"]
    assert tables["routes"]["route_id"].to_list() == ["R1"]
    calls = tables["stop_times"]
    assert calls["trip"].to_list() == [0, 0, 1, 1]
    assert calls["departure_time"].to_list()[::2] == [11 * 3600, 13 * 3600]
    assert tables["shapes"]["shape_id"].unique().to_list() == ["SO"]
    assert tables["fare_rules"]["route_id"].to_list() == ["R1"]
    assert tables["transfers"].height == 1 and tables["translations"].height == 1
    assert not tables["attributions"].height and not tables["flex_trips"].height
    assert not tables["flex_stop_times"].height
    assert tables["agency"].height == 2, "its name may be needed for fares"


def test_every_row_left_out_is_counted_under_its_own_code(tmp_path):
    feed = feed_without(tmp_path, "far")
    dropped = {name: counts.dropped for name, counts in feed.counts.items() if counts.dropped}
    told: dict[str, int] = {}
    for notice in feed.notices:
        if notice.code == "agency_left_out":
            name = notice.file.removesuffix(".txt")
            told[name] = told.get(name, 0) + notice.count
    assert told == dropped
    assert told == {
        "routes": 1, "trips": 3, "stop_times": 6, "shapes": 2, "fare_rules": 1, "transfers": 1,
        "translations": 2, "attributions": 1,
    }  # fmt: skip
    assert {n.code for n in feed.notices if n.severity == "error"} == set()


def test_an_agency_that_is_not_there_is_told(tmp_path):
    feed = feed_without(tmp_path, "Far trains")
    (notice,) = [n for n in feed.notices if n.code == "agency_to_leave_out_not_found"]
    assert notice.value == "Far trains"
    assert feed.tables["routes"].height == 2

"""The readers' seam: a format joins by its reader alone, and takes the whole path with GTFS."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mobility.core.errors import FeedError
from mobility.core.notices import count_by_code
from mobility.feeds import Feed, FeedConfig, check_feed, read_feed
from mobility.feeds.findings import Findings
from mobility.feeds.raw import HeldTables, RawRow, RawTables
from mobility.feeds.readers import READERS
from mobility.merge import merge_feeds
from mobility.network import compile_network
from mobility.planner import Planner, locate
from tests.feeds.sheets import filled, save
from tests.merge.build import manifest_of

MONDAY = dt.date(2027, 1, 4)
# In the spirit of NeTEx: journeys on a line, each a list of passing times.
TIMETABLE = """<Timetable operator="Valley Bus" zone="Europe/Zurich" from="20270104" to="20270108">
<StopPoint id="S4" name="Four" lat="47.54" lon="7.5"/>
<StopPoint id="V1" name="Valley" lat="47.6" lon="7.5"/>
<ServiceJourney id="J1" line="V">
<PassingTime stop="S4" arrival="08:30:00" departure="08:30:00"/>
<PassingTime stop="V1" arrival="08:50:00" departure="08:50:00"/>
</ServiceJourney>
<ServiceJourney id="J2" line="V">
<PassingTime stop="V1" arrival="09:00:00" departure="09:00:00"/>
<PassingTime stop="S4" arrival="half past" departure="09:20:00"/>
</ServiceJourney>
</Timetable>
"""


@contextmanager
def open_xml(config: FeedConfig, findings: Findings) -> Iterator[RawTables]:
    """Open a timetable in the XML of this test."""
    path = config.source()
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    lines = {element: number for number, element in enumerate(root.iter(), 1)}

    def row(element: ET.Element, **cells: str) -> RawRow:
        return RawRow(cells, path.name, lines[element])

    journeys = root.findall("ServiceJourney")
    days = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "1")
    known = {journey.attrib["line"]: journey for journey in journeys}
    tables = {
        "agency": [
            row(root, agency_name=root.attrib["operator"], agency_timezone=root.attrib["zone"])
        ],
        "stops": [
            row(e, stop_id=e.attrib["id"], stop_name=e.attrib["name"], stop_lat=e.attrib["lat"],
                stop_lon=e.attrib["lon"])
            for e in root.findall("StopPoint")
        ],
        "routes": [row(e, route_id=line, route_type="3") for line, e in known.items()],
        "trips": [
            row(e, trip_id=e.attrib["id"], route_id=e.attrib["line"], service_id="D")
            for e in journeys
        ],
        "stop_times": [
            row(e, trip_id=journey.attrib["id"], stop_id=e.attrib["stop"], stop_sequence=str(at),
                arrival_time=e.attrib["arrival"], departure_time=e.attrib["departure"])
            for journey in journeys for at, e in enumerate(journey)
        ],
        "calendar": [
            row(root, service_id="D", **days, saturday="0", sunday="0",
                start_date=root.attrib["from"], end_date=root.attrib["to"])
        ],
    }  # fmt: skip
    yield HeldTables(str(path), tables)


@pytest.fixture
def valley(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FeedConfig:
    """Return a feed in a third format, which joined by one entry."""
    monkeypatch.setitem(READERS, "valley-xml", open_xml)
    path = tmp_path / "valley.xml"
    path.write_text(TIMETABLE, encoding="utf-8")
    return FeedConfig(id="valley", path=path, format="valley-xml")


def journeys(*feeds: Feed, origin: str, destination: str, hour: int) -> list[tuple[str, list[str]]]:
    """Return arrival time and feeds of each journey between two stops on the first Monday."""
    network = compile_network(merge_feeds(feeds, manifest_of(feeds)))
    planner = Planner(network, network.slices(Path(feeds[0].config.source()).parent / "slices"))
    moment = dt.datetime.combine(MONDAY, dt.time(hour - 1), dt.UTC)  # Zurich in winter
    found = planner.plan(
        locate(network, origin), locate(network, destination), depart=int(moment.timestamp())
    )
    return [
        (
            dt.datetime.fromtimestamp(j.arrival + 3600, dt.UTC).strftime("%H:%M"),
            [leg.sections[0].feed for leg in j.legs if leg.sections],
        )
        for j in found.journeys
    ]


def test_a_third_format_is_read_checked_merged_and_planned(
    valley: FeedConfig, write_feed: Callable[..., Path]
) -> None:
    feed = read_feed(valley)
    assert feed.zone == "Europe/Zurich" and feed.valid_from == MONDAY
    counts = feed.counts["stop_times"]
    assert (counts.read, counts.kept, counts.dropped) == (4, 2, 2)
    told = {(n.file, n.row, n.field) for n in feed.notices if n.code == "invalid_time"}
    assert ("valley.xml", 9, "trip_id") in told
    valley.source().write_text(TIMETABLE.replace("half past", "09:20:00"), encoding="utf-8")
    checked = check_feed(valley)
    assert checked.sheet["num_trips"] == 2
    assert "second_opinion_failed" not in count_by_code(checked.notices)
    # One trip of the GTFS feed on to Four, where the bus of the other format leaves.
    times = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "T1,08:00:00,08:00:00,S1,1\nT1,08:20:00,08:20:00,S4,2\n"
    )
    gtfs = read_feed(FeedConfig(id="town", path=write_feed({"stop_times.txt": times})))
    found = journeys(gtfs, feed, origin="town:S1", destination="valley:V1", hour=8)
    assert found == [("08:50", ["town", "valley"])]


def test_a_sheet_and_a_gtfs_feed_are_one_network(
    tmp_path: Path, write_feed: Callable[..., Path]
) -> None:
    path = save(filled(), tmp_path / "hill.xlsx")
    hill = read_feed(FeedConfig(id="hill", path=path, format="sheet"))
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon\nG1,Hill Halt,47.5201,7.5001\nG2,Summit,47.56,7.50\n"
    )
    times = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "T1,08:20:00,08:20:00,G1,1\nT1,08:35:00,08:35:00,G2,2\n"
    )
    town = read_feed(
        FeedConfig(id="town", path=write_feed({"stops.txt": stops, "stop_times.txt": times}))
    )
    found = journeys(hill, town, origin="hill:H1", destination="town:G2", hour=8)
    assert found == [("08:35", ["hill", "town"])]


def test_the_command_line_takes_a_sheet_like_any_feed(tmp_path: Path, mobility) -> None:
    outcome = mobility("feeds", "template", "-o", tmp_path / "empty.xlsx")
    assert outcome.status == 0 and "sheet" in outcome.err
    again = mobility("feeds", "template", "-o", tmp_path / "empty.xlsx")
    assert again.status == 1 and "is there already" in again.error_line
    checked = mobility("feeds", "check", tmp_path / "empty.xlsx")
    assert "operator!B1: agency_name is empty" in checked.err
    assert "2 cells are wrong" in checked.error_line
    save(filled(), tmp_path / "Hill Bus.xlsx")
    outcome = mobility("build", tmp_path / "Hill Bus.xlsx", "-o", tmp_path / "edition", "--json")
    assert outcome.status == 0, outcome.err
    (feed,) = outcome.document["feeds"]
    assert feed["id"] == "hill-bus" and feed["tables"]["trips"]["kept"] == 3


def test_an_unknown_format_names_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="format 'hafas' is not known; one of gtfs, sheet"):
        read_feed(FeedConfig(id="f", path=tmp_path, format="hafas"))


def test_the_command_line_takes_a_feed_inside_a_bundle(tmp_path: Path, mobility) -> None:
    bundle = Path(__file__).parent / "messy" / "26_named_inside" / "bundle.zip"
    sources = (f"{bundle}#north/feed.zip", f"{bundle}#south")
    outcome = mobility("build", *sources, "-o", tmp_path / "edition", "--json")
    assert outcome.status == 0, outcome.err
    assert [feed["id"] for feed in outcome.document["feeds"]] == ["bundle-zip-south", "feed"]
    assert outcome.document["trains"]["equal"] == 2

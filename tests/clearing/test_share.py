"""Every sold cent has an owner, and the owners are those of the agreement file."""

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.clearing.events import load_events
from mobility.clearing.partitions import read_set
from mobility.clearing.rides import read_rides
from mobility.clearing.settle import live_entries
from mobility.clearing.share import ShareLine, read_shares
from mobility.core.notices import count_by_code
from tests.clearing import oracle
from tests.clearing.region import MAY, MONTH, WAYS, Office, write_sheets


def lines_of(office: Office, period: str = MAY) -> list[ShareLine]:
    stored = read_set(office.home / "events" / "toy" / period, "shares")
    assert stored is not None
    return [line for lines in read_shares(stored).values() for line in lines]


def posted_of(office: Office) -> Counter[tuple[str, str, str, str, str]]:
    """Return the posted shares by product, seller, currency, party and role."""
    total: Counter[tuple[str, str, str, str, str]] = Counter()
    for entry in live_entries(office.journal.entries(MAY)):
        if entry.kind == "share":
            cash, share = entry.postings
            key = (
                str(entry.fact("product")),
                cash.account.party,
                cash.currency,
                share.account.party,
                share.account.role,
            )
            total[key] += cash.amount_minor
    return total


def test_every_sold_unit_is_shared_out_exactly(office: Office) -> None:
    office.whole()
    shared: Counter[str] = Counter()
    for line in lines_of(office):
        shared[line.event] += line.amount_minor
    stored = load_events(office.home, "toy", MAY)
    sold = {event.hash(): event.amount_minor for event in stored.of_kind("sheet", "sale", "pass")}
    taps = sum(event.amount_minor or 0 for event in stored.of_kind("tap"))
    assert {name: amount for name, amount in shared.items() if name in sold} == sold
    assert sum(amount for name, amount in shared.items() if name not in sold) == taps == 421


def test_what_nobody_divides_lies_in_suspense_with_its_reason(office: Office) -> None:
    office.import_(write_sheets(office.home / "in", MONTH))
    report = office.share()
    assert report.suspense_minor == {"CHF": 700, "EUR": 5000}
    reasons = {line.product: line.reason for line in lines_of(office) if line.reason}
    assert reasons == {
        "loose": "split unknown: no agreement divides loose",
        "pass-fares": "split unknown: agreement by-fares has no weight for part all",
    }
    assert count_by_code(report.notices) == {
        "ride_no_check_out": 1,
        "ride_unknown_place": 1,
        "share_in_suspense": 2,
    }


def test_a_ticket_taken_at_another_price_is_told_and_divided_in_proportion(
    office: Office,
) -> None:
    row = "9,2027-05-03 07:00,tram,app,single,4.99,CHF,west,east,2027-05-03 07:10,,"
    office.import_(write_sheets(office.home / "in", {"sale": [row]}))
    assert count_by_code(office.share().notices) == {"price_differs": 1}
    amounts = {line.party: line.amount_minor for line in lines_of(office)}
    assert amounts == {"tram": 166, "rail": 333}


@pytest.mark.parametrize(("amount", "expected"), [("4.21", {"tram": 140, "rail": 281}), ("0", {})])
def test_a_tapped_ride_without_a_pass_is_a_sold_ticket(
    office: Office, amount: str, expected: dict[str, int]
) -> None:
    taps = [
        "a,2027-05-08,2027-05-08T07:00:00+02:00,0,CHF,Enter,west,9,single,tram",
        f"b,2027-05-08,2027-05-08T07:40:00+02:00,{amount},CHF,Exit,east,9,single,tram",
    ]
    office.import_(write_sheets(office.home / "in", {"tap": taps}))
    office.share()
    assert {line.party: line.amount_minor for line in lines_of(office)} == expected


@pytest.mark.parametrize(
    ("enter", "leave", "taken"),
    [
        (("2.00", "CHF"), ("3.00", "EUR"), {"CHF": 200, "EUR": 300}),
        (("4.00", "EUR"), ("0", "CHF"), {"EUR": 400}),
        (("2.00", "CHF"), ("2.21", "CHF"), {"CHF": 421}),
    ],
)
def test_a_ride_paid_at_both_ends_keeps_each_amount_in_its_currency(
    office: Office,
    enter: tuple[str, str],
    leave: tuple[str, str],
    taken: dict[str, int],
) -> None:
    taps = [
        f"a,2027-05-08,2027-05-08T07:00:00+02:00,{','.join(enter)},Enter,west,9,single,tram",
        f"b,2027-05-08,2027-05-08T07:40:00+02:00,{','.join(leave)},Exit,east,9,single,tram",
    ]
    office.import_(write_sheets(office.home / "in", {"tap": taps}))
    report = office.share()
    assert report.shared_minor == taken
    assert report.suspense_minor == {}


@pytest.mark.parametrize(
    ("enter", "counts"),
    [
        ("2027-05-31,2027-06-01T00:20:00+02:00", 1),  # the night of the last day
        ("2027-05-31,2027-06-01T04:59:00+02:00", 1),
        ("2027-05-31,2027-06-01T05:01:00+02:00", 0),
        ("2027-05-01,2027-05-01T00:01:00+02:00", 1),
        ("2027-05-01,2027-04-30T23:59:00+02:00", 0),
    ],
)
def test_a_pass_holds_from_its_first_midnight_to_the_morning_after_its_last_day(
    office: Office, enter: str, counts: int
) -> None:
    day, moment = enter.split(",")
    leave = dt.datetime.fromisoformat(moment) + dt.timedelta(minutes=40)
    rows = {
        "pass": [MONTH["pass"][0]],
        "tap": [
            f"a,{enter},0,CHF,Enter,west,1000-0001,,tram",
            f"b,{day},{leave.isoformat()},0,CHF,Exit,middle,1000-0001,,tram",
        ],
    }
    office.import_(write_sheets(office.home / "in", rows))
    report = office.share()
    assert count_by_code(report.notices).get("ride_without_pass", 0) == 1 - counts
    assert {line.rides for line in lines_of(office)} == {counts}


def test_taps_become_rides_or_stay_in_suspense_with_a_reason(office: Office) -> None:
    def tap(number: int, time: str, action: str, place: str) -> str:
        return f"{number},2027-05-08,2027-05-08T{time}:00+02:00,0,CHF,{action},{place},9,,tram"

    taps = [
        tap(1, "06:00", "Exit", "west"),
        tap(2, "07:00", "Enter", "west"),
        tap(3, "07:30", "Enter", "middle"),
        tap(4, "08:00", "Exit", "east"),
        tap(5, "09:00", "Enter", "west"),
        tap(6, "09:01", "Exit", "west"),
        tap(7, "10:00", "Enter", "west"),
        tap(8, "17:00", "Exit", "east"),
        tap(9, "18:00", "Enter", "west"),
        tap(10, "18:30", "Transfer exit", "nowhere"),
        tap(11, "19:00", "Enter", "west"),
    ]
    office.import_(write_sheets(office.home / "in", {"tap": taps}))
    office.share()
    stored = read_set(office.home / "events" / "toy" / MAY, "rides")
    assert stored is not None
    rides = sorted(read_rides(stored), key=lambda r: r.depart_s or r.arrive_s or 0)
    assert [(ride.origin, ride.destination, ride.reason) for ride in rides] == [
        (None, "west", "no_check_in"),
        ("west", None, "no_check_out"),
        ("middle", "east", ""),
        ("west", "west", "same_place"),
        ("west", None, "no_check_out"),
        (None, "east", "no_check_in"),
        ("west", "nowhere", "unknown_place"),
        ("west", None, "no_check_out"),
    ]


ways = st.sampled_from(sorted(WAYS))
sales = st.lists(
    st.tuples(ways, st.sampled_from([("tram", "CHF"), ("rail", "EUR"), ("shop", "CHF")])),
    max_size=6,
)
passes = st.lists(
    st.tuples(
        st.sampled_from(
            [
                ("pass-equal", "tram", "CHF", "80.01"),
                ("pass-equal", "rail", "EUR", "76.00"),
                ("pass-fares", "rail", "EUR", "50.00"),
            ]
        ),
        st.lists(ways, max_size=4),
    ),
    max_size=4,
)
sheets = st.lists(
    st.tuples(st.sampled_from(["single", "loose"]), st.integers(1, 50), st.integers(0, 10**6)),
    max_size=3,
)
PRICES = {"tram": 421, "rail": 400, "shop": 500}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sales=sales, passes=passes, sheets=sheets)
def test_posted_shares_equal_those_recomputed_from_the_agreement_file(
    make_office: object, tmp_path_factory: pytest.TempPathFactory, sales: list, passes: list,
    sheets: list,
) -> None:  # fmt: skip
    office = make_office()
    expected: Counter[tuple[str, str, str, str, str]] = Counter()
    rows: dict[str, list[str]] = {"sheet": [], "sale": [], "pass": [], "tap": []}

    def expect(product: str, seller: str, currency: str, amount: int, rides: list, n: int) -> None:
        for (party, role), share in oracle.shares(product, seller, amount, currency, rides).items():
            expected[product, seller, currency, party, role] += n * share

    for number, (way, (seller, currency)) in enumerate(sales):
        price = PRICES[seller]
        rows["sale"].append(
            f"{number},2027-05-03 07:00,{seller},app,single,{price // 100}.{price % 100:02d},"
            f"{currency},{way[0]},{way[1]},2027-05-03 07:{number:02d},,"
        )
        expect("single", seller, currency, price, [way], 1)
    for number, ((product, seller, currency, price), rides) in enumerate(passes):
        rows["pass"].append(
            f"p{number},{seller},app,{product},{price},{currency},2027-05-01,2027-05-31,{number}"
        )
        for trip, way in enumerate(rides):
            for action, minute, place in (("Enter", 0, way[0]), ("Exit", 30, way[1])):
                rows["tap"].append(
                    f"t{number}-{trip}-{action},2027-05-08,2027-05-08T{7 + trip:02d}:{minute:02d}"
                    f":00+02:00,0,CHF,{action},{place},{number},,tram"
                )
        expect(product, seller, currency, int(price.replace(".", "")), rides, 1)
    for number, (product, count, gross) in enumerate(sheets):
        rows["sheet"].append(
            f"s,{number},2027-05,shop,counter,{product},{count},{gross / 100:.2f},CHF"
        )
        if gross % count:
            expect(product, "shop", "CHF", gross, [], 1)
        else:
            expect(product, "shop", "CHF", gross // count, [], count)
    office.import_(write_sheets(tmp_path_factory.mktemp("in"), rows))
    if not any(rows.values()):
        return
    office.share()
    office.settle()
    assert +posted_of(office) == +expected


def test_sharing_again_changes_no_byte(office: Office, tmp_path: Path) -> None:
    office.whole()
    before = office.files()
    office.share()
    assert office.files() == before

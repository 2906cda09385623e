"""A toy region for clearing: a tram in one country, a railway in another, a shop, three stations.

west --tram, 1 part of the way--> middle --rail, 2 parts--> east
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mobility.clearing import (
    Caller,
    ImportReport,
    import_files,
    settle_period,
    share_period,
)
from mobility.core.errors import UnknownPlaceError
from mobility.fares import compile_tariff, read_agreements, read_tariff
from mobility.journey import Call, Journey, Leg, Place, Section
from mobility.ledger import Journal, MemoryJournal

ZONE = "Europe/Zurich"
MAY, JUNE = "2027-05", "2027-06"
KEY = bytes(range(32))

TARIFF = """
format = 1
id = "toy"
notice = { en = "toy" }
between_tickets = { en = "not protected" }
protections = { all = { en = "protected" } }
systems = [
    { id = "z", name = { en = "zones" } },
    { id = "country", name = { en = "countries" }, kind = "country" },
]
[[parties]]
id = "tram"
name = { en = "Tram" }
roles = ["carrier", "seller"]
country = "CH"
agencies = ["t:a"]
[[parties]]
id = "rail"
name = { en = "Rail" }
roles = ["carrier", "seller"]
country = "DE"
agencies = ["r:a"]
[[parties]]
id = "shop"
name = { en = "Shop" }
roles = ["seller"]
country = "CH"
[comparison]
currency = "EUR"
as_of = 2026-12-01
rates = { CHF = "1.06" }
"""

PRODUCTS = """
format = 1
[[products]]
id = "single"
name = { en = "single" }
basis = "flat"
validity = 120
valid_from = 2026-12-13
valid_until = 2028-12-09
protects = "all"
source = "toy"
scope = [{ zones = ["z"] }]
reductions = [{ card = "half-fare", pay_percent = 50 }]
prices = [
    { seller = "tram", channel = "app", currency = "CHF", price = 421 },
    { seller = "rail", channel = "app", currency = "EUR", price = 400 },
    { seller = "shop", channel = "counter", currency = "CHF", price = 500 },
]
[[products]]
id = "pass-equal"
kind = "pass"
name = { en = "pass" }
basis = "flat"
validity = "month"
valid_from = 2026-12-13
valid_until = 2028-12-09
protects = "all"
source = "toy"
scope = [{ zones = ["z"] }]
prices = [
    { seller = "tram", channel = "app", currency = "CHF", price = 8001 },
    { seller = "rail", channel = "app", currency = "EUR", price = 7600 },
]
[[products]]
id = "pass-fares"
kind = "pass"
name = { en = "pass" }
basis = "flat"
validity = "month"
valid_from = 2026-12-13
valid_until = 2028-12-09
protects = "all"
source = "toy"
scope = [{ zones = ["z"] }]
prices = [{ seller = "rail", channel = "app", currency = "EUR", price = 5000 }]
[[products]]
id = "loose"
name = { en = "loose" }
basis = "flat"
validity = 60
valid_from = 2026-12-13
valid_until = 2028-12-09
protects = "all"
source = "toy"
scope = [{ zones = ["z"] }]
prices = [{ seller = "tram", channel = "app", currency = "CHF", price = 100 }]
"""

AGREEMENTS = """
format = 1
[[agreements]]
id = "singles"
products = ["single"]
valid_from = 2026-12-13
valid_until = 2028-12-09
published = true
method = "M3"
without_rides = { tram = 59, rail = 41 }
commissions = [{ seller = "shop", rate = "0.09" }]
source = "toy"
[[agreements]]
id = "equal"
products = ["pass-equal"]
valid_from = 2026-12-13
valid_until = 2028-12-09
published = true
method = "M14"
without_rides = { tram = 3, rail = 1 }
source = "toy"
[[agreements]]
id = "by-fares"
products = ["pass-fares"]
valid_from = 2026-12-13
valid_until = 2028-12-09
published = false
method = "M2"
base = ["single"]
source = "toy"
"""

ZONES = """system,zone,stop
z,1,t:west
z,1,t:middle
z,2,r:middle
z,2,r:east
country,CH,t:west
country,CH,t:middle
country,DE,r:middle
country,DE,r:east
"""

HEADERS = {
    "sheet": "sheet_id,line,period,seller,channel,product,count,gross,currency",
    "sale": (
        "sale_id,sold_at,seller,channel,product,price,currency,from_ref,to_ref,depart_at,"
        "rider,card_number"
    ),
    "pass": ("pass_id,seller,channel,product,price,currency,valid_from,valid_until,card_number"),
    "tap": (
        "transaction_id,service_date,event_timestamp,amount,currency_type,fare_action,stop_id,"
        "token_id,fare_product,seller"
    ),
    "rate": "period,base,currency,rate,source,synthetic",
    "currency": "period,party,settlement_currency",
}

MONTH: dict[str, list[str]] = {
    "sheet": [
        "s1,1,2027-05,shop,counter,single,10,50.00,CHF",
        "s1,2,2027-05,shop,counter,single,3,14.99,CHF",  # not the list price, not divisible
        "s2,1,2027-05,tram,app,loose,7,7.00,CHF",  # nobody agreed how to divide it
    ],
    "sale": [
        "1,2027-05-03T07:00:00+02:00,tram,app,single,4.21,CHF,west,east,2027-05-03T07:10:00+02:00,,",
        "2,2027-05-03T08:00:00+02:00,rail,app,single,4.00,EUR,east,west,2027-05-03T08:10:00+02:00,,99-1",
        "3,2027-05-04 09:00,tram,app,single,2.11,CHF,west,middle,2027-05-04 09:05,half-fare,",
        "4,2027-05-04 09:00,tram,app,single,4.21,CHF,west,nowhere,2027-05-04 09:05,,",
    ],
    "pass": [
        "p1,tram,app,pass-equal,80.01,CHF,2027-05-01,2027-05-31,1000-0001",
        "p2,rail,app,pass-equal,76.00,EUR,2027-05-01,2027-05-31,1000-0002",
        "p3,rail,app,pass-fares,50.00,EUR,2027-05-01,2027-05-31,1000-0003",
        "p4,rail,app,pass-fares,50.00,EUR,2027-05-01,2027-05-31,1000-0004",  # never used
    ],
    "tap": [
        "a1,2027-05-05,2027-05-05T07:00:00+02:00,0,CHF,Enter,west,1000-0001,,tram",
        "a2,2027-05-05,2027-05-05T07:40:00+02:00,0,CHF,Exit,east,10000001,,tram",
        "a3,2027-05-06,2027-05-06T07:00:00+02:00,0,CHF,Enter,west,1000-0003,,tram",
        "a4,2027-05-06,2027-05-06T07:40:00+02:00,0,CHF,Exit,east,1000-0003,,tram",
        "a5,2027-05-07,2027-05-07T07:00:00+02:00,0,CHF,Enter,middle,1000-0003,,tram",
        "a6,2027-05-07,2027-05-07T07:40:00+02:00,0,CHF,Exit,east,1000-0003,,tram",
        "a7,2027-05-08,2027-05-08T07:00:00+02:00,0,CHF,Enter,west,1000-0009,single,tram",
        "a8,2027-05-08,2027-05-08T07:40:00+02:00,4.21,CHF,Exit,east,1000-0009,single,tram",
        "a9,2027-05-09,2027-05-09T07:00:00+02:00,0,CHF,Enter,west,1000-0001,,tram",
    ],
    "rate": ["2027-05,EUR,CHF,0.9412,synthetic,true"],
    "currency": ["2027-05,tram,CHF", "2027-05,rail,EUR", "2027-05,_nobody,EUR"],
}


def documents(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the toy region's tariff and agreements, compiled from files in ``folder``."""
    for name, text in (
        ("tariff.toml", TARIFF),
        ("products/all.toml", PRODUCTS),
        ("agreements/all.toml", AGREEMENTS),
        ("zones.csv", ZONES),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return compile_tariff(read_tariff(folder), {}), read_agreements(folder)


PLACES = {
    "t:west": Place("t:west", "west", "West", 47.0, 7.5, ZONE),
    "t:middle": Place("t:middle", "middle", "Middle", 47.01, 7.5, ZONE),
    "r:middle": Place("r:middle", "middle", "Middle", 47.01, 7.5, ZONE),
    "r:east": Place("r:east", "east", "East", 47.03, 7.5, ZONE),
}
WAYS = {
    ("west", "middle"): [("t:west", "t:middle")],
    ("middle", "west"): [("t:middle", "t:west")],
    ("middle", "east"): [("r:middle", "r:east")],
    ("east", "middle"): [("r:east", "r:middle")],
    ("west", "east"): [("t:west", "t:middle"), ("r:middle", "r:east")],
    ("east", "west"): [("r:east", "r:middle"), ("t:middle", "t:west")],
}


def find_journey(origin: str, destination: str, depart_s: int) -> Journey | None:
    """Return the journey that leaves at the next full five minutes, each leg taking ten."""
    for name in (origin, destination):
        if name not in ("west", "middle", "east"):
            raise UnknownPlaceError(f"{name!r} is no place")
    if (origin, destination) not in WAYS:
        return None
    start = -(-depart_s // 300) * 300
    legs = tuple(
        _leg(PLACES[left], PLACES[right], start + 900 * index)
        for index, (left, right) in enumerate(WAYS[origin, destination])
    )
    return Journey(legs[0].departure, legs[-1].arrival, len(legs) - 1, 0, legs)


def _leg(left: Place, right: Place, departure: int) -> Leg:
    feed = left.id[0]
    date = dt.datetime.fromtimestamp(departure, dt.UTC).date()
    section = Section(feed, "a", "line", f"{departure}", date, 1, 2, None, 0, 1)
    arrival = departure + 600
    return Leg(
        "transit",
        left,
        right,
        departure,
        arrival,
        line="1",
        vehicle="rail",
        sections=(section,),
        calls=(Call(left, departure, departure), Call(right, arrival, arrival)),
    )


def caller() -> Caller:
    """Return a clerk with a clock that stands still and numbers that count up."""
    numbers = itertools.count(1)
    now = dt.datetime(2027, 6, 2, 9, tzinfo=dt.UTC)
    return Caller("clerk", lambda: now, lambda: f"n{next(numbers)}")


def write_sheets(
    folder: Path, rows: Mapping[str, Sequence[str]], name: str = "month"
) -> list[Path]:
    """Write one CSV per kind of event; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind, lines in rows.items():
        path = folder / f"{name}-{kind}.csv"
        path.write_text("\n".join([HEADERS[kind], *lines, ""]))
        paths.append(path)
    return paths


class Office:
    """One home with a journal, and the steps of a month on it."""

    def __init__(
        self,
        home: Path,
        tariff: dict[str, Any],
        agreements: dict[str, Any],
        journal: Journal | None = None,
        random_bytes: Callable[[int], bytes] = lambda n: KEY[:n],
    ) -> None:
        self.home, self.tariff, self.agreements = home, tariff, agreements
        self.journal = journal or MemoryJournal("toy")
        self.random_bytes = random_bytes
        self.caller = caller()

    def import_(self, paths: Iterable[Path], seller: str | None = None) -> ImportReport:
        return import_files(
            self.home,
            self.journal,
            list(paths),
            tariff=self.tariff,
            agreements=self.agreements,
            zone=ZONE,
            caller=self.caller,
            seller=seller,
            random_bytes=self.random_bytes,
        )

    def share(self, period: str = MAY) -> Any:
        return share_period(
            self.home,
            self.journal,
            period,
            tariff=self.tariff,
            agreements=self.agreements,
            zone=ZONE,
            find_journey=find_journey,
            caller=self.caller,
        )

    def settle(self, period: str = MAY) -> Any:
        return settle_period(self.home, self.journal, period, caller=self.caller)

    def whole(self, rows: Mapping[str, Sequence[str]] = MONTH, period: str = MAY) -> None:
        """Import, share and settle a month."""
        self.import_(write_sheets(self.home / "in", rows))
        self.share(period)
        self.settle(period)

    def files(self) -> dict[str, bytes]:
        """Return the bytes of all stored events, keys apart."""
        folder = self.home / "events"
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }

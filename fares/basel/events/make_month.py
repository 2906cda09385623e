"""Make a synthetic month of sales, passes, taps and rates for the sample region.

    python fares/basel/events/make_month.py EDITION FOLDER [--period 2027-05] [--seed N] [--scale X]

Everything is invented: amounts of tickets, cards, riders, rates. Products, sellers and list prices
are read from the edition's tariff; journeys come from its planner, so that each ticket sold is one
that somebody could have bought. The same edition, period and seed give the same files.
"""

from __future__ import annotations

import argparse
import calendar
import csv
import datetime as dt
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from mobility.clearing.finder import journey_finder
from mobility.fares import Rider, TariffPricer
from mobility.journey import Journey, Ticket
from mobility.network import open_edition
from mobility.planner import Planner

PERIOD = "2027-05"
SEED = 20270501
SALES = 4_000  # rides for which a single is bought in an app or at a machine that reports each sale
PASSES = 1_500
TAPPED_RIDES = 8_800
SHEET_TICKETS = 150_000  # tickets that sellers report as monthly sums only
HOURS = {6: 8, 7: 14, 8: 12, 9: 6, 10: 5, 11: 5, 12: 7, 13: 6, 14: 5, 15: 7, 16: 11, 17: 13,
         18: 9, 19: 5, 20: 3, 21: 2}  # fmt: skip
WEEKEND_WEIGHT = 0.45
RIDERS = ((60, ""), (25, "half-fare"), (8, "child"))
MISSING_CHECK_OUTS = 0.012
REPEATED_ROWS = 0.003
MAX_DRAWS = 1_000
RATES = (("EUR", "CHF", "0.9412"),)  # invented
CURRENCY_OF_COUNTRY = {"CH": "CHF", "DE": "EUR", "FR": "EUR"}

Row = dict[str, str]


@dataclass(frozen=True)
class Pair:
    """Two places between which people ride."""

    origin: str
    destination: str
    weight: int
    checkin: bool


@dataclass(frozen=True)
class Quote:
    """A journey that somebody can make, with the tickets it takes."""

    ends: tuple[str, str]
    journey: Journey
    tickets: tuple[Ticket, ...]
    rider: str


def main() -> None:
    """Write the month's sheets into the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("edition", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--period", default=PERIOD)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the rows to make")
    options = parser.parse_args()
    rows = make_month(options.edition, options.period, options.seed, options.scale)
    write_month(options.folder, rows)
    for name, group in sorted(rows.items()):
        print(f"{name}: {len(group)} rows")


def make_month(
    edition: Path, period: str = PERIOD, seed: int = SEED, scale: float = 1.0
) -> dict[str, list[Row]]:
    """Return the rows of each sheet by the sheet's name."""
    month = Month(edition, period, seed, scale)
    sales = month.sales()
    passes = month.passes()
    return {
        "sales": month.with_repeats(sales),
        "sheets": month.sheets(),
        "passes": passes,
        "taps": month.with_repeats(month.taps(passes)),
        "rates": month.rates(),
        "currencies": month.currencies(),
    }


def write_month(folder: Path, rows: dict[str, list[Row]]) -> None:
    """Write one CSV per sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, group in rows.items():
        columns = list(dict.fromkeys(column for row in group for column in row))
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(group)


QuoteKey = tuple[Pair, int, bool, str]  # hour, whether at the weekend, rider


class Month:
    """Draws the month's events; one generator of random numbers, always asked in the same order."""

    def __init__(self, edition_path: Path, period: str, seed: int, scale: float) -> None:
        edition = open_edition(edition_path)
        parts = {name: edition.part(f"{name}.json") for name in ("tariff", "agreements")}
        missing = [name for name, content in parts.items() if content is None]
        if missing:
            raise SystemExit(f"{edition_path}: the edition has no {', '.join(missing)}")
        self.tariff = json.loads(parts["tariff"] or b"")
        self.pricer = TariffPricer(self.tariff, json.loads(parts["agreements"] or b""))
        self.find = journey_finder(Planner(edition.network, edition.slices), edition.network)
        self.period, self.random = period, random.Random(seed)
        self.n_sales, self.n_passes, self.n_rides, self.n_sheet_tickets = (
            max(1, round(number * scale)) for number in (SALES, PASSES, TAPPED_RIDES, SHEET_TICKETS)
        )
        self.zone = ZoneInfo(edition.region().manifest.timezone or "UTC")
        year, number = int(period[:4]), int(period[5:])
        n_days = calendar.monthrange(year, number)[1]
        self.days = [dt.date(year, number, day) for day in range(1, n_days + 1)]
        self.pairs = _read_pairs(Path(__file__).with_name("demand.csv"))
        self.quotes: dict[QuoteKey, Quote | None] = {}
        self.drawn: Counter[QuoteKey] = Counter()  # how often each was drawn

    def _quote(self, key: QuoteKey) -> Quote | None:
        """Return what a ride at that hour of a Tuesday or Saturday takes; None where unknown."""
        pair, hour, weekend, rider = key
        if key not in self.quotes:
            day = next(day for day in self.days if day.weekday() == (5 if weekend else 1))
            # To work in the morning, home in the afternoon.
            ends = (pair.origin, pair.destination)
            ends = ends if hour < 12 else ends[::-1]
            moment = dt.datetime.combine(day, dt.time(hour, 5), self.zone)
            journey = self.find(*ends, int(moment.timestamp()))
            tickets = self._tickets(journey, rider) if journey else ()
            self.quotes[key] = Quote(ends, journey, tickets, rider) if journey and tickets else None
        return self.quotes[key]

    def _tickets(self, journey: Journey, rider: str) -> tuple[Ticket, ...]:
        words = Rider(
            age_group="child" if rider == "child" else "adult",
            cards=frozenset({rider} - {"", "child"}),
        )
        fare = self.pricer.for_rider(words).price(journey)
        return fare.tickets if fare.status == "known" else ()

    def _draw_day(self) -> dt.date:
        weights = [WEEKEND_WEIGHT if day.weekday() >= 5 else 1.0 for day in self.days]
        return self.random.choices(self.days, weights)[0]

    def _draw_quote(self, day: dt.date, rider: str, *, checkin: bool = False) -> Quote:
        pairs = [pair for pair in self.pairs if pair.checkin or not checkin]
        hours, crowds = list(HOURS), list(HOURS.values())
        for _ in range(MAX_DRAWS):
            pair = self.random.choices(pairs, [pair.weight for pair in pairs])[0]
            hour = self.random.choices(hours, crowds)[0]
            key = (pair, hour, day.weekday() >= 5, rider)
            quote = self._quote(key)
            if quote is not None:
                self.drawn[key] += 1
                return quote
        raise SystemExit(f"no pair of demand.csv has a known fare for {rider or 'adults'}")

    def _on(self, day: dt.date, moment_s: int) -> dt.datetime:
        """Return the local time of a moment, moved to another day."""
        local = dt.datetime.fromtimestamp(moment_s, self.zone)
        return dt.datetime.combine(day, local.time(), self.zone)

    def sales(self) -> list[Row]:
        """Return single tickets, each with where and when it was used."""
        rows = []
        for number in range(self.n_sales):
            day = self._draw_day()
            rider = self.random.choices([r for _, r in RIDERS], [w for w, _ in RIDERS])[0]
            quote = self._draw_quote(day, rider)
            leave = self._on(day, quote.journey.departure) - dt.timedelta(minutes=2)
            sold = leave - dt.timedelta(minutes=self.random.randint(1, 30))
            for part, ticket in enumerate(quote.tickets):
                ends = _ends(quote, ticket)
                begin = leave
                if ends[0] != quote.ends[0]:
                    first = quote.journey.legs[ticket.legs[0]]
                    begin = self._on(day, first.departure) - dt.timedelta(minutes=1)
                rows.append(
                    {
                        "sale_id": f"{self.period}-{number:05d}-{part}",
                        "sold_at": sold.isoformat(),
                        "seller": ticket.seller,
                        "channel": ticket.channel,
                        "product": ticket.product,
                        "price": _decimal(ticket.price.amount_minor),
                        "currency": ticket.price.currency,
                        "from_ref": ends[0],
                        "to_ref": ends[1],
                        "depart_at": begin.isoformat(),
                        "rider": rider,
                        "card_number": "",
                    }
                )
        return rows

    def sheets(self) -> list[Row]:
        """Return the sellers' monthly sums: paper tickets, by product, channel and price."""
        seen: dict[tuple[str, ...], int] = {}
        for drawn, times in self.drawn.items():
            quote = self.quotes[drawn]
            for ticket in quote.tickets if quote else ():
                key = (
                    ticket.seller,
                    ticket.channel,
                    ticket.product,
                    ticket.price.currency,
                    f"{ticket.price.amount_minor:08d}",
                    quote.rider,
                )
                seen[key] = seen.get(key, 0) + times
        total = sum(seen.values())
        lines: dict[str, int] = {}
        rows = []
        for key, weight in sorted(seen.items()):
            seller, channel, product, currency, price, rider = key
            count = max(
                1, round(self.n_sheet_tickets * weight / total * self.random.uniform(0.7, 1.3))
            )
            lines[seller] = lines.get(seller, 0) + 1
            rows.append(
                {
                    "sheet_id": f"{self.period}-{seller}",
                    "line": str(lines[seller]),
                    "period": self.period,
                    "seller": seller,
                    "channel": channel,
                    "product": product,
                    "count": str(count),
                    "gross": _decimal(count * int(price)),
                    "currency": currency,
                    "rider": rider,
                }
            )
        return rows

    def passes(self) -> list[Row]:
        """Return the sellers' registers of passes, with card numbers that cannot be real ones."""
        lists = [
            (product["id"], prices)
            for product in self.tariff["products"]
            if product["kind"] == "pass" and product["basis"] == "flat"
            for prices in product["prices"]
            if prices["price"]
        ]
        weights = [self.random.uniform(0.5, 2.0) for _ in lists]
        rows = []
        for number in range(self.n_passes):
            product, prices = self.random.choices(lists, weights)[0]
            rows.append(
                {
                    "pass_id": f"{self.period}-{number:05d}",
                    "seller": prices["seller"],
                    "channel": prices["channel"],
                    "product": product,
                    "price": _decimal(prices["price"]),
                    "currency": prices["currency"],
                    "valid_from": self.days[0].isoformat(),
                    "valid_until": self.days[-1].isoformat(),
                    "card_number": f"FICT-{number:04d}-{self.random.randrange(10_000):04d}",
                }
            )
        return rows

    def taps(self, passes: Sequence[Row]) -> list[Row]:
        """Return check-ins and check-outs of the app across the Swiss–German border."""
        holders = self.random.sample(list(passes), max(1, len(passes) * 2 // 3))
        rows: list[Row] = []
        busy: dict[tuple[str, dt.date], dt.datetime] = {}
        for number in range(self.n_rides):
            day = self._draw_day()
            quote = self._draw_quote(day, "", checkin=True)
            holder = self.random.choice(holders) if self.random.random() < 0.7 else None
            card = holder["card_number"] if holder else f"FICT-9{self.random.randrange(900):03d}-0"
            enter = self._on(day, quote.journey.departure) - dt.timedelta(minutes=3)
            leave = self._on(day, quote.journey.arrival) + dt.timedelta(minutes=2)
            last = busy.get((card, day))
            if len(quote.tickets) != 1 or leave <= enter or (last and enter <= last):
                continue
            busy[card, day] = leave
            ticket = quote.tickets[0]
            product = holder["product"] if holder else ticket.product
            amount = 0 if holder else ticket.price.amount_minor
            events = [("Enter", enter, quote.ends[0], 0)]
            if self.random.random() >= MISSING_CHECK_OUTS:
                events.append(("Exit", leave, quote.ends[1], amount))
            for action, moment, place, charged in events:
                rows.append(
                    {
                        "transaction_id": f"{self.period}-{number:05d}-{action.lower()}",
                        "service_date": day.isoformat(),
                        "event_timestamp": moment.isoformat(),
                        "amount": _decimal(charged),
                        "currency_type": ticket.price.currency,
                        "fare_action": action,
                        "stop_id": place,
                        "num_riders": "1",
                        "fare_media_id": "Mobile NFC",
                        "rider_category": "Adult",
                        "fare_product": product,
                        "token_id": card,
                        "seller": ticket.seller,
                    }
                )
        return rows

    def with_repeats(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows with a few sent twice, as real deliveries have them."""
        again = self.random.sample(list(rows), round(len(rows) * REPEATED_ROWS))
        return [*rows, *again]

    def rates(self) -> list[Row]:
        """Return the month's exchange rates, marked as made up."""
        return [
            {
                "period": self.period,
                "base": base,
                "currency": currency,
                "rate": rate,
                "source": "made-up",
                "synthetic": "true",
            }
            for base, currency, rate in RATES
        ]

    def currencies(self) -> list[Row]:
        """Return in which currency each party settles: that of its country."""
        return [
            {
                "period": self.period,
                "party": party["id"],
                "settlement_currency": CURRENCY_OF_COUNTRY[party["country"]],
            }
            for party in self.tariff["parties"]
            if party["country"] in CURRENCY_OF_COUNTRY
        ]


def _read_pairs(path: Path) -> list[Pair]:
    with path.open(newline="", encoding="utf-8") as file:
        rows: Iterable[Row] = csv.DictReader(file)
        return [
            Pair(row["from_ref"], row["to_ref"], int(row["weight"]), row["checkin"] == "1")
            for row in rows
        ]


def _ends(quote: Quote, ticket: Ticket) -> tuple[str, str]:
    """Return the places between which the ticket is used."""
    ridden = [i for i, leg in enumerate(quote.journey.legs) if leg.mode == "transit"]
    first, last = ticket.legs[0], ticket.legs[-1]
    origin, destination = quote.ends
    if first != ridden[0]:
        origin = quote.journey.legs[first].origin.station_id
    if last != ridden[-1]:
        destination = quote.journey.legs[last].destination.station_id
    return origin, destination


def _decimal(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


if __name__ == "__main__":
    main()

"""`mobility clearing`: a month of sales, passes and taps becomes statements that add up."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from mobility import clearing
from mobility.clearing import Caller
from mobility.clearing.finder import journey_finder
from mobility.cli.output import err, notices_json, out, print_json, print_notices, print_table
from mobility.core.errors import CheckFailed, InputError
from mobility.core.money import Money
from mobility.core.settings import Settings
from mobility.core.time import system_clock
from mobility.network import Edition, open_edition
from mobility.planner import Planner
from mobility.store import SqlJournal, upgrade

app = typer.Typer(help="From sold tickets to statements, with proofs.", no_args_is_help=True)

EditionPath = Annotated[Path, typer.Argument(help="Folder of the edition the month ran under.")]
Period = Annotated[str, typer.Option("--period", help="Month, YYYY-MM.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("import")
def import_command(
    edition: EditionPath,
    files: Annotated[list[Path], typer.Argument(help="CSV sheets, or folders of them.")],
    seller: Annotated[
        str, typer.Option(help="Whose rows these are where a sheet has no such column.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Import sales, passes, taps and rates; importing them again changes nothing."""
    opened = open_edition(edition)
    paths = [path for file in files for path in _sheets(file)]
    with _journal(opened) as journal:
        report = clearing.import_files(
            Settings().home,
            journal,
            paths,
            **_fares(opened),
            zone=_zone(opened),
            caller=_caller(),
            seller=seller or None,
        )
    if as_json:
        print_json(
            {"versions": opened.versions, **_plain(report), "notices": notices_json(report.notices)}
        )
    else:
        print_notices(report.notices)
        out.print(
            f"rows read {report.read}: new {report.new}, known already {report.duplicate}, "
            f"refused {report.refused}; months touched: {', '.join(sorted(report.sets)) or 'none'}"
        )
    if report.refused:
        raise InputError(
            f"{report.refused} of {report.read} rows were refused, the others are kept: "
            "mend those and import the file again"
        )


@app.command("share")
def share(edition: EditionPath, period: Period, as_json: AsJson = False) -> None:
    """Match the month's rides and divide what was taken, by tariff and agreements."""
    opened = open_edition(edition)
    planner = Planner(opened.network, opened.slices)
    with _journal(opened) as journal:
        report = clearing.share_period(
            Settings().home,
            journal,
            period,
            **_fares(opened),
            zone=_zone(opened),
            find_journey=journey_finder(planner, opened.network),
            caller=_caller(),
            versions=opened.versions,
        )
    if as_json:
        print_json(
            {"versions": opened.versions, **_plain(report), "notices": notices_json(report.notices)}
        )
        return
    print_notices(report.notices)
    out.print(f"{report.rides} rides, {report.journeys} journeys, {report.lines} share lines")
    rows = [
        [currency, _amount(report.shared_minor, currency), _amount(report.suspense_minor, currency)]
        for currency in sorted(report.shared_minor | report.suspense_minor)
    ]
    print_table(f"shared in {period}", ("currency", "to parties", "in suspense"), rows)


@app.command("settle")
def settle(edition: EditionPath, period: Period, as_json: AsJson = False) -> None:
    """Post the month's shares, net them, exchange net positions; again: only what changed."""
    opened = open_edition(edition)
    with _journal(opened) as journal:
        report = clearing.settle_period(Settings().home, journal, period, caller=_caller())
    if as_json:
        print_json({"versions": opened.versions, **_plain(report)})
        return
    out.print(f"posted {report.posted}, reversed {report.reversed}; entries {report.entries}")
    rows = [
        [currency, _amount(report.gross, currency), _amount(report.net, currency)]
        for currency in sorted(report.gross)
    ]
    print_table("netting", ("currency", "owed gross", "to be paid net"), rows)
    payments = [
        [payment.debtor, payment.creditor, Money(payment.amount_minor, currency).text()]
        for currency, found in sorted(report.payments.items())
        for payment in found
    ]
    print_table("payments", ("from", "to", "amount"), payments)


@app.command("statement")
def statement(
    edition: EditionPath,
    period: Period,
    party: Annotated[str, typer.Option("--party", help="Whose statement.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print one party's own statement: every amount explained, and that it adds up."""
    with _journal(open_edition(edition)) as journal:
        if not party:
            parties = clearing.statement_parties(journal, period)
            raise InputError(f"give --party, one of: {', '.join(parties) or 'none in this month'}")
        found = clearing.statement(Settings().home, journal, period, party)
    if as_json:
        print_json(found.to_json())
    else:
        out.print(found.text(), markup=False)


@app.command("verify")
def verify(
    edition: EditionPath,
    period: Period,
    rides: Annotated[
        bool, typer.Option("--rides/--no-rides", help="Also find every ride anew.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Recompute the month from its stored inputs; exit 3 if anything differs."""
    opened = open_edition(edition)
    finder = journey_finder(Planner(opened.network, opened.slices), opened.network)
    with _journal(opened) as journal:
        found = clearing.verify(
            Settings().home, journal, period, find_journey=finder if rides else None
        )
    if as_json:
        print_json({"versions": opened.versions, "holds": found.holds, **_plain(found)})
    else:
        for check in found.checks:
            out.print(f"{'holds' if check.holds else 'FAILS'}  {check.name}: {check.detail}")
    failed = [check.name for check in found.checks if not check.holds]
    if failed:
        raise CheckFailed(f"period {period} does not verify: {', '.join(failed)}")


@app.command("close")
def close(edition: EditionPath, period: Period) -> None:
    """Close a month for good: what comes later is booked in the next one."""
    with _journal(open_edition(edition)) as journal:
        record = clearing.close_period(Settings().home, journal, period, caller=_caller())
    err.print(f"period {period} is {record.state}")


@app.command("destroy-key")
def destroy_key(edition: EditionPath, period: Period) -> None:
    """Destroy the month's key of pseudonyms; `verify` holds all the same."""
    with _journal(open_edition(edition)) as journal:
        destroyed = clearing.destroy_key(Settings().home, journal, period, caller=_caller())
    err.print(f"key of {period}: {'destroyed' if destroyed else 'there was none'}")


@contextmanager
def _journal(edition: Edition) -> Iterator[SqlJournal]:
    """Open the journal of the edition's region, its tables made or brought up to date."""
    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database())
    journal = SqlJournal.open(settings.database(), edition.versions["region"])
    try:
        yield journal
    finally:
        journal.dispose()


def _fares(edition: Edition) -> dict[str, Any]:
    parts = {name: edition.part(f"{name}.json") for name in ("tariff", "agreements")}
    missing = [name for name, content in parts.items() if content is None]
    if missing:
        raise InputError(
            f"{edition.path}: the edition has no {' and no '.join(missing)}: "
            "build it from a region with fares"
        )
    return {name: orjson.loads(content) for name, content in parts.items() if content}


def _zone(edition: Edition) -> str:
    """Return the region's zone: the manifest's, else that of its first feed."""
    region = edition.region()
    return region.manifest.timezone or region.feeds[0].zone


def _caller() -> Caller:
    return Caller(getpass.getuser(), system_clock, lambda: uuid.uuid4().hex)


def _sheets(path: Path) -> list[Path]:
    if not path.exists():
        raise InputError(f"{path}: no such file")
    return sorted(path.glob("*.csv")) if path.is_dir() else [path]


def _plain(report: Any) -> dict[str, Any]:
    document = asdict(report)
    document.pop("notices", None)
    return document


def _amount(amounts: dict[str, int], currency: str) -> str:
    return Money(amounts.get(currency, 0), currency).text()

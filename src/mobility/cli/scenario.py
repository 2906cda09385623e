"""`mobility scenario`: apply edits to an edition, and compare what they change."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from mobility.cli.output import (
    err,
    notices_json,
    out,
    print_json,
    print_notices,
    print_table,
    progress_on_stderr,
)
from mobility.cli.plan import pricer_of
from mobility.core.errors import InputError, UsageError
from mobility.core.money import Money
from mobility.core.time import local_time, parse_duration_s, parse_instant
from mobility.fares import Rider
from mobility.impact import FareComparison, compare_fares
from mobility.merge import Region
from mobility.network import Edition, compile_network, open_edition, write_edition
from mobility.planner import Planner, locate
from mobility.planner.published import PUBLISHED_PART
from mobility.timetables import (
    ChangedConnection,
    Comparison,
    Question,
    Side,
    apply_scenario,
    compare,
    read_scenario,
)

MAX_QUESTIONS = 100_000
app = typer.Typer(help="Change a timetable on paper and see what it does.", no_args_is_help=True)


@app.command("apply")
def apply(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    scenario: Annotated[Path, typer.Argument(help="Scenario file (TOML).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the edition to make.")],
) -> None:
    """Make another edition: the same region after the scenario's edits."""
    opened = open_edition(edition)
    changes = read_scenario(scenario)
    region, notices = apply_scenario(opened.region(), changes, edition_hash=opened.hash)
    network = compile_network(region, walk_radius_m=opened.network.walk_radius_m)
    parts = {
        name: content
        for name in ("tariff.json", "agreements.json", PUBLISHED_PART)
        if (content := opened.part(name)) is not None
    }
    edition_hash = write_edition(output, region, network, parts)
    print_notices(notices)
    err.print(f"edition {edition_hash[:12]} in {output}")


@app.command("compare")
def compare_command(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    scenario: Annotated[Path, typer.Argument(help="Scenario file (TOML).")],
    origin: Annotated[str, typer.Option("--from", help="Reference or station name.")] = "",
    destination: Annotated[str, typer.Option("--to", help="Reference or station name.")] = "",
    depart: Annotated[str, typer.Option(help="Start of the window, local at the origin.")] = "",
    window: Annotated[str, typer.Option(help="Length of the window.")] = "2h",
    queries: Annotated[
        Path | None,
        typer.Option(help="CSV with from_stop_id, to_stop_id, departure and, if known, weight."),
    ] = None,
    revenue: Annotated[
        bool, typer.Option("--revenue/--no-revenue", help="Tickets and revenue per party.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what a scenario changes: times, transfers, connections, tickets, revenue."""
    opened = open_edition(edition)
    changes = read_scenario(scenario)
    questions = _questions(opened, origin, destination, depart, window, queries)
    region, notices = apply_scenario(opened.region(), changes, edition_hash=opened.hash)
    with (
        tempfile.TemporaryDirectory() as scratch,
        progress_on_stderr(quiet=as_json) as report,
    ):
        comparison = compare(
            Side(Planner(opened.network, opened.slices)),
            Side(_planner_after(region, opened.network.walk_radius_m, Path(scratch))),
            questions,
            progress=lambda done, total: report("questions", done, total),
        )
    pricer = pricer_of(opened, Rider()) if revenue else None
    fares = compare_fares(comparison, pricer) if pricer is not None else None
    if as_json:
        print_json(
            {
                "versions": opened.versions,
                "scenario": changes.model_dump(mode="json"),
                "notices": notices_json(notices),
                **comparison.to_json(),
                "fares": None if fares is None else fares.to_json(),
            }
        )
        return
    print_notices(notices)
    _print_comparison(comparison)
    if fares is not None:
        _print_fares(fares)


def _planner_after(region: Region, walk_radius_m: int, scratch: Path) -> Planner:
    network = compile_network(region, walk_radius_m=walk_radius_m)
    return Planner(network, network.slices(scratch))


def _questions(
    edition: Edition, origin: str, destination: str, depart: str, window: str, queries: Path | None
) -> list[Question]:
    window_s = parse_duration_s(window)
    if queries is not None:
        if origin or destination or depart:
            raise UsageError("give --queries, or --from, --to and --depart")
        return _read_questions(edition, queries, window_s)
    if not (origin and destination and depart):
        raise UsageError("give --from, --to and --depart, or --queries")
    departure = parse_instant(depart, locate(edition.network, origin).tz)
    return [Question(origin, destination, departure, window_s)]


def _read_questions(edition: Edition, path: Path, window_s: int) -> list[Question]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected a CSV file in UTF-8") from None
    questions = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            origin, destination = row["from_stop_id"], row["to_stop_id"]
            moment, weight = row["departure"], int(row.get("weight") or 1)
        except (KeyError, ValueError) as error:
            raise InputError(f"{path}: line {number}: {error}: malformed or missing") from None
        departure = parse_instant(moment, locate(edition.network, origin).tz)
        questions.append(Question(origin, destination, departure, window_s, weight))
        if len(questions) > MAX_QUESTIONS:
            raise InputError(f"{path}: more than {MAX_QUESTIONS} queries")
    return questions


def _print_comparison(comparison: Comparison) -> None:
    summary = comparison.summary()
    words = {key.replace("_", " "): value for key, value in summary.items()}
    out.print(", ".join(f"{name} {value}" for name, value in words.items()))
    rows = []
    for d in comparison.differences:
        if d.changed:
            document = d.to_json()
            rows.append(
                [
                    d.question.origin,
                    d.question.destination,
                    document["departure"][:16].replace("T", " "),
                    _minutes(d.arrival_change_s),
                    _minutes(d.duration_change_s),
                    "–" if d.transfers_change is None else f"{d.transfers_change:+d}",
                    f"{len(d.lost)} / {len(d.new)}",
                ]
            )
    columns = (
        "from", "to", "departure", "arrival", "ride", "changes", "journeys lost / new",
    )  # fmt: skip
    print_table("what changes", columns, rows)
    sides = (("connections broken", "broken", "afterwards"), ("connections new", "made", "before"))
    for title, side, otherwise in sides:
        changed = {c.connection.key: c for d in comparison.differences for c in getattr(d, side)}
        columns = ("station", "from", "to", "arrives", "departs", "slack", otherwise)
        print_table(title, columns, [_connection_row(c) for c in changed.values()])


def _connection_row(changed: ChangedConnection) -> list[str]:
    connection, other_s = changed.connection, changed.other_slack_s
    return [
        connection.station,
        connection.from_line,
        connection.to_line,
        local_time(connection.arrival, connection.tz)[:16].replace("T", " "),
        local_time(connection.departure, connection.tz)[11:16],
        _minutes(connection.slack_s),
        "no such train" if other_s is None else f"missed by {-(other_s // 60)} min",
    ]


def _minutes(seconds: int | None) -> str:
    return "–" if seconds is None else f"{seconds / 60:+.0f} min"


def _print_fares(fares: FareComparison) -> None:
    document: dict[str, Any] = fares.to_json()
    out.print(
        f"questions that need other tickets: {document['questions_with_other_tickets']} "
        f"(rider's choice: {document['choice']})"
    )
    rows = [
        [e.party, Money(e.before_minor, e.currency).text(), Money(e.after_minor, e.currency).text(),
         Money(e.after_minor - e.before_minor, e.currency).text()]
        for e in fares.effects
    ]  # fmt: skip
    print_table("revenue of these trips per party", ("party", "before", "after", "change"), rows)

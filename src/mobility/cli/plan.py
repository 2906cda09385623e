"""`mobility plan`: journeys from A to B with their tickets, or a file of queries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from mobility.api.booking import booking_texts
from mobility.api.labelling import Labelling
from mobility.api.live import LiveWords, versions_with
from mobility.api.names import station_names
from mobility.cli import needs_options as options
from mobility.cli.clock import clock_of
from mobility.cli.feed_sheets import report_language
from mobility.cli.output import money, notices_json, out, print_json, print_notices
from mobility.core.errors import UsageError
from mobility.core.settings import Settings
from mobility.core.time import parse_duration_s, parse_instant
from mobility.fares import Rider, TariffPricer
from mobility.journey import Journey, Leg
from mobility.network import Edition, open_edition
from mobility.network.live.files import reader_of
from mobility.planner import (
    NO_NEEDS,
    Needs,
    Page,
    Planner,
    locate,
    plan_pages,
    read_needs,
    run_queries,
)
from mobility.planner.remarks import DEFAULT_LANGUAGE
from mobility.web import label_documents

DEFAULT_MAX_TRANSFERS = 14


def plan(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    origin: Annotated[
        str, typer.Option("--from", help="Reference, station name, or lat,lon.")
    ] = "",
    destination: Annotated[
        str, typer.Option("--to", help="Reference, station name, or lat,lon.")
    ] = "",
    depart: Annotated[
        str, typer.Option(help="Earliest departure: local at the origin, or with an offset.")
    ] = "",
    arrive: Annotated[
        str, typer.Option(help="Latest arrival: local at the destination, or with an offset.")
    ] = "",
    window: Annotated[str, typer.Option(help="All departures within, such as 2h.")] = "",
    max_transfers: Annotated[
        int, typer.Option(min=0, max=14, help="Changes at most.")
    ] = DEFAULT_MAX_TRANSFERS,
    page: Annotated[
        str, typer.Option(help="The page before or after an answer, as that one names it.")
    ] = "",
    wheelchair: options.Wheelchair = False,
    bike: options.Bike = False,
    modes: options.Modes = None,
    not_modes: options.NotModes = None,
    operators: options.Operators = None,
    not_operators: options.NotOperators = None,
    via: Annotated[
        list[str] | None, typer.Option("--via", help="Station or stop to pass; at most two.")
    ] = None,
    stays: Annotated[
        list[str] | None,
        typer.Option("--stay", help="How long to be at each via, such as 30m."),
    ] = None,
    min_change: options.MinChange = "",
    walk_speed: options.WalkSpeed = None,
    max_walk: options.MaxWalk = None,
    cards: Annotated[
        list[str] | None, typer.Option("--card", help="Reduction card held, such as half-fare.")
    ] = None,
    passes: Annotated[list[str] | None, typer.Option("--pass", help="Pass held.")] = None,
    currency: Annotated[str, typer.Option(help="Currency you would rather pay in.")] = "",
    queries: Annotated[
        Path | None, typer.Option(help="CSV with from_stop_id, to_stop_id, departure.")
    ] = None,
    day_range: Annotated[
        bool, typer.Option("--day-range", help="With --queries: 06:00-20:00 of each date.")
    ] = False,
    repeat: Annotated[
        int, typer.Option(min=0, max=100, help="With --queries: searches per query, for timing.")
    ] = 0,
    language: Annotated[
        str, typer.Option(help="Language of remarks such as border checks: de, fr or en.")
    ] = DEFAULT_LANGUAGE,
    as_planned: Annotated[
        bool, typer.Option("--as-planned", help="By the timetable, whatever runs how today.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Plan journeys, each with the tickets it needs."""
    report_language(language)
    opened = open_edition(edition)
    window_s = parse_duration_s(window) if window else None
    if queries is not None:
        if origin or destination or depart or arrive or page:
            raise UsageError("--queries goes with --window, --day-range and --repeat only")
        document = run_queries(
            opened.network,
            opened.slices,
            queries,
            window_s=window_s,
            day_range=day_range,
            repeat=repeat,
        )
        print_json({"versions": opened.versions, **document})
        return
    if day_range or repeat:
        raise UsageError("--day-range and --repeat go with --queries")
    rider = Rider(
        cards=frozenset(cards or ()), passes=frozenset(passes or ()), currency=currency or None
    )
    planner = Planner(
        opened.network,
        opened.slices,
        booking=booking_texts(opened),
        live=reader_of(opened, Settings().home),
    )
    needs = read_needs(
        opened.network,
        wheelchair=wheelchair,
        bike=bike,
        modes=modes or (),
        not_modes=not_modes or (),
        operators=operators or (),
        not_operators=not_operators or (),
        via=via or (),
        stays=stays or (),
        min_change=min_change,
        walk_speed_m_s=walk_speed,
        max_walk_m=max_walk,
    )
    planner.refresh_live()
    answer = plan_texts(
        opened,
        planner,
        origin,
        destination,
        depart,
        arrive,
        window_s,
        max_transfers,
        page=page,
        needs=needs,
        language=language,
        as_planned=as_planned,
    )
    labelled = Labelling(opened).of(answer.journeys, pricer_of(opened, rider))
    stations = station_names(opened.network, answer.journeys)
    labels = label_documents(labelled.labels, language, stations)
    beside = {"previous": answer.previous.text(), "next": answer.next.text()}
    words, now_s = LiveWords(opened.network), int(clock_of(Settings())().timestamp())
    documents = labelled.documents()
    alerts = words.decorate(documents, labelled.journeys, answer.live, language)
    realtime = words.realtime(answer.live, now_s)
    if as_json:
        print_json(
            {
                "versions": versions_with(opened.versions, answer.live),
                "journeys": documents,
                "labels": labels,
                "realtime": realtime,
                "alerts": alerts,
                "notices": notices_json(answer.notices),
                **beside,
            }
        )
        return
    for source in realtime["sources"] if realtime else ():
        out.print(f"live: {source['feed']}, {source['age_s']} s old", markup=False)
    for alert in alerts:
        out.print(f"alert: {alert['header']}", markup=False)
    print_notices(answer.notices)
    if not answer.journeys:
        out.print("no journey found")
    for index, journey in enumerate(labelled.journeys):
        _print_journey(journey, stations, _label_lines(labels, index))
    for line in _notes(labels):
        out.print(line, markup=False)
    # who asks for one departure in a terminal asks for another by its time
    for name, cursor in beside.items() if answer.window_s else ():
        out.print(f"{name}: --page {cursor}", markup=False, soft_wrap=True)


def plan_texts(
    edition: Edition,
    planner: Planner,
    origin: str,
    destination: str,
    depart: str,
    arrive: str,
    window_s: int | None,
    max_transfers: int,
    *,
    page: str = "",
    needs: Needs = NO_NEEDS,
    language: str = DEFAULT_LANGUAGE,
    as_planned: bool = False,
) -> Page:
    """Plan between two places and at a time as people write them."""
    if not origin or not destination:
        raise UsageError("give --from and --to (or --queries)")
    if not page and bool(depart) == bool(arrive):
        raise UsageError("give one of --depart and --arrive")
    ends = [locate(edition.network, text) for text in (origin, destination)]
    depart_s = parse_instant(depart, ends[0].tz) if depart else None
    arrive_s = parse_instant(arrive, ends[1].tz) if arrive else None
    return plan_pages(
        planner, ends[0], ends[1], depart=depart_s, arrive=arrive_s, window_s=window_s, page=page,
        edition=edition.network.hash, max_transfers=max_transfers, needs=needs, language=language,
        as_planned=as_planned,
    )  # fmt: skip


def pricer_of(edition: Edition, rider: Rider) -> TariffPricer | None:
    """Return the edition's pricer for a rider; None where it has no tariff."""
    tariff = edition.part("tariff.json")
    if tariff is None:
        return None
    agreements = edition.part("agreements.json")
    return TariffPricer(
        orjson.loads(tariff), orjson.loads(agreements) if agreements else {}, rider=rider
    )


def _label_lines(labels: list[dict[str, Any]], index: int) -> list[str]:
    """Return the labels of one journey that tell it from another, each with its reasons."""
    return [
        f"{label['title']}: {'. '.join(r['text'].rstrip('.') for r in given['reasons'])}"
        for label in labels
        for given in label["given"]
        if given["journey"] == index and not label["all_equal"]
    ]


def _notes(labels: list[dict[str, Any]]) -> list[str]:
    """Return what bounds the labels, each sentence once."""
    return list(dict.fromkeys(r["text"] for label in labels for r in label["reasons"]))


def _print_journey(journey: Journey, stations: dict[str, str], labels: list[str]) -> None:
    document = journey.to_json()
    changes = {0: "direct", 1: "1 change"}.get(journey.transfers, f"{journey.transfers} changes")
    if not any(leg.mode == "transit" for leg in journey.legs):
        changes = "on foot"
    minutes = (journey.arrival - journey.departure) // 60
    head = f"{_clock(document['departure'])} → {_clock(document['arrival'])}"
    out.print(f"[bold]{head}[/bold]  {minutes} min, {changes}")
    for line in labels:
        out.print(f"  * {line}", markup=False)
    for leg in journey.legs:
        out.print(f"  {_leg_line(leg, stations)}", markup=False)
    fare = document["fare"]
    if fare is not None:
        _print_fare(fare)
    out.print()


def _leg_line(leg: Leg, stations: dict[str, str]) -> str:
    document = leg.to_json()
    times = f"{_clock(document['departure'])}–{_clock(document['arrival'])}"
    if leg.mode == "transit":
        what = f"{leg.line} → {leg.headsign}" if leg.headsign else leg.line
        if leg.headway_s:
            what += f", every {-(-leg.headway_s // 60)} min"
        what += _live_text(document)
    else:
        what = f"{leg.mode} {leg.walk_m} m"
    ends = [stations.get(p.station_id or "", p.name) for p in (leg.origin, leg.destination)]
    return f"{times}  {ends[0]} – {ends[1]}  ({what})"


def _live_text(leg: dict[str, Any]) -> str:
    """Return what a leg's live data add to its times; nothing where there are none."""
    if leg["added"]:
        return ", added"
    if not leg["live"]:
        return ""
    planned = [_clock(leg[name]) for name in ("planned_departure", "planned_arrival")]
    return f", live; planned {'–'.join(planned)}"


def _print_fare(fare: dict[str, Any]) -> None:
    for ticket in fare["tickets"]:
        price = money(ticket["price"])
        seller = f"{ticket['seller']}, {ticket['channel']}"
        out.print(f"  {price}  {ticket['name']} ({seller}) {ticket['protects']}", markup=False)
        currency = ticket["price"]["currency"]
        shares = ", ".join(
            f"{s['party']} {money({'amount_minor': s['amount_minor'], 'currency': currency})}"
            for s in ticket["shares"]
        )
        if shares:
            out.print(f"    split: {shares}", markup=False)
    for leg in fare["unknown_legs"]:
        out.print(f"  fare unknown for leg {leg + 1}", markup=False)
    totals = " + ".join(money(total) for total in fare["totals"])
    if totals:
        out.print(f"  total {totals}", markup=False)


def _clock(rfc3339: str) -> str:
    """Return ``HH:MM`` of a time, with the date's day where needed by the reader's eye."""
    return rfc3339[11:16]

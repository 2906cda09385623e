"""`mobility departures` and `mobility reach`: the timetable at a place, and how far one comes."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from mobility.api.reach import ReachDesk
from mobility.api.region_pages import asked
from mobility.api.served import Served
from mobility.api.timetable import TimetableDesk
from mobility.api.timetable_queries import MOST_REACHED, DeparturesQuery, OneToAllQuery
from mobility.cli import needs_options as options
from mobility.cli.output import err, out, print_json
from mobility.core.errors import UsageError
from mobility.core.time import local_time, system_clock
from mobility.network import open_edition

Document = dict[str, Any]
COLUMNS = ("station_id", "name", "lat", "lon", "travel_s")


def departures(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    place: Annotated[str, typer.Option("--at", help="Reference or name of a stop or station.")],
    time: Annotated[str, typer.Option(help="From when on: local, or with an offset.")] = "",
    window: Annotated[str, typer.Option(help="How far to look.")] = "2h",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 40,
    arrivals: Annotated[bool, typer.Option("--arrivals", help="Arrivals instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what leaves or arrives at a stop or station, each train once."""
    served = Served(open_edition(edition), system_clock)
    question = {
        "place": place,
        "time": time or None,
        "window": window,
        "limit": limit,
        "kind": "arrivals" if arrivals else "departures",
    }
    document = TimetableDesk(served).departures(asked(DeparturesQuery, question))
    if as_json:
        print_json(document)
        return
    _print_notices(document)
    if not document["entries"]:
        out.print("nothing runs")
    for entry in document["entries"]:
        out.print(_line(entry, document["stations"], arrivals), markup=False)


def reach(
    edition: Annotated[Path, typer.Argument(help="Folder of an edition.")],
    origin: Annotated[str, typer.Option("--from", help="Where one leaves, with --depart.")] = "",
    destination: Annotated[str, typer.Option("--to", help="Or where one is, with --arrive.")] = "",
    depart: Annotated[str, typer.Option(help="Local at the origin, or with an offset.")] = "",
    arrive: Annotated[str, typer.Option(help="Local at the destination, or with offset.")] = "",
    horizon: Annotated[str, typer.Option(help="Longest travel.")] = "24h",
    wheelchair: options.Wheelchair = False,
    bike: options.Bike = False,
    modes: options.Modes = None,
    not_modes: options.NotModes = None,
    operators: options.Operators = None,
    not_operators: options.NotOperators = None,
    min_change: options.MinChange = "",
    walk_speed: options.WalkSpeed = None,
    max_walk: options.MaxWalk = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List every station in reach with its travel time, the nearest first, as CSV."""
    if bool(origin and depart) == bool(destination and arrive) or bool(origin) == bool(destination):
        raise UsageError("give --from with --depart, or --to with --arrive")
    served = Served(open_edition(edition), system_clock)
    question = {
        "place": origin or destination,
        "depart": depart or None,
        "arrive": arrive or None,
        "horizon": horizon,
        "wheelchair": wheelchair,
        "bike": bike,
        "modes": modes or [],
        "not_modes": not_modes or [],
        "operators": operators or [],
        "not_operators": not_operators or [],
        "min_change": min_change or None,
        "walk_speed_m_s": walk_speed,
        "max_walk_m": max_walk,
        "limit": MOST_REACHED,
    }
    document = orjson.loads(ReachDesk(served).one_to_all(asked(OneToAllQuery, question)))
    if as_json:
        print_json(document)
        return
    _print_notices(document)
    if document["reached"] > len(document["stations"]):
        err.print(f"the nearest {len(document['stations'])} of {document['reached']} are listed")
    moment = dt.datetime.fromisoformat(document["depart"] or document["arrive"]).timestamp()
    sign, column = (1, "arrival") if origin else (-1, "departure")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*COLUMNS, column])
    tz = document["place"]["tz"]
    for row in document["stations"]:
        told = local_time(int(moment) + sign * row["travel_s"], tz)
        writer.writerow([*(row[name] for name in COLUMNS), told])


def _line(entry: Document, stations: dict[str, str], arrivals: bool) -> str:
    moment = entry["arrival" if arrivals else "departure"]
    end = entry["from" if arrivals else "to"]
    name = stations.get(end["station_id"] or "", end["name"])
    platform = f"  platform {entry['place']['platform']}" if entry["place"]["platform"] else ""
    operators = ", ".join(operator["name"] for operator in entry["operators"])
    line = entry["line"] or entry["vehicle"] or ""
    return (
        f"{moment[11:16]}  {line:8} {'from' if arrivals else 'to'} {name}{platform}  ({operators})"
    )


def _print_notices(document: Document) -> None:
    for notice in document["notices"]:
        place = f"{notice['feed']}: " if notice["feed"] else ""
        err.print(f"{notice['severity']}: {place}{notice['message']}", markup=False)

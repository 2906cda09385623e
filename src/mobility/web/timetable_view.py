"""What the pages of departures and of whole runs show of their documents."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from mobility.web.catalogue import Catalogue
from mobility.web.view import clock, days_between, line_color, line_ink, place_view, short_name

Document = dict[str, Any]
EARLIER_H = 1


def departures_address(station_id: str | None, moment: str, language: str) -> str:
    """Return the address of the departures of a station from a moment on; empty for a position.

    >>> departures_address("north", "2027-05-04T07:30:00+02:00", "de")
    '/departures?place=north&date=2027-05-04&time=07%3A30&lang=de'
    """
    if not station_id:
        return ""
    words = {"place": station_id, "date": moment[:10], "time": clock(moment), "lang": language}
    return f"/departures?{urlencode(words)}"


def trip_address(section: Document, language: str) -> str:
    """Return the address of the whole run that a section is a part of."""
    trip = f"{section['feed']}:{section['trip_id']}"
    return f"/trip?{urlencode({'trip': trip, 'date': section['service_date'], 'lang': language})}"


def sign_view(sign: Document, vehicle: str | None, strings: Catalogue) -> Document:
    """Return what a train is called: label and colours of its badge, headsign."""
    return {
        "label": sign["line"] or strings.among("vehicle", vehicle or "other"),
        "background": line_color(sign["color"]),
        "ink": line_ink(sign["color"]),
        "headsign": sign["headsign"] or "",
    }


def board_view(board: Document, strings: Catalogue) -> Document:
    """Return the rows of a board, and the moments from which earlier and later ones are."""
    arrivals = board["kind"] == "arrivals"
    moment = dt.datetime.fromisoformat(board["time"])
    earlier = (moment - dt.timedelta(hours=EARLIER_H)).isoformat()
    stations = board["stations"]
    title = stations.get(board["place"]["station_id"] or "", board["place"]["name"])
    return {
        "title": title,
        "station_id": board["place"]["station_id"],
        "arrivals": arrivals,
        "date": board["time"][:10],
        "rows": [_row(entry, board, strings) for entry in board["entries"]],
        "earlier": earlier,
        "later": board["next"] or board["until"],
    }


def _row(entry: Document, board: Document, strings: Catalogue) -> Document:
    arrivals = board["kind"] == "arrivals"
    moment = entry["arrival" if arrivals else "departure"]
    end = place_view(entry["from" if arrivals else "to"], board["stations"])
    here = place_view(entry["place"], board["stations"])
    names = [short_name(operator["name"]) for operator in entry["operators"]]
    return {
        **sign_view(entry, entry["vehicle"], strings),
        "time": clock(moment),
        "moment": moment,
        "later_days": days_between(board["time"], moment),
        "end": end["title"],
        "also": end["also"],
        "platform": entry["place"]["platform"],
        "stop": here["also"],
        "operators": " · ".join(dict.fromkeys(name for name in names if name)),
        "section": entry["sections"][entry["section"]] if entry["sections"] else None,
    }


def run_view(run: Document, stations: dict[str, str], strings: Catalogue) -> Document:
    """Return the calls of a whole run, with what it is called where each section begins."""
    leg = run["run"]
    names = {(o["feed"], o["agency_id"]): short_name(o["name"]) for o in run["operators"]}
    begins = {
        sign["from_call"]: {
            **sign_view(sign, leg["vehicle"], strings),
            "operator": names.get((section["feed"], section["agency_id"]), ""),
            "country": section["country"] or "",
        }
        for sign, section in zip(run["signs"], leg["sections"], strict=True)
    }
    last = len(leg["stops"]) - 1
    calls = [
        {
            **place_view(call, stations),
            "arrives": clock(call["arrival"]) if at else "",
            "departs": clock(call["departure"]) if at < last else "",
            "moment": call["departure"],
            "later_days": days_between(leg["departure"], call["arrival"]),
            "section": begins.get(at),
        }
        for at, call in enumerate(leg["stops"])
    ]
    first = begins.get(0) or sign_view(leg, leg["vehicle"], strings)
    return {
        "first": first,
        "to": place_view(leg["to"], stations)["title"],
        "from": place_view(leg["from"], stations)["title"],
        "date": leg["departure"][:10],
        "calls": calls,
        "sections": list(begins.values()),
        "also_listed": [f"{s['feed']}:{s['trip_id']}" for s in run["also_listed"]],
    }

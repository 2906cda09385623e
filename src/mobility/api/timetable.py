"""The timetable as documents: departures of a place, the whole run of a train."""

from __future__ import annotations

from typing import Any

from mobility.api.names import names_of
from mobility.api.served import Served, notice_documents
from mobility.api.timetable_queries import DeparturesQuery, TripQuery
from mobility.core.time import local_time, parse_duration_s, parse_instant
from mobility.planner import locate
from mobility.planner.board import Entry
from mobility.planner.runs import Operator, WholeRun

Document = dict[str, Any]


class TimetableDesk:
    """Answers from the timetable of what is served; no journeys."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def departures(self, query: DeparturesQuery) -> Document:
        """Return what leaves (or arrives) at a stop or station, each train once."""
        network = self._served.edition.network
        endpoint = locate(network, query.place)
        start = parse_instant(query.time, endpoint.tz) if query.time else self._served.now_s()
        span_s, arrivals = parse_duration_s(query.window), query.kind == "arrivals"
        board, notices = self._served.boards.board(
            endpoint, start, span_s=span_s, limit=query.limit, arrivals=arrivals
        )
        legs = [entry.run.leg for entry in board.entries]
        ends = [leg.origin for leg in legs] + [leg.destination for leg in legs]
        return {
            "versions": self._served.versions,
            "place": endpoint.place.to_json(),
            "kind": query.kind,
            "time": local_time(start, endpoint.tz),
            "until": local_time(start + span_s, endpoint.tz),
            "next": None if board.next is None else local_time(board.next, endpoint.tz),
            "entries": [entry_document(entry, arrivals) for entry in board.entries],
            "stations": names_of(network, [endpoint.place, *ends]),
            "notices": notice_documents(notices),
        }

    def trip(self, query: TripQuery) -> Document:
        """Return every run that carries a trip on its service date, from end to end."""
        runs = self._served.boards.runs
        found = [runs.tell(*run) for run in runs.find(query.trip, query.date)]
        calls = [call for run in found for call in run.leg.calls]
        return {
            "versions": self._served.versions,
            "trip": query.trip,
            "service_date": query.date.isoformat(),
            "runs": [run_document(run) for run in found],
            "stations": names_of(self._served.edition.network, [call.place for call in calls]),
        }


def entry_document(entry: Entry, arrivals: bool) -> Document:
    """Return a line of a board; its times are those of the timetable."""
    run, leg = entry.run, entry.run.leg
    call, last = leg.calls[entry.at], len(leg.calls) - 1
    at = run.section_of(entry.at, arriving=arrivals)
    tz = call.place.tz
    return {
        "place": call.place.to_json(),
        "arrival": None if entry.at == 0 else local_time(call.arrival, tz),
        "departure": None if entry.at == last else local_time(call.departure, tz),
        "from": leg.origin.to_json(),
        "to": leg.destination.to_json(),
        "line": run.signs[at].line or None,
        "headsign": run.signs[at].headsign or None,
        "color": run.signs[at].color or None,
        "vehicle": leg.vehicle or None,
        "operators": [_operator(operator) for operator in run.operators],
        "sections": [section.to_json() for section in leg.sections],
        "section": at,
    }


def run_document(run: WholeRun) -> Document:
    """Return a whole run: a leg from end to end, its operators, and who else lists it."""
    return {
        "run": {**run.leg.to_json(), "position": None},  # boards know the timetable alone
        "operators": [_operator(operator) for operator in run.operators],
        "signs": [
            {
                "line": sign.line or None,
                "headsign": sign.headsign or None,
                "color": sign.color or None,
                "from_call": section.from_call,
                "to_call": section.to_call,
            }
            for sign, section in zip(run.signs, run.leg.sections, strict=True)
        ],
        "also_listed": [section.to_json() for section in run.aliases],
    }


def _operator(operator: Operator) -> Document:
    return {"feed": operator.feed, "agency_id": operator.agency_id, "name": operator.name}

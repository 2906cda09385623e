"""A timetable as people write it: stops down, trips across, arrival above departure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mobility.feeds.raw import RawRow
from mobility.feeds.sheet.cells import Cell, Sheet, letters
from mobility.feeds.sheet.faults import Faults

# Labels in column A above the stops; each trip says it in its own column.
HEAD = (
    "trip_id", "route_id", "direction_id", "trip_headsign", "trip_short_name", "days",
    "start_date", "end_date",
)  # fmt: skip
MARK = "stop_id"  # the label of the row below which the stops begin
FIRST_TRIP = 3  # columns A to C are stop, name for the eye, arr or dep
ARRIVAL, DEPARTURE = "arr", "dep"
PASSES = frozenset({"|", "-", "–", "—", "↓", "…"})


@dataclass(frozen=True, slots=True)
class _StopRow:
    """A row of the matrix: its stop, where that stands, and arr, dep or both (empty)."""

    number: int
    stop_id: str
    end: str
    cells: Mapping[int, Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """One trip: what stands above its times (with a trip id), and its calls in order."""

    head: RawRow
    calls: tuple[RawRow, ...]


def read_matrix(sheet: Sheet, faults: Faults) -> list[Column]:
    """Return the trips of a timetable sheet, in the order of its columns.

    ``faults`` is told of unknown labels, and of a sheet without a row with the label ``stop_id``.
    """
    heads: dict[str, Mapping[int, Cell]] = {}
    stops: list[_StopRow] = []
    begun = False
    for number, row in sheet.rows.items():
        label = row[0].text() if 0 in row else ""
        if label.startswith("#"):
            continue
        if begun:
            stops.append(_stop_row(sheet, number, row, stops, faults))
        elif label == MARK:
            begun = True
        elif label in HEAD and label not in heads:
            heads[label] = row
        else:
            told = f"{label!r}: expected one each of {', '.join((*HEAD, MARK))}"
            faults.add(sheet.name, f"A{number}", told)
    if not begun:
        faults.add(sheet.name, "", f"has no row with {MARK!r} in column A")
        return []
    rows = [*heads.values(), *(stop.cells for stop in stops)]
    columns = sorted({at for row in rows for at in row if at >= FIRST_TRIP})
    return [_column(sheet, at, heads, stops) for at in columns]


def _stop_row(
    sheet: Sheet, number: int, row: Mapping[int, Cell], before: list[_StopRow], faults: Faults
) -> _StopRow:
    stop_id = row[0].text() if 0 in row else ""
    end = row[2].text().lower().rstrip(".") if 2 in row else ""
    goes_on = not stop_id and end != ARRIVAL and bool(before) and before[-1].end == ARRIVAL
    if end not in ("", ARRIVAL, DEPARTURE):
        faults.add(sheet.name, f"C{number}", f"{end!r}: expected arr, dep or nothing")
        end = DEPARTURE if goes_on else ARRIVAL  # so that no row after it seems wrong
    if goes_on and end == DEPARTURE:
        stop_id = before[-1].stop_id
    return _StopRow(number, stop_id, end, row)


def _column(
    sheet: Sheet, at: int, heads: Mapping[str, Mapping[int, Cell]], stops: list[_StopRow]
) -> Column:
    letter = letters(at)
    cells, places = {}, {}
    first_row = min((row[at].place for row in heads.values() if at in row), default="")
    for label, row in heads.items():
        some = next(iter(row.values()))
        places[label] = f"{letter}{some.place.lstrip('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}"
        if at in row:
            dated = label.endswith("_date")
            cells[label] = row[at].date_text() if dated else row[at].text()
    cells.setdefault("trip_id", f"{sheet.name}-{letter}")
    number = int(first_row.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") or 1)
    head = RawRow(cells, sheet.name, number, places)
    return Column(head, tuple(_calls(sheet.name, at, cells["trip_id"], stops)))


def _calls(name: str, at: int, trip_id: str, stops: list[_StopRow]) -> Iterator[RawRow]:
    """Yield the calls of the trip in a column; an arrival and the departure below it are one."""
    arrival: tuple[_StopRow, Cell] | None = None
    for stop in stops:
        cell = stop.cells.get(at)
        if cell is not None and cell.text() in PASSES:
            cell = None
        if arrival is not None:
            above, earlier = arrival
            arrival = None
            if stop.end == DEPARTURE and stop.stop_id == above.stop_id and cell is not None:
                yield _call(name, trip_id, above, earlier, cell)
                continue
            yield _call(name, trip_id, above, earlier, earlier)
        if cell is None:
            continue
        if stop.end == ARRIVAL:
            arrival = stop, cell
        else:
            yield _call(name, trip_id, stop, cell, cell)
    if arrival is not None:
        yield _call(name, trip_id, arrival[0], arrival[1], arrival[1])


def _call(name: str, trip_id: str, stop: _StopRow, arrival: Cell, departure: Cell) -> RawRow:
    cells = {
        "trip_id": trip_id,
        "arrival_time": arrival.time_text(),
        "departure_time": departure.time_text(),
        "stop_id": stop.stop_id,
        "stop_sequence": str(stop.number),
    }
    unread = arrival.is_time() and not departure.is_time()
    places = {
        "trip_id": departure.place if unread else arrival.place,  # the cell at fault, if any
        "arrival_time": arrival.place,
        "departure_time": departure.place,
        "stop_id": f"A{stop.number}",
    }
    return RawRow(cells, name, stop.number, places)

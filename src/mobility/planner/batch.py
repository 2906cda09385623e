"""A file of queries answered one after the other, with the time each takes."""

from __future__ import annotations

import csv
import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mobility.core.errors import InputError, MobilityError
from mobility.core.time import parse_instant
from mobility.network import Network
from mobility.planner.fitting import Slices
from mobility.planner.locate import locate
from mobility.planner.query import Answer, Asked, Planner

COLUMNS = ("from_stop_id", "to_stop_id", "departure")
QUERIES_MAX = 1_000_000
DAY_HOURS = (6, 20)  # of --day-range


class Question(NamedTuple):
    """A row of the file, and what it asks."""

    row: dict[str, str]
    asked: Asked


def run_queries(
    network: Network,
    slices: Slices,
    path: Path,
    *,
    window_s: int | None = None,
    day_range: bool = False,
    repeat: int = 0,
) -> dict[str, Any]:
    """Return the ``results`` of a query file and, with `repeat`, their ``timing``.

    Parameters
    ----------
    path : Path
        CSV with the columns from_stop_id, to_stop_id, departure; others are not read.
    window_s, day_range : int, bool
        Every departure in [t, t + window_s), or from 06:00 to 20:00 of the departure's date, by
        the clock of its offset; otherwise one departure.
    repeat : int
        Searches per query. The time of a query is the thread's CPU time of the fastest, from
        resolved stops to finished journeys; the first use of a slice is timed by itself. Nothing
        is kept from one search for the next.

    Raises
    ------
    InputError
        The file, one of its rows or a place in it is at fault; names the line.
    """
    started = time.perf_counter()
    planner = Planner(network, slices)
    questions = list(read_questions(network, path, window_s, day_range))
    load_ms = (time.perf_counter() - started) * 1e3
    started = time.perf_counter()
    for date in sorted(
        {dt.datetime.fromtimestamp(q.asked.depart, dt.UTC).date() for q in questions}
    ):
        planner.day(date, linked=True)
    slice_ms = (time.perf_counter() - started) * 1e3
    if repeat:
        answers, times = _ask_each(planner, questions, repeat)
    else:
        answers = planner.plan_all(question.asked for question in questions)
    document: dict[str, Any] = {
        "results": [
            {**question.row, "journeys": [journey.to_json() for journey in answer.journeys]}
            for question, answer in zip(questions, answers, strict=True)
        ]
    }
    if repeat:
        document["timing"] = _timing(times) | {
            "slice_ms": round(slice_ms, 3),
            "load_ms": round(load_ms, 3),
        }
    return document


def _ask_each(
    planner: Planner, questions: list[Question], repeat: int
) -> tuple[list[Answer], list[float]]:
    """Return the answers and each query's least time in milliseconds."""
    answers: list[Answer] = []
    times = [float("inf")] * len(questions)
    for run in range(repeat):
        for number, asked in enumerate(question.asked for question in questions):
            started = time.thread_time()
            answer = planner.plan(
                asked.origin, asked.destination, depart=asked.depart, window_s=asked.window_s
            )
            times[number] = min(times[number], (time.thread_time() - started) * 1e3)
            if run == 0:
                answers.append(answer)
    return answers, times


def _timing(times: list[float]) -> dict[str, float]:
    if not times:
        return {"median_ms": 0.0, "p95_ms": 0.0}
    return {
        "median_ms": round(float(np.median(times)), 3),
        "p95_ms": round(float(np.percentile(times, 95)), 3),
    }


def read_questions(
    network: Network, path: Path, window_s: int | None, day_range: bool
) -> Iterator[Question]:
    """Yield the rows of a file of questions, understood.

    Raises
    ------
    InputError
        As in `run_queries`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"{path}: no column {missing[0]}: expected {', '.join(COLUMNS)}")
            for row in reader:
                if reader.line_num > QUERIES_MAX:
                    raise InputError(f"{path}: more than {QUERIES_MAX} lines")
                yield _question(network, row, window_s, day_range, f"{path} line {reader.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a CSV file: {error}") from None


def _question(
    network: Network, cells: dict[str, str], window_s: int | None, day_range: bool, where: str
) -> Question:
    row = {name: cells[name] or "" for name in COLUMNS}
    try:
        origin = locate(network, row["from_stop_id"])
        destination = locate(network, row["to_stop_id"])
        depart = parse_instant(row["departure"], origin.tz)
    except MobilityError as error:
        raise type(error)(f"{where}: {error}") from None
    if day_range:
        depart, window_s = _day_window(row["departure"], depart, origin.tz)
    return Question(row, Asked(origin, destination, depart, window_s))


def _day_window(text: str, depart: int, zone: str) -> tuple[int, int]:
    """Return start and length of 06:00 to 20:00 on the departure's date, by its own offset."""
    moment = dt.datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        day = text.strip()[:10]
        first, end = (parse_instant(f"{day}T{hour:02d}:00", zone) for hour in DAY_HOURS)
    else:
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        first, end = (int(midnight.timestamp()) + hour * 3600 for hour in DAY_HOURS)
    return first, end - first

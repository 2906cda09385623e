"""A comparison of two versions in words, as a document, and as a list of trip aliases."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mobility.feeds.diff.compare import FeedDiff
from mobility.feeds.diff.values import Change

TRIP_KINDS = {
    "gone": "gone",
    "new": "new",
    "shifted": "shifted",
    "retimed": "with other times on the way",
    "rerouted": "over other stops",
    "days": "on other days",
}


def headlines(diff: FeedDiff) -> tuple[str, str, str]:
    """Return the three lines that a person needs first: lines and stops, trips, days and ids."""
    if diff.is_empty:
        first = "Nothing has changed that anybody would see."
    else:
        parts = [
            _counted(name, changes)
            for name, changes in (
                ("agencies", diff.agencies), ("lines", diff.lines), ("stops", diff.stops),
            )
            if changes
        ]  # fmt: skip
        first = "; ".join(parts) or "The same agencies, lines and stops"
        first += f"; {len(diff.fares)} prices differ." if diff.fares else "."
    kinds = Counter(trip.kind for trip in diff.trips)
    told = ", ".join(f"{kinds[kind]:,} {said}" for kind, said in TRIP_KINDS.items() if kinds[kind])
    shifts = Counter(trip.shift_s for trip in diff.trips if trip.kind == "shifted")
    most = f" (mostly by {shift_text(shifts.most_common(1)[0][0])})" if shifts else ""
    second = f"Trips: {told or 'none changed'}{most}, of {diff.n_trips[0]:,}."
    before, now = (f"{first} … {last}" for first, last in (diff.old_span, diff.new_span))
    anew = f"; ids made anew: {', '.join(diff.regenerated)}" if diff.regenerated else ""
    return first, second, f"Valid {before} before, {now} now{anew}."


def _counted(name: str, changes: Sequence[Change]) -> str:
    kinds = Counter(change.kind for change in changes)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in ("gone", "new", "changed") if kinds[kind])
    return f"{name.capitalize()}: {told}"


def shift_text(shift_s: int) -> str:
    """Return a shift in minutes, such as ``+5 min`` or ``-1.5 min``.

    >>> shift_text(300), shift_text(-90)
    ('+5 min', '-1.5 min')
    """
    return f"{shift_s / 60:+.3g} min"


def diff_document(diff: FeedDiff) -> dict[str, Any]:
    """Return a comparison as a document, without the aliases of trips."""
    document = asdict(diff)
    document.pop("aliases")
    for name in ("old_span", "new_span"):
        document[name] = [day.isoformat() for day in document[name]]
    document["compared_from"] = diff.compared_from.isoformat()
    document["special_days"] = [
        asdict(one) | {"day": one.day.isoformat()} for one in diff.special_days
    ]
    document["churn"] = {
        name: asdict(churn) | {"share": round(churn.share, 4)} for name, churn in diff.churn.items()
    }
    summary = {"empty": diff.is_empty, "headlines": list(headlines(diff))}
    more = {"regenerated": list(diff.regenerated), "n_aliases": len(diff.aliases)}
    return summary | document | more


def aliases_csv(diff: FeedDiff) -> str:
    """Return the aliases of trips as CSV: old_trip_id, new_trip_id, kind, shift_s."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("old_trip_id", "new_trip_id", "kind", "shift_s"))
    for alias in diff.aliases:
        writer.writerow((alias.old_trip_id, alias.new_trip_id, alias.kind, alias.shift_s))
    return text.getvalue()

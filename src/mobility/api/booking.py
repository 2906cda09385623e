"""How to book a ride on demand, in words, from the booking rules of the feeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mobility.network import Edition


def booking_texts(edition: Edition) -> Callable[[int], str]:
    """Return a function from a trip to how it is booked; an empty text where no feed says so.

    An edition keeps the rules, not which call uses which: a feed with several rules says too
    little to name one of them, and a wrong number is worse than none.
    """
    if "booking_rules" not in edition.table_names:
        return lambda trip: ""
    by_feed: dict[int, list[str]] = {}
    for row in edition.table("booking_rules").rows(named=True):
        by_feed.setdefault(int(row["feed"]), []).append(booking_text(row))
    only = {feed: texts[0] for feed, texts in by_feed.items() if len(texts) == 1}
    trip_feed = edition.network.trip_feed
    return lambda trip: only.get(int(trip_feed[trip]), "")


def booking_text(rule: dict[str, Any]) -> str:
    """Return where to book, how long before, and what the operator adds.

    Source: GTFS Schedule reference, booking_rules.txt.

    >>> booking_text({"phone_number": "+49 30 23125 010", "prior_notice_duration_min": 60})
    'phone +49 30 23125 010, at least 60 min before'
    """
    phone, minutes = rule.get("phone_number"), rule.get("prior_notice_duration_min")
    parts = [f"phone {phone}"] if phone else []
    parts += [str(rule[name]) for name in ("booking_url", "info_url") if rule.get(name)][:1]
    if parts and minutes:
        parts.append(f"at least {minutes} min before")
    message = str(rule.get("message") or "")
    return ". ".join(text for text in (", ".join(parts), message) if text)

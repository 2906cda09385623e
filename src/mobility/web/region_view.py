"""What the region's pages show of the region's documents: words, shades and addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from mobility.core.errors import UsageError
from mobility.web.catalogue import Catalogue
from mobility.web.evidence import station_sentences, train_sentences
from mobility.web.miniature import Spot, draw_map
from mobility.web.sidebyside import ListedCall, Timetable, pair_timetables
from mobility.web.view import date_text, number_text

Document = dict[str, Any]
SHADES = 3
EXAMPLES = 5
MAX_MONTHS = 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# -- coverage ----------------------------------------------------------------------------------


def month_span(text: str) -> tuple[str, int]:
    """Return the first day of the month that a date or ``YYYY-MM`` lies in, and its days.

    Raises
    ------
    UsageError
        It is neither.

    >>> month_span("2028-02"), month_span("2027-05-04")
    (('2028-02-01', 29), ('2027-05-01', 31))
    """
    try:
        first = dt.date.fromisoformat(f"{text[:7]}-01")
        after = (first + dt.timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        raise UsageError(f"month: {text!r} is not YYYY-MM") from None
    return first.isoformat(), (after - first).days


def calendar_view(coverage: Document, strings: Catalogue) -> Document:
    """Return the calendar of a month: a row per feed, a cell per day, and each row in words."""
    first = dt.date.fromisoformat(coverage["first"])
    days = [first + dt.timedelta(days=n) for n in range(coverage["days"])]
    today = dt.date.fromisoformat(coverage["today"])
    months = _months(coverage, first)
    at = months.index(first.isoformat()[:7])
    return {
        "title": _month_text(first.isoformat()[:7], strings),
        "before": months[at - 1] if at else None,
        "after": months[at + 1] if at + 1 < len(months) else None,
        "months": [{"value": m, "text": _month_text(m, strings)} for m in months],
        "month": first.isoformat()[:7],
        "days": [
            {
                "number": day.day,
                "weekday": strings.text(f"weekday.{WEEKDAYS[day.weekday()]}"),
                "weekend": day.weekday() > 4,
                "today": day == today,
            }
            for day in days
        ],
        "feeds": [_calendar_row(feed, days, strings) for feed in coverage["feeds"]],
    }


def _months(coverage: Document, shown: dt.date) -> list[str]:
    """Return the months of the horizon and the one shown, in order."""
    known = [dt.date.fromisoformat(coverage[end]) for end in ("known_from", "known_until")]
    month = known[0].replace(day=1)
    found: list[str] = []
    while month <= known[1] and len(found) < MAX_MONTHS:
        found.append(month.isoformat()[:7])
        month = (month + dt.timedelta(days=31)).replace(day=1)
    return sorted({*found, shown.isoformat()[:7]})


def _month_text(month: str, strings: Catalogue) -> str:
    return strings.text("calendar.month", m=strings.text(f"month.{month[5:]}"), y=month[:4])


def shade(trips: int, most: int) -> int:
    """Return how full a day is beside the feed's busiest: 0 (nothing) to 3.

    >>> [shade(trips, 90) for trips in (0, 1, 30, 31, 90)]
    [0, 1, 1, 2, 3]
    """
    return -(-trips * SHADES // most) if trips else 0


def _calendar_row(feed: Document, days: Sequence[dt.date], strings: Catalogue) -> Document:
    cells = []
    why = "calendar.not_valid" if feed["known"] else "calendar.totals"
    for day, trips in zip(days, feed["trips"], strict=True):
        valid = feed["known"] and feed["valid_from"] <= day.isoformat() <= feed["valid_until"]
        cells.append(
            {
                "look": f"s{shade(trips, feed['most'])}" if valid or trips else "out",
                "text": _short(trips) if valid or trips else "·",
                "said": "" if valid or trips else strings.text(why),
            }
        )
    runs = [trips for trips in feed["trips"] if trips]
    words = strings.text("calendar.nothing" if feed["known"] else why)
    if runs:
        least, most = (number_text(end(runs), strings.language) for end in (min, max))
        key = "calendar.words_even" if least == most else "calendar.words"
        words = strings.text(key, n=len(runs), of=len(days), least=least, most=most)
    return {"id": feed["id"], "cells": cells, "words": words}


def _short(number: int) -> str:
    return str(number) if number < 10_000 else f"{number // 1000}k"


# -- feeds and statements ----------------------------------------------------------------------


def feed_views(status: Document, strings: Catalogue) -> list[Document]:
    """Return what the page shows of each feed."""
    return [
        {
            **feed,
            "valid": _span(feed["valid_from"], feed["valid_until"], strings),
            "tier_text": strings.text(f"tier.{feed['tier']}"),
            "tables_apart": [
                strings.text("tier.table", table=table, tier=strings.text(f"tier.{tier}"))
                for table, tier in sorted(feed["tiers"].items())
            ],
            "shown_counts": {
                key: number_text(count, strings.language) for key, count in feed["counts"].items()
            },
            "rows": [
                {"table": table, **{k: number_text(n, strings.language) for k, n in counts.items()}}
                for table, counts in sorted(feed["tables"].items())
                if counts["read"]
            ],
            "history": [
                {
                    **line,
                    "text": strings.text(f"history.{line['action']}", version=line["version"][:12]),
                    "on": date_text(line["at"], strings),
                    "why": "; ".join(
                        [*line["reasons"], *([line["despite"]] if line["despite"] else ())]
                    ),
                }
                for line in reversed(feed["history"])
            ],
            "versions": [
                {
                    **version,
                    "valid": _span(version["valid_from"], version["valid_until"], strings),
                    "on": date_text(version["fetched_at"], strings),
                }
                for version in reversed(feed["versions"])
            ],
        }
        for feed in status["feeds"]
    ]


def _span(first: str, last: str, strings: Catalogue) -> str:
    return strings.text(
        "span.from_until", **{"from": date_text(first, strings), "until": date_text(last, strings)}
    )


def statement_views(status: Document, strings: Catalogue, language: str) -> Document:
    """Return the manifest's border checks and boarding bans as sentences."""
    return {
        "checks": [_check(check, strings, language) for check in status["border_checks"]],
        "bans": [_ban(ban, strings) for ban in status["boarding_bans"]],
    }


def _dates(statement: Document, strings: Catalogue) -> str:
    first, last = statement.get("from"), statement.get("until")
    if first and last:
        return _span(first, last, strings)
    if first:
        return strings.text("span.from", **{"from": date_text(first, strings)})
    if last:
        return strings.text("span.until", until=date_text(last, strings))
    return strings.text("span.always")


def _check(check: Document, strings: Catalogue, language: str) -> Document:
    ends = {"from": check["from_country"] or "…", "to": check["to_country"] or "…"}
    any_way = check["from_country"] is None and check["to_country"] is None
    texts: dict[str, str] = check["documents"]
    told = [
        strings.text("check.any_way") if any_way else strings.text("check.way", **ends),
        _dates(check, strings),
    ]
    if check["minutes"]:
        told.append(strings.text("check.minutes", n=check["minutes"]))
    if check["change_of_vehicle"]:
        told.append(strings.text("check.change"))
    document = texts.get(language) or texts.get("en") or next(iter(texts.values()), "")
    return {"title": check["place_name"], "said": told, "carry": document}


def _ban(ban: Document, strings: Catalogue) -> Document:
    trains = [*ban["agencies"], *ban["routes"]]
    said = [
        strings.text("ban.trains", names=", ".join(trains)) if trains else strings.text("ban.all"),
        strings.text("ban.country", country=ban["country"])
        if ban["country"]
        else strings.text("ban.stops", names=", ".join(ban["stop_names"])),
        _dates(ban, strings),
    ]
    return {"title": ban["feed"], "said": said, "carry": ban["reason"]}


# -- findings ----------------------------------------------------------------------------------


def code_views(found: Document, asked: str, strings: Catalogue) -> list[Document]:
    """Return findings by code: what the code means, and examples."""
    codes = [code for code in found["codes"] if asked in ("", code["code"])]
    return [
        {
            **code,
            "count_text": strings.count("notices.rows", code["count"]).replace(
                str(code["count"]), number_text(code["count"], strings.language), 1
            ),
            "means": strings.text(f"code.{code['code']}")
            if strings.has(f"code.{code['code']}")
            else strings.text("notices.other_code"),
            "examples": [n for n in found["notices"] if n["code"] == code["code"]][
                : None if asked else EXAMPLES
            ],
        }
        for code in codes
    ]


# -- matches -----------------------------------------------------------------------------------


def pair_views(found: Document, strings: Catalogue, language: str) -> list[Document]:
    """Return counts per pair of feeds and kind, each with the address of its list."""
    return [
        {
            **pair,
            "kind_text": strings.text(f"kind.{pair['kind']}") if pair["kind"] else "",
            "query": urlencode(
                {
                    "feed": pair["left_feed"],
                    "other": pair["right_feed"],
                    **({"kind": pair["kind"]} if pair["kind"] else {}),
                    "lang": language,
                }
            ),
        }
        for pair in found["pairs"]
    ]


def match_views(found: Document, strings: Catalogue, language: str) -> list[Document]:
    """Return judged pairs with their evidence in words and the addresses of both sides."""
    kind = found["kind"]
    return [_match(match, kind, strings, language) for match in found["matches"]]


def _match(match: Document, kind: str, strings: Catalogue, language: str) -> Document:
    look = "review" if match["review"] else "joined" if match["joined"] else "apart"
    tell = station_sentences if kind == "station" else train_sentences
    decided = "decided" in match["evidence"]
    return {
        **match,
        "titles": [side_title(match[side], strings) for side in ("left", "right")],
        "look": look,
        "verdicts": [
            strings.text("verdict.joined" if match["joined"] else "verdict.apart"),
            *([strings.text("verdict.review")] if match["review"] else ()),
            *([strings.text("verdict.decided")] if decided else ()),
        ],
        "kind_text": strings.text(f"kind.{match['kind']}") if match["kind"] else "",
        "days_text": strings.count("match.days", match["days"]) if match["days"] else "",
        "sentences": tell(match["evidence"], strings),
        "links": _links(match, kind, strings, language),
    }


def side_title(side: Document, strings: Catalogue) -> str:
    """Return what one side of a judged pair is called."""
    reference: str = side["reference"]
    if "line" not in side:
        return str(side["name"]) or reference
    if not side["from"]:
        return reference
    name = " ".join(part for part in (side["line"], side["number"]) if part)
    return strings.text("train.title", **{**side, "name": name or strings.text("train.unnamed")})


def _links(match: Document, kind: str, strings: Catalogue, language: str) -> list[Document]:
    """Return where both sides are shown: one page of a joined station or of two trains."""
    left, right = match["left"], match["right"]
    if kind == "train":
        address = train_address(left["reference"], right["reference"], language)
        return [{"address": address, "text": strings.text("matches.open_trains")}]
    stations = {side["station_id"]: side for side in (right, left) if side["station_id"]}
    return [
        {
            "address": station_address(station, language),
            "text": strings.text("matches.open_station", name=side_title(side, strings)),
        }
        for station, side in reversed(stations.items())
    ]


def station_address(station_id: str, language: str) -> str:
    """Return the address of a station's page."""
    return f"/region/station/{quote(station_id, safe=':')}?lang={language}"


def train_address(trip: str, other: str, language: str) -> str:
    """Return the address of a train's page.

    >>> train_address("a:1/2", "b:3", "de")
    '/region/train/a:1/2?other=b%3A3&lang=de'
    """
    query = {"other": other} if other else {}
    return f"/region/train/{quote(trip, safe=':/')}?{urlencode({**query, 'lang': language})}"


def station_view(found: Document, strings: Catalogue, language: str) -> Document:
    """Return what the page of a station shows."""
    feeds = list(dict.fromkeys(member["feed"] for member in found["members"]))
    sides = {feed: min(at, 2) for at, feed in enumerate(feeds)}
    spots = [
        Spot(
            member["lat"],
            member["lon"],
            "" if member["part"] else f"{member['name']} ({member['feed']})",
            sides[member["feed"]],
            minor=member["part"],
        )
        for member in found["members"]
        if member["lat"] is not None and member["lon"] is not None
    ]
    spots += [
        Spot(stop["lat"], stop["lon"], stop["name"])
        for stop in found["others"]
        if stop["lat"] is not None and stop["lon"] is not None
    ]
    matches = {"kind": "station", "matches": found["matches"]}
    own = station_address(found["id"], language)
    return {
        "station": found,
        "map": draw_map(spots, strings),
        "matches": [
            {**view, "links": [link for link in view["links"] if link["address"] != own]}
            for view in match_views(matches, strings, language)
        ],
    }


def train_view(found: Document, strings: Catalogue, language: str) -> Document:
    """Return what the page of a train shows: side by side with another, its sections, its days."""
    trip, other = found["trip"], found["other"]
    pair = None
    if other:
        pair = pair_timetables(_timetable(trip, strings), _timetable(other, strings), strings)
    kind = {"kind": "train"}
    match = found["match"]
    return {
        "title": side_title({**trip, "reference": trip["trip"]}, strings),
        "pair": pair,
        "match": _match(match, "train", strings, language) if match else None,
        "matches": [
            view
            for view in match_views({**kind, "matches": found["matches"]}, strings, language)
            if not match or (view["left"], view["right"]) != (match["left"], match["right"])
        ],
        "calls": found["calls"],
        "sections": found["sections"],
        "variants": [
            {
                **variant,
                "kind_text": strings.text(f"kind.{variant['kind']}"),
                "days_text": strings.count("train.n_days", variant["days"]),
                "span": _span(variant["first"], variant["last"], strings)
                if variant["first"]
                else "",
                "weekdays_text": ", ".join(
                    strings.text(f"weekday.{day}") for day in variant["weekdays"]
                ),
            }
            for variant in found["variants"]
        ],
    }  # fmt: skip


def _timetable(trip: Document, strings: Catalogue) -> Timetable:
    calls = tuple(
        ListedCall(
            station=call["station_id"],
            name=call["name"],
            arrival=call["arrival"],
            departure=call["departure"],
            platform=call["platform"] or "",
            border=call["border_point"],
        )
        for call in trip["calls"]
    )
    name = " ".join(part for part in (trip["line"], trip["number"]) if part)
    return Timetable(
        title=name or strings.text("train.unnamed"),
        about=f"{trip['feed']} · {trip['agency']}",
        calls=calls,
    )

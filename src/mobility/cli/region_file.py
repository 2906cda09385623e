"""The text of a new ``region.toml``: what is known, what was proposed and why, what is open."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mobility.feeds.manifest import QUESTION
from mobility.merge.review.propose import Proposal

STEP = 10  # between the precedences of two feeds, so that one fits in between

_HEAD = """\
# A region: its feeds and what people know about them. Lines that begin with "{question}" are
# open; answer them, then build:  mobility build {folder} -o EDITION
format = 1
"""
_TAIL = """
# One train under two numbers, and where they meet:
# [[hand_overs]]
# left = "{first}:NUMBER"
# right = "{second}:NUMBER"
# station = "{first}:STOP_ID"

# A check of travellers at a place; from and until are dates, all but place may be left out:
# [[border_checks]]
# place = "{first}:STOP_ID"
# from_country = "XX"
# to_country = "YY"
# minutes = 15
# documents = {{ en = "An identity card or a passport." }}

# Trains that carry nobody locally, inside a country or among some stops:
# [[boarding_bans]]
# feed = "{second}"
# country = "XX"
# reason = "The licence covers journeys across the border alone."

# What people decided of doubtful stations and trains stands beside this file in decisions.csv;
# mobility merge review {folder} asks and writes it.
"""


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A feed of the new region: where it comes from, what it suggests, what people answered.

    Parameters
    ----------
    id, source, format : str
        ``source`` is a path as the manifest will state it, or an https address.
    proposal : Proposal or None
        None where the feed could not be read, as an address that nobody has fetched yet.
    answers : mapping of field to text
        They beat the proposal.
    """

    id: str
    source: str
    format: str
    proposal: Proposal | None
    answers: Mapping[str, str] = field(default_factory=dict)


def region_text(answers: Mapping[str, str], feeds: Sequence[NewFeed], folder: str) -> str:
    """Return the manifest's text; ``answers`` has id, name, timezone and languages."""
    lines = [_HEAD.format(question=QUESTION, folder=folder).rstrip()]
    lines.append(f"id = {quoted(answers['id'])}")
    if not answers.get("name"):
        lines.append(f"{QUESTION} what do people call the region?")
    lines.append(f"name = {quoted(answers.get('name') or answers['id'])}")
    lines += _zone(answers.get("timezone", ""), feeds)
    lines += _languages(answers.get("languages", ""))
    lines += [
        "",
        f"{QUESTION} is there anything that every reader of the timetable must know?",
        '# [notice]\n# en = "An example."',
    ]
    for position, feed in enumerate(feeds):
        lines += ["", *_feed(feed, (position + 1) * STEP)]
    ids = [feed.id for feed in feeds]
    lines.append(_TAIL.format(first=ids[0], second=ids[-1], folder=folder).rstrip())
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    r"""Return a TOML basic string.

    >>> print(quoted('a "b" \\ c'))
    "a \"b\" \\ c"
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _zone(stated: str, feeds: Sequence[NewFeed]) -> list[str]:
    if stated:
        return [f"timezone = {quoted(stated)}"]
    zones = [feed.proposal.zone for feed in feeds if feed.proposal]
    if not zones:
        return [f"{QUESTION} in which time zone does the region live?", '# timezone = "ZONE"']
    proposed = max(zones, key=lambda zone: (zones.count(zone), -zones.index(zone)))
    said = f"proposed: the zone of {zones.count(proposed)} of {len(zones)} feeds"
    if len(set(zones)) > 1:
        said = f"{QUESTION[2:]} the feeds have {', '.join(sorted(set(zones)))}; is this right?"
    return [f"timezone = {quoted(proposed)} # {said}"]


def _languages(stated: str) -> list[str]:
    chosen = [code.strip() for code in stated.split(",") if code.strip()]
    if chosen:
        return [f"languages = [{', '.join(map(quoted, chosen))}]"]
    return [
        f"{QUESTION} in which languages do people here read? The pages know de, fr and en.",
        'languages = ["en"]',
    ]


def _feed(feed: NewFeed, precedence: int) -> list[str]:
    own, proposal = feed.answers, feed.proposal
    lines = ["[[feeds]]", f"id = {quoted(feed.id)}"]
    if proposal:
        lines.insert(0, _comment(f"{proposal.publisher}: {', '.join(proposal.agencies)}"))
    where = "url" if feed.source.startswith(("http://", "https://")) else "path"
    lines.append(f"{where} = {quoted(feed.source)}")
    if feed.format != "gtfs":
        lines.append(f"format = {quoted(feed.format)}")
    lines += _country(own.get("country", ""), proposal)
    lines.append(
        f"precedence = {int(own.get('precedence', precedence))}"
        " # lower wins within a section; the section's country decides first"
    )
    lines += _licence(own, proposal)
    lines += _number(own.get("train_number", ""), proposal)
    lines += _border(own.get("border_point", ""), proposal)
    if own.get("default_timezone"):
        lines.append(f"default_timezone = {quoted(own['default_timezone'])}")
    return lines


def _country(stated: str, proposal: Proposal | None) -> list[str]:
    if stated:
        return [f"country = {quoted(stated)}"]
    guess = proposal.country if proposal else None
    if guess is None:
        return [f"{QUESTION} in which country (ISO 3166) is it at home?", '# country = "XX"']
    reasons = "; ".join(guess.reasons)
    mark = "proposed" if guess.certain else "QUESTION: is this right? proposed"
    return [f"# {mark}: {reasons}", f"country = {quoted(guess.country)}"]


def _licence(own: Mapping[str, str], proposal: Proposal | None) -> list[str]:
    lines = []
    if own.get("licence"):
        lines.append(f"licence = {quoted(own['licence'])}")
    else:
        lines += [
            f"{QUESTION} under which licence (SPDX id such as CC0-1.0 or CC-BY-4.0)?"
            " Until it is stated, ask before anything is published.",
            'licence = ""',
        ]
    if own.get("attribution"):
        lines.append(f"attribution = {quoted(own['attribution'])}")
    else:
        said = f", such as {quoted('Timetable: ' + proposal.publisher)}" if proposal else ""
        lines += [
            _comment(f"QUESTION: whom does the licence ask to name{said}?"),
            'attribution = ""',
        ]
    if own.get("tier"):
        lines.append(f"tier = {quoted(own['tier'])}")
    else:
        lines += [
            f"{QUESTION} who may see its rows? public, partners, planning (answers only) or totals",
            'tier = "planning"',  # until somebody answers, nothing is handed out
        ]
    return lines


def _number(stated: str, proposal: Proposal | None) -> list[str]:
    if stated:
        column, _, pattern = stated.partition(":")
        return [f"train_number = {{ column = {quoted(column)}, pattern = {quoted(pattern)} }}"]
    guess = proposal.number if proposal else None
    if guess is None:
        return [
            f"{QUESTION} where does it say the train number? No column of trips.txt that we tried"
            " does." if proposal else f"{QUESTION} where does it say the train number?",
            '# train_number = { column = "trip_short_name", pattern = "0*([0-9]+)" }',
        ]  # fmt: skip
    what = "rail trips" if guess.rail else "trips"
    return [
        f"# proposed: found in {guess.rate:.0%} of {guess.trips} {what},"
        f" {guess.numbers} different numbers, such as {guess.example}",
        f"train_number = {{ column = {quoted(guess.rule.column)},"
        f" pattern = {quoted(guess.rule.pattern)} }}",
    ]


def _border(stated: str, proposal: Proposal | None) -> list[str]:
    if stated:
        return [f"border_point = {quoted(stated)}"]
    guess = proposal.border if proposal else None
    if guess is None:
        return []
    return [
        _comment(f"proposed: stop names that end so: {guess.stops}, as {quoted(guess.example)}"),
        f"border_point = {quoted(guess.pattern)}",
    ]


def _comment(text: str) -> str:
    """Return a comment of one line, whatever stands in the data."""
    return "# " + " ".join("".join(c if c.isprintable() else " " for c in text).split())

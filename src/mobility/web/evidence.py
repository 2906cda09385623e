"""Evidence of the merge in words: one sentence per signal, and which way it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mobility.web.catalogue import Catalogue

Way = Literal["same", "different", "neither"]
Evidence = Mapping[str, Any]

NEAR_M = 150  # from here on distance speaks neither for nor against (reference: names and metres)
FAR_M = 500
ALIKE = 0.6  # likeness from which names are variants of one another
HARDLY_ALIKE = 0.3


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that speaks for two references being one, against it, or neither."""

    text: str
    speaks_for: Way


def reason_key(reason: str) -> str:
    """Return the catalogue's key for a reason in the program's own words.

    >>> reason_key("below certainty")
    'reason.below_certainty'
    """
    words = "".join(c if c.isalnum() else " " for c in reason.lower()).split()
    return "reason." + "_".join(word for word in words if not word.isdigit())


def reason_text(reason: str, strings: Catalogue) -> str:
    """Return a reason in the page's language; one that the catalogue lacks as it is."""
    key = reason_key(reason)
    metres = "".join(c for c in reason if c.isdigit())
    return strings.text(key, n=metres) if strings.has(key) else reason


def station_sentences(evidence: Evidence, strings: Catalogue) -> list[Sentence]:
    """Return what speaks for and against two stops being one station.

    >>> from mobility.web.catalogue import read_catalogue
    >>> told = station_sentences({"distance_m": 40, "votes": 3}, read_catalogue("en", "staff"))
    >>> [sentence.text for sentence in told]
    ['They are 40 m apart.', '3 trains call at both in the same minute.']
    """
    told: list[Sentence] = []

    def say(way: Way, key: str, **values: object) -> None:
        told.append(Sentence(strings.text(f"evidence.{key}", **values), way))

    if evidence.get("decided") is not None:
        say("neither", "decided", reason=evidence["decided"] or "–")
    if evidence.get("code"):
        say("same", "code", code=evidence["code"])
    if "likeness" in evidence:
        likeness = float(evidence["likeness"])
        name = next(n for least, n in _LIKENESS if likeness >= least)
        say(*name, n=round(likeness * 100))
    if "distance_m" in evidence:
        metres = evidence["distance_m"]
        if metres is None:
            say("neither", "no_position")
        else:
            way: Way = "same" if metres <= NEAR_M else "different" if metres > FAR_M else "neither"
            say(way, "distance", n=metres)
    for key in ("votes", "neighbours"):
        if evidence.get(key):
            text = strings.count(f"evidence.{key}", int(evidence[key]))
            told.append(Sentence(text, "same"))
    if evidence.get("shared_mode") is False:
        say("different", "other_modes")
    return told + _why_not(evidence, "refused", strings)


_LIKENESS: tuple[tuple[float, tuple[Way, str]], ...] = (
    (1.0, ("same", "name_equal")),
    (ALIKE, ("same", "name_alike")),
    (HARDLY_ALIKE, ("neither", "name_hardly")),
    (-1.0, ("different", "name_other")),
)


def train_sentences(evidence: Evidence, strings: Catalogue) -> list[Sentence]:
    """Return what speaks for and against two trips being one train."""
    told: list[Sentence] = []

    def say(way: Way, key: str, **values: object) -> None:
        told.append(Sentence(strings.text(f"evidence.{key}", **values), way))

    if evidence.get("decided") is not None:
        say("neither", "decided", reason=evidence["decided"] or "–")
    left, right = evidence.get("numbers") or (None, None)
    if left is not None and left == right:
        say("same", "number_equal", number=left)
    elif left is not None and right is not None:
        say("different", "number_other", left=left, right=right)
    elif left is not None or right is not None:
        say("neither", "number_one", number=left or right)
    else:
        say("neither", "number_none")
    shared = int(evidence.get("shared_calls") or 0)
    if shared:
        text = strings.count("evidence.shared", shared)
        told.append(Sentence(text, "same" if shared > 1 else "neither"))
    difference = int(evidence.get("difference_s") or 0)
    if shared and difference:
        say("neither", "difference", n=f"{difference / 60:.1f}".removesuffix(".0"))
    if evidence.get("skipped_calls"):
        text = strings.count("evidence.skipped", int(evidence["skipped_calls"]))
        told.append(Sentence(text, "different"))
    if evidence.get("dwell_s") is not None:
        say("neither", "dwell", n=int(evidence["dwell_s"]) // 60)
    return told + _why_not(evidence, "reason", strings)


def _why_not(evidence: Evidence, key: str, strings: Catalogue) -> list[Sentence]:
    if not evidence.get(key):
        return []
    text = reason_text(str(evidence[key]), strings)
    return [Sentence(strings.text("evidence.why_not", reason=text), "different")]

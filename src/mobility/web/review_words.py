"""What an answer of the review changes, and a candidate's evidence, in sentences."""

from __future__ import annotations

from collections.abc import Callable

from mobility.merge.review.candidates import Candidate
from mobility.merge.review.effects import Effect
from mobility.web.catalogue import Catalogue
from mobility.web.evidence import Sentence, station_sentences, train_sentences

REVIEW_AREAS = ("staff", "review")


def candidate_sentences(candidate: Candidate, strings: Catalogue) -> list[Sentence]:
    """Return what speaks for and against a candidate's two being one."""
    if candidate.kind == "station":
        return station_sentences(candidate.evidence, strings)
    return train_sentences(candidate.evidence, strings)


def effect_sentences(
    effect: Effect, strings: Catalogue, train_text: Callable[[int], str], *, confirms: bool
) -> list[str]:
    """Return what an answer changes, the weightiest for riders first.

    Parameters
    ----------
    effect : Effect
    strings : Catalogue
        With `REVIEW_AREAS`.
    train_text : callable
        A trip's row to the trip in words.
    confirms : bool
        The answer says what the build has made.
    """
    if effect.nothing:
        return [strings.text("effect.nothing" if confirms else "effect.impossible")]
    told = [
        strings.text(f"effect.{key}", names=" + ".join(names))
        for key, groups in (("united", effect.united), ("parted", effect.parted))
        for names in groups
    ]
    if effect.stations[0] != effect.stations[1]:
        before, after = effect.stations
        told.append(strings.text("effect.stations", before=before, after=after))
    for kind, (before, after) in effect.pairs.items():
        text = _change("pairs", before, after, strings)
        told.append(text.replace("{kind}", strings.text(f"review.relation.{kind}")))
    for key, pair in (
        ("runs", effect.runs),
        ("through", effect.through),
        ("calls", effect.calls),
        ("footpaths", effect.footpaths),
    ):
        if pair is not None and pair[0] != pair[1]:
            told.append(_change(key, *pair, strings))
    for key, n in (("moved", effect.calls_moved), ("days", effect.days)):
        if n:
            told.append(strings.count(f"effect.{key}", n))
    return told + _trips(effect, strings, train_text)


def _change(key: str, before: int, after: int, strings: Catalogue) -> str:
    way = "more" if after > before else "fewer"
    return strings.count(f"effect.{key}_{way}", abs(after - before))


def _trips(effect: Effect, strings: Catalogue, train_text: Callable[[int], str]) -> list[str]:
    if not effect.trips:
        return []
    # Trips that are one schedule to a rider are named once.
    names = "; ".join(dict.fromkeys(train_text(trip) for trip in effect.trips))
    rest = effect.trips_touched - len(effect.trips)
    if rest > 0:
        return [strings.text("effect.trips_more", names=names, n=rest)]
    return [strings.text("effect.trips", names=names)]

"""The risk that a journey breaks at a change, from published punctuality.

A vehicle is on time with probability 1 - p and else late by an exponential delay of mean m. A
change is missed where the delay of the arrival less that of the next departure is more than the
slack: departure less arrival less the time for walking or changing. Delays are taken as
independent. Formulas and sources: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Any

import numpy as np
import numpy.typing as npt

from mobility.journey import Journey, Leg, Place, Section
from mobility.planner.emissions import CHECKED
from mobility.planner.published import Row, speakers

LATE_SHARE = 0.5  # where one threshold is published: DB Ril 405, share of delayed trains
LONGEST_DELAY_S = 3 * 3600  # what is later counts as this late
DEFAULT_CHANGE_S = 120  # docs/decisions/004
MAX_MEAN_S = 3600
MAX_KEPT = 100_000  # pairs of delays and slack whose probability is kept

Floats = npt.NDArray[np.float64]
Guaranteed = Callable[[Leg, Leg], bool]
ChangeTime = Callable[[Place], int]


@dataclass(frozen=True, slots=True)
class Delay:
    """How late vehicles are: late with probability ``late``, then by ``mean_s`` on average.

    Parameters
    ----------
    agency : str
        ``feed:agency_id`` or feed where the row is about one operator, else empty.
    within_s, share_within : int, float
        What is published: the share of vehicles less than so many seconds late.
    """

    country: str
    vehicle: str
    agency: str
    year: int
    within_s: int
    share_within: float
    late: float
    mean_s: float
    checked: str
    source: str

    def to_json(self) -> dict[str, Any]:
        """Return the document of what is published and what was made of it."""
        return {
            "country": self.country,
            "vehicle": self.vehicle,
            "agency": self.agency or None,
            "year": self.year,
            "within_s": self.within_s,
            "share_within": self.share_within,
            "late": round(self.late, 3),
            "mean_s": round(self.mean_s),
            "checked": self.checked,
            "source": self.source,
        }


def delay_of(row: Row) -> Delay:
    """Return the delays that a row's published shares tell.

    P(delay > t) = p e^(-t/m). Two thresholds give both; one gives m for p = `LATE_SHARE`, or p = 1
    where more than that is later than the threshold.

    >>> cells = {"country": "CH", "vehicle": "rail", "agency": "", "year": "2024",
    ...     "within_s": "180", "share_within": "0.932", "within2_s": "", "share_within2": "",
    ...     "checked": "read", "source": "x"}
    >>> delay = delay_of(Row("delays.csv", 2, cells))
    >>> delay.late, round(delay.mean_s, 1)  # 180 / ln(0.5 / 0.068)
    (0.5, 90.2)
    """
    first_s, first = row.number("within_s", 1, 3600), row.number("share_within", 0.01, 0.9999)
    second_s = row.optional("within2_s", 1, 7200)
    second = row.optional("share_within2", 0.01, 0.9999)
    if (second_s is None) != (second is None):
        raise row.fail("within2_s", "expected within2_s and share_within2 both or neither")
    if second_s is None or second is None:
        late = LATE_SHARE if 1 - first < LATE_SHARE else 1.0
        mean_s = first_s / log(late / (1 - first))
    else:
        if second_s <= first_s or second <= first:
            raise row.fail("within2_s", "expected a later threshold with a larger share")
        mean_s = (second_s - first_s) / log((1 - first) / (1 - second))
        late = (1 - first) * exp(first_s / mean_s)
        if late > 1:
            raise row.fail("share_within2", "no exponential delay has these shares")
    if mean_s > MAX_MEAN_S:
        raise row.fail("share_within", f"expected a mean delay of at most {MAX_MEAN_S} s")
    return Delay(
        country=row.country(),
        vehicle=row.text("vehicle"),
        agency=row.text("agency", needed=False),
        year=row.year(),
        within_s=int(first_s),
        share_within=first,
        late=late,
        mean_s=mean_s,
        checked=row.among("checked", CHECKED),
        source=row.text("source"),
    )


def delay_masses(delay: Delay) -> Floats:
    """Return the probability of each delay in whole seconds, rounded up; the last is "or more".

    >>> masses = delay_masses(Delay("CH", "rail", "", 2024, 180, 0.932, 0.5, 90.2, "read", "x"))
    >>> float(masses[0]), round(float(masses.sum()), 12)
    (0.5, 1.0)
    """
    seconds = np.arange(LONGEST_DELAY_S + 1)
    later = delay.late * np.exp(-seconds / delay.mean_s)  # P(delay > s)
    masses = np.empty(LONGEST_DELAY_S + 1)
    masses[0] = 1 - delay.late
    masses[1:] = later[:-1] - later[1:]
    masses[-1] += later[-1]
    return masses


def missed_probability(arriving: Floats, departing: Floats, slack_s: int) -> float:
    """Return P(arrival delay - departure delay > slack), by discrete convolution.

    Parameters
    ----------
    arriving, departing : float64
        Probability of each delay in whole seconds.
    slack_s : int
        Seconds; below zero the change is missed unless the departure is later still.
    """
    # P(arrival delay > k) for k = -1, 0, 1, ...; a departure delayed by d needs k = slack + d.
    beyond = np.concatenate(([1.0], np.maximum(1 - np.cumsum(arriving), 0.0)))
    at = np.clip(slack_s + np.arange(len(departing)) + 1, 0, len(beyond) - 1)
    return min(float(departing @ beyond[at]), 1.0)


def told_share(share: float | None) -> float | None:
    """Return a probability with four digits: a small one is no zero.

    >>> told_share(0.04322042), told_share(2.875e-05), told_share(None)
    (0.04322, 2.875e-05, None)
    """
    return None if share is None else float(f"{share:.4g}")


class Delays:
    """The delays in force: of an operator, else of its country, else of Europe.

    Raises
    ------
    ManifestError
        A row has a cell that means nothing: file, line, column and what was expected.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._of: dict[tuple[str, str], Delay] = {}
        self._masses: dict[Delay, Floats] = {}
        self._missed: dict[tuple[Delay, Delay, int], float] = {}
        for row in rows:
            delay = delay_of(row)
            self._of.setdefault((row.speaker(), delay.vehicle), delay)

    def find(self, section: Section | None, vehicle: str) -> Delay | None:
        """Return the delays of a ride's section; None where nothing is published."""
        if section is None:
            return None
        known = (self._of.get((who, vehicle)) for who in speakers(section, section.country))
        return next((delay for delay in known if delay), None)

    def missed(self, arriving: Delay, departing: Delay, slack_s: int) -> float:
        """Return the probability that the change is missed."""
        key = (arriving, departing, slack_s)
        found = self._missed.get(key)
        if found is None:
            found = missed_probability(
                self._masses_of(arriving), self._masses_of(departing), slack_s
            )
            if len(self._missed) >= MAX_KEPT:
                self._missed.clear()
            self._missed[key] = found
        return found

    def _masses_of(self, delay: Delay) -> Floats:
        if delay not in self._masses:
            self._masses[delay] = delay_masses(delay)
        return self._masses[delay]


@dataclass(frozen=True, slots=True)
class Change:
    """A change between two rides.

    Parameters
    ----------
    before, after : int
        Indices of the legs.
    slack_s : int
        Seconds that remain after walking or changing.
    guaranteed : bool
        The next vehicle waits, or the rider stays seated: no risk.
    missed : float or None
        Probability; None where no punctuality is published for one of the rides.
    arriving, departing : Delay or None
        What it was made from.
    """

    before: int
    after: int
    slack_s: int
    guaranteed: bool
    missed: float | None
    arriving: Delay | None
    departing: Delay | None

    def to_json(self) -> dict[str, Any]:
        """Return the change's document."""
        return {
            "before": self.before,
            "after": self.after,
            "slack_s": self.slack_s,
            "guaranteed": self.guaranteed,
            "missed": told_share(self.missed),
            "arriving": self.arriving.to_json() if self.arriving else None,
            "departing": self.departing.to_json() if self.departing else None,
        }


@dataclass(frozen=True, slots=True)
class Risk:
    """The risk of missing a connection; of a journey 1 - (1 - p1)(1 - p2)..."""

    changes: tuple[Change, ...]

    @property
    def missed(self) -> float | None:
        """Probability that one of the changes is missed; None where that of one is unknown."""
        held = 1.0
        for change in self.changes:
            if change.missed is None:
                return None
            held *= 1 - change.missed
        return 1 - held

    def to_json(self) -> dict[str, Any]:
        """Return the ``risk`` of a journey."""
        return {
            "missed": told_share(self.missed),
            "changes": [change.to_json() for change in self.changes],
        }


def risk_of(
    journey: Journey,
    delays: Delays,
    *,
    guaranteed: Guaranteed | None = None,
    change_s: ChangeTime | None = None,
) -> Risk:
    """Return the risk of a journey's changes.

    Parameters
    ----------
    guaranteed : callable, optional
        Whether the second ride waits for the first, or the rider stays seated.
    change_s : callable, optional
        Seconds to change at a stop without a walk; two minutes by default.
    """
    rides = [index for index, leg in enumerate(journey.legs) if leg.mode == "transit"]
    return Risk(
        tuple(
            _change(journey, before, after, delays, guaranteed, change_s)
            for before, after in pairwise(rides)
        )
    )


def _change(
    journey: Journey,
    before: int,
    after: int,
    delays: Delays,
    guaranteed: Guaranteed | None,
    change_s: ChangeTime | None,
) -> Change:
    left, right = journey.legs[before], journey.legs[after]
    walks = journey.legs[before + 1 : after]
    available_s = right.departure - left.arrival
    if walks:
        needed_s = sum(walk.arrival - walk.departure for walk in walks)
    else:
        usual_s = change_s(left.destination) if change_s else DEFAULT_CHANGE_S
        # Rules for single trips allow shorter changes; those that the planner makes can be made.
        needed_s = min(usual_s, max(available_s, 0))
    slack_s = available_s - needed_s
    if guaranteed is not None and guaranteed(left, right):
        return Change(before, after, slack_s, True, 0.0, None, None)
    arriving = delays.find(left.sections[-1] if left.sections else None, left.vehicle)
    departing = delays.find(right.sections[0] if right.sections else None, right.vehicle)
    missed = None
    if arriving is not None and departing is not None:
        missed = delays.missed(arriving, departing, slack_s)
    return Change(before, after, slack_s, False, missed, arriving, departing)

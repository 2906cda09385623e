"""Labels with reasons: which of the journeys shown is fastest, cheapest, ... and why.

Labels are values beside an answer: they neither thin nor reorder its journeys. Each says to which
journeys it is given (all of those that tie) and gives reasons as codes with figures, from which
sentences are made in the rider's language (`mobility.web.label_words`). What cannot be known is
said, never taken for 0. Rules: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mobility.core.money import Money
from mobility.journey import Fare, Journey
from mobility.planner.emissions import Emissions
from mobility.planner.robustness import Risk, told_share

Kind = Literal[
    "fastest", "fewest_changes", "least_walking", "cheapest", "cheapest_protected",
    "fewest_emissions", "most_robust",
]  # fmt: skip
MAX_PRICED = 200  # journeys of one answer that are priced
WALK_ALIKE_M = 50  # walks are compared in steps of 50 m
GRAMS_ALIKE = 10  # emissions are compared, and told, in steps of 10 g, of 100 g from 1 kg on
RISK_ALIKE = 0.001  # risks in steps of a tenth of a percent

Figures = Mapping[str, Any]
Amounts = Mapping[str, int]  # minor units by currency


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code and its figures: seconds, metres, grams, minor units, shares from 0 to 1."""

    code: str
    figures: Figures = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the code beside its figures."""
        return {"code": self.code, "figures": dict(self.figures)}


@dataclass(frozen=True, slots=True)
class Given:
    """The journey, by its place in the answer, to which a label is given, and why."""

    journey: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """One label.

    Parameters
    ----------
    given : tuple of Given
        All journeys that tie, in the order of the answer; none where nobody can tell, and then the
        reasons say why.
    reasons : tuple of Reason
        What holds for the label as a whole: its bounds and what is not known.
    approximate : bool
        Prices in different currencies were ranked at rates; nobody pays by them.
    of : int
        How many journeys the answer has.
    """

    kind: Kind
    given: tuple[Given, ...]
    reasons: tuple[Reason, ...]
    approximate: bool
    of: int

    @property
    def all_equal(self) -> bool:
        """Whether all journeys of the answer tie: then the label tells none of them apart."""
        return len(self.given) == self.of

    def to_json(self) -> dict[str, Any]:
        """Return the label's document."""
        return {
            "kind": self.kind,
            "approximate": self.approximate,
            "all_equal": self.all_equal,
            "given": [
                {"journey": g.journey, "reasons": [r.to_json() for r in g.reasons]}
                for g in self.given
            ],
            "reasons": [reason.to_json() for reason in self.reasons],
        }


@dataclass(frozen=True, slots=True)
class Ranking:
    """How prices in different currencies are ordered; nobody is shown, charged or paid by it.

    ``weights`` are proportional to the worth of a minor unit, ``says`` names rates and date.
    """

    weights: Mapping[str, int]
    says: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What labels know of a journey.

    Parameters
    ----------
    protected : Fare or None
        The cheapest tickets for it with which no change is unprotected, where that is another
        fare than the journey's own and a pricer knows one.
    """

    journey: Journey
    emissions: Emissions
    risk: Risk
    protected: Fare | None = None

    @property
    def duration_s(self) -> int:
        """Seconds from leaving the origin to arriving."""
        return self.journey.arrival - self.journey.departure

    @property
    def amounts(self) -> Amounts | None:
        """Minor units by currency; None where a part of the fare is unknown."""
        fare = self.journey.fare
        return None if fare is None or fare.status != "known" else amounts_of(fare)

    @property
    def unprotected(self) -> tuple[tuple[int, int], ...]:
        """Changes that the journey's own tickets leave unprotected."""
        if self.journey.fare is None:
            return ()
        legs = self.journey.legs
        return self.journey.fare.unprotected(
            [i for i, leg in enumerate(legs) if leg.mode == "transit"]
        )

    @property
    def protected_amounts(self) -> Amounts | None:
        """What the journey costs with every change protected; None where that is not known."""
        if self.amounts is not None and not self.unprotected:
            return self.amounts
        return None if self.protected is None else amounts_of(self.protected)


def journeys_to_price(journeys: Sequence[Journey], most: int = MAX_PRICED) -> frozenset[int]:
    """Return which journeys of an answer are priced: at most so many, the quickest.

    Among equals the first. Where some are left out, the label "cheapest" says that it speaks of
    those priced: none of them is cheaper, one that was not priced may be.
    """
    order = sorted(
        range(len(journeys)), key=lambda i: (journeys[i].arrival - journeys[i].departure, i)
    )
    return frozenset(order[:most])


def told_grams(grams: int) -> int:
    """Return grams as they are told: in steps of 10 g, of 100 g from one kilogram on.

    >>> told_grams(827), told_grams(16_644)
    (830, 16600)
    """
    step = GRAMS_ALIKE if grams < 1000 else 10 * GRAMS_ALIKE
    return round(grams / step) * step


def amounts_of(fare: Fare) -> Amounts:
    """Return minor units by currency; a free fare has none."""
    return {total.currency: total.amount_minor for total in fare.totals if total.amount_minor}


def label_journeys(facts: Sequence[Facts], ranking: Ranking | None = None) -> tuple[Label, ...]:
    """Return the labels of an answer; fewer than two journeys need none."""
    if len(facts) < 2:
        return ()
    fastest = min(range(len(facts)), key=lambda i: (facts[i].duration_s, i))
    judge = _Judge(facts, fastest, ranking)
    return (
        judge.least("fastest", lambda f: f.duration_s, _takes),
        judge.least("fewest_changes", lambda f: f.journey.transfers, _changes),
        judge.least(
            "least_walking",
            lambda f: round(f.journey.walk_m / WALK_ALIKE_M),
            _walks,
            Reason("of_shown"),
        ),
        *judge.cheapest(),
        judge.fewest_emissions(),
        judge.most_robust(),
    )


def _takes(facts: Facts) -> Reason:
    return Reason("takes", {"duration_s": facts.duration_s})


def _changes(facts: Facts) -> Reason:
    changes = facts.journey.transfers
    return Reason("changes", {"changes": changes}) if changes else Reason("no_change")


def _walk_steps(facts: Facts) -> float:
    return round(facts.journey.walk_m / WALK_ALIKE_M)


def _walks(facts: Facts) -> Reason:
    return Reason("walks", {"walk_m": facts.journey.walk_m})


def _emits(facts: Facts) -> Reason:
    return Reason("emits", {"grams": facts.emissions.grams})


def _risks(facts: Facts) -> Reason:
    if not facts.risk.changes:
        return Reason("no_connection")
    return Reason("risks", {"missed": told_share(facts.risk.missed)})


class _Judge:
    """Compares the journeys of one answer, the fastest being what others are measured by."""

    def __init__(self, facts: Sequence[Facts], fastest: int, ranking: Ranking | None) -> None:
        self._facts = facts
        self._fastest = facts[fastest]
        self._ranking = ranking

    def least(
        self,
        kind: Kind,
        value: Callable[[Facts], float | None],
        own: Callable[[Facts], Reason],
        *reasons: Reason,
    ) -> Label:
        """Return a label for the least value, among those that have one."""
        known = {i: v for i, f in enumerate(self._facts) if (v := value(f)) is not None}
        best = min(known.values(), default=None)
        given = tuple(
            Given(i, self._reasons(kind, own, self._facts[i]))
            for i, v in known.items()
            if v == best
        )
        return self._label(kind, given, reasons)

    def _reasons(
        self, kind: Kind, own: Callable[[Facts], Reason], facts: Facts
    ) -> tuple[Reason, ...]:
        """Return the journey's own figure and what it gains over the fastest."""
        gains = self._than_fastest(kind, facts)
        if gains and kind == "most_robust":  # which names the risk itself
            return tuple(gains)
        return (own(facts), *gains)

    def fewest_emissions(self) -> Label:
        """Return the label for the least greenhouse gases; scopes that differ are told."""
        facts = self._facts
        known = [f for f in facts if f.emissions.grams is not None]
        reasons = self._known_of("emissions", len(known), len(facts))
        scopes = list(dict.fromkeys(s for f in known for s in f.emissions.scopes))
        if len(scopes) > 1:
            reasons.append(Reason("scopes_mixed", {"scopes": scopes}))

        def steps(f: Facts) -> float | None:
            grams = f.emissions.grams
            return None if grams is None else told_grams(grams)

        label = self.least("fewest_emissions", steps, _emits, *reasons)
        if len(scopes) < 2:
            return label
        differ = Reason("counts_differ")
        given = tuple(Given(g.journey, (*g.reasons, differ)) for g in label.given)
        return replace(label, given=given)

    def most_robust(self) -> Label:
        """Return the label for the least risk of missing a connection."""

        def steps(f: Facts) -> float | None:
            missed = f.risk.missed
            return None if missed is None else round(missed / RISK_ALIKE)

        known = sum(f.risk.missed is not None for f in self._facts)
        return self.least(
            "most_robust", steps, _risks, *self._known_of("risk", known, len(self._facts))
        )

    def cheapest(self) -> tuple[Label, ...]:
        """Return the label for the lowest price and, where that leaves a change open, another.

        The second names the cheapest with which all changes are protected.
        """
        facts = self._facts
        prices = {i: a for i, f in enumerate(facts) if (a := f.amounts) is not None}
        priced = sum(f.journey.fare is not None for f in facts)
        if not priced:
            return (self._label("cheapest", (), [Reason("no_tariff")]),)
        reasons = self._known_of("fare", len(prices), priced)
        if priced < len(facts):
            reasons.append(Reason("bounded", {"priced": priced, "of": len(facts)}))
        winners, approximate, told = self._cheapest_of(prices)
        given = tuple(
            Given(i, (_costs(prices[i]), *self._open_changes(i), *self._cheaper(facts[i])))
            for i in winners
        )
        if not winners or any(not facts[i].unprotected for i in winners):
            return (self._label("cheapest", given, [*reasons, *told], approximate),)
        protected = self._protected()
        if not protected.given:
            told = [*told, Reason("no_protected")]
            return (self._label("cheapest", given, [*reasons, *told], approximate),)
        return self._label("cheapest", given, [*reasons, *told], approximate), protected

    def _protected(self) -> Label:
        prices = {i: a for i, f in enumerate(self._facts) if (a := f.protected_amounts) is not None}
        winners, approximate, told = self._cheapest_of(prices)
        given = []
        for i in winners:
            reasons = [_costs(prices[i])]
            other = self._facts[i].protected
            if other is not None:
                names = [ticket.name for ticket in other.tickets]
                reasons.append(Reason("with_tickets", {"tickets": names}))
            given.append(Given(i, tuple(reasons)))
        return self._label("cheapest_protected", tuple(given), told, approximate)

    def _cheapest_of(self, prices: Mapping[int, Amounts]) -> tuple[list[int], bool, list[Reason]]:
        """Return the cheapest journeys, whether rates were needed, and what is to be told.

        Prices are compared currency by currency. Where none is the lowest in every currency the
        tariff's rates decide, and without rates nobody can.
        """
        least = [i for i, a in prices.items() if all(_no_dearer(a, b) for b in prices.values())]
        if least or not prices:
            return least, False, []
        currencies = sorted({code for amounts in prices.values() for code in amounts})
        if self._ranking is None or not self._ranking.weights.keys() >= set(currencies):
            return [], False, [Reason("currencies_differ", {"currencies": currencies})]
        weights = self._ranking.weights
        ranks = {
            i: sum(amount * weights[code] for code, amount in amounts.items())
            for i, amounts in prices.items()
        }
        lowest = min(ranks.values())
        told = Reason("ranked_at_rates", {"currencies": currencies, "rates": self._ranking.says})
        return [i for i, rank in ranks.items() if rank == lowest], True, [told]

    def _open_changes(self, index: int) -> list[Reason]:
        facts = self._facts[index]
        if not facts.unprotected:
            return []
        legs = facts.journey.legs
        places = [
            {"station_id": legs[after].origin.station_id, "name": legs[after].origin.name}
            for _, after in facts.unprotected
        ]
        return [Reason("unprotected", {"places": places})]

    def _cheaper(self, facts: Facts) -> list[Reason]:
        """Return by how much a journey is cheaper than the fastest, where that can be said."""
        mine, other = facts.amounts, self._fastest.amounts
        longer_s = facts.duration_s - self._fastest.duration_s
        if mine is None or other is None or longer_s <= 0 or not _no_dearer(mine, other):
            return []
        less = [
            {"amount_minor": amount - mine.get(code, 0), "currency": code}
            for code, amount in sorted(other.items())
            if amount > mine.get(code, 0)
        ]
        return [Reason("longer_but_cheaper", {"longer_s": longer_s, "less": less})] if less else []

    def _than_fastest(self, kind: Kind, facts: Facts) -> list[Reason]:
        """Return what a journey gains over the fastest for the time that it takes longer."""
        longer_s = facts.duration_s - self._fastest.duration_s
        other = self._fastest
        if longer_s <= 0:
            return []
        gains: dict[str, tuple[str, str, float | None, float | None]] = {
            "fewest_changes": (
                "longer_but_fewer_changes", "fewer", facts.journey.transfers,
                other.journey.transfers,
            ),
            "least_walking": (
                "longer_but_less_walking", "less_m", facts.journey.walk_m, other.journey.walk_m,
            ),
            "fewest_emissions": (
                "longer_but_less_emissions", "less_grams", facts.emissions.grams,
                other.emissions.grams,
            ),
        }  # fmt: skip
        if kind == "most_robust":
            mine, theirs = facts.risk.missed, other.risk.missed
            if mine is None or theirs is None or theirs - mine < RISK_ALIKE:
                return []
            figures = {
                "longer_s": longer_s, "missed": told_share(mine), "instead_of": told_share(theirs),
            }  # fmt: skip
            return [Reason("longer_but_less_risk", figures)]
        if kind not in gains:
            return []
        code, name, mine, theirs = gains[kind]
        least = {"fewest_emissions": GRAMS_ALIKE, "least_walking": WALK_ALIKE_M}.get(kind, 1)
        if mine is None or theirs is None or theirs - mine < least:
            return []
        return [Reason(code, {"longer_s": longer_s, name: theirs - mine})]

    @staticmethod
    def _known_of(what: str, known: int, of: int) -> list[Reason]:
        """Return how many journeys have the figure, and that the label speaks of those shown."""
        if not known:
            return [Reason(f"no_{what}_known")]
        unknown = [Reason(f"{what}_unknown", {"unknown": of - known, "of": of})]
        return [*(unknown if known < of else []), Reason("of_shown")]

    def _label(
        self,
        kind: Kind,
        given: tuple[Given, ...],
        reasons: Sequence[Reason],
        approximate: bool = False,
    ) -> Label:
        return Label(kind, given, tuple(reasons), approximate, len(self._facts))


def _costs(amounts: Amounts) -> Reason:
    totals = [Money(amount, code) for code, amount in sorted(amounts.items())]
    listed = [{"amount_minor": m.amount_minor, "currency": m.currency} for m in totals]
    return Reason("costs", {"totals": listed})


def _no_dearer(left: Amounts, right: Amounts) -> bool:
    """Return whether the left price is no higher than the right in any currency."""
    return all(amount <= right.get(code, 0) for code, amount in left.items())

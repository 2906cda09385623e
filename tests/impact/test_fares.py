"""Revenue effects add up party by party, weighted, and unknown fares are never taken as zero."""

from mobility.core.money import Money
from mobility.impact import compare_fares
from mobility.impact.fares import UNDIVIDED, chosen
from mobility.journey import Fare, Journey, Leg, Place, Share, Ticket
from mobility.timetables import Comparison, Difference, Question

HERE = Place("a:1", "s1", "Here", 47.0, 7.0, "UTC")
THERE = Place("b:1", "s2", "There", 47.1, 7.1, "UTC")


def journey(departure, arrival, transfers=0):
    """Return a journey of one leg."""
    leg = Leg("transit", HERE, THERE, departure, arrival, line="R")
    return Journey(departure, arrival, transfers, 0, (leg,))


def difference(before, after, weight=1):
    """Return the difference of two sets of journeys, as far as fares look at it."""
    question = Question("a:1", "b:1", 0, 3600, weight)
    return Difference(question, before, after, None, None, None, (), (), (), ())


class ByArrival:
    """Prices journeys by their arrival; an odd arrival has no published fare."""

    def price(self, journey):
        if journey.arrival % 2:
            return Fare((), (0,))
        price = Money(journey.arrival, "EUR")
        half = journey.arrival // 2
        shares = (Share("a", "carrier", half), Share("b", "carrier", journey.arrival - half))
        ticket = Ticket("p", "P", "a", "app", (0,), price, 0, 1, "UTC", "", shares)
        return Fare((ticket,))


def test_revenue_effects_are_weighted_and_sum_to_the_prices():
    comparison = Comparison(
        (
            difference((journey(0, 100),), (journey(0, 140),), weight=3),
            difference((journey(0, 60),), (), weight=2),
        )
    )
    effects = compare_fares(comparison, ByArrival()).effects
    assert [(e.party, e.currency, e.before_minor, e.after_minor) for e in effects] == [
        ("a", "EUR", 3 * 50 + 2 * 30, 3 * 70),
        ("b", "EUR", 3 * 50 + 2 * 30, 3 * 70),
    ]
    assert sum(e.before_minor for e in effects) == 3 * 100 + 2 * 60


def test_an_unknown_fare_is_counted_and_not_summed():
    comparison = Comparison((difference((journey(0, 100),), (journey(0, 101),), weight=5),))
    found = compare_fares(comparison, ByArrival())
    assert (found.unknown_before, found.unknown_after) == (0, 5)
    assert all(effect.after_minor == 0 for effect in found.effects)
    assert found.differences[0].changed


class Unsplit:
    """Prices journeys by their arrival; nobody has published how the price is divided."""

    def price(self, journey):
        price = Money(journey.arrival, "EUR")
        return Fare((Ticket("p", "P", "a", "app", (0,), price, 0, 1, "UTC", ""),))


def test_the_price_of_a_ticket_without_a_published_split_is_not_lost():
    comparison = Comparison((difference((journey(0, 100),), (journey(0, 140),), weight=2),))
    (effect,) = compare_fares(comparison, Unsplit()).effects
    assert (effect.party, effect.currency) == (UNDIVIDED, "EUR")
    assert (effect.before_minor, effect.after_minor) == (200, 280)


def test_the_rider_takes_the_first_arrival_then_the_shortest_ride_then_fewest_changes():
    journeys = (journey(0, 100), journey(10, 100, 2), journey(10, 100, 1), journey(50, 120))
    assert chosen(journeys) == journeys[2]
    assert chosen(()) is None


def test_equal_tickets_are_no_change():
    same = difference((journey(0, 100),), (journey(0, 100),))
    document = compare_fares(Comparison((same,)), ByArrival()).to_json()
    assert document["questions_with_other_tickets"] == 0
    assert document["tickets"] == []

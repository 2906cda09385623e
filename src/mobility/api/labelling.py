"""What labels are made from, for one edition: published figures, countries, connections that wait.

Answers that people see are labelled, in the API, on the pages and by `mobility plan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mobility.api.waiting import waiting_connections
from mobility.fares import TariffPricer
from mobility.journey import Journey
from mobility.network import Edition, Network
from mobility.planner.emissions import CountryOf, Factors, emissions_of
from mobility.planner.labels import (
    Facts,
    Label,
    Ranking,
    journeys_to_price,
    label_journeys,
)
from mobility.planner.published import PUBLISHED_PART, read_published
from mobility.planner.robustness import DEFAULT_CHANGE_S, ChangeTime, Delays, risk_of


@dataclass(frozen=True, slots=True)
class Labelled:
    """The journeys of an answer with their fares, what is known of each, and the labels."""

    facts: tuple[Facts, ...]
    labels: tuple[Label, ...]

    @property
    def journeys(self) -> tuple[Journey, ...]:
        """The journeys in the order of the answer."""
        return tuple(facts.journey for facts in self.facts)

    def documents(self) -> list[dict[str, Any]]:
        """Return the journeys' documents with emissions and risk."""
        return [
            facts.journey.to_json()
            | {"emissions": facts.emissions.to_json(), "risk": facts.risk.to_json()}
            for facts in self.facts
        ]


class Labelling:
    """Prices and labels the answers of an edition; safe to use from several threads.

    Raises
    ------
    ManifestError
        A table of published figures is malformed.
    """

    def __init__(self, edition: Edition) -> None:
        published = read_published(edition.part(PUBLISHED_PART))
        self._factors = Factors(published.factors)
        self._delays = Delays(published.delays)
        self._country_of = station_countries(edition.network)
        self._guaranteed = waiting_connections(edition)
        self._change_s = change_times(edition.network)

    def of(self, journeys: Sequence[Journey], pricer: TariffPricer | None) -> Labelled:
        """Return the journeys priced, judged and labelled; their set and order stay."""
        priced = journeys_to_price(journeys) if pricer is not None else ()
        facts = tuple(
            self._facts(journey, pricer if index in priced else None)
            for index, journey in enumerate(journeys)
        )
        ranking = None
        if pricer is not None and pricer.tariff.comparison:
            ranking = Ranking(pricer.tariff.rank_weights, pricer.tariff.comparison)
        return Labelled(facts, label_journeys(facts, ranking))

    def _facts(self, journey: Journey, pricer: TariffPricer | None) -> Facts:
        protected = None
        if pricer is not None:
            fare, protected = pricer.price_both(journey)
            journey = journey.with_fare(fare)
        return Facts(
            journey,
            emissions_of(journey, self._factors, self._country_of),
            risk_of(journey, self._delays, guaranteed=self._guaranteed, change_s=self._change_s),
            protected,
        )


def station_countries(network: Network) -> CountryOf | None:
    """Return a function from a place to its country; None where the network keeps none."""
    if not len(network.station_country):
        return None
    countries = dict(zip(network.station_id, network.station_country, strict=True))
    return lambda place: countries.get(place.station_id) or None


def change_times(network: Network) -> ChangeTime:
    """Return a function from a stop to the seconds that changing there takes without a walk."""
    stated = np.flatnonzero(network.change_s[: network.n_stops] != DEFAULT_CHANGE_S)
    seconds = {
        f"{network.feed_id[int(network.stop_feed[stop])]}:{network.stop_id[stop]}": int(
            network.change_s[stop]
        )
        for stop in stated.tolist()
    }
    return lambda place: seconds.get(place.id, DEFAULT_CHANGE_S)

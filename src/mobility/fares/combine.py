"""The cheapest legal combination of tickets for the stages of a journey, exactly.

A ticket covers consecutive stages. Best first: fewest stages without a ticket, then the lowest
sum, then the fewest tickets (a through ticket before two of the same price), then the smallest ids.
Each of these adds up along the journey, so the best combination up to a stage extends the best one
up to an earlier stage: a shortest way over stages, not a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Offer:
    """A ticket for the stages ``first`` to ``last`` (both included).

    ``rank`` orders prices of all currencies; ``key`` names the offer and breaks ties.
    """

    first: int
    last: int
    rank: int
    key: tuple[str, ...]
    payload: Any


def find_cheapest(n_stages: int, offers: Sequence[Offer]) -> tuple[list[Offer], list[int]]:
    """Return the best offers in order of their stages, and the stages that none covers.

    >>> single = [Offer(0, 0, 3, ("a",), None), Offer(1, 1, 3, ("a",), None)]
    >>> through = Offer(0, 1, 6, ("t",), None)
    >>> find_cheapest(2, [*single, through])[0] == [through]
    True
    >>> find_cheapest(2, single[:1])[1]
    [1]
    """
    ending: list[list[Offer]] = [[] for _ in range(n_stages)]
    for offer in offers:
        ending[offer.last].append(offer)
    nobody: tuple[str, ...] = ()
    best: list[tuple[int, int, int, tuple[tuple[str, ...], ...]]] = [(0, 0, 0, ())]
    last_step: list[Offer | None] = [None]
    for stage in range(n_stages):
        unknown, rank, tickets, trail = best[stage]
        chosen = ((unknown + 1, rank, tickets, (*trail, nobody)), None)
        steps: list[tuple[tuple[int, int, int, tuple[tuple[str, ...], ...]], Offer | None]]
        steps = [chosen]
        for offer in ending[stage]:
            unknown, rank, tickets, trail = best[offer.first]
            cost = (unknown, rank + offer.rank, tickets + 1, (*trail, offer.key))
            steps.append((cost, offer))
        cost, step = min(steps, key=lambda candidate: candidate[0])
        best.append(cost)
        last_step.append(step)
    return _walk_back(last_step)


def _walk_back(last_step: Sequence[Offer | None]) -> tuple[list[Offer], list[int]]:
    tickets: list[Offer] = []
    unknown: list[int] = []
    position = len(last_step) - 1
    while position:
        offer = last_step[position]
        if offer is None:
            position -= 1
            unknown.append(position)
        else:
            tickets.append(offer)
            position = offer.first
    return tickets[::-1], unknown[::-1]

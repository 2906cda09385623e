"""Caps: what a rider pays at most in a period, and how carriers share the capped sum.

Three attributions are offered; an agreement states which. Incomplete journeys stand outside.

Source: fares-and-clearing, 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobility.core.errors import MoneyError
from mobility.core.money import split_largest_remainder


def charge_sequentially(fares_minor: Sequence[int], cap_minor: int) -> list[int]:
    """Return what the rider pays for each trip in order, in minor units, up to the cap.

    Raises
    ------
    MoneyError
        A negative fare or cap.

    >>> charge_sequentially([80, 80, 80, 80, 80], 300)
    [80, 80, 80, 60, 0]
    """
    if cap_minor < 0 or any(fare < 0 for fare in fares_minor):
        raise MoneyError("a cap takes fares and a limit of 0 or more minor units")
    charges, left = [], cap_minor
    for fare in fares_minor:
        charges.append(min(fare, left))
        left -= charges[-1]
    return charges


def share_pro_rata(fares_minor: Mapping[str, int], cap_minor: int) -> dict[str, int]:
    """Return each trip's part of the capped sum in proportion to its fare, in minor units.

    The order of trips, and so a late tap, moves nobody else by its place.

    >>> share_pro_rata({"a": 100, "b": 300}, 300)
    {'a': 75, 'b': 225}
    """
    total = sum(fares_minor.values())
    if total <= cap_minor:
        return dict(sorted(fares_minor.items()))
    return split_largest_remainder(cap_minor, fares_minor)


def share_with_fund(fares_minor: Mapping[str, int], cap_minor: int) -> tuple[dict[str, int], int]:
    """Return each trip's full fare and what the scheme's fund pays for the cap, in minor units.

    >>> share_with_fund({"a": 100, "b": 300}, 300)
    ({'a': 100, 'b': 300}, 100)
    """
    total = sum(fares_minor.values())
    return dict(sorted(fares_minor.items())), max(0, total - cap_minor)

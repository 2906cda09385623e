"""Needs in words, as a command line or an address has them, and the places that they name."""

from __future__ import annotations

from collections.abc import Sequence

from mobility.core.errors import UsageError
from mobility.core.time import parse_duration_s
from mobility.core.units import WALK_SPEED_M_S
from mobility.network import Network
from mobility.planner.locate import locate
from mobility.planner.needs import Needs, Via


def read_needs(
    network: Network,
    *,
    wheelchair: bool = False,
    bike: bool = False,
    modes: Sequence[str] = (),
    not_modes: Sequence[str] = (),
    operators: Sequence[str] = (),
    not_operators: Sequence[str] = (),
    via: Sequence[str] = (),
    stays: Sequence[str] = (),
    min_change: str | None = None,
    walk_speed_m_s: float | None = None,
    max_walk_m: int | None = None,
) -> Needs:
    """Return the needs; empty words ask for nothing.

    Parameters
    ----------
    via : sequence of str
        Places, as `locate` reads them.
    stays : sequence of str
        Durations, one for each place in order; where there are fewer the rest is just passed.

    Raises
    ------
    UsageError
        As `Needs` and `Via` do, or more stays than places.
    UnknownPlaceError, AmbiguousPlaceError
        A place to pass is not to be found, or could be several.
    TimeError
        A text is no duration.
    """
    if len(stays) > len(via):
        raise UsageError(f"{len(stays)} stays for {len(via)} via: expected one for each at most")
    seconds = [_seconds(text) for text in stays] + [0] * (len(via) - len(stays))
    return Needs(
        wheelchair=wheelchair,
        bike=bike,
        modes=frozenset(modes),
        not_modes=frozenset(not_modes),
        operators=frozenset(operators),
        not_operators=frozenset(not_operators),
        via=tuple(
            Via(locate(network, text), stay_s)
            for text, stay_s in zip(via, seconds, strict=True)
        ),
        min_change_s=_seconds(min_change or "0"),
        walk_speed_m_s=WALK_SPEED_M_S if walk_speed_m_s is None else walk_speed_m_s,
        max_walk_m=max_walk_m,
    )  # fmt: skip


def _seconds(text: str) -> int:
    return 0 if text.strip() in ("0", "0m", "0min", "0s") else parse_duration_s(text)

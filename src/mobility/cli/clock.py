"""What the program calls now: the system's clock, or the fixed instant of the settings."""

from __future__ import annotations

import datetime as dt

from mobility.core.errors import TimeError
from mobility.core.settings import Settings
from mobility.core.time import Clock, parse_instant, system_clock


def clock_of(settings: Settings) -> Clock:
    """Return the clock in force: the system's, or the fixed one of the settings."""
    if not settings.now:
        return system_clock
    fixed = dt.datetime.fromtimestamp(_fixed_instant(settings.now), dt.UTC)
    return lambda: fixed


def _fixed_instant(text: str) -> int:
    try:
        return parse_instant(text, "UTC")
    except TimeError as error:
        raise TimeError(f"MOBILITY_NOW: {error}") from None

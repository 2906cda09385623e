"""Python's collector of cycles, set for programs that make very many small values."""

from __future__ import annotations

import gc

VALUES_BETWEEN = 50_000  # values made and not yet freed between two looks at the young ones


def collect_rarely() -> None:
    """Let the collector of cycles look after tens of thousands of new values, not hundreds.

    Journeys, rows and documents are trees: they are freed as soon as nobody holds them, and looking
    for cycles in them finds none. By default that look took a third of the time of an answer,
    holding the interpreter's lock (docs/benchmarks.md). For programs, at their beginning: it is a
    setting of the whole process, which a library leaves alone.

    >>> before = gc.get_threshold()
    >>> collect_rarely()
    >>> gc.get_threshold()[0]
    50000
    >>> gc.set_threshold(*before)
    """
    gc.set_threshold(VALUES_BETWEEN, *gc.get_threshold()[1:])

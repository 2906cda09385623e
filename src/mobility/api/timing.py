"""How long the parts of an answer took, told in its ``Server-Timing`` header."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Timing:
    """Wall time of the parts of one answer, from the moment this was made.

    Source of the form: W3C Server Timing, section 3.
    """

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._parts: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what runs inside as a part of the answer."""
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            self._parts[name] = self._parts.get(name, 0.0) + spent

    def header(self) -> str:
        """Return the header's value: each part and the total until now, in milliseconds."""
        parts = {**self._parts, "total": time.perf_counter() - self._began}
        return ", ".join(f"{name};dur={1000 * spent:.2f}" for name, spent in parts.items())

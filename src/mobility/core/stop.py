"""Stopping long work from outside: a flag that kernels look at, since no thread can be killed."""

from __future__ import annotations

from contextvars import ContextVar

import numpy as np
import numpy.typing as npt

from mobility.core.errors import EnvironmentFault


class StoppedError(EnvironmentFault):
    """The work was told to stop before it was done: too late, or nobody waits for it any more."""

    http_status = 504
    problem = "time-limit"


class Stop:
    """Whether work is to stop; set by one thread, looked at by another.

    Attributes
    ----------
    flag : uint8[1]
        0 until it is to stop; kernels take the array itself.

    >>> stop = Stop()
    >>> stop.check()
    >>> stop.set()
    >>> bool(stop.flag[0])
    True
    """

    __slots__ = ("flag",)

    def __init__(self) -> None:
        self.flag: npt.NDArray[np.uint8] = np.zeros(1, np.uint8)

    def set(self) -> None:
        """Tell the work to stop."""
        self.flag[0] = 1

    def check(self) -> None:
        """Do nothing, or, where the work is to stop, raise.

        Raises
        ------
        StoppedError
            It was told to stop.
        """
        if self.flag[0]:
            raise StoppedError("stopped before it was done: ask for less, or allow more time")


_current: ContextVar[Stop] = ContextVar("stop")


def current_stop() -> Stop:
    """Return what stops the work at hand; nobody sets it where the work runs to its end."""
    found = _current.get(None)
    if found is None:
        found = Stop()
        _current.set(found)
    return found


def stop_by(stop: Stop) -> None:
    """Let this flag stop the work that follows in this context."""
    _current.set(stop)

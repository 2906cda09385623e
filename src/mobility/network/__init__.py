"""A region compiled into flat arrays: `Network`, its day slices, and the edition on disk.

Names are imported when they are first used: who plans needs neither tables nor the compiler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobility.network.compile import compile_network
    from mobility.network.edition import Edition, open_edition, write_edition
    from mobility.network.slices import SliceStore
    from mobility.network.values import (
        Bounds,
        Connections,
        DaySlice,
        Flags,
        Links,
        Network,
        StringArray,
    )

__all__ = [
    "Bounds",
    "Connections",
    "DaySlice",
    "Edition",
    "Flags",
    "Links",
    "Network",
    "SliceStore",
    "StringArray",
    "compile_network",
    "open_edition",
    "write_edition",
]
_MODULE_OF = {
    "Bounds": "values",
    "Connections": "values",
    "DaySlice": "values",
    "Edition": "edition",
    "Flags": "values",
    "Links": "values",
    "Network": "values",
    "SliceStore": "slices",
    "StringArray": "values",
    "compile_network": "compile",
    "open_edition": "edition",
    "write_edition": "edition",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)

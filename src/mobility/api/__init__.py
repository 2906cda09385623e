"""The REST interface of one edition: journeys, places, fares, map, region, health.

Names are imported when they are first used: the command line's words need no web server.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobility.api.app import create_app
    from mobility.api.limits import Limits

__all__ = ["Limits", "create_app"]
_MODULE_OF = {"Limits": "limits", "create_app": "app"}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)

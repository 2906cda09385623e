"""Many feeds become one region: stations, trains and where each row came from.

Names are imported when they are first used: place search needs the normal forms of names, not the
kernels that join trains.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobility.merge.lasting import GivenIds
    from mobility.merge.merge import merge_feeds
    from mobility.merge.region import FeedInfo, Region
    from mobility.merge.review.candidates import review_candidates, review_table

__all__ = ["FeedInfo", "GivenIds", "Region", "merge_feeds", "review_candidates", "review_table"]
_MODULE_OF = {
    "FeedInfo": "region",
    "GivenIds": "lasting",
    "Region": "region",
    "merge_feeds": "merge",
    "review_candidates": "review.candidates",
    "review_table": "review.candidates",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)

"""Many feeds become one region: stations, trains and where each row came from."""

from mobility.merge.region import FeedInfo, Region

__all__ = ["FeedInfo", "Region"]

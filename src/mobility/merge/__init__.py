"""Many feeds become one region: stations, trains and where each row came from."""

from mobility.merge.merge import merge_feeds
from mobility.merge.region import FeedInfo, Region
from mobility.merge.review import review_rows, write_review

__all__ = ["FeedInfo", "Region", "merge_feeds", "review_rows", "write_review"]

"""Operators' feeds: manifest, gate, reading, checks, repairs, service days, quality."""

from mobility.feeds.calendar import service_days
from mobility.feeds.feed import Feed, TableCounts
from mobility.feeds.findings import RULES, Progress
from mobility.feeds.manifest import (
    Decision,
    FeedConfig,
    HandOver,
    Manifest,
    TrainNumberRule,
    manifest_of_sources,
    read_manifest,
)
from mobility.feeds.quality import FeedCheck, check_feed
from mobility.feeds.reader import read_feed

__all__ = [
    "RULES",
    "Decision",
    "Feed",
    "FeedCheck",
    "FeedConfig",
    "HandOver",
    "Manifest",
    "Progress",
    "TableCounts",
    "TrainNumberRule",
    "check_feed",
    "manifest_of_sources",
    "read_feed",
    "read_manifest",
    "service_days",
]

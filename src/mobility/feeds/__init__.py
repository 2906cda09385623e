"""Operators' feeds: manifest, gate, reading, checks, repairs, service days, quality."""

from mobility.feeds.calendar import service_days
from mobility.feeds.feed import Feed, TableCounts
from mobility.feeds.findings import RULES, Progress
from mobility.feeds.manifest import manifest_of_sources, read_manifest
from mobility.feeds.quality import FeedCheck, check_feed
from mobility.feeds.reader import read_feed
from mobility.feeds.statements import (
    BoardingBan,
    BorderCheck,
    Decision,
    DropAgency,
    FeedConfig,
    HandOver,
    Manifest,
    StationStatement,
    Tier,
    TrainNumberRule,
)

__all__ = [
    "RULES",
    "BoardingBan",
    "BorderCheck",
    "Decision",
    "DropAgency",
    "Feed",
    "FeedCheck",
    "FeedConfig",
    "HandOver",
    "Manifest",
    "Progress",
    "StationStatement",
    "TableCounts",
    "Tier",
    "TrainNumberRule",
    "check_feed",
    "manifest_of_sources",
    "read_feed",
    "read_manifest",
    "service_days",
]

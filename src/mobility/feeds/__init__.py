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
from mobility.feeds.versions.coverage import (
    Alarm,
    AlarmLimits,
    FeedStatus,
    RegionStatus,
    coverage_calendar,
    region_coverage,
)
from mobility.feeds.versions.status import region_status, status_document
from mobility.feeds.versions.store import Activation, FeedStore, FeedVersion
from mobility.feeds.versions.summary import DayCounts, FeedSummary, summarise

__all__ = [
    "RULES",
    "Activation",
    "Alarm",
    "AlarmLimits",
    "BoardingBan",
    "BorderCheck",
    "DayCounts",
    "Decision",
    "DropAgency",
    "Feed",
    "FeedCheck",
    "FeedConfig",
    "FeedStatus",
    "FeedStore",
    "FeedSummary",
    "FeedVersion",
    "HandOver",
    "Manifest",
    "Progress",
    "RegionStatus",
    "StationStatement",
    "TableCounts",
    "Tier",
    "TrainNumberRule",
    "check_feed",
    "coverage_calendar",
    "manifest_of_sources",
    "read_feed",
    "read_manifest",
    "region_coverage",
    "region_status",
    "service_days",
    "status_document",
    "summarise",
]

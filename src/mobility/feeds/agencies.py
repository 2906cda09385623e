"""Agencies: each has an id and a zone, and each route names one."""

from __future__ import annotations

import polars as pl

from mobility.core.errors import FeedError
from mobility.feeds.load import Reading
from mobility.feeds.read import REPAIRED
from mobility.feeds.statements import FeedConfig

NO_AGENCY = "_"


def complete_agencies(reading: Reading, config: FeedConfig) -> None:
    """Fill empty agency ids and zones, and the agency of routes and fares where there is one only.

    Raises
    ------
    FeedError
        There is no agency or no zone, and the manifest has no ``default_timezone``.
    """
    if not len(reading.frames["agency"]):
        _make_agency(reading, config)
    _fill_zones(reading, config)
    agency = reading.frames["agency"].with_columns(pl.col("agency_id").fill_null(NO_AGENCY))
    reading.frames["agency"] = agency
    ids = agency["agency_id"].unique(maintain_order=True)
    if len(ids) == 1:
        for name in ("routes", "fare_attributes"):
            _fill_agency(reading, name, ids[0])
    else:
        frame = reading.frames["routes"]
        nameless = frame["agency_id"].is_null()
        if NO_AGENCY in ids:
            _fill_agency(reading, "routes", NO_AGENCY)
        else:
            reading.drop("routes", nameless, "missing_required_field", field="agency_id")


def feed_zone(reading: Reading) -> str:
    """Return the zone in which the feed's times count: its first agency's."""
    zones = reading.frames["agency"]["agency_timezone"].unique(maintain_order=True).to_list()
    if len(zones) > 1:
        reading.findings.add(
            "inconsistent_agency_timezone", "agency.txt", field="agency_timezone", value=zones[1]
        )
    return str(zones[0])


def _make_agency(reading: Reading, config: FeedConfig) -> None:
    if config.default_timezone is None:
        raise FeedError(
            f"{config.id}: no usable row in agency.txt; default_timezone in the manifest would do"
        )
    reading.findings.add("synthetic_agency", "agency.txt", value=config.default_timezone)
    row = pl.DataFrame(
        {
            "agency_id": [NO_AGENCY],
            "agency_name": [config.attribution or config.id],
            "agency_timezone": [config.default_timezone],
            "line": pl.Series([0], dtype=pl.Int32),
            REPAIRED: [False],
        }
    )
    reading.frames["agency"] = pl.concat([reading.frames["agency"], row], how="diagonal")


def _fill_zones(reading: Reading, config: FeedConfig) -> None:
    agency = reading.frames["agency"]
    missing = agency["agency_timezone"].is_null()
    if not missing.any():
        return
    known = agency["agency_timezone"].drop_nulls()
    zone = known[0] if len(known) else config.default_timezone
    if zone is None:
        raise FeedError(
            f"{config.id}: agency.txt names no time zone; expected agency_timezone such as"
            " Europe/Zurich, or default_timezone in the manifest"
        )
    reading.findings.add(
        "default_timezone", "agency.txt", field="agency_timezone", value=zone,
        count=int(missing.sum()),
    )  # fmt: skip
    reading.frames["agency"] = agency.with_columns(
        pl.col("agency_timezone").fill_null(zone), pl.col(REPAIRED) | missing
    )


def _fill_agency(reading: Reading, name: str, agency_id: str) -> None:
    frame = reading.frames[name]
    missing = frame["agency_id"].is_null()
    if not missing.any():
        return
    if agency_id != NO_AGENCY:
        reading.findings.add(
            "agency_filled", f"{name}.txt", field="agency_id", count=int(missing.sum())
        )
        frame = frame.with_columns(pl.col(REPAIRED) | missing)
    reading.frames[name] = frame.with_columns(pl.col("agency_id").fill_null(agency_id))

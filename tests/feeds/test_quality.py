"""The second opinion: other programs' findings stand beside ours and never break a check."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mobility.core.notices import count_by_code
from mobility.feeds import FeedConfig, quality
from mobility.feeds.quality import check_feed


def test_a_good_feed_has_a_sheet_and_no_error(write_feed: Callable[..., Path]) -> None:
    found = check_feed(FeedConfig(id="f", path=write_feed()))
    assert found.sheet["num_trips"] == 2 and found.sheet["timezone"] == "Europe/Zurich"
    assert "missing_recommended_file" in count_by_code(found.notices)
    assert not [notice for notice in found.notices if notice.severity == "error"]
    json.dumps(found.sheet)


def test_what_both_find_is_told_once(write_feed: Callable[..., Path]) -> None:
    calendar_dates = "service_id,date,exception_type\nWD,20270105,2\nWD,20270105,2\n"
    stops = "stop_id,stop_name,stop_lat,stop_lon\nS1,a,47.5,7.5\nS2,b,47.51,7.5\nS3,c,47.52,7.5\n"
    found = check_feed(
        FeedConfig(
            id="f",
            path=write_feed(
                {"calendar_dates.txt": calendar_dates, "stops.txt": stops + "S1,z,1,2\n"}
            ),
        )
    )
    doubled = [notice for notice in found.notices if notice.code == "duplicate_key"]
    assert [(notice.file, notice.row) for notice in doubled] == [
        ("stops.txt", 5), ("calendar_dates.txt", 3),
    ]  # fmt: skip


@pytest.mark.shared
def test_packings_that_others_cannot_open_are_checked_too(shared_data: Path) -> None:
    path = shared_data / "iberia_2026" / "renfe_av_ld_md.zip"
    codes = count_by_code(check_feed(FeedConfig(id="renfe", path=path)).notices)
    assert "i_o_error" not in codes and "second_opinion_failed" not in codes
    assert codes["duplicate_route_name"] > 1


def test_a_feed_too_large_for_the_sheet_says_so(
    write_feed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "MAX_SHEET_ROWS", 3)
    found = check_feed(FeedConfig(id="f", path=write_feed()))
    assert not found.sheet and "quality_sheet_skipped" in count_by_code(found.notices)


def test_a_failure_of_the_other_program_is_a_notice(
    write_feed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import gtfs_guru
    import gtfs_kit

    def fail(*args: object, **options: object) -> None:
        raise ValueError("cannot")

    monkeypatch.setattr(gtfs_guru, "validate", fail)
    monkeypatch.setattr(gtfs_kit, "read_feed", fail)
    found = check_feed(FeedConfig(id="f", path=write_feed()))
    assert count_by_code(found.notices)["second_opinion_failed"] == 2


def test_reading_a_feed_loads_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys, mobility.feeds;"
        "heavy = {'pandas', 'partridge', 'gtfs_kit', 'gtfs_guru', 'geopandas'} & set(sys.modules);"
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""Whatever happens to the bytes of a feed: one clear line, or a feed whose accounts are right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.core.errors import FeedError
from mobility.feeds import FeedConfig, read_feed
from mobility.feeds.findings import dropped_rows

EXTRA = {
    "frequencies.txt": (
        "trip_id,start_time,end_time,headway_secs,exact_times\nT2,10:00:00,11:00:00,1200,1\n"
    ),
    "transfers.txt": "from_stop_id,to_stop_id,transfer_type,min_transfer_time\nS1,S2,2,180\n",
    "calendar_dates.txt": "service_id,date,exception_type\nWD,20270109,1\nWD,20270105,2\n",
    "shapes.txt": (
        "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nH,47.5,7.5,1\nH,47.6,7.5,2\n"
    ),
}
PIECES = [b",", b'"', b"\n", b"\r", b"\x00", b"\xff", b" ", b"-", b"9", b":", b"T1", b"S1", b"",
          b"99999999999999999999", b"1e308", b"nan", b"20270132", b"-1:00:00", b"\xef\xbb\xbf",
          b"trip_id", b",,", b"\n\n"]  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damage_ends_in_one_line_or_in_right_accounts(
    write_feed: Callable[..., Path], base: dict[str, str], data: st.DataObject
) -> None:
    files = {name: text.encode() for name, text in (base | EXTRA).items()}
    for _ in range(data.draw(st.integers(1, 4))):
        name = data.draw(st.sampled_from(sorted(files)))
        at = data.draw(st.integers(0, len(files[name])))
        length = data.draw(st.integers(0, 12))
        piece = data.draw(st.sampled_from(PIECES))
        files[name] = files[name][:at] + piece + files[name][at + length :]
    try:
        feed = read_feed(FeedConfig(id="f", path=write_feed(files)))
    except FeedError as error:
        assert "\n" not in str(error)
        return
    for name, counts in feed.counts.items():
        assert counts.read == counts.kept + counts.dropped
        assert counts.dropped == dropped_rows(feed.notices, f"{name}.txt")
    times = feed.tables["stop_times"]
    assert np.array_equal(np.unique(times["trip"]), np.arange(len(feed.tables["trips"])))
    assert times["stop"].is_between(0, len(feed.tables["stops"]) - 1).all()
    assert (times["arrival_time"] >= 0).all()
    assert feed.valid_from <= feed.valid_until

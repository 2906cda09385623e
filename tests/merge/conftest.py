"""Fixtures of the merge tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobility.feeds import Feed

from .build import feed_of, lines


@pytest.fixture
def rail(tmp_path: Path) -> Callable[..., Feed]:
    """Return a maker of small rail feeds: id, stops, trips, options of `lines` and the config."""

    def make(feed_id: str, stops: str, trips: dict[str, str], **more: Any) -> Feed:
        keys = ("country", "precedence", "train_number", "border_point")
        config = {key: more.pop(key) for key in keys if key in more}
        return feed_of(tmp_path, feed_id, lines(stops, trips, **more), **config)

    return make

"""A region's own factors and punctuality: into the edition when built, before the shipped ones."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mobility.cli.build import published_parts
from mobility.core.errors import ManifestError
from mobility.planner.emissions import Factors
from mobility.planner.published import (
    DELAY_COLUMNS,
    DELAYS_FILE,
    FACTOR_COLUMNS,
    FACTORS_FILE,
    PUBLISHED_PART,
    read_published,
)
from mobility.planner.robustness import Delays

from ..planner.sketched import place, ride


def region(folder: Path) -> Any:
    return SimpleNamespace(manifest=SimpleNamespace(folder=folder))


def test_a_regions_own_tables_come_first(tmp_path: Path) -> None:
    assert published_parts(region(tmp_path)) == {}
    rows = {
        FACTORS_FILE: (FACTOR_COLUMNS, "CH,tram,,electric,2026,3,well_to_wheel,,read,operator"),
        DELAYS_FILE: (DELAY_COLUMNS, "CH,rail,f:a,2026,60,0.99,,,read,operator"),
    }
    for name, (columns, row) in rows.items():
        (tmp_path / name).write_text(f"{','.join(columns)}\n{row}\n", "utf-8")
    published = read_published(published_parts(region(tmp_path))[PUBLISHED_PART])
    factors, delays = Factors(published.factors), Delays(published.delays)
    tram, bus = factors.find("CH", "tram"), factors.find("CH", "bus")
    assert tram is not None and (tram.g_per_pkm, tram.source) == (3, "operator")
    assert bus is not None and bus.source != "operator"
    leg = ride([(place("A"), 0), (place("B", 1), 5)])
    own = delays.find(leg.sections[0], "rail")
    assert own is not None and own.agency == "f:a"


def test_a_table_that_means_nothing_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / DELAYS_FILE).write_text(
        f"{','.join(DELAY_COLUMNS)}\nCH,rail,,2024,180,1.5,,,read,x\n", "utf-8"
    )
    with pytest.raises(ManifestError, match=r"delays\.csv line 2: share_within '1\.5'"):
        published_parts(region(tmp_path))

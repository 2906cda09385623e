"""The stylesheet's colours keep their contrast, and the client's lock file names no host."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mobility.web.bundle import ASSET_FOLDER, find_bundle
from mobility.web.view import PARTY_COLORS

TEXT, GRAPHIC = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
SURFACES = ("paper", "surface", "raised", "accent-soft", "warn-soft")
PAIRS = [
    *((ink, surface, TEXT) for ink in ("ink-1", "ink-2") for surface in SURFACES),
    *(("accent", surface, TEXT) for surface in ("paper", "surface", "raised", "accent-soft")),
    ("on-accent", "accent", TEXT),
    ("warn", "warn-soft", TEXT),
    ("ink", "line", TEXT),
    ("field", "surface", GRAPHIC),
    *(("ink-1", surface, TEXT) for surface in ("shade-1", "shade-2", "bad-soft")),
    ("ink-2", "bad-soft", TEXT),
    ("on-shade", "shade-3", TEXT),
    ("bad", "bad-soft", TEXT),
    *((ink, surface, TEXT) for ink in ("good", "bad") for surface in ("surface", "raised")),
    *(
        (f"p{n}", surface, GRAPHIC)
        for n in range(PARTY_COLORS)
        for surface in ("surface", "raised")
    ),
]


def colors() -> dict[str, tuple[str, str]]:
    css = "".join((ASSET_FOLDER / name).read_text("utf-8") for name in ("style.css", "staff.css"))
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)
    return {name: (light, dark) for name, light, dark in found}


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_colours_has_its_contrast(scheme: str) -> None:
    at = ("light", "dark").index(scheme)
    known = colors()
    ratios = {
        (ink, surface): (contrast(known[ink][at], known[surface][at]), least)
        for ink, surface, least in PAIRS
    }
    assert {pair: ratio for pair, (ratio, least) in ratios.items() if ratio < least} == {}


def test_the_lock_file_names_no_host(project_root: Path) -> None:
    text = (project_root / "web" / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]
    assert len(packages) > 10
    assert not [name for name, entry in packages.items() if "resolved" in entry]


def test_a_missing_or_broken_bundle_is_no_bundle(tmp_path: Path) -> None:
    assert find_bundle(tmp_path).script == ""
    (tmp_path / ".vite").mkdir()
    for text in ("", "{}", "[", '{"src/main.ts": {}}'):
        (tmp_path / ".vite" / "manifest.json").write_text(text)
        assert find_bundle(tmp_path).script == ""

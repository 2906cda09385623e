"""What tests in a real browser share: sizes, checks of a page, screenshots.

Screenshots go to the folder that MOBILITY_SCREENSHOTS names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_S = 120
SIZES = {"desktop": (1280, 900), "mobile": (390, 844)}
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, select, summary, input')]
    .filter((e) => e.type !== 'hidden' && e.offsetParent && !e.closest('.skip, .maplibregl-map'))
    .filter((e) => {
        const box = (e.closest('label') ?? e).getBoundingClientRect();
        return box.width < 24 || box.height < 24;
    }).map((e) => e.outerHTML.slice(0, 80))"""


def shoot(page: Any, look: tuple[str, str], name: str) -> None:
    """Keep a picture of the page, where that is wanted."""
    folder = os.environ.get("MOBILITY_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}-{'-'.join(look)}.png", full_page=True)

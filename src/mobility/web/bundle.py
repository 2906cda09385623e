"""The built client (``static/``): where its entry and styles are, or that it is not there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

STATIC_FOLDER = Path(__file__).parent / "static"
ASSET_FOLDER = Path(__file__).parent / "assets"
ENTRY = "src/main.ts"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Addresses of what the page loads; without a script the page stays as the server made it."""

    script: str = ""
    styles: tuple[str, ...] = ()


def find_bundle(folder: Path = STATIC_FOLDER) -> Bundle:
    """Return the bundle that a build left in the folder, or an empty one."""
    try:
        manifest = json.loads((folder / ".vite" / "manifest.json").read_text("utf-8"))
        entry = manifest[ENTRY]
        names = [entry["file"], *entry.get("css", ())]
    except (OSError, ValueError, KeyError, TypeError):
        return Bundle()
    script, *styles = (f"/static/{name}" for name in names)
    return Bundle(script, tuple(styles))

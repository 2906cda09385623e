"""What commands are given: a region, or feeds without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobility.core.errors import UsageError
from mobility.core.settings import Settings
from mobility.feeds import Manifest, manifest_of_sources, read_manifest
from mobility.feeds.versions.activation import with_active_paths


def manifest_of(sources: Sequence[Path]) -> Manifest:
    """Return the manifest of a region folder or file, or one made of the feeds given.

    A feed with a url stands there with the path of its version in use.
    """
    if not sources:
        raise UsageError("give a region folder, a region.toml, or GTFS zips or folders")
    region = [s for s in sources if s.name == "region.toml" or (s / "region.toml").is_file()]
    if region and len(sources) > 1:
        raise UsageError(f"{region[0]} is a region: give it alone, or give feeds only")
    if not region:
        return manifest_of_sources(sources)
    return with_active_paths(read_manifest(region[0]), Settings().home)

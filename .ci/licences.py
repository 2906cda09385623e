"""Refuse dependencies whose licence the project may not use (docs/decisions/).

Reads the metadata of what is installed in this environment; a package whose metadata name no
licence must be listed in `CHECKED_BY_HAND` with what its licence file says.
"""

import sys
from importlib.metadata import Distribution, distributions

ALLOWED = (
    "mit", "bsd", "0bsd", "apache", "isc", "zlib", "psf", "python software foundation", "mpl-2.0",
    "mozilla public license 2.0", "lgpl", "cc0", "unlicense", "public domain", "hpnd", "mit-cmu",
)  # fmt: skip
FORBIDDEN = ("agpl", "sspl", "commons clause", "proprietary", "affero")
CHECKED_BY_HAND: dict[str, str] = {}


def stated_licences(package: Distribution) -> list[str]:
    """Return what the package's metadata say of its licence, most exact first."""
    meta = package.metadata
    expression = meta.get("License-Expression")
    if expression:
        return [expression]
    classifiers = [c for c in meta.get_all("Classifier") or [] if c.startswith("License ::")]
    if classifiers:
        return [c.rpartition(" :: ")[2] for c in classifiers]
    text = meta.get("License") or CHECKED_BY_HAND.get(meta["Name"].lower(), "")
    return [text.strip().splitlines()[0][:200]] if text.strip() else []


def allowed(licences: list[str]) -> bool:
    """Return whether the stated licences are among those that the project may use."""
    text = " ".join(licences).lower()
    if any(word in text for word in FORBIDDEN):
        return False
    if "gpl" in text.replace("lgpl", "").replace("lesser general public", ""):
        return " or " in text  # a choice of licences
    return any(word in text for word in ALLOWED)


def main() -> int:
    """Print what is refused; exit status 3 if anything is."""
    refused = []
    for package in sorted(distributions(), key=lambda d: d.metadata["Name"].lower()):
        name = package.metadata["Name"]
        if name in ("mobility", "pip", "setuptools"):
            continue
        licences = stated_licences(package)
        if not allowed(licences):
            refused.append(f"{name}: {', '.join(licences) or 'no licence stated'}")
    for line in refused:
        print(f"licence refused: {line}", file=sys.stderr)
    return 3 if refused else 0


if __name__ == "__main__":
    sys.exit(main())

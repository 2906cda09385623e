"""Strings of the pages in every language, from a catalogue per language (``i18n/*.json``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

LANGUAGES = ("de", "fr", "en")  # languages with a catalogue, in the order of the switch
FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The strings of one language."""

    language: str
    strings: dict[str, str]

    def text(self, key: str, **values: object) -> str:
        """Return the string of a key with its values filled in; an unknown key as it is.

        >>> Catalogue("en", {"a": "{n} of 3"}).text("a", n=2)
        '2 of 3'
        """
        text = self.strings.get(key, key)
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def count(self, key: str, n: int) -> str:
        """Return the string for a number of things.

        French counts none as one (CLDR plural rules).

        >>> read_catalogue("fr").count("results.count", 0)
        '0 itinéraire'
        """
        single = n in (0, 1) if self.language == "fr" else n == 1
        return self.text(f"{key}.one" if single else f"{key}.other", n=n)

    def has(self, key: str) -> bool:
        """Return whether the language has the key."""
        return key in self.strings

    def among(self, prefix: str, name: str) -> str:
        """Return the string of ``prefix.name`` or, where there is none, the name itself."""
        return self.strings.get(f"{prefix}.{name}", name)


@lru_cache(maxsize=16)
def read_catalogue(language: str, *areas: str) -> Catalogue:
    """Return the strings of the pages in a language of `LANGUAGES`, with those of further areas.

    An area (``i18n/AREA.LANGUAGE.json``) is what only some pages say, so that riders need not load
    it.
    """
    folder = resources.files("mobility.web").joinpath("i18n")
    strings: dict[str, str] = {}
    for name in (f"{language}.json", *(f"{area}.{language}.json" for area in areas)):
        strings |= json.loads(folder.joinpath(name).read_text("utf-8"))
    return Catalogue(language, strings)


def offered_languages(region_languages: Sequence[str]) -> tuple[str, ...]:
    """Return the region's languages that have a catalogue, in the region's order.

    >>> offered_languages(["fr", "rm", "de"])
    ('fr', 'de')
    """
    return tuple(code for code in region_languages if code in LANGUAGES) or (FALLBACK,)


def choose_language(wanted: str | None, accepted: str | None, offered: Sequence[str]) -> str:
    """Return the language of a page: what the address asks for, else what the browser prefers.

    ``accepted`` is an Accept-Language header; its weights are obeyed.

    >>> choose_language(None, "it, fr-CH;q=0.8, de;q=0.9", ("de", "fr"))
    'de'
    """
    if wanted in offered:
        return str(wanted)
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate((accepted or "").split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        code = tag.split("-")[0].lower()
        if code in offered:
            ranked.append((-_weight(weight), position, code))
    return min(ranked)[2] if ranked else offered[0]


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0

"""Place names in a normal form that agrees across feeds and languages.

Three steps make the form: fold (case, marks, digraphs, punctuation), replace exonyms (a table of
names that mean the same place, ``feeds/exonyms.csv``), drop the words that only say "station".
What stays is compared by trigrams.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mobility.core.errors import ManifestError
from mobility.core.files import find_shipped_table

EXONYM_WORDS_MAX = 5  # longest name in words that is looked up
EXONYM_ROWS_MAX = 100_000
CONTAINMENT = 0.9  # weight of "one name is part of the other", feeds-and-merging 4.1

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "a", "œ": "o", "ı": "i", "ħ": "h"}
)
_DIGRAPHS = re.compile(r"([aou])e")  # ae, oe, ue are how ä, ö, ü are written without marks
_BRACKETS = re.compile(r"\(([^)]*)\)|\[([^\]]*)\]")
_WORD = re.compile(r"[^\W_]+")

# Words that say "station", per language; none of them tells two places apart.
_GENERIC_PHRASES = (
    *("Hauptbahnhof", "Hbf", "Bahnhof", "Bhf", "Bf", "ZOB"),  # German
    *("gare de la", "gare de", "gare du", "gare d", "gare", "gare centrale"),  # French
    *("gare routière", "ville"),
    *("stazione di", "stazione", "stazione centrale"),  # Italian
    *("estación de", "estación", "estacion", "estação de", "estação", "apeadeiro"),  # Iberian
    *("station", "Centraal Station", "Centraal", "Centraalstation"),  # Dutch, English
    *("central station", "railway station", "train station", "rail station"),
    *("hl n", "hl st", "hlavní nádraží", "hlavná stanica", "nádraží", "žel st", "žst"),  # Czech …
    *("pályaudvar", "pu", "vasútállomás"),  # Hungarian
    *("dworzec", "Główny", "Gł", "Gl", "stacja"),  # Polish
    *("Centralstation", "Hovedbanegård", "banegård", "rautatieasema"),  # Nordic
    *("postaja", "glavni kolodvor", "kolodvor", "gara"),  # South-east
)


@lru_cache(maxsize=200_000)
def fold(name: str) -> str:
    """Return the name in lower case without marks, digraphs and punctuation.

    >>> fold("Mühle (Ost) Hbf"), fold("Muehle"), fold("Porte-Océane")
    ('muhle ost hbf', 'muhle', 'porte oceane')
    """
    plain = name.casefold()
    if not plain.isascii():
        marked = unicodedata.normalize("NFKD", plain.translate(_LETTERS))
        plain = "".join(letter for letter in marked if not unicodedata.combining(letter))
    return " ".join(_DIGRAPHS.sub(r"\1", word) for word in _WORD.findall(plain))


_GENERIC = frozenset(fold(phrase) for phrase in _GENERIC_PHRASES)
_GENERIC_FIRST_WORDS = frozenset(phrase.split()[0] for phrase in _GENERIC)
_GENERIC_WORDS_MAX = max(len(phrase.split()) for phrase in _GENERIC)


@dataclass(frozen=True, slots=True)
class Exonyms:
    """Names that mean the same place or the same word; both sides folded.

    Parameters
    ----------
    same_as : mapping of folded name to folded name
        Chains are resolved: every value is a final form.
    first_words : frozenset of str
        Words that a known name begins with: most words are passed by at once.
    """

    same_as: Mapping[str, str] = field(default_factory=dict)
    first_words: frozenset[str] = frozenset()

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Exonyms:
        """Return the table of ``(name, same_as)`` pairs; the first row of a name counts.

        >>> Exonyms.from_pairs([("Neuville", "Neustadt"), ("Newton", "Neuville")]).same_as["newton"]
        'neustadt'
        """
        direct: dict[str, str] = {}
        for name, same_as in pairs:
            left, right = fold(name), fold(same_as)
            if left and left != right:
                direct.setdefault(left, right)
        final: dict[str, str] = {}
        for name, start in direct.items():
            seen, form = {name}, start
            while form in direct and direct[form] not in seen:
                seen.add(form)
                form = direct[form]
            final[name] = form
        return cls(final, frozenset(name.split()[0] for name in final))

    def replace(self, words: list[str]) -> list[str]:
        """Return the words with the longest known names replaced, from left to right."""
        out: list[str] = []
        at = 0
        while at < len(words):
            if words[at] not in self.first_words:
                out.append(words[at])
                at += 1
                continue
            for width in range(min(EXONYM_WORDS_MAX, len(words) - at), 0, -1):
                form = self.same_as.get(" ".join(words[at : at + width]))
                if form is not None:
                    out.extend(form.split())
                    at += width
                    break
            else:
                out.append(words[at])
                at += 1
        return out


def read_exonyms(*paths: Path) -> Exonyms:
    """Return the exonyms of CSV files with the columns ``name,same_as``; earlier files win.

    Raises
    ------
    ManifestError
        A file lacks a column or a row lacks a cell.
    """
    pairs: list[tuple[str, str]] = []
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            if not {"name", "same_as"} <= set(rows.fieldnames or ()):
                raise ManifestError(f"{path.name}: expected the columns name,same_as")
            for row in rows:
                if not row["name"] or row["same_as"] is None:
                    raise ManifestError(f"{path.name} line {rows.line_num}: expected name,same_as")
                pairs.append((row["name"], row["same_as"]))
                if len(pairs) > EXONYM_ROWS_MAX:
                    raise ManifestError(f"{path.name}: more than {EXONYM_ROWS_MAX} rows")
    return Exonyms.from_pairs(pairs)


def find_exonym_files(region_folder: Path | None) -> tuple[Path, ...]:
    """Return the tables in force: the region's own, the one beside its folder, the shipped one."""
    shipped = find_shipped_table("exonyms.csv")
    candidates = [] if shipped is None else [shipped]
    if region_folder is not None:
        own = region_folder / "exonyms.csv"
        candidates = [own, region_folder.parent / "exonyms.csv", *candidates]
    found: dict[Path, None] = {}
    for path in candidates:
        if path.is_file():
            found.setdefault(path.resolve())
    return tuple(found)


def _drop_generic(words: list[str]) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(words):
        if words[at] not in _GENERIC_FIRST_WORDS:
            out.append(words[at])
            at += 1
            continue
        for width in range(min(_GENERIC_WORDS_MAX, len(words) - at), 0, -1):
            if " ".join(words[at : at + width]) in _GENERIC:
                at += width
                break
        else:
            out.append(words[at])
            at += 1
    return out


def _normalise(text: str, exonyms: Exonyms) -> str:
    words = exonyms.replace(fold(text).split())
    kept = _drop_generic(words)
    return " ".join(dict.fromkeys(kept or words))


def normal_form(name: str, exonyms: Exonyms | None = None) -> str:
    """Return the name without case, marks, brackets, generic words and repeated words.

    A name of generic words only is kept as it is.

    >>> normal_form("Neustadt(Fluss)Hbf"), normal_form("Hauptbahnhof (oben)")
    ('neustadt', 'hauptbahnhof')
    >>> normal_form("Neuville", Exonyms.from_pairs([("Neuville", "Neustadt")]))
    'neustadt'
    """
    table = exonyms or Exonyms()
    bare = _BRACKETS.sub(" ", name)
    return _normalise(bare, table) or _normalise(name, table)


def full_form(name: str, exonyms: Exonyms | None = None) -> str:
    """Return the normal form with what stands in brackets: it may tell two places apart.

    >>> full_form("Neustadt (Süd) Bahnhof")
    'neustadt sud'
    """
    return _normalise(name, exonyms or Exonyms())


def name_forms(name: str, exonyms: Exonyms | None = None) -> tuple[str, ...]:
    """Return every normal form a name may go by: without brackets, with them, each side of a slash.

    >>> name_forms("Neustadt/Neuville"), name_forms("Neustadt (Süd) Hbf")
    (('neustadt neuville', 'neustadt', 'neuville'), ('neustadt', 'neustadt sud'))
    """
    table = exonyms or Exonyms()
    forms = [normal_form(name, table)]
    if _BRACKETS.search(name):
        forms.append(full_form(name, table))
    parts = [part for part in name.split("/") if len(fold(part)) > 2]
    if len(parts) > 1:
        forms.extend(normal_form(part, table) for part in parts)
    return tuple(dict.fromkeys(form for form in forms if form))


@lru_cache(maxsize=200_000)
def _trigrams(form: str) -> frozenset[str]:
    padded = f" {form} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def jaccard(left: str, right: str) -> float:
    """Return the share of trigrams that two normal forms have in common, 0 to 1.

    >>> round(jaccard("neustadt hafen", "hafen"), 2)
    0.36
    """
    if left == right:
        return 1.0
    a, b = _trigrams(left), _trigrams(right)
    common = len(a & b)
    return common / (len(a) + len(b) - common) if common else 0.0


def similarity(left: str, right: str) -> float:
    """Return the likeness of two normal forms, 0 to 1: trigram Jaccard, or containment × 0.9.

    Source: feeds-and-merging 4.1.

    >>> similarity("hafen", "hafen"), round(similarity("neustadt hafen", "hafen"), 2)
    (1.0, 0.9)
    """
    if left == right:
        return 1.0
    a, b = _trigrams(left), _trigrams(right)
    common = len(a & b)
    return max(jaccard(left, right), CONTAINMENT * common / max(1, min(len(a), len(b))))

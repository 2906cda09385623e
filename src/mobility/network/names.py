"""Station names of a network: exact look-up in a normal form, and a search that forgives typing.

A station goes by its own name and by those of the stops that form it, which may be in several
languages. Names are folded as the merge folds them (`mobility.merge.names`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from mobility.merge.names import Exonyms, find_exonym_files, fold, name_forms, read_exonyms
from mobility.network.values import Network, StringArray

CANDIDATES_MAX = 500  # forms that are compared letter by letter
PREFIXED_MAX = 200  # of these, forms in which a word begins as the text does
LEAST_SCORE = 0.5
BEGINS, WORDS_BEGIN, ALIKE = 0.98, 0.95, 0.9  # scores of a prefix, of words' prefixes; weight
PARTLY = 0.9  # of a likeness to some part of a name, beside that to its first words
SIGNATURE_BITS = 64
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio: spreads pairs of letters
_TOP_SIX_BITS = np.uint64(58)


class NameIndex:
    """Names of the stations of one network.

    Parameters
    ----------
    network : Network
    exonyms : Exonyms, optional
        Names that mean the same place; the shipped table by default.

    Attributes
    ----------
    importance : int64[n_stations]
        Calls of trains at the station: what ranks equal matches.
    """

    def __init__(self, network: Network, exonyms: Exonyms | None = None) -> None:
        self._exonyms = read_exonyms(*find_exonym_files(None)) if exonyms is None else exonyms
        calls = network.stop_station[network.event_stop]
        self.importance = np.bincount(calls, minlength=network.n_stations)
        pairs = {(fold(name), at) for at, name in enumerate(network.station_name)}
        self._official: dict[str, list[int]] = defaultdict(list)
        for form, at in sorted(pairs):
            self._official[form].append(at)
        pairs |= {
            (fold(name), int(at))
            for name, at in zip(network.stop_name, network.stop_station, strict=True)
        }
        rows = sorted((pair for pair in pairs if pair[0]), key=self._by_importance)
        self._forms = [form for form, _ in rows]
        self._stations = np.array([at for _, at in rows], np.int64)
        self._known: dict[str, list[int]] = defaultdict(list)
        self._loose: dict[str, list[int]] = defaultdict(list)
        for form, at in rows:
            self._known[form].append(at)
        for at, name in enumerate(network.station_name):
            for form in name_forms(name, self._exonyms):
                self._loose[form].append(at)
        self._signatures = signatures(self._forms)
        starts = sorted(
            (form[cut:], row)
            for row, form in enumerate(self._forms)
            for cut in (0, *(at + 1 for at, letter in enumerate(form) if letter == " "))
        )
        self._starts = [start for start, _ in starts]
        self._start_rows = np.array([row for _, row in starts], np.int64)

    def _by_importance(self, pair: tuple[str, int]) -> tuple[int, str, int]:
        return -int(self.importance[pair[1]]), pair[0], pair[1]

    def exact(self, text: str) -> tuple[int, ...]:
        """Return the stations of that name, ascending.

        Own names come first, then names of stops, then names without the words that only say
        "station" and in other languages: the first kind of which there is any.
        """
        form = fold(text)
        for known in (self._official, self._known):
            if form in known:
                return tuple(sorted(set(known[form])))
        loose = {at for form in name_forms(text, self._exonyms) for at in self._loose.get(form, ())}
        return tuple(sorted(loose))

    def search(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Return stations with a score from 0.5 to 1, best first; equal scores by importance."""
        best: dict[int, float] = {}
        for at in self.exact(text):
            best[at] = 1.0
        for form in dict.fromkeys(
            (fold(text), " ".join(self._exonyms.replace(fold(text).split())))
        ):
            if form:
                for row in self._candidates(form):
                    at, score = int(self._stations[row]), _score(form, self._forms[row])
                    best[at] = max(score, best.get(at, 0.0))
        ranked = sorted(
            (-score, -int(self.importance[at]), at)
            for at, score in best.items()
            if score >= LEAST_SCORE
        )
        return [(at, -score) for score, _, at in ranked[:limit]]

    def _candidates(self, form: str) -> list[int]:
        """Return rows of forms: where a word begins like it, then those with most letter pairs."""
        low = bisect_left(self._starts, form)
        high = bisect_left(self._starts, form + "\U0010ffff")
        begun = np.unique(self._start_rows[low:high])[:PREFIXED_MAX]  # rows are by importance
        own = signatures([form])[0]
        common = np.bitwise_count(self._signatures & own).astype(np.int16)
        union = np.bitwise_count(self._signatures | own).astype(np.int16)
        likeness = common * np.int16(1000) // np.maximum(union, 1) if len(common) else common
        alike = np.argsort(-likeness, kind="stable")[: CANDIDATES_MAX - len(begun)]
        return list(dict.fromkeys((*begun.tolist(), *alike.tolist())))


def signatures(forms: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return for each form a set of its pairs of neighbouring letters, hashed to 64 bits.

    >>> a, b, c = signatures(["basel sbb", "basel", "genf"])
    >>> int((a & b).bit_count()) > int((a & c).bit_count())
    True
    """
    padded = StringArray.of(f" {form} " for form in forms)
    if not len(padded):
        return np.zeros(0, np.uint64)
    letters = padded.data.astype(np.uint64)
    pairs = letters * np.uint64(256) + np.append(letters[1:], np.uint64(0))
    bits = np.uint64(1) << ((pairs * _HASH) >> _TOP_SIX_BITS)
    bits[padded.offsets[1:] - 1] = 0  # the last letter has no neighbour in its form
    return np.bitwise_or.reduceat(bits, padded.offsets[:-1])


def _score(text: str, form: str) -> float:
    if form == text:
        return 1.0
    if form.startswith(text):
        return BEGINS
    words = form.split()
    if all(any(word.startswith(part) for word in words) for part in text.split()):
        return WORDS_BEGIN
    first = " ".join(words[: len(text.split())])
    return ALIKE * max(fuzz.ratio(text, first), PARTLY * fuzz.WRatio(text, form)) / 100

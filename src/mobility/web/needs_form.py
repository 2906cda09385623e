"""Riders' needs as the search form has them: words of the address, of the question, and to read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import QueryParams

from mobility.core.errors import UsageError
from mobility.core.units import WALK_SPEED_M_S
from mobility.planner.needs import MAX_CHANGE_S, MAX_STAY_S
from mobility.web.catalogue import Catalogue
from mobility.web.label_words import decimal_text

Document = dict[str, Any]
WALK_SPEEDS = {"0.8": "slow", "": "usual", "1.6": "fast"}  # two and four thirds of the usual
NOT_SET = ("false", "0", "off", "no")  # how the API reads a need that is not asked for
LISTS = ("modes", "not_modes", "operators", "not_operators")


@dataclass(frozen=True, slots=True)
class NeedsForm:
    """Needs in the words of the address; an empty word asks for nothing.

    The names are the API's. A form cannot write units, so stays and the least change are minutes. A
    word is kept as it came, so that a wrong one is told by who answers and stands in its field.

    Parameters
    ----------
    vias : tuple of (str, str)
        Places to pass and the minutes to be there.
    """

    wheelchair: str = ""
    bike: str = ""
    vias: tuple[tuple[str, str], ...] = ()
    min_change: str = ""
    walk_speed_m_s: str = ""
    max_walk_m: str = ""
    modes: tuple[str, ...] = ()
    not_modes: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    not_operators: tuple[str, ...] = ()

    @property
    def asked(self) -> bool:
        """Return whether anything is asked for."""
        return bool(self.pairs())

    def pairs(self) -> list[tuple[str, str]]:
        """Return the members of an address's query."""
        stays = [stay for _, stay in self.vias]
        return [
            *(
                (name, word)
                for name in ("wheelchair", "bike", "min_change", "walk_speed_m_s", "max_walk_m")
                if (word := getattr(self, name))
            ),
            *(("via", place) for place, _ in self.vias),
            *(("stay", stay or "0") for stay in stays if any(stays)),  # by place, so none is missed
            *((name, word) for name in LISTS for word in getattr(self, name)),
        ]

    def reversed(self) -> NeedsForm:
        """Return the needs of who travels in the other direction."""
        return replace(self, vias=self.vias[::-1])

    def onward(self) -> NeedsForm:
        """Return the needs with which a journey goes on: places to pass are left behind."""
        return replace(self, vias=())

    def with_place(self, text: str, name: str) -> NeedsForm:
        """Return the needs with another name for a place to pass."""
        return replace(
            self, vias=tuple((name if place == text else place, stay) for place, stay in self.vias)
        )

    def question(self) -> Document:
        """Return what is asked for in the API's words.

        Raises
        ------
        UsageError
            A word is no number of minutes, or a stay has no place.
        """
        if any(stay and not place for place, stay in self.vias):
            raise UsageError("stay: a place to be at is missing (via)")
        stays = [stay for _, stay in self.vias]
        words = {
            "wheelchair": self.wheelchair,
            "bike": self.bike,
            "via": [place for place, _ in self.vias],
            "stay": [_minutes("stay", stay or "0", MAX_STAY_S) for stay in stays if any(stays)],
            "min_change": self.min_change and _minutes("min_change", self.min_change, MAX_CHANGE_S),
            "walk_speed_m_s": self.walk_speed_m_s,
            "max_walk_m": self.max_walk_m,
            **{name: list(getattr(self, name)) for name in LISTS},
        }
        return {name: word for name, word in words.items() if word}


def _minutes(name: str, text: str, most_s: int) -> str:
    """Return a duration as the API writes it."""
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > most_s // 60:
        raise UsageError(f"{name}: {text[:20]!r}: expected 0 to {most_s // 60} whole minutes")
    return f"{int(text)}m"


def read_needs_form(query: QueryParams) -> NeedsForm:
    """Return the needs of an address.

    >>> needs = read_needs_form(QueryParams("via=Old Bridge&via=&stay=&min_change=0&bike=true"))
    >>> needs.vias, needs.pairs()
    ((('Old Bridge', ''),), [('bike', 'true'), ('via', 'Old Bridge')])
    """

    def word(name: str, *nothing: str) -> str:
        text = query.get(name, "").strip()
        return "" if text in nothing else text

    def words(name: str) -> list[str]:
        return [text.strip() for text in query.getlist(name)]

    places, stays = words("via"), ["" if stay == "0" else stay for stay in words("stay")]
    rows = max(len(places), len(stays))
    vias = zip(
        places + [""] * (rows - len(places)), stays + [""] * (rows - len(stays)), strict=True
    )
    return NeedsForm(
        wheelchair=word("wheelchair", *NOT_SET),
        bike=word("bike", *NOT_SET),
        vias=tuple((place, stay) for place, stay in vias if place or stay),
        min_change=word("min_change", "0"),
        walk_speed_m_s=word("walk_speed_m_s", str(WALK_SPEED_M_S)),
        max_walk_m=word("max_walk_m"),
        **{name: tuple(text for text in words(name) if text) for name in LISTS},
    )


def speed_text(word: str, strings: Catalogue) -> str:
    """Return a walking speed for people.

    >>> from mobility.web.catalogue import read_catalogue
    >>> speed_text("0.8", read_catalogue("de")), speed_text("1", read_catalogue("en"))
    ('langsam (0,8 m/s)', '1 m/s')
    """
    metres = word or str(WALK_SPEED_M_S)
    if word not in WALK_SPEEDS:
        return strings.text("needs.speed", n=metres)
    metres = decimal_text(float(metres), strings.language)
    return strings.text(f"needs.speed.{WALK_SPEEDS[word]}", n=metres)


def needs_texts(needs: NeedsForm, strings: Catalogue) -> list[str]:
    """Return in words what is asked for.

    >>> from mobility.web.catalogue import read_catalogue
    >>> needs_texts(NeedsForm(bike="true", vias=(("Old Bridge", "20"),)), read_catalogue("en"))
    ['bike', 'via Old Bridge (20 min there)']
    """
    told = [strings.text(f"needs.told.{n}") for n in ("wheelchair", "bike") if getattr(needs, n)]
    for place, stay in needs.vias:
        key = "needs.told.via_stay" if stay else "needs.told.via"
        told.append(strings.text(key, place=place, n=stay))
    for name in ("min_change", "max_walk_m"):
        if number := getattr(needs, name):
            told.append(strings.text(f"needs.told.{name}", n=number))
    if needs.walk_speed_m_s:
        speed = speed_text(needs.walk_speed_m_s, strings)
        told.append(strings.text("needs.told.walk_speed_m_s", speed=speed))
    for name in LISTS:
        if chosen := getattr(needs, name):
            told.append(list_text(name, chosen, strings))
    return told


def list_text(name: str, chosen: tuple[str, ...], strings: Catalogue) -> str:
    """Return in words what is chosen of a list, or left out."""
    what = ", ".join(strings.among("vehicle", word) for word in chosen)
    return strings.text("needs.without" if name.startswith("not_") else "needs.only", what=what)

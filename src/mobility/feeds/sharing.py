"""Who may see what of a feed: what its tier says, and what its licence says.

The tier is the region's agreement with the operator, stated in the manifest; the licence is the
operator's own word. What either forbids is not published. Entry points: `may_publish` for one
table, `check_together` for a database made of several feeds, `without_totals` before a merge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from mobility.core.notices import Notice
from mobility.feeds.feed import Feed, published_name
from mobility.feeds.statements import FeedConfig, Tier
from mobility.schema import TABLES, Reference, references_of, tables_in_order

Audience = Literal["public", "partners"]
# Tables without which there is no timetable: where one of them may not be seen, none may.
CORE = ("agency", "stops", "routes", "trips", "stop_times", "calendar", "calendar_dates")
_OPENNESS: tuple[Tier, ...] = ("public", "partners", "planning", "totals")
_WHY: dict[Tier, str] = {
    "partners": "is for the region's operators only",
    "planning": "is for answering questions only, no row is handed out",
    "totals": "is for totals only",
}


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence allows whoever publishes a database made from the data.

    Parameters
    ----------
    id : str
        SPDX id, or a short name where SPDX has none.
    redistribute, derive : bool
        Whether copies, and works made from them, may be passed on.
    share_alike : str
        Family of licences under which the result must stand; empty where any will do.
    attribution : bool
        Whether the source must be named.
    commercial : bool
        Whether whoever gets it may earn money with it.
    """

    id: str
    redistribute: bool = True
    derive: bool = True
    share_alike: str = ""
    attribution: bool = True
    commercial: bool = True


# Sources: the texts of the licences; ids from the SPDX licence list 3.27. The texts of national
# licences: dl-de (govdata.de), etalab (data.gouv.fr), NLOD (data.norge.no), IODL (dati.gov.it),
# OGL (nationalarchives.gov.uk), ODC (opendatacommons.org).
LICENCES: tuple[Licence, ...] = (
    Licence("CC0-1.0", attribution=False),
    Licence("PDDL-1.0", attribution=False),
    Licence("Unlicense", attribution=False),
    Licence("DL-DE-ZERO-2.0", attribution=False),
    *(Licence(f"CC-BY-{n}") for n in ("1.0", "2.0", "2.5", "3.0", "4.0")),
    *(Licence(f"CC-BY-SA-{n}", share_alike="CC-BY-SA") for n in ("2.0", "2.5", "3.0", "4.0")),
    *(Licence(f"CC-BY-NC-{n}", commercial=False) for n in ("2.0", "2.5", "3.0", "4.0")),
    *(
        Licence(f"CC-BY-NC-SA-{n}", share_alike="CC-BY-NC-SA", commercial=False)
        for n in ("2.0", "2.5", "3.0", "4.0")
    ),
    *(Licence(f"CC-BY-ND-{n}", derive=False) for n in ("2.0", "2.5", "3.0", "4.0")),
    *(
        Licence(f"CC-BY-NC-ND-{n}", derive=False, commercial=False)
        for n in ("2.0", "2.5", "3.0", "4.0")
    ),
    Licence("ODbL-1.0", share_alike="ODbL"),
    Licence("ODC-By-1.0"),
    Licence("etalab-2.0"),
    Licence("LO-FR-1.0"),
    Licence("NLOD-1.0"),
    Licence("NLOD-2.0"),
    Licence("DL-DE-BY-2.0"),
    Licence("OGL-UK-3.0"),
    Licence("IODL-1.0", share_alike="IODL"),
    Licence("IODL-2.0"),
    Licence("proprietary", redistribute=False, derive=False, commercial=False),
)
_BY_ID = {re.sub(r"[^a-z0-9]", "", licence.id.lower()): licence for licence in LICENCES}
# Other ways to write a licence; the first that is found decides.
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"proprietary|all rights reserved|confidential|no redistribution|internal use"
         r"|alle rechte vorbehalten|keine weitergabe|vertraulich|nur zur internen"
         r"|tous droits réservés|confidentiel|usage interne", "proprietary"),
        (r"creativecommons\.org/publicdomain/zero/1\.0|^cc-?0$", "CC0-1.0"),
        (r"opendatacommons\.org/licenses/odbl|^odbl$|^odc-odbl", "ODbL-1.0"),
        (r"opendatacommons\.org/licenses/pddl|^pddl$", "PDDL-1.0"),
        (r"opendatacommons\.org/licenses/by|^odc-by$", "ODC-By-1.0"),
        (r"govdata\.de/dl-de/by-2-0|^dl-de/by-2-0", "DL-DE-BY-2.0"),
        (r"govdata\.de/dl-de/zero-2-0|^dl-de/zero-2-0", "DL-DE-ZERO-2.0"),
        (r"^(lov2|licence ouverte)|etalab.*2", "etalab-2.0"),
        (r"data\.norge\.no/nlod.*2\.0", "NLOD-2.0"),
    )
)  # fmt: skip
_CC_URL = re.compile(r"creativecommons\.org/licenses/(by[a-z-]*)/(\d\.\d)", re.IGNORECASE)


def find_licence(text: str) -> Licence | None:
    """Return the licence that a text names: an SPDX id, its address, or words; None if unknown.

    >>> find_licence("CC BY-SA 4.0").id, find_licence("ODbL").id
    ('CC-BY-SA-4.0', 'ODbL-1.0')
    >>> find_licence("ask the operator") is None
    True
    """
    address = _CC_URL.search(text)
    plain = f"cc{address[1]}{address[2]}" if address else text.strip()
    known = _BY_ID.get(re.sub(r"[^a-z0-9]", "", plain.lower()))
    if known is not None:
        return known
    words = next((name for pattern, name in _WORDS if pattern.search(text.strip())), None)
    return next((licence for licence in LICENCES if licence.id == words), None)


def licence_of(config: FeedConfig) -> Licence | None:
    """Return the licence of a feed by its name, else by its address; None where neither is known.

    ``LicenseRef-…`` is SPDX's way to name terms that are not on its list, such as a contract: the
    tier says for whom, and the public is not among them.
    """
    if config.licence.lower().startswith("licenseref-"):
        return Licence(config.licence)
    return find_licence(config.licence) or find_licence(config.licence_url)


def table_tier(config: FeedConfig, table: str) -> Tier:
    """Return the tier of a table: its own, else the feed's; a core table's rules all others.

    >>> config = FeedConfig(id="f", path="f.zip", tiers={"shapes": "planning", "trips": "partners"})
    >>> table_tier(config, "shapes"), table_tier(config, "stops")
    ('planning', 'partners')
    """
    core = max((config.tiers.get(name, config.tier) for name in CORE), key=_OPENNESS.index)
    own = config.tiers.get(table, config.tier)
    return max(core, own, key=_OPENNESS.index)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What may not be published, and why, in one line."""

    feed: str
    table: str
    why: str

    def line(self) -> str:
        """Return the refusal for people: feed, table, reason."""
        return f"feed {self.feed}: {self.table}: {self.why}"


def may_publish(config: FeedConfig, table: str, audience: Audience) -> Refusal | None:
    """Return why a table of a feed, as part of a larger database, may not go to an audience.

    None: it may. A licence that nobody stated, or that is not known, forbids nothing here:
    `licence_notices` tells of it.
    """
    tier = table_tier(config, table)
    allowed: tuple[Tier, ...] = ("public",) if audience == "public" else ("public", "partners")
    if tier not in allowed:
        return Refusal(config.id, table, f"tier {tier!r} {_WHY[tier]}")
    licence = licence_of(config)
    if licence is None:
        return None
    if licence.id.startswith("LicenseRef-") and audience == "public":
        return Refusal(config.id, table, f"licence {licence.id} is a contract, not an open licence")
    if not licence.redistribute:
        return Refusal(config.id, table, f"licence {config.licence!r} forbids passing it on")
    if not licence.derive:
        return Refusal(config.id, table, f"licence {licence.id} forbids works made from it")
    return None


def check_together(configs: Sequence[FeedConfig]) -> Refusal | None:
    """Return why feeds may not be one published database, however open each is.

    A share-alike licence wants the whole to stand under it; two of different families cannot both
    be obeyed, nor can one that grants commercial use beside one that forbids it.
    """
    known = [(config, licence) for config in configs if (licence := licence_of(config))]
    alike = [(config, licence) for config, licence in known if licence.share_alike]
    for config, licence in alike:
        for other, theirs in known:
            both = theirs.share_alike and theirs.share_alike != licence.share_alike
            free = licence.commercial and not theirs.commercial
            if both or free:
                why = (
                    f"licence {licence.id} wants the whole under it, which {theirs.id} of feed"
                    f" {other.id} does not allow"
                )
                return Refusal(config.id, "all tables", why)
    return None


def licence_notices(configs: Iterable[FeedConfig]) -> Iterator[Notice]:
    """Yield what a publisher should know about the feeds' licences."""
    for config in configs:
        licence = licence_of(config)
        if not config.licence and not config.licence_url:
            yield Notice(
                "licence_unstated", "warning", config.id,
                message="no licence is stated; settle it with the operator before publishing",
            )  # fmt: skip
        elif licence is None:
            yield Notice(
                "licence_unknown", "warning", config.id, value=config.licence or config.licence_url,
                message="the licence is not one that is known here; read it before publishing",
            )  # fmt: skip
        else:
            if licence.share_alike:
                yield Notice(
                    "licence_share_alike", "info", config.id, value=licence.id,
                    message="what is made from it must be published under the same licence",
                )  # fmt: skip
            if not licence.commercial:
                yield Notice(
                    "licence_non_commercial", "warning", config.id, value=licence.id,
                    message="whoever gets it may not earn money with it",
                )  # fmt: skip


def without_totals(feed: Feed) -> Feed:
    """Return a feed without the rows of which only totals may appear; its counts stay.

    Notices keep their code, file and count, and lose the place and value that would tell of a row.
    """
    hidden = {name for name in TABLES if table_tier(feed.config, name) == "totals"}
    if not hidden:
        return feed
    tables = {
        name: frame.clear() if name.removeprefix("flex_") in hidden else frame
        for name, frame in feed.tables.items()
    }
    _close(tables, hidden)
    files = {f"{name}.txt" for name in hidden}
    whole = hidden >= set(CORE)
    notices = tuple(
        replace(notice, row=0, value="") if whole or notice.file in files else notice
        for notice in feed.notices
    )
    locations = None if "stops" in hidden else feed.locations
    return replace(
        feed, tables=tables, notices=notices, locations=locations, name=published_name(feed)
    )


def _close(tables: dict[str, pl.DataFrame], hidden: set[str]) -> None:
    """Empty the cells, or drop the rows, that refer to rows that are gone, until none is left."""
    told = tables["translations"]
    tables["translations"] = told.filter(~pl.col("table_name").is_in(sorted(hidden)))
    changed = True
    while changed:
        changed = False
        for name in tables_in_order():
            for reference in references_of(TABLES[name]):
                changed |= _close_one(tables, reference)


def _close_one(tables: dict[str, pl.DataFrame], reference: Reference) -> bool:
    frame = tables[reference.table]
    if reference.column not in frame.columns or not frame.height:
        return False
    known = [tables[table][column].drop_nulls() for table, column in reference.targets]
    values = frame[reference.column]
    bad = values.is_not_null() & ~values.is_in(pl.concat(known).unique().implode())
    if not bad.any():
        return False
    if reference.on_dangling == "clear":
        emptied = pl.when(~bad).then(pl.col(reference.column)).alias(reference.column)
        tables[reference.table] = frame.with_columns(emptied)
    else:
        tables[reference.table] = frame.filter(~bad)
    return True

"""The quality sheet of one feed as a page that stands alone: no server, no script, no address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from mobility.web.catalogue import Catalogue, read_catalogue
from mobility.web.staff import STAFF_AREAS, staff_templates
from mobility.web.view import date_text, number_text

STYLES = ("style.css", "staff.css")
PLACES_SHOWN = 50  # of one code; the JSON document has them all
_ASSESSMENTS = {"good": "good", "probably": "fixable", "bad": "bad"}
_LEVELS = (("error", "errors"), ("warning", "warnings"), ("info", "notes"))

Document = Mapping[str, Any]


def render_quality(document: Document, language: str) -> str:
    """Return the page of a document of `mobility.feeds.quality.quality_document`."""
    t = read_catalogue(language, *STAFF_AREAS, "quality")
    refused = document["refused"]
    template = staff_templates().get_template("quality.html")
    return template.render(
        t=t,
        language=language,
        number=lambda n: number_text(n, language),
        styles=_styles(),
        name=document["name"],
        refused=refused,
        facts=_facts(document["notices"], t),
        about=_about(document, t),
        codes=_codes(document["notices"], t, len(document["notices"]) if refused else PLACES_SHOWN),
        tables=document["tables"],
        sheet=_sheet(document["sheet"], t),
        version=document["version"],
    )


def _styles() -> str:
    folder = resources.files("mobility.web").joinpath("assets")
    return "\n".join(folder.joinpath(name).read_text("utf-8") for name in STYLES)


def _facts(notices: Sequence[Document], t: Catalogue) -> list[Document]:
    """Return how many rows are behind the notices of each severity."""
    counts = dict.fromkeys((level for level, _ in _LEVELS), 0)
    for notice in notices:
        counts[notice["severity"]] += notice["count"]
    return [
        {"label": t.text(f"quality.{name}"), "text": number_text(counts[level], t.language)}
        for level, name in _LEVELS
    ]


def _about(document: Document, t: Catalogue) -> list[Document]:
    feed = {"label": t.text("region.feed"), "style": "", "text": document["id"]}
    if document["refused"]:
        return [feed]
    first, last = (date_text(document[name], t) for name in ("valid_from", "valid_until"))
    return [
        feed,
        {"label": t.text("quality.valid"), "style": "",
         "text": t.text("quality.span", first=first, last=last)},
        {"label": t.text("quality.zone"), "style": "", "text": document["zone"]},
        {"label": t.text("feed.licence"), "style": "",
         "text": document["licence"] or t.text("feed.no_licence")},
        {"label": t.text("feed.version"), "style": "version", "text": document["version"][:12]},
    ]  # fmt: skip


def _codes(notices: Sequence[Document], t: Catalogue, shown: int) -> list[Document]:
    """Return the notices by code, worst first, then most rows; ``shown`` places of each."""
    by_code: dict[str, list[Document]] = {}
    for notice in notices:
        by_code.setdefault(notice["code"], []).append(notice)
    ranks = [level for level, _ in _LEVELS]
    found = []
    for code, places in by_code.items():
        severity = min((n["severity"] for n in places), key=ranks.index)
        rows = sum(n["count"] for n in places)
        means = f"code.{code}"
        found.append(
            {
                "code": code,
                "severity": severity,
                "count": rows,
                "rows": t.count("notices.rows", rows).replace(
                    str(rows), number_text(rows, t.language)
                ),
                "means": t.text(means if t.has(means) else "notices.other_code"),
                "places": places[:shown],
                "left": max(0, len(places) - shown),
            }
        )
    return sorted(found, key=lambda c: (ranks.index(c["severity"]), -c["count"], c["code"]))


def _sheet(sheet: Document, t: Catalogue) -> list[Document]:
    """Return gtfs-kit's indicators with names of ours; number and share are one row."""
    rows: list[Document] = []
    for key, value in sheet.items():
        stem = key.removeprefix("num_")
        if key.startswith("frac_"):
            continue
        share = sheet.get(f"frac_{stem}")
        label = stem if share is not None else key
        text = number_text(value, t.language) if isinstance(value, int) else _plain(value, t)
        if key == "assessment":
            verdict = _ASSESSMENTS.get(str(value).split(" ")[0])
            label_text = t.text("quality.assessment")
            text = t.text(f"quality.assessment_{verdict}") if verdict else text
        else:
            label_text = t.among("indicator", label)
        percent = "" if share is None else t.text("quality.percent", n=f"{float(share) * 100:.1f}")
        rows.append({"label": label_text, "text": text, "share": percent})
    return rows


def _plain(value: Any, t: Catalogue) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = str(value)
    if len(text) == len("20270104") and text.isdigit():
        return date_text(f"{text[:4]}-{text[4:6]}-{text[6:]}", t)
    return text

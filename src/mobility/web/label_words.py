"""Labels and their reasons as sentences in the rider's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mobility.core.money import Money
from mobility.planner.labels import Label, Reason, told_grams
from mobility.web.catalogue import Catalogue, read_catalogue
from mobility.web.view import duration_text

Document = dict[str, Any]
AREA = "labels"
TINY_RISK = 0.001
COMMA_LANGUAGES = ("de", "fr")


def label_documents(
    labels: Iterable[Label], language: str, stations: Mapping[str, str]
) -> list[Document]:
    """Return labels as documents, each with its title and each reason with its sentence.

    ``stations`` has the names of stations by id.
    """
    strings = read_catalogue(language, AREA)
    documents = []
    for label in labels:
        document = label.to_json() | {"title": strings.text(f"label.kind.{label.kind}")}
        texts = [[reason_text(r, strings, stations) for r in g.reasons] for g in label.given]
        for given, sentences in zip(document["given"], texts, strict=True):
            for reason, text in zip(given["reasons"], sentences, strict=True):
                reason["text"] = text
        for reason, value in zip(document["reasons"], label.reasons, strict=True):
            reason["text"] = reason_text(value, strings, stations)
        documents.append(document)
    return documents


def reason_text(reason: Reason, strings: Catalogue, stations: Mapping[str, str]) -> str:
    """Return a reason as a sentence.

    >>> words = read_catalogue("en", AREA)
    >>> less = [{"amount_minor": 230, "currency": "EUR"}]
    >>> reason_text(Reason("longer_but_cheaper", {"longer_s": 480, "less": less}), words, {})
    '8 min longer, but EUR 2.30 cheaper than the fastest'
    """
    figures = reason.figures
    key = f"label.reason.{reason.code}"
    if reason.code == "costs" and not figures["totals"]:
        return strings.text("label.reason.costs_nothing")
    counted = figures.get("changes", figures.get("fewer"))
    text = strings.text(key) if counted is None else strings.count(key, int(counted))
    return Catalogue(strings.language, {key: text}).text(key, **_values(figures, strings, stations))


def _values(
    figures: Mapping[str, Any], strings: Catalogue, stations: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the texts for the holes of a sentence."""
    values: dict[str, str] = {}
    for name, figure in figures.items():
        match name:
            case "duration_s":
                values["duration"] = duration_text(figure // 60, strings)
            case "longer_s":
                values["longer"] = duration_text(max(figure // 60, 1), strings)
            case "walk_m" | "less_m":
                values["metres"] = str(figure)
            case "totals" | "less":
                amounts = (Money(part["amount_minor"], part["currency"]) for part in figure)
                values["price"] = " + ".join(amount.text() for amount in amounts)
            case "grams" | "less_grams":
                values["mass"] = mass_text(figure, strings.language)
            case "missed":
                values["risk"] = risk_text(figure, strings)
            case "instead_of":
                values["other"] = risk_text(figure, strings)
            case "places":
                names = (stations.get(p["station_id"] or "", p["name"]) for p in figure)
                values["places"] = ", ".join(dict.fromkeys(names))
            case "scopes":
                values["scopes"] = "; ".join(strings.text(f"scope.{s}") for s in figure)
            case "currencies" | "tickets":
                values[name] = ", ".join(figure)
            case _:
                values[name] = str(figure)
    return values


def mass_text(grams: int, language: str) -> str:
    """Return grams for people, in steps of 10 g, kilograms from one on.

    >>> mass_text(827, "en"), mass_text(1250, "de")
    ('830 g', '1,2 kg')
    """
    if grams < 1000:
        return f"{told_grams(grams)} g"
    return f"{decimal_text(grams / 1000, language)} kg"


def risk_text(missed: float, strings: Catalogue) -> str:
    """Return a probability for people: percent, below ten with one decimal.

    >>> words = read_catalogue("fr", AREA)
    >>> risk_text(0.0432, words), risk_text(0.18, words), risk_text(0.00003, words)
    ('4,3 %', '18 %', 'moins de 0,1 %')
    """
    if missed == 0:
        return "0 %"
    if missed < TINY_RISK:
        return strings.text("risk.tiny")
    percent = 100 * missed
    if percent >= 10:
        return f"{round(percent)} %"
    return f"{decimal_text(percent, strings.language)} %"


def decimal_text(value: float, language: str) -> str:
    """Return a number with one decimal, as the language writes it.

    >>> decimal_text(1.25, "en"), decimal_text(0.5, "fr")
    ('1.2', '0,5')
    """
    text = f"{value:.1f}"
    return text.replace(".", ",") if language in COMMA_LANGUAGES else text

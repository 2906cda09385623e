"""What a result page shows of labels, emissions and the risk of missing a connection.

The client (``web/src/lib/labels.ts``) says the same things in the same words.
"""

from __future__ import annotations

from typing import Any

from mobility.web.catalogue import Catalogue
from mobility.web.label_words import decimal_text, mass_text, risk_text

Document = dict[str, Any]
# What the card of a journey says anyway: its time, changes and price.
ON_THE_CARD = {
    "fastest": ("takes",), "fewest_changes": ("changes", "no_change"), "cheapest": ("costs",),
}  # fmt: skip


def label_views(labels: list[Document], index: int) -> list[Document]:
    """Return the labels that tell a journey from another: title, and its reasons as one text."""
    return [
        {
            "title": label["title"],
            "text": " · ".join(
                reason["text"]
                for reason in given["reasons"]
                if reason["code"] not in ON_THE_CARD.get(label["kind"], ())
            ),
            "warns": any(reason["code"] == "unprotected" for reason in given["reasons"]),
        }
        for label in labels
        for given in label["given"]
        if given["journey"] == index and not label["all_equal"]
    ]


def label_notes(labels: list[Document]) -> list[str]:
    """Return what bounds the labels of an answer, each sentence once."""
    return list(dict.fromkeys(r["text"] for label in labels for r in label["reasons"]))


def distance_text(metres: int, language: str) -> str:
    """Return a distance for people, in kilometres with one decimal.

    >>> distance_text(25_750, "de")
    '25,8 km'
    """
    return f"{decimal_text(metres / 1000, language)} km"


def emission_view(journey: Document, strings: Catalogue) -> Document:
    """Return the total, the car beside it, and a row per ride and country."""
    emissions, language = journey["emissions"], strings.language
    legs = journey["legs"]
    rows = [
        _factor_row(
            f"{legs[ride['leg']]['label']} ({part['country'] or '?'})",
            part,
            part["factor"],
            strings,
        )
        for ride in emissions["rides"]
        for part in ride["parts"]
    ]
    car = emissions["car"]
    if car:
        rows.append(_factor_row(strings.text("emissions.by_car"), car, car["factor"], strings))
    if emissions["grams"] is None:
        lines = ", ".join(legs[leg]["label"] for leg in emissions["unknown_legs"])
        total = strings.text("emissions.unknown", lines=lines)
    else:
        total = strings.text("emissions.of", mass=mass_text(emissions["grams"], language))
    return {"total": total, "car": _car_text(car, strings) if car else "", "rows": rows}


def _car_text(car: Document, strings: Catalogue) -> str:
    occupancy = car["factor"]["occupancy"]
    if occupancy is None:
        people = strings.text("emissions.car_usual")
    else:
        number = f"{occupancy:g}"
        if strings.language != "en":
            number = number.replace(".", ",")
        people = strings.text("emissions.car_people", n=number)
    mass = mass_text(car["grams"], strings.language)
    return strings.text("emissions.car", mass=mass, people=people)


def _factor_row(
    name: str, measured: Document, factor: Document | None, strings: Catalogue
) -> Document:
    language = strings.language
    grams = measured["grams"]
    source = ""
    if factor:
        counts = strings.among("scope", factor["scope"])
        source = f"{factor['source']} ({factor['country']} {factor['year']}; {counts})"
        if factor["checked"] == "recalled":
            source = f"{source}; {strings.text('emissions.recalled')}"
    return {
        "name": name,
        "distance": distance_text(measured["metres"], language),
        "factor": decimal_text(factor["g_per_pkm"], language) if factor else "?",
        "mass": mass_text(grams, language) if grams is not None else "?",
        "source": source,
    }


def risk_view(journey: Document, strings: Catalogue) -> Document:
    """Return a line per change with its spare time and risk, and the punctuality behind it."""
    legs, changes, sources = journey["legs"], [], []
    for change in journey["risk"]["changes"]:
        place = legs[change["after"]]["from"]["title"]
        spare = strings.text("risk.spare", n=change["slack_s"] // 60)
        if change["guaranteed"]:
            said = strings.text("risk.waits")
        elif change["missed"] is None:
            said = strings.text("risk.unknown")
        else:
            said = strings.text("risk.missed", risk=risk_text(change["missed"], strings))
        changes.append({"place": place, "text": f"{spare}, {said}"})
        for leg, delay in (
            (change["before"], change["arriving"]), (change["after"], change["departing"]),
        ):  # fmt: skip
            if delay:
                within = strings.text(
                    "risk.within", line=legs[leg]["label"], n=f"{delay['within_s'] / 60:g}",
                    share=risk_text(delay["share_within"], strings),
                )  # fmt: skip
                sources.append(f"{within}. {delay['source']}")
    return {"changes": changes, "sources": list(dict.fromkeys(sources))}

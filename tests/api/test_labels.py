"""Labels from the sample region to the API: golden, in three languages, beside the journeys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mobility.api.waiting import waiting_connections
from mobility.core.time import parse_instant
from mobility.network import open_edition
from mobility.planner import Planner, locate
from mobility.web.view import minutes_between

from ..web.client import AppClient

MULHOUSE = {
    "from": "Lörrach Hbf", "to": "Mulhouse Ville", "depart": "2027-05-04T07:00", "window": "2h",
}  # fmt: skip


def ask(api: AppClient, **asked: str) -> dict[str, Any]:
    answer = api.get("/api/v1/journeys", params={**MULHOUSE, "language": "en", **asked})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def by_kind(document: dict[str, Any]) -> dict[str, Any]:
    return {label["kind"]: label for label in document["labels"]}


def test_loerrach_to_mulhouse_is_labelled_as_it_was(api: AppClient) -> None:
    document = ask(api)
    times = [(j["departure"][11:16], j["arrival"][11:16]) for j in document["journeys"]]
    assert times == [("07:05", "07:58"), ("07:35", "08:39"), ("08:05", "09:14"), ("08:35", "09:39")]
    labels = by_kind(document)
    assert [g["journey"] for g in labels["fastest"]["given"]] == [0]
    # The first change leaves 8 min less 5 on foot, the second 19 less 5.
    assert [j["risk"]["changes"][0]["slack_s"] for j in document["journeys"]] == [
        180, 840, 420, 840,
    ]  # fmt: skip
    assert [g["journey"] for g in labels["most_robust"]["given"]] == [1, 3]
    assert labels["most_robust"]["given"][0]["reasons"][0]["text"] == (
        "11 min longer, but the risk of missing a connection is under 0.1 % instead of 4.3 % with"
        " the fastest"
    )
    # All cost CHF 9.00 + EUR 4.30 and leave the change between two tickets open.
    cheapest = labels["cheapest"]
    assert cheapest["all_equal"] and not cheapest["approximate"]
    assert cheapest["given"][0]["reasons"][0]["text"] == "CHF 9.00 + EUR 4.30"
    assert cheapest["given"][0]["reasons"][1]["text"].startswith(
        "Not protected: if the connection at Basel SBB"
    )
    assert {r["code"] for r in cheapest["reasons"]} == {"of_shown", "no_protected"}
    assert "scopes_mixed" in {r["code"] for r in labels["fewest_emissions"]["reasons"]}
    first = document["journeys"][0]
    parts = [part for r in first["emissions"]["rides"] for part in r["parts"]]
    assert [part["country"] for part in parts] == ["DE", "CH", "CH", "FR"]
    assert first["emissions"]["grams"] == sum(part["grams"] for part in parts) == 827
    assert first["emissions"]["car"]["grams"] > 5 * first["emissions"]["grams"]
    assert all(part["factor"]["source"] for part in parts)


@pytest.mark.parametrize(
    ("language", "title", "says"),
    [
        ("de", "Am schnellsten", "53 min im Ganzen"),
        ("fr", "Le plus rapide", "53 min en tout"),
        ("en", "Fastest", "53 min in all"),
    ],
)
def test_reasons_are_sentences_in_the_riders_language(
    api: AppClient, language: str, title: str, says: str
) -> None:
    document = ask(api, language=language)
    fastest = by_kind(document)["fastest"]
    assert fastest["title"] == title
    assert fastest["given"][0]["reasons"][0]["text"] == says
    texts = [
        reason["text"]
        for label in document["labels"]
        for reason in [*label["reasons"], *(r for g in label["given"] for r in g["reasons"])]
    ]
    assert texts and not [text for text in texts if "{" in text or "label." in text]


def test_labels_leave_the_planners_answer_as_it_is(api: AppClient, sample_edition: Path) -> None:
    opened = open_edition(sample_edition)
    planner = Planner(opened.network, opened.slices)
    ends = [locate(opened.network, MULHOUSE[name]) for name in ("from", "to")]
    depart = parse_instant(MULHOUSE["depart"], ends[0].tz)
    plain = planner.plan(*ends, depart=depart, window_s=7200).journeys
    shown = ask(api)["journeys"]
    for leg in (leg for journey in shown for leg in journey["legs"]):
        assert leg.pop("position") is None  # live, not the planner's
    assert [j["legs"] for j in shown] == [j.to_json()["legs"] for j in plain]


@pytest.mark.parametrize(
    ("origin", "destination"),
    [
        ("Lörrach Hbf", "Liestal"),
        ("Weil am Rhein Bahnhof", "Saint-Louis Gare"),
        ("Mulhouse Ville", "Basel Bad Bf"),
        ("Riehen Bahnhof", "Muttenz"),
    ],
)
def test_labels_of_a_morning_name_the_least_and_nothing_unknown(
    api: AppClient, origin: str, destination: str
) -> None:
    document = ask(api, **{"from": origin, "to": destination, "window": "4h", "currency": "CHF"})
    journeys, labels = document["journeys"], by_kind(document)
    given = {kind: [g["journey"] for g in label["given"]] for kind, label in labels.items()}
    assert len(journeys) > 3
    spans = [minutes_between(j["departure"], j["arrival"]) for j in journeys]
    assert given["fastest"] == [i for i, span in enumerate(spans) if span == min(spans)]
    for i in given["cheapest"]:
        assert journeys[i]["fare"]["status"] == "known"
    currencies = {t["currency"] for j in journeys for t in j["fare"]["totals"]}
    if len(currencies) == 1 and given["cheapest"]:
        known = [j for j in journeys if j["fare"]["status"] == "known"]
        sums = [sum(t["amount_minor"] for t in j["fare"]["totals"]) for j in known]
        for i in given["cheapest"]:
            assert sum(t["amount_minor"] for t in journeys[i]["fare"]["totals"]) == min(sums)
    for i in given["fewest_emissions"]:
        assert journeys[i]["emissions"]["grams"] is not None
    for i in given["most_robust"]:
        assert journeys[i]["risk"]["missed"] is not None
    # Buses and trams of a country without published punctuality have no risk, and it is said.
    unknown = sum(j["risk"]["missed"] is None for j in journeys)
    codes = {r["code"] for r in labels["most_robust"]["reasons"]}
    assert bool(unknown) == bool(codes & {"risk_unknown", "no_risk_known"})


def test_a_region_without_timed_connections_has_none(sample_edition: Path) -> None:
    assert waiting_connections(open_edition(sample_edition)) is None

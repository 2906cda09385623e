"""The whole path on two feeds of five stops: two operators, countries, zones and currencies."""

import tomllib

import pytest
from fastapi.testclient import TestClient

from mobility.api import create_app
from mobility.core.settings import Settings
from mobility.core.time import system_clock
from tests.border import FILES, write_border_region

DAY = "2027-05-04"


@pytest.fixture
def edition(tmp_path, mobility):
    """Return the edition of the border region, built by the command line."""
    region = write_border_region(tmp_path)
    folder = tmp_path / "edition"
    outcome = mobility("build", region, "-o", folder, "--json")
    assert outcome.status == 0, outcome.err
    return folder


def plan(mobility, edition, depart, *options):
    """Return the journeys from Alton to Eastend."""
    outcome = mobility("plan", edition, "--from", "Alton", "--to", "Eastend",
                       "--depart", f"{DAY}T{depart}", "--json", *options)  # fmt: skip
    assert outcome.status == 0, outcome.err
    return outcome.document["journeys"]


def test_the_edition_says_what_it_holds(mobility, edition):
    info = mobility("info", edition, "--json").document
    assert [feed["id"] for feed in info["feeds"]] == ["east", "west"]
    assert info["stations"] == 9  # ten stops, one station in both feeds
    assert info["trains"]["hand_over"] == 1
    for feed in info["feeds"]:
        for counts in feed["tables"].values():
            assert counts["read"] == counts["kept"] + counts["dropped"]


def test_a_journey_across_the_border_keeps_both_clocks(mobility, edition):
    journey = plan(mobility, edition, "07:30")[0]
    assert journey["departure"] == f"{DAY}T08:00:00+01:00"
    assert journey["arrival"] == f"{DAY}T11:00:00+02:00"
    assert journey["transfers"] == 1
    rides = [leg for leg in journey["legs"] if leg["mode"] == "transit"]
    assert [leg["sections"][0]["feed"] for leg in rides] == ["west", "east"]


def test_a_train_that_each_country_lists_to_the_border_is_one_ride(mobility, edition):
    journey = next(j for j in plan(mobility, edition, "11:30") if j["transfers"] == 0)
    (leg,) = journey["legs"]
    assert [(s["feed"], s["trip_id"], s["country"]) for s in leg["sections"]] == [
        ("west", "W77", "GB"),
        ("east", "E77", "FR"),
    ]
    assert journey["departure"] == f"{DAY}T12:00:00+01:00"
    assert journey["arrival"] == f"{DAY}T14:58:00+02:00"


def test_the_ticket_says_who_gets_what_and_why(mobility, edition):
    (ticket,) = plan(mobility, edition, "07:30", "--currency", "EUR")[0]["fare"]["tickets"]
    assert ticket["product"] == "through"
    assert ticket["price"] == {"amount_minor": 1799, "currency": "EUR"}
    shares = {share["party"]: share["amount_minor"] for share in ticket["shares"]}
    assert sum(shares.values()) == 1799
    assert set(shares) == {"western", "est"}
    assert ticket["why"]


def test_each_currency_has_its_own_list_price(mobility, edition):
    (ticket,) = plan(mobility, edition, "07:30", "--currency", "GBP")[0]["fare"]["tickets"]
    assert ticket["price"] == {"amount_minor": 1501, "currency": "GBP"}


def test_a_ride_that_nobody_prices_is_unknown(mobility, edition):
    outcome = mobility("plan", edition, "--from", "Le Port", "--to", "Eastend",
                       "--depart", f"{DAY}T09:30", "--json")  # fmt: skip
    fare = outcome.document["journeys"][0]["fare"]
    assert fare["status"] in ("known", "unknown")
    assert all(total["amount_minor"] > 0 for total in fare["totals"])


def test_a_sold_ticket_is_shared_posted_and_stated_to_the_cent(mobility, edition, tmp_path):
    sheet = tmp_path / "sales.csv"
    sheet.write_text(
        "sale_id,sold_at,seller,channel,product,price,currency,from_ref,to_ref,depart_at\n"
        f"s1,{DAY}T07:40:00+02:00,est,app,through,17.99,EUR,west:w1,east:e5,"
        f"{DAY}T08:00:00+01:00\n"
    )
    month = ("--period", DAY[:7])
    assert mobility("clearing", "import", edition, sheet).status == 0
    again = mobility("clearing", "import", edition, sheet, "--json").document
    assert (again["new"], again["duplicate"]) == (0, 1)
    shared = mobility("clearing", "share", edition, *month, "--json").document
    assert shared["shared_minor"] == {"EUR": 1799}
    settled = mobility("clearing", "settle", edition, *month, "--json").document
    (payment,) = settled["payments"]["EUR"]
    (ticket,) = plan(mobility, edition, "07:30", "--currency", "EUR")[0]["fare"]["tickets"]
    shown = {share["party"]: share["amount_minor"] for share in ticket["shares"]}
    assert (payment["debtor"], payment["creditor"]) == ("est", "western")
    assert payment["amount_minor"] == shown["western"]  # what the rider was shown is what is paid
    statement = mobility("clearing", "statement", edition, *month, "--party", "western")
    assert statement.status == 0
    assert f"{shown['western'] // 100}.{shown['western'] % 100:02d}" in statement.out
    verified = mobility("clearing", "verify", edition, *month, "--json")
    assert verified.status == 0
    assert verified.document["holds"]


def test_a_scenario_says_what_breaks_and_who_pays_for_it(mobility, edition, tmp_path):
    scenario = tmp_path / "scenario.toml"
    assert tomllib.loads(scenario.read_text()) == tomllib.loads(FILES["scenario.toml"])
    outcome = mobility("scenario", "compare", edition, scenario, "--from", "Alton",
                       "--to", "Eastend", "--depart", f"{DAY}T07:30", "--window", "1h",
                       "--json")  # fmt: skip
    assert outcome.status == 0, outcome.err
    (question,) = outcome.document["questions"]
    (broken,) = question["connections_broken"]
    assert broken["from_trip"] == f"west:W100@{DAY}"
    assert broken["slack_s"] == 6 * 60  # 8 min, of which changing takes 2
    assert broken["other_slack_s"] == -4 * 60
    assert question["arrival_change_s"] == 90 * 60
    assert outcome.document["fares"]["revenue"]


def test_the_api_and_the_page_give_the_same_answer(mobility, edition):
    journeys = plan(mobility, edition, "07:30")
    client = TestClient(create_app(edition, Settings(), system_clock))
    query = {"from": "Alton", "to": "Eastend", "depart": f"{DAY}T07:30"}
    answer = client.get("/api/v1/journeys", params=query).json()
    assert answer["journeys"] == journeys
    assert answer["versions"]["network"]
    page = client.get("/search", params=query)
    assert page.status_code == 200
    assert "Alton" in page.text
    assert "17.99" in page.text or "15.01" in page.text


def test_every_answer_names_its_versions(mobility, edition):
    outcome = mobility("plan", edition, "--from", "Alton", "--to", "Eastend",
                       "--depart", f"{DAY}T07:30", "--json")  # fmt: skip
    assert {"region", "network", "tariff", "agreement"} <= set(outcome.document["versions"])

"""The month in the journal: balanced, netted, made anew only where something changed, closed."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mobility.clearing import close_period, destroy_key, statement, statement_parties, verify
from mobility.clearing.settle import live_entries, positions_of
from mobility.core.errors import CheckFailed, EventError, InputError
from mobility.core.money import Money
from mobility.ledger import InclusionProof, check_chain, verify_inclusion
from mobility.store import SqlJournal
from tests.clearing.region import JUNE, MAY, MONTH, Office, write_sheets


def amounts_by_currency(office: Office, party: str, period: str = MAY) -> dict[str, int]:
    made = statement(office.home, office.journal, period, party)
    return {part.currency: part.closing_minor for part in made.currencies}


def test_the_month_of_the_toy_region_to_the_cent(office: Office) -> None:
    office.whole()
    entries = live_entries(office.journal.entries(MAY))
    netted = {
        (p.account.party, p.currency): -p.amount_minor
        for entry in entries
        if entry.kind == "net"
        for p in entry.postings[1:]
    }
    assert netted == {
        ("_suspense", "CHF"): 700,  # 7 loose tickets of CHF 1.00
        ("_suspense", "EUR"): 5000,  # the pass that was never used
        ("rail", "CHF"): 7166,
        ("rail", "EUR"): -12500,
        ("shop", "CHF"): -5914,
        ("tram", "CHF"): -1952,
        ("tram", "EUR"): 7500,
    }
    # Synthetic rate: 1 EUR = 0.9412 CHF; rail settles in EUR, tram in CHF.
    assert amounts_by_currency(office, "rail") == {"CHF": 0, "EUR": -12500 + 7614}
    assert amounts_by_currency(office, "tram") == {"CHF": -1952 + 7059, "EUR": 0}


def test_the_books_balance_at_every_prefix_and_positions_sum_to_zero(office: Office) -> None:
    office.whole()
    links = office.journal.entries(MAY)
    assert check_chain("toy", MAY, links) == office.journal.head(MAY)
    total: Counter[str] = Counter()
    for (_, currency), amount in positions_of(link.entry.postings for link in links).items():
        total[currency] += amount
    assert set(total.values()) == {0}


def test_settling_again_posts_nothing(office: Office) -> None:
    office.whole()
    before = office.journal.entries(MAY)
    report = office.settle()
    assert (report.posted, report.reversed) == (0, 0)
    assert office.journal.entries(MAY) == before


def test_settling_after_each_part_ends_where_one_settlement_of_all_ends(
    make_office: Any, tmp_path: Path
) -> None:
    whole, parts = make_office(), make_office()
    whole.whole()
    rows = [(kind, row) for kind, group in MONTH.items() for row in group]
    first = {"rate": MONTH["rate"], "currency": MONTH["currency"]}
    parts.import_(write_sheets(tmp_path / "first", first))
    random.Random(1).shuffle(rows)
    for cut in range(3):
        by_kind: dict[str, list[str]] = {}
        for kind, row in rows[cut::3]:
            by_kind.setdefault(kind, []).append(row)
        parts.import_(write_sheets(tmp_path / "in", by_kind, f"part{cut}"))
        parts.share()
        parts.settle()
    check_chain("toy", MAY, parts.journal.entries(MAY))
    assert verify(parts.home, parts.journal, MAY).holds

    def facts(office: Office) -> list[Any]:
        entries = live_entries(office.journal.entries(MAY))
        return sorted((entry.kind, entry.event_hash, entry.postings) for entry in entries)

    assert facts(parts) == facts(whole)
    for party in statement_parties(whole.journal, MAY):
        assert amounts_by_currency(parts, party) == amounts_by_currency(whole, party)


def test_the_same_inputs_give_the_same_journal_and_statements(
    make_office: Any, tmp_path: Path
) -> None:
    one, two = make_office(), make_office()
    two.journal = SqlJournal.open(f"sqlite:///{tmp_path / 'state.db'}", "toy")
    for office in (one, two):
        office.whole()
    assert one.journal.entries(MAY) == two.journal.entries(MAY)
    for party in statement_parties(one.journal, MAY):
        documents = [statement(o.home, o.journal, MAY, party).to_json() for o in (one, two)]
        assert documents[0] == documents[1]
    two.journal.dispose()


def test_a_statement_adds_up_and_mirrors_the_other_side(office: Office) -> None:
    office.whole()
    flows: dict[tuple[str, str], Counter[tuple[str, ...]]] = {}
    total: Counter[str] = Counter()
    for party in statement_parties(office.journal, MAY):
        for part in statement(office.home, office.journal, MAY, party).currencies:
            moved = sum(movement.amount_minor for movement in part.movements)
            assert part.closing_minor == part.opening_minor + moved
            total[part.currency] += part.closing_minor
            for m in part.movements:
                pair = flows.setdefault((party, m.counterparty), Counter())
                pair[part.currency, m.product, m.role, m.agreement] += m.amount_minor
    assert set(total.values()) == {0}
    for (party, other), moved in flows.items():
        assert flows[other, party] == Counter({key: -amount for key, amount in moved.items()})


def test_a_party_sees_only_its_own(office: Office) -> None:
    office.whole()
    close_period(office.home, office.journal, MAY, caller=office.caller)
    links = {link.entry.id: link.entry for link in office.journal.entries(MAY)}
    for party in ("tram", "rail", "shop"):
        made = statement(office.home, office.journal, MAY, party)
        shown = {movement.entry for part in made.currencies for movement in part.movements}
        assert set(made.proofs) == shown
        for entry_id in shown:
            assert party in {p.account.party for p in links[entry_id].postings}
    shop = statement(office.home, office.journal, MAY, "shop")
    assert "EUR" not in str(shop.to_json()["currencies"])  # rail's and tram's business


def test_each_entry_of_a_closed_statement_is_proven_under_the_root(office: Office) -> None:
    office.whole()
    record = close_period(office.home, office.journal, MAY, caller=office.caller)
    made = statement(office.home, office.journal, MAY, "rail")
    leaves = {link.entry.id: link.entry.canonical() for link in office.journal.entries(MAY)}
    assert made.root == record.root and made.proofs
    for entry_id, proof in made.proofs.items():
        shown = InclusionProof(proof["position"], proof["size"], tuple(proof["path"]))
        assert verify_inclusion(leaves[entry_id], shown, record.root)
        assert not verify_inclusion(leaves[entry_id] + b" ", shown, record.root)


def test_the_text_of_a_statement_shows_opening_movements_and_closing(office: Office) -> None:
    office.whole()
    text = statement(office.home, office.journal, MAY, "shop").text()
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["toy", "2027-05", "shop", "(open)"]
    assert ["opening", "CHF", "0.00"] in lines
    owed = "owed single to rail as carrier, agreement singles: 13 sold, 0 rides CHF -24.30"
    assert owed.split() in lines
    sold = "sold single: CHF 64.99 taken, CHF 5.85 kept, CHF 59.14 owed"
    assert sold.split() in lines
    assert ["closing", "CHF", "-59.14:", "due", "from", "shop"] in lines
    assert any(line[:2] == ["rates_kind", "synthetic"] for line in lines)


def test_the_text_of_an_exchange_says_both_amounts_and_the_rate(office: Office) -> None:
    office.whole()
    made = statement(office.home, office.journal, MAY, "tram")
    moved = {
        part.currency: Money(movement.amount_minor, part.currency).text()
        for part in made.currencies
        for movement in part.movements
        if movement.kind == "exchange"
    }
    euros = moved["EUR"].replace("-", "")
    assert f"exchange with _clearing: {euros} into {moved['CHF']} at 0.9412" in " ".join(
        made.text().split()
    )
    rail = statement(office.home, office.journal, MAY, "rail").text()
    assert "at 1/0.9412" in rail


def test_lines_of_a_statement_that_differ_in_role_or_agreement_can_be_told_apart(
    office: Office,
) -> None:
    office.whole()
    for party in statement_parties(office.journal, MAY):
        text = statement(office.home, office.journal, MAY, party).text()
        what = [line.rpartition(":")[0] for line in text.splitlines() if " rides " in line]
        assert len(what) == len(set(what))


def test_a_stranger_has_no_statement(office: Office) -> None:
    office.whole()
    with pytest.raises(InputError, match="nobody has no movements up to 2027-05"):
        statement(office.home, office.journal, MAY, "nobody")


def test_a_closed_month_never_changes_and_late_sales_open_the_next(
    office: Office, tmp_path: Path
) -> None:
    office.whole()
    record = close_period(office.home, office.journal, MAY, caller=office.caller)
    assert close_period(office.home, office.journal, MAY, caller=office.caller) == record
    before, files = office.journal.entries(MAY), office.files()
    statements = {
        party: statement(office.home, office.journal, MAY, party)
        for party in statement_parties(office.journal, MAY)
    }
    for refused in (office.share, office.settle):
        with pytest.raises(CheckFailed, match="is closed"):
            refused()
    late = "s9,1,2027-05,shop,counter,single,1,5.00,CHF"
    office.import_(write_sheets(tmp_path / "late", {"sheet": [late]}))
    office.share(JUNE)
    office.settle(JUNE)
    june = statement(office.home, office.journal, JUNE, "shop").currencies[0]
    may = statement(office.home, office.journal, MAY, "shop").currencies[0]
    assert june.opening_minor == may.closing_minor
    assert {movement.of_period for movement in june.movements} == {MAY}
    assert june.closing_minor == may.closing_minor - (500 - 45)  # 9 % commission kept
    assert office.journal.entries(MAY) == before
    assert {n: b for n, b in office.files().items() if f"/{MAY}/" in n} == files
    for party, made in statements.items():
        assert statement(office.home, office.journal, MAY, party) == made
    assert verify(office.home, office.journal, MAY).holds
    assert verify(office.home, office.journal, JUNE).holds


def test_months_are_closed_in_order_and_only_when_settled(office: Office, tmp_path: Path) -> None:
    june = {"sheet": ["s9,1,2027-06,shop,counter,single,1,5.00,CHF"]}
    office.whole()
    office.whole(june, JUNE)
    with pytest.raises(CheckFailed, match="period 2027-05 is still open"):
        close_period(office.home, office.journal, JUNE, caller=office.caller)
    more = {"sheet": ["s8,1,2027-05,shop,counter,single,1,5.00,CHF"]}
    office.import_(write_sheets(tmp_path / "more", more))
    with pytest.raises(CheckFailed, match="share again"):
        close_period(office.home, office.journal, MAY, caller=office.caller)
    office.share()
    with pytest.raises(CheckFailed, match="settle it first"):
        close_period(office.home, office.journal, MAY, caller=office.caller)
    office.settle()
    close_period(office.home, office.journal, MAY, caller=office.caller)
    close_period(office.home, office.journal, JUNE, caller=office.caller)


def test_steps_out_of_order_are_told(office: Office, tmp_path: Path) -> None:
    with pytest.raises(EventError, match="nothing was imported"):
        office.share()
    office.import_(write_sheets(tmp_path / "in", MONTH))
    with pytest.raises(CheckFailed, match="not shared yet"):
        office.settle()
    with pytest.raises(CheckFailed, match="its key is still needed"):
        destroy_key(office.home, office.journal, MAY, caller=office.caller)
    with pytest.raises(InputError, match="'May' is no period"):
        office.share("May")


def test_who_did_what_is_on_record(office: Office) -> None:
    office.whole()
    close_period(office.home, office.journal, MAY, caller=office.caller)
    destroy_key(office.home, office.journal, MAY, caller=office.caller)
    actions = office.journal.actions()
    names = [action.name for action in actions]
    assert names == ["import", "share", "settle", "close_period", "destroy_key"]
    assert {action.actor for action in actions} == {"clerk"}
    assert len({action.id for action in actions}) == len(actions)

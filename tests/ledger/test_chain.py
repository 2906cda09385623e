"""The chain finds every changed, moved, missing or foreign entry."""

from dataclasses import replace

import pytest

from mobility.core.errors import CheckFailed
from mobility.ledger import Link, Posting, check_chain, genesis_hash, link_entries
from tests.ledger.books import account, entry


def chain(size: int = 4) -> list[Link]:
    entries = [entry(f"e{index}", index) for index in range(size)]
    return list(link_entries(genesis_hash("r", "2027-05"), 0, entries))


def test_an_intact_chain_gives_its_head() -> None:
    links = chain()
    assert check_chain("r", "2027-05", links) == links[-1].chain_hash
    assert check_chain("r", "2027-05", []) == genesis_hash("r", "2027-05")


def test_appending_in_parts_gives_the_same_chain() -> None:
    links = chain()
    entries = [link.entry for link in links]
    first = link_entries(genesis_hash("r", "2027-05"), 0, entries[:3])
    assert [*first, *link_entries(first[-1].chain_hash, 3, entries[3:])] == links


def test_two_chains_never_share_a_beginning() -> None:
    names = [("r", "2027-05"), ("r", "2027-06"), ("q", "2027-05")]
    assert len({genesis_hash(*name) for name in names}) == 3


@pytest.mark.parametrize("position", range(4))
def test_a_changed_amount_is_found_and_named(position: int) -> None:
    links = chain()
    other = (Posting(account("rail", kind="cash_held"), 9), Posting(account("tram"), -9))
    changed = replace(links[position].entry, postings=other)
    links[position] = replace(links[position], entry=changed)
    with pytest.raises(CheckFailed, match=rf"entry {position} \(e{position}\): its content"):
        check_chain("r", "2027-05", links)


def test_a_changed_entry_with_its_hash_made_anew_breaks_the_chain() -> None:
    links = chain()
    changed = entry("e1", 99)
    links[1] = replace(links[1], entry=changed, entry_hash=changed.hash())
    with pytest.raises(CheckFailed, match="the chain is broken here"):
        check_chain("r", "2027-05", links)


def test_a_missing_entry_is_found() -> None:
    links = chain()
    del links[2]
    with pytest.raises(CheckFailed, match="position 2 is missing"):
        check_chain("r", "2027-05", links)


def test_swapped_entries_are_found() -> None:
    links = chain()
    links[1], links[2] = (
        replace(links[1], entry=links[2].entry, entry_hash=links[2].entry_hash),
        replace(links[2], entry=links[1].entry, entry_hash=links[1].entry_hash),
    )
    with pytest.raises(CheckFailed, match="broken"):
        check_chain("r", "2027-05", links)


def test_an_entry_of_another_month_is_found() -> None:
    foreign = link_entries(genesis_hash("r", "2027-05"), 0, [entry("e0", period="2027-06")])
    with pytest.raises(CheckFailed, match="belongs to r 2027-06"):
        check_chain("r", "2027-05", foreign)

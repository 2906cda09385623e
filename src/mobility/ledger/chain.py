"""The hash chain over the entries of one region and period."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mobility.core.errors import CheckFailed
from mobility.core.ids import content_hash
from mobility.ledger.entry import Entry


@dataclass(frozen=True, slots=True)
class Link:
    """An entry at its position (from 0) in the chain of its region and period."""

    position: int
    entry: Entry
    entry_hash: str
    chain_hash: str


def genesis_hash(region_id: str, period: str) -> str:
    """Return the hash that a chain starts from: no two chains share a beginning."""
    return content_hash({"format": 1, "region_id": region_id, "period": period})


def chain_hash(previous: str, entry_hash: str) -> str:
    """Return the SHA-256 over the previous link's hash and the entry's hash (both hexadecimal)."""
    return hashlib.sha256(bytes.fromhex(previous) + bytes.fromhex(entry_hash)).hexdigest()


def link_entries(head: str, position: int, entries: Sequence[Entry]) -> tuple[Link, ...]:
    """Return the links that append the entries after ``head``, the first one at ``position``."""
    links = []
    for offset, entry in enumerate(entries):
        entry_hash = entry.hash()
        head = chain_hash(head, entry_hash)
        links.append(Link(position + offset, entry, entry_hash, head))
    return tuple(links)


def check_chain(region_id: str, period: str, links: Iterable[Link]) -> str:
    """Recompute the chain and the balance at every prefix; return the head.

    Raises
    ------
    CheckFailed
        Names the first entry whose bytes, place or balance are not what the chain says.

    Source: fares-and-clearing, invariants I14 and I22.
    """
    head = genesis_hash(region_id, period)
    running: defaultdict[str, int] = defaultdict(int)
    for expected, link in enumerate(links):
        name = f"journal {region_id} {period}, entry {link.position} ({link.entry.id})"
        if link.position != expected:
            raise CheckFailed(f"{name}: position {expected} is missing")
        if (link.entry.region_id, link.entry.period) != (region_id, period):
            raise CheckFailed(f"{name}: belongs to {link.entry.region_id} {link.entry.period}")
        if link.entry.hash() != link.entry_hash:
            raise CheckFailed(f"{name}: its content is not what was hashed")
        head = chain_hash(head, link.entry_hash)
        if head != link.chain_hash:
            raise CheckFailed(f"{name}: the chain is broken here")
        for posting in link.entry.postings:
            running[posting.currency] += posting.amount_minor
        if any(running.values()):
            raise CheckFailed(f"{name}: debits and credits differ up to here")
    return head

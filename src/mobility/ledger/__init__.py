"""Double entry that proves itself: accounts, postings, entries, hash chain, Merkle root."""

from mobility.ledger.chain import Link, chain_hash, check_chain, genesis_hash, link_entries
from mobility.ledger.entry import (
    Account,
    Entry,
    Fact,
    Posting,
    balances,
    check_balanced,
    check_period,
    reverse,
)
from mobility.ledger.journal import Action, Journal, MemoryJournal, PeriodRecord, new_entries
from mobility.ledger.proof import InclusionProof, inclusion_proof, merkle_root, verify_inclusion

__all__ = [
    "Account",
    "Action",
    "Entry",
    "Fact",
    "InclusionProof",
    "Journal",
    "Link",
    "MemoryJournal",
    "PeriodRecord",
    "Posting",
    "balances",
    "chain_hash",
    "check_balanced",
    "check_chain",
    "check_period",
    "genesis_hash",
    "inclusion_proof",
    "link_entries",
    "merkle_root",
    "new_entries",
    "reverse",
    "verify_inclusion",
]

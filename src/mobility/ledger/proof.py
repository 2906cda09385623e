"""Merkle root and inclusion proofs after RFC 9162; verifies with hashlib alone.

`verify_inclusion` needs nothing else of this program: an auditor can copy this file.

    leaf = SHA-256(0x00 ‖ data)        node = SHA-256(0x01 ‖ left ‖ right)

A list of n > 1 leaves is cut at the largest power of two below n. No leaf is ever doubled, so that
no two lists have the same root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """What shows that a leaf is in a tree.

    Parameters
    ----------
    position, size : int
        Index of the leaf (from 0) and number of leaves.
    path : tuple of str
        Hashes of the siblings from the leaf up, hexadecimal.
    """

    position: int
    size: int
    path: tuple[str, ...]


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _cut(size: int) -> int:
    """Return the largest power of two below size (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    cut = _cut(len(hashes))
    return _node(_root(hashes[:cut]), _root(hashes[cut:]))


def merkle_root(leaves: Sequence[bytes]) -> str:
    """Return the root over the leaves in their order, hexadecimal; of none: SHA-256 of nothing.

    Source: RFC 9162, 2.1.1.

    >>> merkle_root([])[:8], merkle_root([b""])[:8]
    ('e3b0c442', '6e340b9c')
    """
    if not leaves:
        return hashlib.sha256(b"").hexdigest()
    return _root([_leaf(data) for data in leaves]).hex()


def inclusion_proof(leaves: Sequence[bytes], position: int) -> InclusionProof:
    """Return the proof that the leaf at ``position`` is in the tree over the leaves.

    Raises
    ------
    IndexError
        There is no such leaf.

    Source: RFC 9162, 2.1.3.1.

    >>> leaves = [b"a", b"b", b"c"]
    >>> proof = inclusion_proof(leaves, 2)
    >>> verify_inclusion(b"c", proof, merkle_root(leaves))
    True
    >>> verify_inclusion(b"x", proof, merkle_root(leaves))
    False
    """
    if not 0 <= position < len(leaves):
        raise IndexError(f"no leaf {position} in a tree of {len(leaves)}")
    hashes = [_leaf(data) for data in leaves]
    path: list[bytes] = []
    low, high = 0, len(hashes)
    while high - low > 1:
        middle = low + _cut(high - low)
        if position < middle:
            path.append(_root(hashes[middle:high]))
            high = middle
        else:
            path.append(_root(hashes[low:middle]))
            low = middle
    return InclusionProof(position, len(leaves), tuple(h.hex() for h in reversed(path)))


def verify_inclusion(data: bytes, proof: InclusionProof, root: str) -> bool:
    """Tell whether the proof shows that ``data`` is a leaf of the tree with this root.

    Source: RFC 9162, 2.1.3.2.
    """
    if not 0 <= proof.position < proof.size:
        return False
    index, last = proof.position, proof.size - 1
    current = _leaf(data)
    for text in proof.path:
        sibling = bytes.fromhex(text)
        if not last:
            return False
        if index & 1 or index == last:
            current = _node(sibling, current)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            current = _node(current, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and current.hex() == root

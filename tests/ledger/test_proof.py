"""Every leaf has a proof; nothing else has one."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobility.ledger import inclusion_proof, merkle_root, proof, verify_inclusion

leaves_drawn = st.lists(st.binary(max_size=3), min_size=1, max_size=20)


@given(leaves_drawn, st.data())
def test_every_leaf_has_a_proof(leaves: list[bytes], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(leaves) - 1))
    shown = inclusion_proof(leaves, position)
    root = merkle_root(leaves)
    assert verify_inclusion(leaves[position], shown, root)
    assert len(shown.path) <= (len(leaves) - 1).bit_length()


@given(leaves_drawn, st.binary(max_size=3), st.data())
def test_nothing_else_has_a_proof(leaves: list[bytes], other: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(leaves) - 1))
    shown, root = inclusion_proof(leaves, position), merkle_root(leaves)
    assert verify_inclusion(other, shown, root) == (other == leaves[position])
    for index in range(len(shown.path)):
        path = list(shown.path)
        path[index] = hashlib.sha256(bytes.fromhex(path[index])).hexdigest()
        assert not verify_inclusion(leaves[position], replace(shown, path=tuple(path)), root)
    assert not verify_inclusion(leaves[position], replace(shown, position=len(leaves)), root)
    longer = replace(shown, path=(*shown.path, root))
    assert not verify_inclusion(leaves[position], longer, root)


@given(leaves_drawn, leaves_drawn)
def test_other_leaves_have_another_root(left: list[bytes], right: list[bytes]) -> None:
    assert (merkle_root(left) == merkle_root(right)) == (left == right)


def test_a_doubled_last_leaf_has_another_root() -> None:
    # The fault of Bitcoin's tree (CVE-2012-2459), which doubles the last leaf of an odd level.
    assert merkle_root([b"a", b"b", b"c"]) != merkle_root([b"a", b"b", b"c", b"c"])


def test_a_leaf_is_no_node() -> None:
    left, right = (hashlib.sha256(b"\x00" + data).digest() for data in (b"a", b"b"))
    assert merkle_root([b"a", b"b"]) != merkle_root([left + right])


def test_roots_of_the_certificate_transparency_test_vectors() -> None:
    # Values from the reference tree of the certificate-transparency project (Apache-2.0).
    leaves = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
    assert merkle_root(leaves[:1]).startswith("6e340b9cffb37a98")
    assert merkle_root(leaves[:2]).startswith("fac54203e7cc696c")
    assert merkle_root(leaves).startswith("5dc9da79a70659a9")


def test_there_is_no_proof_of_a_leaf_that_is_not_there() -> None:
    with pytest.raises(IndexError, match="no leaf 1"):
        inclusion_proof([b"a"], 1)


def test_the_verifier_stands_alone() -> None:
    code = (
        "import runpy, sys; names = runpy.run_path(sys.argv[1]);"
        "root = names['merkle_root']([b'a', b'b']);"
        "proof = names['inclusion_proof']([b'a', b'b'], 1);"
        "assert names['verify_inclusion'](b'b', proof, root);"
        "assert not any(name.startswith('mobility') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-I", "-c", code, proof.__file__], check=True)

"""network.bin: what is written is what is mapped, and nothing else is taken for one."""

from __future__ import annotations

import hashlib
import json
import mmap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import CheckFailed, EnvironmentFault, FormatVersionError, InputError
from mobility.network import Network
from mobility.network.file import (
    ALIGNMENT,
    NETWORK_FILE,
    arrays_of,
    content_hash,
    network_hash,
    open_file,
    read_network,
    verify_network,
    write_file,
    write_network,
)
from tests.network.build import Stop, Train, build_network

SCALARS = (
    *("first_date", "n_days", "epoch_s", "least_s", "greatest_s"),
    *("walk_radius_m", "max_walk_s", "n_services", "n_crowded_stops", "n_cut_trains"),
)


@pytest.fixture(scope="module")
def network() -> Network:
    return build_network(
        [Stop("A", 47.5, 7.6, "Zürich"), Stop("B", 47.6, 7.6)],
        [Train("t", "A 08:00 B 09:00"), Train("u", "B 08:00 A 09:00", days=(1,))],
        walk_radius_m=400,
    )


@pytest.fixture
def path(tmp_path: Path, network: Network) -> Path:
    write_network(tmp_path / "network.bin", network)
    return tmp_path / "network.bin"


def test_mapped_network_equals_the_written_one(path: Path, network: Network) -> None:
    mapped = read_network(path)
    left, right = arrays_of(network), arrays_of(mapped)
    assert list(left) == list(right)
    for name, array in left.items():
        assert array.dtype == right[name].dtype, name
        assert array.shape == right[name].shape, name
        assert array.tobytes() == right[name].tobytes(), name
    for name in SCALARS:
        assert getattr(mapped, name) == getattr(network, name)
    assert mapped.hash == network_hash(network) == network_hash(mapped)
    assert network.hash == ""


def test_mapped_arrays_are_aligned_views_that_cannot_be_written(path: Path) -> None:
    mapped = read_network(path)
    with pytest.raises(ValueError, match="read-only"):
        mapped.event_stop[0] = 1
    for name, array in arrays_of(mapped).items():
        base = array
        while isinstance(base, np.ndarray):
            base = base.base
        assert isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap), name
        assert not array.flags.writeable, name
        assert array.ctypes.data % ALIGNMENT == 0, name


def test_equal_networks_give_equal_bytes(path: Path, tmp_path: Path) -> None:
    write_network(tmp_path / "again.bin", read_network(path))
    assert (tmp_path / "again.bin").read_bytes() == path.read_bytes()


def test_header_holds_nothing_but_content(path: Path) -> None:
    content = path.read_bytes()
    length = int.from_bytes(content[12:16], "little")
    header = json.loads(content[ALIGNMENT : ALIGNMENT + length])
    assert set(header) == {"meta", "sections"}
    assert set(header["meta"]) == set(SCALARS)
    assert set(header["sections"][0]) == {"name", "dtype", "shape", "offset", "digest"}


def test_other_format_version_says_how_to_rebuild(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] = 9
    path.write_bytes(content)
    with pytest.raises(
        FormatVersionError, match=r"format version 9.*reads 5: rebuild with mobility build"
    ):
        read_network(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such network file"),
        (b"", "cannot be read as a network file"),
        (b"MOBINET\x00", "not a network file"),
        (b"<html>" * 100, "not a network file"),
    ],
)
def test_file_that_is_no_network_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "network.bin"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_network(path)
    assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_truncated_or_altered_header_is_refused(
    network: Network, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("file") / "network.bin"
    write_network(path, network)
    content = bytearray(path.read_bytes())
    end_of_header = ALIGNMENT + int.from_bytes(content[12:16], "little")
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        at = data.draw(st.integers(0, end_of_header - 1).filter(lambda at: not 56 <= at < 64))
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_network(path)


def test_verify_finds_a_changed_section_and_names_it(path: Path, network: Network) -> None:
    verify_network(path)
    content = bytearray(path.read_bytes())
    content[content.index(network.event_departure_s.tobytes())] ^= 1
    path.write_bytes(content)
    read_network(path)
    with pytest.raises(
        CheckFailed, match=r"section event_(arrival|departure)_s is not what was written"
    ):
        verify_network(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"offset":', b'"offzet":'), (b'"dtype":"<i4"', b'"dtype":"|O0"'), (b'{"meta"', b'["meta"')],
)
def test_header_of_another_shape_is_refused(path: Path, old: bytes, new: bytes) -> None:
    """As a program of the same format version with a fault would write it: the hash holds."""
    content = bytearray(path.read_bytes())
    end_of_header = ALIGNMENT + int.from_bytes(content[12:16], "little")
    header = content[ALIGNMENT:end_of_header].replace(old, new)
    content[ALIGNMENT:end_of_header] = header
    content[24:56] = hashlib.sha256(header).digest()
    path.write_bytes(content)
    with pytest.raises(InputError, match="the header is not that of a network file"):
        read_network(path)


def test_missing_section_is_named(tmp_path: Path) -> None:
    meta = dict.fromkeys(SCALARS, 0) | {"first_date": "2027-01-01", "n_days": 1}
    write_file(tmp_path / "n", NETWORK_FILE, meta, {"feed_id.offsets": np.zeros(1, np.int64)})
    with pytest.raises(InputError, match=r"section feed_id\.data is missing"):
        read_network(tmp_path / "n")


def test_place_that_cannot_be_written_is_a_fault_of_the_environment(
    tmp_path: Path, network: Network
) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_network(tmp_path / "none" / "network.bin", network)


ARRAYS = st.dictionaries(
    st.text("abc", min_size=1),
    st.tuples(st.sampled_from(["|u1", "<i2", "<i4", "<i8", "<f8", "|b1"]), st.integers(0, 70)),
    max_size=5,
)


@settings(deadline=None, max_examples=40)
@given(ARRAYS)
def test_any_arrays_come_back_and_have_the_hash_that_was_foretold(
    tmp_path_factory: pytest.TempPathFactory, shapes: dict[str, tuple[str, int]]
) -> None:
    arrays = {name: np.arange(size).astype(dtype) for name, (dtype, size) in shapes.items()}
    path = tmp_path_factory.mktemp("file") / "x"
    written = write_file(path, NETWORK_FILE, {"n": 1}, arrays)
    mapped = open_file(path, NETWORK_FILE)
    assert written == mapped.hash == content_hash(NETWORK_FILE, {"n": 1}, arrays)
    assert {name: array.tolist() for name, array in mapped.arrays.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    assert mapped.damaged() == []

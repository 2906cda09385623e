"""Arrays in one file that opens in no time: mapped, never read, whatever its size.

Layout, little-endian::

    0    magic (8 bytes), format version (uint32), header length (uint32), file size (uint64)
    24   SHA-256 of the header (32 bytes), zeros up to 64
    64   header: canonical JSON with "meta" and "sections" (name, dtype, shape, offset, digest)
    …    sections, each at a multiple of 64 bytes, zeros between them; empty ones are nowhere

The header carries the digest of every section, so its own hash stands for the whole content. It
holds no time stamp, path or version of a library: equal arrays give equal bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import mmap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mobility.core.errors import CheckFailed, EnvironmentFault, FormatVersionError, InputError
from mobility.core.ids import canonical_json
from mobility.network.prefix import ALIGNMENT, PREFIX
from mobility.network.values import Network, StringArray

MAX_HEADER_BYTES = 1 << 20
_DTYPES = {
    "Bools": "|b1",
    "UInt8s": "|u1",
    "UInt16s": "<u2",
    "Int16s": "<i2",
    "Int32s": "<i4",
    "Int64s": "<i8",
    "Float64s": "<f8",
}
Array = npt.NDArray[Any]
Kind = type[Any]  # a dataclass of arrays: Network, DaySlice, Links, …
Digest = Callable[[Array], str]


@dataclass(frozen=True, slots=True)
class FileKind:
    """What distinguishes one kind of file from another.

    Parameters
    ----------
    name : str
        For messages.
    magic : bytes
        The first 8 bytes.
    format_version : int
        The only version that is read.
    remedy : str
        How to make the file anew.
    digest : callable
        Bytes of a section (uint8) to a text.
    """

    name: str
    magic: bytes
    format_version: int
    remedy: str
    digest: Digest


def sha256_digest(data: Array) -> str:
    """Return the SHA-256 of the bytes."""
    return hashlib.sha256(data.data).hexdigest()


NETWORK_FILE = FileKind(
    name="network file",
    magic=b"MOBINET\x00",
    format_version=5,
    remedy="rebuild with mobility build SOURCE... -o EDITION",
    digest=sha256_digest,
)


@dataclass(frozen=True, slots=True, eq=False)
class MappedFile:
    """An open file: its facts, its arrays (read-only views of the map) and its content hash."""

    path: Path
    kind: FileKind
    meta: dict[str, Any]
    arrays: dict[str, Array]
    digests: dict[str, str]
    hash: str

    def damaged(self) -> list[str]:
        """Return the names of sections whose bytes are not those that were written."""
        return [
            name
            for name, array in self.arrays.items()
            if self.kind.digest(_bytes_of(array)) != self.digests[name]
        ]


def write_file(
    path: Path, kind: FileKind, meta: Mapping[str, Any], arrays: Mapping[str, Array]
) -> str:
    """Write the arrays and return the content hash; half a file may remain if that fails."""
    header, offsets, size = _layout(kind, meta, arrays)
    content_hash = hashlib.sha256(header)
    try:
        with path.open("wb") as out:
            prefix = (kind.magic, kind.format_version, len(header), size, content_hash.digest())
            out.write(PREFIX.pack(*prefix))
            out.seek(ALIGNMENT)
            out.write(header)
            for name, array in arrays.items():
                out.seek(offsets[name])
                out.write(_bytes_of(array).data)
            out.truncate(size)
    except OSError as error:
        raise EnvironmentFault(f"{path}: cannot be written: {error.strerror}") from error
    return content_hash.hexdigest()


def content_hash(kind: FileKind, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """Return the hash that a file of these arrays would have."""
    return hashlib.sha256(_layout(kind, meta, arrays)[0]).hexdigest()


def open_file(path: Path, kind: FileKind) -> MappedFile:
    """Map a file; its sections are not read, so damage inside them shows only in `damaged`.

    Raises
    ------
    InputError
        No such file, another kind of file, or a truncated or damaged one.
    FormatVersionError
        Another format version.
    """
    try:
        with path.open("rb") as source:
            whole = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise InputError(f"{path}: no such {kind.name}") from None
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise InputError(f"{path}: cannot be read as a {kind.name}: {error}") from None
    if len(whole) < ALIGNMENT or whole[: len(kind.magic)] != kind.magic:
        raise InputError(f"{path}: not a {kind.name}")
    _, version, header_length, size, digest = PREFIX.unpack_from(whole)
    if version != kind.format_version:
        raise FormatVersionError(
            f"{path}: format version {version}, but this program reads {kind.format_version}:"
            f" {kind.remedy}"
        )
    header = whole[ALIGNMENT : ALIGNMENT + min(header_length, MAX_HEADER_BYTES)]
    if size != len(whole) or hashlib.sha256(header).digest() != digest:
        raise InputError(f"{path}: truncated or damaged {kind.name}: {kind.remedy}")
    try:
        content = json.loads(header)
        arrays = {part["name"]: _view(whole, part) for part in content["sections"]}
        digests = {part["name"]: part["digest"] for part in content["sections"]}
        meta = dict(content["meta"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path}: the header is not that of a {kind.name}") from None
    return MappedFile(path, kind, meta, arrays, digests, digest.hex())


def _view(whole: mmap.mmap, part: Mapping[str, Any]) -> Array:
    shape = tuple(part["shape"])
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(whole, part["dtype"], count, part["offset"]).reshape(shape)


def _layout(
    kind: FileKind, meta: Mapping[str, Any], arrays: Mapping[str, Array]
) -> tuple[bytes, dict[str, int], int]:
    """Header, where each section begins, and the size of the file."""
    sections: list[dict[str, Any]] = [
        {
            "name": name,
            "dtype": array.dtype.newbyteorder("<").str,
            "shape": list(array.shape),
            "digest": kind.digest(_bytes_of(array)),
        }
        for name, array in arrays.items()
    ]
    # Offsets stand in the header, whose length depends on them: room for the longest is left.
    longest = len(canonical_json({"meta": meta, "sections": sections})) + 32 * len(sections)
    end = ALIGNMENT + longest
    offsets: dict[str, int] = {}
    for section, (name, array) in zip(sections, arrays.items(), strict=True):
        if array.nbytes == 0:  # no section at the end that leaves nothing but padding behind it
            section["offset"] = offsets[name] = 0
            continue
        section["offset"] = offsets[name] = -(-end // ALIGNMENT) * ALIGNMENT
        end = offsets[name] + array.nbytes
    header = canonical_json({"meta": meta, "sections": sections})
    assert len(header) <= min(longest, MAX_HEADER_BYTES)
    return header, offsets, end


def _bytes_of(array: Array) -> npt.NDArray[np.uint8]:
    """Return the array's bytes, little-endian."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8)


def arrays_of(value: Any) -> dict[str, Array]:
    """Return the arrays of a dataclass as sections, each of the type that its field declares."""
    return {
        name: _declared(
            getattr(value, field) if part is None else getattr(getattr(value, field), part),
            dtype,
            name,
        )
        for name, field, part, dtype in _sections(type(value))
    }


def value_fields(kind: Kind, mapped: MappedFile) -> dict[str, Any]:
    """Return the fields of a value from the arrays of a file.

    Raises
    ------
    InputError
        A section is missing or of another type.
    """
    values: dict[str, Any] = {}
    for name, field, part, dtype in _sections(kind):
        array = mapped.arrays.get(name)
        if array is None or array.dtype.str != dtype:
            raise InputError(f"{mapped.path}: section {name} is missing or of another type")
        values[field] = array if part is None else (*values.get(field, ()), array)
    return {
        field: StringArray(*value) if isinstance(value, tuple) else value
        for field, value in values.items()
    }


def _sections(kind: Kind) -> Iterator[tuple[str, str, str | None, str]]:
    """Section name, field, part of a StringArray, and dtype."""
    for field in fields(kind):
        if field.type == "StringArray":
            yield f"{field.name}.offsets", field.name, "offsets", "<i8"
            yield f"{field.name}.data", field.name, "data", "|u1"
        elif field.type in _DTYPES:
            yield field.name, field.name, None, _DTYPES[str(field.type)]


def _declared(array: Array, dtype: str, name: str) -> Array:
    assert array.dtype == np.dtype(dtype), f"{name} is {array.dtype}, expected {dtype}"
    return array


def write_network(path: Path, network: Network) -> str:
    """Write ``network.bin`` and return its content hash."""
    return write_file(path, NETWORK_FILE, _network_meta(network), arrays_of(network))


def network_hash(network: Network) -> str:
    """Return the content hash of a network, from its file or computed."""
    return network.hash or content_hash(NETWORK_FILE, _network_meta(network), arrays_of(network))


def read_network(path: Path) -> Network:
    """Map ``network.bin``; see `open_file` for what is raised."""
    mapped = open_file(path, NETWORK_FILE)
    meta = mapped.meta
    return Network(
        first_date=dt.date.fromisoformat(meta["first_date"]),
        n_days=meta["n_days"],
        epoch_s=meta["epoch_s"],
        least_s=meta["least_s"],
        greatest_s=meta["greatest_s"],
        walk_radius_m=meta["walk_radius_m"],
        max_walk_s=meta["max_walk_s"],
        n_services=meta["n_services"],
        n_crowded_stops=meta["n_crowded_stops"],
        n_cut_trains=meta["n_cut_trains"],
        hash=mapped.hash,
        **value_fields(Network, mapped),
    )


def verify_network(path: Path) -> None:
    """Read the whole of ``network.bin`` and compare every hash.

    Raises
    ------
    CheckFailed
        A section differs from what was written; names it.
    """
    damaged = open_file(path, NETWORK_FILE).damaged()
    if damaged:
        raise CheckFailed(f"{path}: section {damaged[0]} is not what was written")


def _network_meta(network: Network) -> dict[str, Any]:
    return {
        "first_date": network.first_date.isoformat(),
        "n_days": network.n_days,
        "epoch_s": network.epoch_s,
        "least_s": network.least_s,
        "greatest_s": network.greatest_s,
        "walk_radius_m": network.walk_radius_m,
        "max_walk_s": network.max_walk_s,
        "n_services": network.n_services,
        "n_crowded_stops": network.n_crowded_stops,
        "n_cut_trains": network.n_cut_trains,
    }

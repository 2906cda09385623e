"""Partition sets: immutable Parquet files named by their hash, listed by one manifest.

A set (``events``, ``rides``, ``shares``) of a period is what its manifest lists, nothing else: new
files are written first, then the manifest in one step, then the files it no longer lists go. A
crash between any two steps leaves the old set or the new one; the next writing sweeps the rest.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from mobility.core.errors import CheckFailed, FormatVersionError
from mobility.core.files import TEMPORARY, make_folder, read_bytes, remove, write_atomic
from mobility.core.ids import canonical_json, content_hash

FORMAT = 1
PartitionKey = tuple[str, str]  # kind, prefix of the pseudonym (or of the event's hash)


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One file of a set."""

    kind: str
    prefix: str
    sha256: str
    rows: int

    def file_name(self, set_name: str) -> str:
        """Return the file's name in the period's folder."""
        return f"{set_name}-{self.kind}-{self.prefix}-{self.sha256}.parquet"


@dataclass(frozen=True, slots=True)
class PartitionSet:
    """What a manifest lists.

    Parameters
    ----------
    facts : dict
        What the set was made from: hashes of inputs, versions.
    hash : str
        SHA-256 of the manifest's bytes: stands for the whole set.
    """

    folder: Path
    name: str
    partitions: tuple[Partition, ...]
    facts: dict[str, Any]
    hash: str

    @property
    def rows(self) -> dict[str, int]:
        """Number of rows per kind."""
        total: dict[str, int] = {}
        for partition in self.partitions:
            total[partition.kind] = total.get(partition.kind, 0) + partition.rows
        return dict(sorted(total.items()))

    def path(self, partition: Partition) -> Path:
        """Return the partition's file."""
        return self.folder / partition.file_name(self.name)

    def read(self, kind: str, schema: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
        """Return the kind's tables by prefix, checked against their hashes.

        Raises
        ------
        CheckFailed
            A file is missing or is not what its name says.
        """
        tables = {}
        for partition in self.partitions:
            if partition.kind == kind:
                table = pl.read_parquet(io.BytesIO(check_partition(self, partition)))
                if dict(table.schema) != dict(schema):
                    raise FormatVersionError(f"{self.path(partition)}: has other columns")
                tables[partition.prefix] = table
        return tables


def manifest_path(folder: Path, name: str) -> Path:
    """Return the manifest of a set."""
    return folder / f"{name}.json"


def read_set(folder: Path, name: str) -> PartitionSet | None:
    """Return the set, or None where it was never made.

    Raises
    ------
    CheckFailed
        The manifest is damaged.
    FormatVersionError
        It is of another format version.
    """
    path = manifest_path(folder, name)
    if not path.exists():
        return None
    content = read_bytes(path)
    try:
        data = json.loads(content)
        version, facts = data["format"], data["facts"]
        partitions = tuple(Partition(**row) for row in data["partitions"])
    except (ValueError, KeyError, TypeError) as error:
        raise CheckFailed(f"{path}: damaged: it is no manifest of partitions") from error
    if version != FORMAT:
        raise FormatVersionError(f"{path}: format {version!r}: expected {FORMAT}; import it anew")
    return PartitionSet(folder, name, partitions, facts, content_hash(content))


def write_set(
    folder: Path,
    name: str,
    tables: Mapping[PartitionKey, pl.DataFrame],
    facts: Mapping[str, Any],
) -> PartitionSet:
    """Write the set and sweep what is no longer in it; the same tables give the same bytes.

    Raises
    ------
    EnvironmentFault
        The disk or the permissions do not allow it; the old set stands.
    """
    make_folder(folder)
    partitions = []
    for (kind, prefix), table in sorted(tables.items()):
        if not table.height:
            continue
        content = _parquet(table)
        partition = Partition(kind, prefix, hashlib.sha256(content).hexdigest(), table.height)
        path = folder / partition.file_name(name)
        if not path.exists() or read_bytes(path) != content:
            write_atomic(path, content)
        partitions.append(partition)
    manifest = {
        "format": FORMAT,
        "set": name,
        "facts": dict(facts),
        "partitions": [
            {"kind": p.kind, "prefix": p.prefix, "sha256": p.sha256, "rows": p.rows}
            for p in partitions
        ],
    }
    content = canonical_json(manifest)
    path = manifest_path(folder, name)
    if not path.exists() or read_bytes(path) != content:
        write_atomic(path, content)
    sweep(folder, name, partitions)
    return PartitionSet(folder, name, tuple(partitions), dict(facts), content_hash(content))


def sweep(folder: Path, name: str, partitions: list[Partition]) -> None:
    """Remove the set's files that are not listed, and what was half-written."""
    listed = {partition.file_name(name) for partition in partitions}
    for path in sorted(folder.glob(f"{name}-*.parquet")):
        if path.name not in listed:
            remove(path)
    for path in sorted(folder.glob(f"*{TEMPORARY}")):
        remove(path)


def check_partition(partition_set: PartitionSet, partition: Partition) -> bytes:
    """Return the partition's bytes if they are what its name says.

    Raises
    ------
    CheckFailed
        Names the file that is missing or differs.
    """
    path = partition_set.path(partition)
    if not path.exists():
        raise CheckFailed(f"{path}: missing")
    content = read_bytes(path)
    found = hashlib.sha256(content).hexdigest()
    if found != partition.sha256:
        raise CheckFailed(f"{path}: changed: its bytes hash to {found[:16]}…")
    return content


def _parquet(table: pl.DataFrame) -> bytes:
    # One row group, no statistics: nothing in the bytes depends on threads or on chunks.
    buffer = io.BytesIO()
    table.rechunk().write_parquet(
        buffer, compression="zstd", statistics=False, row_group_size=max(table.height, 1)
    )
    return buffer.getvalue()

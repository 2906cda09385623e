"""The edition: an immutable folder with all that planning, pricing and comparing need.

    edition.json          format version, hash, feed versions, hash of every part
    network.bin           the arrays
    tables/*.parquet      the merged region
    region.json           manifest, feeds, joined trains
    tariff.json, …        compiled fares, the region's own published figures, where there are any
    info.json, notices.json   what `mobility info` tells; outside the hash, as is
    slices/               a cache

The hash covers the content of the parts, not the bytes that a library's version shows in: a table
is hashed by its values. No time stamp, path or order of feeds enters it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobility.core.errors import CheckFailed, EnvironmentFault, InputError
from mobility.core.ids import canonical_json, content_hash
from mobility.core.notices import Notice
from mobility.network.edition_file import (
    EDITION_FILE,
    FORMAT_VERSION,
    NETWORK_PART,
    read_edition_file,
)
from mobility.network.file import read_network, verify_network, write_network
from mobility.network.slices import SliceStore
from mobility.network.swap import swapped_in
from mobility.network.values import Network

if TYPE_CHECKING:
    import polars as pl

    from mobility.merge.region import Region

REGION_PART = "region.json"
NOTE_FILES = ("info.json", "notices.json")
_PART_NAME = re.compile(r"[a-z_]+\.json")
_TABLE_PART = re.compile(r"tables/([a-z_]+)\.parquet")


def write_edition(
    folder: Path, region: Region, network: Network, parts: Mapping[str, bytes]
) -> str:
    """Write an edition and return its hash; until all is written the folder is as it was.

    An edition that stands there is replaced.

    Parameters
    ----------
    folder : Path
        Where; must not exist, be empty or be an edition.
    region, network
        What was merged, and what it was compiled into.
    parts : mapping of file name to bytes
        ``tariff.json``, ``agreements.json``, ``published.json``.

    Raises
    ------
    InputError
        The folder holds something else.
    EnvironmentFault
        It cannot be written.
    """
    if folder.exists() and not _replaceable(folder):
        raise InputError(f"{folder}: exists and is no edition: give another folder")
    try:
        with swapped_in(folder) as temporary:
            return _write_parts(temporary, region, network, parts)
    except OSError as error:
        raise EnvironmentFault(f"{folder}: cannot be written: {error.strerror}") from error


def _replaceable(folder: Path) -> bool:
    return folder.is_dir() and ((folder / EDITION_FILE).is_file() or not any(folder.iterdir()))


def _write_parts(folder: Path, region: Region, network: Network, parts: Mapping[str, bytes]) -> str:
    from mobility.network.documents import info_document, notices_of, region_document, table_hash

    hashes = {NETWORK_PART: write_network(folder / NETWORK_PART, network)}
    (folder / "tables").mkdir()
    for name in sorted(region.tables):
        part = f"tables/{name}.parquet"
        assert _TABLE_PART.fullmatch(part), f"{name} is no name for a table"
        region.tables[name].write_parquet(folder / part, compression="zstd", compression_level=1)
        hashes[part] = table_hash(region.tables[name])
    files = {REGION_PART: canonical_json(region_document(region)), **parts}
    for name, content in files.items():
        assert _PART_NAME.fullmatch(name), f"{name} is no name for a part"
        (folder / name).write_bytes(content)
        hashes[name] = content_hash(content)
    notes = {
        "info.json": canonical_json(info_document(region, network)),
        "notices.json": canonical_json([asdict(n) for n in notices_of(region, network)]),
    }
    for name, content in notes.items():
        (folder / name).write_bytes(content)
    hashed = {
        "format_version": FORMAT_VERSION,
        "region": region.manifest.id,
        "feeds": {feed.id: feed.version for feed in region.feeds},
        "parts": hashes,
    }
    edition_hash = content_hash(hashed)
    outside = {name: content_hash(content) for name, content in notes.items()}
    document = hashed | {"hash": edition_hash, "notes": outside}
    (folder / EDITION_FILE).write_bytes(canonical_json(document))
    return edition_hash


@dataclass(frozen=True, eq=False)
class Edition:
    """An open edition; everything but the arrays is read when it is asked for.

    Parameters
    ----------
    path : Path
        Its folder.
    hash : str
        Content hash.
    versions : dict of str to str
        What stands in every answer: ``region``, ``edition``, ``network`` and, where there are
        any, ``tariff`` and ``agreement``.
    info : dict
        The document ``info`` of the design, with the number of notices by code.
    network : Network
        Mapped.
    slices : SliceStore
        Files in the edition's folder, in the home where that cannot be written.
    part_hashes, note_hashes : dict of str to str
        Of each part by file name; of the notes, which are outside the hash.
    """

    path: Path
    hash: str
    versions: dict[str, str]
    network: Network
    slices: SliceStore
    part_hashes: dict[str, str]
    note_hashes: dict[str, str]
    _tables: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def info(self) -> dict[str, Any]:
        """The document ``info``."""
        return {"versions": self.versions, **json.loads(self._read("info.json"))}

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """What was found when the edition was built."""
        return tuple(Notice(**notice) for notice in json.loads(self._read("notices.json")))

    @property
    def table_names(self) -> tuple[str, ...]:
        """Names of all tables, in order."""
        found = (_TABLE_PART.fullmatch(name) for name in sorted(self.part_hashes))
        return tuple(match[1] for match in found if match)

    def table(self, name: str) -> pl.DataFrame:
        """Return a table of the merged region, read once.

        Raises
        ------
        KeyError
            The edition has no such table.
        InputError
            The file cannot be read.
        """
        if f"tables/{name}.parquet" not in self.part_hashes:
            raise KeyError(f"{self.path} has no table {name}")
        with self._lock:
            if name not in self._tables:
                self._tables[name] = self._read_table(name)
            return self._tables[name]

    def columns_of(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table, which is not read."""
        import polars as pl

        return tuple(pl.read_parquet_schema(self.path / "tables" / f"{name}.parquet"))

    def rows_where(self, name: str, predicate: pl.Expr) -> pl.DataFrame:
        """Return the rows of a table for which a predicate holds; the table is not kept.

        Raises
        ------
        KeyError
            The edition has no such table.
        InputError
            The file cannot be read.
        """
        if f"tables/{name}.parquet" not in self.part_hashes:
            raise KeyError(f"{self.path} has no table {name}")
        return self._read_table(name, predicate)

    def _read_table(self, name: str, predicate: pl.Expr | None = None) -> pl.DataFrame:
        import polars as pl

        path = self.path / "tables" / f"{name}.parquet"
        try:
            if predicate is not None:
                return pl.scan_parquet(path).filter(predicate).collect()
            return pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None

    def part(self, name: str) -> bytes | None:
        """Return a part such as ``tariff.json``; None where the edition has none."""
        return self._read(name) if name in self.part_hashes else None

    def _read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise InputError(f"{self.path / name}: cannot be read: {error.strerror}") from None

    def region(self) -> Region:
        """Return the region that the edition was made of, for scenarios and export."""
        from mobility.feeds.feed import TableCounts
        from mobility.feeds.statements import Manifest
        from mobility.merge import FeedInfo, Region

        document = json.loads(self._read(REGION_PART))
        for feed in document["manifest"]["feeds"]:
            feed["path"] = self.path
        counts = {
            feed["id"]: {name: TableCounts(**rows) for name, rows in feed["tables"].items()}
            for feed in self.info["feeds"]
        }
        feeds = tuple(
            FeedInfo(**feed | _dates(feed), counts=counts[feed["id"]]) for feed in document["feeds"]
        )
        network = self.network
        bits = network.service_bits[: network.n_services]
        days = np.unpackbits(bits, axis=1, bitorder="little")[:, : network.n_days]
        return Region(
            manifest=Manifest.model_validate(document["manifest"] | {"folder": self.path}),
            feeds=feeds,
            first_date=network.first_date,
            days=days.astype(np.bool_),
            coverage=network.coverage,
            tables={name: self.table(name) for name in self.table_names},
            notices=self.notices,
            train_counts=document["trains"],
        )

    def verify(self) -> None:
        """Recompute the hash of every part.

        Raises
        ------
        CheckFailed
            One differs or is missing; names it.
        """
        for name, expected in sorted((self.part_hashes | self.note_hashes).items()):
            if self._hash_now(name) != expected:
                raise CheckFailed(f"{self.path / name}: not what the edition was built with")

    def _hash_now(self, name: str) -> str:
        table = _TABLE_PART.fullmatch(name)
        try:
            if table:
                from mobility.network.documents import table_hash

                return table_hash(self._read_table(table[1]))
            if name == NETWORK_PART:
                verify_network(self.path / name)
                return self.network.hash
            return content_hash(self._read(name))
        except InputError as error:
            raise CheckFailed(str(error)) from None


def _dates(feed: Mapping[str, str]) -> dict[str, dt.date]:
    return {name: dt.date.fromisoformat(feed[name]) for name in ("valid_from", "valid_until")}


def open_edition(folder: Path) -> Edition:
    """Open an edition: its arrays are mapped, nothing large is read.

    Raises
    ------
    InputError
        No edition stands there, or it is damaged.
    FormatVersionError
        It has another format version.
    """
    document = read_edition_file(folder)
    hashed = {name: document[name] for name in ("format_version", "region", "feeds", "parts")}
    network = read_network(folder / NETWORK_PART)
    parts = document["parts"]
    if content_hash(hashed) != document["hash"] or network.hash != parts[NETWORK_PART]:
        raise InputError(f"{folder}: {EDITION_FILE} and its parts are not of one build")
    versions = {"region": document["region"], "edition": document["hash"]}
    named = (("network", NETWORK_PART), ("tariff", "tariff.json"), ("agreement", "agreements.json"))
    versions |= {name: parts[part] for name, part in named if part in parts}
    return Edition(
        path=folder,
        hash=document["hash"],
        versions=versions,
        network=network,
        slices=network.slices(_slice_folder(folder, document["hash"])),
        part_hashes=parts,
        note_hashes=document["notes"],
    )


def _slice_folder(folder: Path, edition_hash: str) -> Path:
    """Return where the slices of an edition are kept: with it, else in the home."""
    if os.access(folder, os.W_OK):
        return folder / "slices"
    from mobility.core.settings import Settings

    return Settings().home / "slices" / edition_hash

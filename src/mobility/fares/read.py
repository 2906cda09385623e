"""Read a region's fares: TOML files and the table of zones, checked against each other.

Files are read in any order and sorted by id, so that how they are cut or named changes nothing.
Whatever is wrong is told in one line: file, key, what was expected.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mobility.core.errors import FormatVersionError, ManifestError
from mobility.fares.check import check_agreements, check_tariff
from mobility.fares.source import (
    FORMAT,
    Agreement,
    AgreementsFile,
    Contract,
    Product,
    ProductsFile,
    TariffFile,
)

MAX_FILE_BYTES = 8_000_000
MAX_FILES = 200
ZONE_COLUMNS = ["system", "zone", "stop"]

FileModel = TypeVar("FileModel", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """One row of ``zones.csv``: the stop ``feed:raw_id`` lies in the zone of the system."""

    stop: str
    system: str
    zone: str
    line: int


@dataclass(frozen=True, slots=True)
class TariffSource:
    """A region's tariff as read and checked: what `compile_tariff` takes."""

    folder: Path
    tariff: TariffFile
    products: tuple[Product, ...]
    zones: tuple[ZoneRow, ...]


def read_tariff(folder: Path) -> TariffSource:
    """Read ``tariff.toml``, ``products/*.toml`` and ``zones.csv`` of a folder.

    Raises
    ------
    ManifestError, MoneyError, FormatVersionError
        One line with file and key.
    """
    tariff = _read_model(folder / "tariff.toml", TariffFile)
    located: dict[str, tuple[Path, Product]] = {}
    for path in _list_toml(folder / "products"):
        for product in _read_model(path, ProductsFile).products:
            _add_once(located, product.id, path, product, "products")
    zones = tuple(_read_zones(folder / "zones.csv")) if tariff.systems else ()
    source = TariffSource(
        folder, tariff, tuple(product for _, (_, product) in sorted(located.items())), zones
    )
    check_tariff(folder, tariff, [located[key] for key in sorted(located)], _zones_by_system(zones))
    return source


def read_agreements(folder: Path) -> dict[str, Any]:
    """Read ``agreements/*.toml`` of a folder as plain data: the ``agreements.json`` of an edition.

    Raises
    ------
    ManifestError, MoneyError, FormatVersionError
        One line with file and key; also where an agreement names what the tariff does not have.
    """
    source = read_tariff(folder)
    contracts: dict[str, tuple[Path, Contract]] = {}
    agreements: dict[str, tuple[Path, Agreement]] = {}
    for path in _list_toml(folder / "agreements"):
        content = _read_model(path, AgreementsFile)
        for contract in content.contracts:
            _add_once(contracts, contract.id, path, contract, "contracts")
        for agreement in content.agreements:
            _add_once(agreements, agreement.id, path, agreement, "agreements")
    check_agreements(
        source.tariff,
        {product.id: product for product in source.products},
        _zones_by_system(source.zones),
        [contracts[key] for key in sorted(contracts)],
        [agreements[key] for key in sorted(agreements)],
    )
    return {
        "format": FORMAT,
        "contracts": [contracts[key][1].model_dump(mode="json") for key in sorted(contracts)],
        "agreements": [agreements[key][1].model_dump(mode="json") for key in sorted(agreements)],
    }


def _add_once(
    known: dict[str, tuple[Path, Any]], key: str, path: Path, value: object, kind: str
) -> None:
    if key in known:
        raise ManifestError(f"{path}: {kind}.{key}: this id is already used in {known[key][0]}")
    known[key] = (path, value)


def _list_toml(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if len(paths) > MAX_FILES:
        raise ManifestError(f"{folder}: {len(paths)} files: expected at most {MAX_FILES}")
    return paths


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ManifestError(f"{path}: expected at most {MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from None


def _read_text(path: Path) -> str:
    try:
        return _read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ManifestError(f"{path}: expected UTF-8") from None


def _read_model(path: Path, model: type[FileModel]) -> FileModel:
    try:
        data = tomllib.loads(_read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: not TOML: {error}") from None
    if data.get("format") != FORMAT:
        raise FormatVersionError(
            f"{path}: format: {data.get('format')!r} cannot be read: expected format = {FORMAT};"
            " see fares/schema for its form"
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ManifestError(f"{path}: {_first_problem(error, data)}") from None


def _first_problem(error: ValidationError, data: dict[str, Any]) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    key, value = "", data
    for part in first["loc"]:
        try:
            value = value[part]  # type: ignore[index]  # keys of a dict or places of a list
        except (KeyError, IndexError, TypeError):
            value = {}
        name = value.get("id") if isinstance(part, int) and isinstance(value, dict) else None
        key += f".{name or part}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{key[1:]}: {first['msg'][0].lower()}{first['msg'][1:]}{more}"


def _read_zones(path: Path) -> Iterable[ZoneRow]:
    reader = csv.reader(_read_text(path).splitlines())
    header = next(reader, [])
    if header != ZONE_COLUMNS:
        raise ManifestError(f"{path}: line 1: expected the columns {','.join(ZONE_COLUMNS)}")
    rows: dict[tuple[str, str, str], ZoneRow] = {}
    for row in reader:
        if len(row) != len(ZONE_COLUMNS) or not all(row):
            raise ManifestError(f"{path}: line {reader.line_num}: expected system,zone,stop")
        system, zone, stop = row
        rows.setdefault((stop, system, zone), ZoneRow(stop, system, zone, reader.line_num))
    return [rows[key] for key in sorted(rows)]


def _zones_by_system(zones: Sequence[ZoneRow]) -> dict[str, dict[str, int]]:
    """Return per system its zones, each with the line that first names it."""
    by_system: dict[str, dict[str, int]] = {}
    for row in zones:
        lines = by_system.setdefault(row.system, {})
        lines[row.zone] = min(row.line, lines.get(row.zone, row.line))
    return by_system


Check = Callable[[str, str], None]

"""Fare files: read in any order to the same bytes; whatever is wrong is told in one line."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mobility.core.errors import FormatVersionError, InputError, ManifestError, MoneyError
from mobility.core.ids import canonical_json
from mobility.fares import (
    Rider,
    TariffPricer,
    compile_tariff,
    load_agreements,
    load_tariff,
    read_agreements,
    read_tariff,
    tariff_version,
)
from mobility.fares.source import SCHEMAS, json_schema


@pytest.fixture
def copied(tmp_path: Path, fares_folder: Path) -> Path:
    folder = tmp_path / "fares"
    folder.mkdir()
    for name in ("tariff.toml", "zones.csv"):
        shutil.copy(fares_folder / name, folder / name)
    for name in ("products", "agreements"):
        shutil.copytree(fares_folder / name, folder / name)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


BAD_INPUT: list[Any] = [
    # file, old, new, error, what the line must say
    ("products/ch.toml", "price = [420,", "price = [-420,", MoneyError,
     r"ch\.toml: products\.tnw-single\.prices \(tnw machine CHF\)\.price: -420 is no price"),
    ("products/ch.toml", 'currency = "CHF"', 'currency = "SFR"', MoneyError,
     r"ch\.toml: products\.tnw-single.*unknown currency 'SFR'"),
    ("products/ch.toml", 'seller = "tnw"', 'seller = "nobody"', ManifestError,
     r"ch\.toml: products\.tnw-single.*seller: unknown party 'nobody'"),
    ("products/ch.toml", 'seller = "fern-ch"', 'seller = "nahverkehr-bw"', ManifestError,
     r"'nahverkehr-bw' has not the role seller"),
    ("products/ch.toml", 'zones = ["tnw"]', 'zones = ["tnw:99"]', ManifestError,
     r"ch\.toml: products\.tnw-single\.scope\.zones: unknown zone 'tnw:99'"),
    ("products/ch.toml", 'lines = ["tram-8"]', 'lines = ["tram-88"]', ManifestError,
     r"ch\.toml: products\.u-abo\.scope\.lines: unknown line 'tram-88'"),
    ("products/ch.toml", "format = 1", "format = 2", FormatVersionError,
     r"ch\.toml: format: 2 cannot be read: expected format = 1"),
    ("products/ch.toml", "price = [420,", "price = [4.20,", ManifestError,
     r"ch\.toml: products\.tnw-single\.prices\.0\.price.*valid integer"),
    ("products/ch.toml", "price = 8500", "price = [8500]", ManifestError,
     r"products\.u-abo.*price: expected one amount"),
    ("products/ch.toml", "[5, 480], [10, 640]", "[10, 480], [5, 640]", ManifestError,
     r"products\.ch-distance.*price: expected a list of \[up to km, amount\] with rising km"),
    ("products/ch.toml", 'validity = "day"', 'validity = "week"', ManifestError,
     r"products\.ch-distance\.validity"),
    ("products/ch.toml", "validity = [60, 90", "validity = [0, 90", ManifestError,
     r"products\.tnw-single\.validity: expected minutes"),
    ("products/ch.toml", "valid_until = 2028-12-09", "valid_until = 2025-12-09", ManifestError,
     r"tnw-single\.valid_until: 2025-12-09 is before valid_from"),
    ("products/ch.toml", 'id = "u-abo"', 'id = "tnw-single"', ManifestError,
     r"ch\.toml: products\.tnw-single: this id is already used in .*ch\.toml"),
    ("products/ch.toml", 'id = "u-abo"', 'id = "U Abo"', ManifestError,
     r"ch\.toml: products\.U Abo\.id: string should match pattern"),
    ("products/ch.toml", 'protects = "pass"', 'protects = "all"', ManifestError,
     r"u-abo\.protects: unknown protection 'all'"),
    ("products/ch.toml", 'protects = "zones"', 'protect = "zones"', ManifestError,
     r"ch\.toml: products\.tnw-single\.protect.*"),
    ("products/border.toml", "[260, 260, 250], [340, 340, 330]", "[260, 260], [340, 340, 330]",
     ManifestError, r"triregio-single.*parts\.tnw: expected a list of equally long lists"),
    ("products/border.toml", 'parts = ["tnw"]', 'parts = ["sbb"]', ManifestError,
     r"triregio-single\.reductions\.parts: unknown part of the price 'sbb'"),
    ("products/fr.toml", '["basel", "saint-louis"]', '["basel", "paris"]', ManifestError,
     r"ter-single.*price: unknown zone 'paris'"),
    ("tariff.toml", 'agencies = ["ch-city:land"]', 'agencies = ["ch-city:stadt"]', ManifestError,
     r"tariff\.toml: parties\.agencies: 'ch-city:stadt' stands there twice"),
    ("tariff.toml", '["10", "11"]', '["10", "77"]', ManifestError,
     r"tariff\.toml: systems\.tnw\.adjacent: unknown zone 'tnw:77'"),
    ("tariff.toml", 'rates = { CHF = "1.06" }', "rates = {}", ManifestError,
     r"tariff\.toml: comparison\.rates: no rate for CHF"),
    ("tariff.toml", 'rates = { CHF = "1.06" }', 'rates = { CHF = "0" }', MoneyError,
     r"comparison\.rates\.CHF: expected a rate above 0"),
    ("tariff.toml", 'id = "dis"', 'id = "dist"', ManifestError,
     r"zones\.csv: line \d+: system: unknown system 'dis'"),
    ("tariff.toml", "[[parties]]", "[[parties", ManifestError, r"tariff\.toml: not TOML: "),
    ("zones.csv", "system,zone,stop", "zone,system,stop", ManifestError,
     r"zones\.csv: line 1: expected the columns system,zone,stop"),
    ("zones.csv", "baden,bad-krozingen,", "baden,", ManifestError,
     r"zones\.csv: line 2: expected system,zone,stop"),
    ("agreements/products.toml", '"stadt-basel" = 35', '"stadt" = 35', ManifestError,
     r"agreements\.triregio-2027\.without_rides: unknown party 'stadt'"),
    ("agreements/products.toml", 'products = ["tnw-single"]', 'products = ["tnw"]', ManifestError,
     r"agreements\.tnw-2027\.products: unknown product 'tnw'"),
    ("agreements/products.toml", 'products = ["tnw-single"]',
     'products = ["tnw-single", "u-abo"]', ManifestError,
     r"valid_from: 2026-12-13 lies within agreements\.tnw-2027: both hold for the same product"),
    ("agreements/products.toml", 'part = "tnw"', 'part = "chf"', ManifestError,
     r"agreements\.triregio-2027\.parts: expected each part of product 'triregio-single'"),
    ("agreements/products.toml", 'rate = "0.04"', 'rate = "1.04"', ManifestError,
     r"triregio-2027\.commissions\.rate: 1\.04 is above 1"),
    ("agreements/products.toml", '"agglo-saint-louis" = 100', '"agglo-saint-louis" = -1',
     MoneyError, r"agreements\.saint-louis-2027\.shares: expected weights of 0 or more"),
    ("agreements/products.toml", 'base = ["rvl-single"]\n', "", ManifestError,
     r"agreements\.rvl-pass-2027\.base: method M2, and only it, names products here"),
    ("agreements/contracts.toml", 'owner = "nahverkehr-bw"', 'owner = "x"', ManifestError,
     r"contracts\.toml: contracts\.s6-germany\.owner: unknown party 'x'"),
    ("agreements/contracts.toml", "valid_from = 2027-12-12", "valid_from = 2027-12-11",
     ManifestError, r"contracts\.tram-8-germany-2028\.valid_from: 2027-12-11 lies within"),
    ("agreements/contracts.toml", 'lines = ["s6"]', 'lines = ["s66"]', ManifestError,
     r"contracts\.s6-germany\.lines: unknown line 's66'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "error", "line"), BAD_INPUT, ids=lambda value: str(value)[:40]
)
def test_bad_input_is_told_in_one_line_with_file_and_key(
    copied: Path, file: str, old: str, new: str, error: type[InputError], line: str
) -> None:
    edit(copied / file, old, new)
    with pytest.raises(error) as caught:
        read_agreements(copied)
    assert re.search(line, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(copied) in str(caught.value)


def test_a_missing_or_binary_file_is_named(copied: Path) -> None:
    (copied / "zones.csv").write_bytes(b"system,zone,stop\n\xff\xfe,1,a\n")
    with pytest.raises(ManifestError, match=r"zones\.csv: expected UTF-8"):
        read_tariff(copied)
    (copied / "tariff.toml").unlink()
    with pytest.raises(ManifestError, match=r"tariff\.toml: cannot be read: No such file"):
        read_tariff(copied)


def test_prices_in_two_currencies_need_stated_rates_to_be_ranked(copied: Path) -> None:
    text = (copied / "tariff.toml").read_text(encoding="utf-8")
    start, end = text.index("[comparison]"), text.index("# --- parties")
    (copied / "tariff.toml").write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(ManifestError, match=r"tariff\.toml: comparison: missing: prices in CHF"):
        read_tariff(copied)


def test_how_files_are_cut_and_named_changes_no_byte(copied: Path, fares_folder: Path) -> None:
    tariff = canonical_json(compile_tariff(read_tariff(fares_folder), {}))
    agreements = canonical_json(read_agreements(fares_folder))
    for folder in ("products", "agreements"):
        for number, path in enumerate(sorted((copied / folder).glob("*.toml"), reverse=True)):
            path.rename(path.with_name(f"{number}.toml"))
    header, *rows = (copied / "zones.csv").read_text(encoding="utf-8").splitlines()
    random.Random(7).shuffle(rows)
    (copied / "zones.csv").write_text("\n".join([header, *rows, rows[0]]), encoding="utf-8")
    assert canonical_json(compile_tariff(read_tariff(copied), {})) == tariff
    assert canonical_json(read_agreements(copied)) == agreements


def test_the_version_changes_with_a_price_and_with_nothing_else(
    copied: Path, fares_folder: Path
) -> None:
    before = tariff_version(compile_tariff(read_tariff(fares_folder), {}))
    assert tariff_version(compile_tariff(read_tariff(copied), {})) == before
    edit(copied / "products/ch.toml", "[420,", "[430,")
    assert tariff_version(compile_tariff(read_tariff(copied), {})) != before


def test_a_station_lies_in_the_zones_of_all_its_members(fares_folder: Path) -> None:
    refs = {"s1": ["fr-regio:StopArea:OCE85000109", "ch-rail:8500010"], "s2": ["x:nowhere"]}
    stations = compile_tariff(read_tariff(fares_folder), refs)["station_zones"]
    assert list(stations) == ["s1"]
    assert {"tnw:10", "ter:basel", "country:CH"} <= set(stations["s1"])


@pytest.mark.parametrize("load", [load_tariff, load_agreements])
def test_another_format_of_a_compiled_file_is_refused(load: Callable[[Any], Any]) -> None:
    with pytest.raises(FormatVersionError, match=r"rebuild the edition with: mobility build"):
        load({"format": 2})


@pytest.mark.parametrize(
    ("rider", "line"),
    [
        (Rider(cards=frozenset({"halbtax"})), "unknown card 'halbtax': this tariff has half-fare"),
        (Rider(passes=frozenset({"ga"})), "unknown pass 'ga': this tariff has dis-pass, rvl-pass"),
        (Rider(age_group="dog"), "unknown age group 'dog': this tariff has adult, child"),
        (Rider(currency="SFR"), "unknown currency 'SFR'"),
        (Rider(persons=0), "0 persons: expected 1 to 50"),
    ],
)
def test_a_rider_whom_the_tariff_does_not_know_is_refused(
    basel_pricer: TariffPricer, rider: Rider, line: str
) -> None:
    with pytest.raises(InputError, match=re.escape(line)):
        basel_pricer.for_rider(rider)


def test_the_shipped_files_obey_the_published_schemas(fares_folder: Path) -> None:
    import datetime as dt
    import json
    import tomllib

    def plain(path: Path) -> Any:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return json.loads(json.dumps(data, default=dt.date.isoformat))

    files = {
        "tariff.json": [fares_folder / "tariff.toml"],
        "products.json": sorted((fares_folder / "products").glob("*.toml")),
        "agreements.json": sorted((fares_folder / "agreements").glob("*.toml")),
    }
    assert set(files) == set(SCHEMAS)
    for name, paths in files.items():
        for path in paths:
            jsonschema.validate(plain(path), json_schema(name))

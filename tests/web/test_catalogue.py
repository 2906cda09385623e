"""The catalogue: every language says everything, in the same words' places."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from mobility.web import LANGUAGES, choose_language, read_catalogue
from mobility.web.catalogue import offered_languages

FOLDER = resources.files("mobility.web").joinpath("i18n")
AREAS = sorted(
    file.name.removesuffix(".en.json")
    for file in FOLDER.iterdir()
    if file.name.endswith(".en.json")
)


def holes(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_string_with_the_same_holes(language: str) -> None:
    english, other = (read_catalogue(code, *AREAS).strings for code in ("en", language))
    assert list(english) == list(other)
    assert {key: holes(text) for key, text in english.items()} == {
        key: holes(text) for key, text in other.items()
    }
    assert not [key for key, text in other.items() if not text.strip()]


def test_no_area_says_again_what_another_says() -> None:
    names = ["en.json", *(f"{area}.en.json" for area in AREAS)]
    parts = [json.loads(FOLDER.joinpath(name).read_text("utf-8")) for name in names]
    assert sum(map(len, parts)) == len(read_catalogue("en", *AREAS).strings)


def test_plurals_come_in_both_forms() -> None:
    keys = read_catalogue("en", *AREAS).strings
    ones = {key.removesuffix(".one") for key in keys if key.endswith(".one")}
    others = {key.removesuffix(".other") for key in keys if key.endswith(".other")}
    assert ones == others - {"vehicle", "problem"}


def test_every_string_that_a_page_asks_for_exists(project_root: Path) -> None:
    web = project_root / "src" / "mobility" / "web"
    sources = [
        *(web / "templates").glob("*.html"),
        *web.glob("*.py"),
        *(project_root / "web" / "src").rglob("*.svelte"),
        *(project_root / "web" / "src").rglob("*.ts"),
    ]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    strings = read_catalogue("en", *AREAS).strings
    plain = set(re.findall(r"""\b(?:t|text)\(\s*["']([a-z_-]+\.[a-z_.-]+)["']""", text))
    counted = set(re.findall(r"""\bcount\(\s*["']([a-z_-]+\.[a-z_.-]+)["']""", text))
    assert plain and counted
    assert {key for key in plain if key not in strings and not key.endswith(".")} == set()
    assert {key for key in counted if f"{key}.other" not in strings} == set()


def test_the_language_is_chosen_by_address_then_browser_then_region() -> None:
    offered = offered_languages(["fr", "de"])
    assert choose_language("de", "fr", offered) == "de"
    assert choose_language("xx", "en, de-AT;q=0.5", offered) == "de"
    assert choose_language(None, "*;q=oops,,", offered) == "fr"
    assert offered_languages(["rm"]) == ("en",)

"""`mobility edition`: take an edition into use, see which one is, go back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mobility.network import open_edition


def test_an_edition_is_activated_listed_and_kept_from_damage(
    mobility: Any, sample_edition: Path, tmp_path: Path
) -> None:
    edition_hash = open_edition(sample_edition).hash
    done = mobility("edition", "activate", sample_edition, "--reason", "first of the year")
    assert (done.status, done.out) == (0, f"edition {edition_hash[:12]} is in use\n")
    listed = mobility("edition", "list", "--json").document
    assert [(e["hash"], e["state"]) for e in listed["editions"]] == [(edition_hash, "in use")]
    (line,) = listed["history"]
    assert (line["action"], line["edition"], line["reason"]) == (
        "activate", edition_hash, "first of the year",
    )  # fmt: skip
    assert line["actor"] and line["id"] and line["at"]

    broken = tmp_path / "broken"
    shutil.copytree(sample_edition, broken)
    (broken / "tariff.json").write_text("{}")
    refused = mobility("edition", "activate", broken)
    assert refused.status == 3
    assert "tariff.json: not what the edition was built with" in refused.error_line
    listed = mobility("edition", "list", "--json").document
    assert [line["action"] for line in listed["history"]] == ["activate", "refuse"]
    assert [e["state"] for e in listed["editions"]] == ["in use"]
    assert edition_hash[:12] in mobility("edition", "list").out


def test_wrong_calls_are_told_in_one_line(mobility: Any, tmp_path: Path) -> None:
    assert mobility("edition", "rollback").status == 2
    unknown = mobility("edition", "activate", "abc")
    assert unknown.status == 2
    assert "no folder of an edition, and none begins so" in unknown.error_line
    assert mobility("edition", "list", "--json").document == {"editions": [], "history": []}


def test_nothing_is_served_where_nothing_is_in_use(mobility: Any, tmp_path: Path) -> None:
    none = mobility("serve")
    assert none.status == 1
    assert "mobility edition activate" in none.error_line
    nowhere = mobility("serve", tmp_path)
    assert nowhere.status == 1
    assert "no edition here" in nowhere.error_line

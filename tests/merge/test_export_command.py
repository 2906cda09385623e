"""`mobility export` writes the zip, says what it did, and fails in one line."""

import zipfile

import pytest

from mobility.network import compile_network, write_edition
from tests.merge.test_export_tables import toy_region


@pytest.fixture(scope="module")
def toy_edition(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    region = toy_region(folder)
    write_edition(folder / "edition", region, compile_network(region), {})
    return folder / "edition"


def test_the_zip_is_written_and_counted(mobility, toy_edition, tmp_path):
    outcome = mobility("export", toy_edition, "-o", tmp_path / "merged.zip", "--json")
    assert outcome.status == 0, outcome.err
    document = outcome.document
    assert document["zone"] == "Europe/Zurich"
    assert document["rows"]["trips"] == 5
    assert document["versions"]["region"] == "toy"
    assert {"code", "file", "count"} <= set(document["notices"][0])
    with zipfile.ZipFile(tmp_path / "merged.zip") as archive:
        info = archive.read("feed_info.txt").decode()
    assert f"edition {document['versions']['edition'][:12]}" in info


def test_people_are_told_what_was_written(mobility, toy_edition, tmp_path):
    outcome = mobility("export", toy_edition, "-o", tmp_path / "merged.zip")
    assert outcome.status == 0 and outcome.out == ""
    assert "5 trips of 2 feeds, times in Europe/Zurich" in outcome.err


def test_the_exported_zip_builds(mobility, toy_edition, tmp_path):
    assert mobility("export", toy_edition, "-o", tmp_path / "merged.zip").status == 0
    words = ("build", tmp_path / "merged.zip", "-o", tmp_path / "again", "--no-merge", "--json")
    outcome = mobility(*words)
    assert outcome.status == 0, outcome.err
    assert outcome.document["stations"] == 4


@pytest.mark.parametrize(
    ("make", "status", "told"),
    [
        (lambda folder: folder / "nowhere", 1, "no edition here"),
        (lambda folder: folder, 1, "no edition here"),
    ],
)
def test_what_is_no_edition_is_refused(mobility, tmp_path, make, status, told):
    outcome = mobility("export", make(tmp_path), "-o", tmp_path / "merged.zip")
    assert outcome.status == status
    assert told in outcome.error_line
    assert not (tmp_path / "merged.zip").exists()


def test_a_folder_in_the_way_is_refused(mobility, toy_edition, tmp_path):
    outcome = mobility("export", toy_edition, "-o", tmp_path)
    assert outcome.status == 1
    assert "is a folder" in outcome.error_line


def test_a_place_that_cannot_be_written_is_the_environments_fault(mobility, toy_edition, tmp_path):
    (tmp_path / "file").write_text("")
    outcome = mobility("export", toy_edition, "-o", tmp_path / "file" / "merged.zip")
    assert outcome.status == 4
    assert "cannot be written" in outcome.error_line

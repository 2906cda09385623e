"""Bad input ends in the right exit status and one clear line, and leaves nothing half-written."""

import shutil
import zipfile

import pytest

from tests.border import write_border_region

DAY = "2027-05-04"


@pytest.fixture
def region(tmp_path):
    """Return the folder of the border region in miniature."""
    return write_border_region(tmp_path)


@pytest.fixture
def edition(region, tmp_path, mobility):
    """Return the edition of the border region."""
    folder = tmp_path / "edition"
    assert mobility("build", region, "-o", folder).status == 0
    return folder


def refused(outcome, status, *words):
    """Assert the exit status, and that the one line names what is wrong."""
    assert outcome.status == status, outcome.err
    assert "Traceback" not in outcome.err
    for word in words:
        assert str(word) in outcome.error_line
    assert outcome.out == ""


def test_a_missing_file_is_named(mobility, tmp_path):
    refused(mobility("build", tmp_path / "no.zip", "-o", tmp_path / "e"), 1, "no.zip")
    assert not (tmp_path / "e").exists()


def test_a_broken_zip_is_named(mobility, tmp_path):
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stops.txt", "stop_id,stop_name\n" + "x,y\n" * 5000)
    (tmp_path / "cut.zip").write_bytes(whole.read_bytes()[:-60])
    refused(mobility("build", tmp_path / "cut.zip", "-o", tmp_path / "e"), 1, "cut.zip")
    assert not (tmp_path / "e").exists()


def test_a_web_page_instead_of_a_zip_is_recognised(mobility, tmp_path):
    (tmp_path / "page.zip").write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    outcome = mobility("build", tmp_path / "page.zip", "-o", tmp_path / "e")
    refused(outcome, 1, "page.zip", "web page")


def test_a_wrong_encoding_is_read_and_noticed(mobility, region, tmp_path):
    stops = region / "east" / "stops.txt"
    stops.write_bytes(stops.read_text(encoding="utf-8").encode("latin-1"))
    outcome = mobility("build", region, "-o", tmp_path / "e")
    assert outcome.status == 0
    names = mobility("plan", tmp_path / "e", "--from", "Guînes", "--to", "Eastend",
                     "--depart", f"{DAY}T09:00", "--json")  # fmt: skip
    assert names.status == 0
    assert names.document["journeys"][0]["legs"][0]["from"]["name"] == "Guînes"
    info = mobility("info", tmp_path / "e", "--json").document
    assert info["notices"]["not_utf8"] == 1


def test_two_equal_feed_ids_are_refused(mobility, region, tmp_path):
    for folder in ("one", "two"):
        shutil.copytree(region / "west", tmp_path / folder / "same")
    outcome = mobility(
        "build", tmp_path / "one" / "same", tmp_path / "two" / "same", "-o", tmp_path / "e"
    )
    refused(outcome, 1, "same")
    assert not (tmp_path / "e").exists()


def test_an_unknown_stop_is_named_with_the_nearest(mobility, edition):
    outcome = mobility("plan", edition, "--from", "Altn", "--to", "Eastend",
                       "--depart", f"{DAY}T07:00", "--json")  # fmt: skip
    refused(outcome, 1, "Altn", "Alton")


def test_a_date_outside_the_validity_is_refused_with_the_span(mobility, edition):
    outcome = mobility("plan", edition, "--from", "Alton", "--to", "Eastend",
                       "--depart", "2031-05-04T07:00", "--json")  # fmt: skip
    refused(outcome, 1, "2031-05-04", "2027-01-01", "2027-12-31")


def test_a_time_that_does_not_exist_is_refused_with_both_readings(mobility, edition):
    outcome = mobility("plan", edition, "--from", "Alton", "--to", "Eastend",
                       "--depart", "2027-03-28T01:30", "--json")  # fmt: skip
    refused(outcome, 1, "does not exist", "00:30:00+00:00", "02:30:00+01:00")


def test_a_language_without_a_catalogue_is_refused_with_those_there_are(mobility, edition):
    outcome = mobility("plan", edition, "--from", "Alton", "--to", "Eastend",
                       "--depart", f"{DAY}T07:00", "--language", "xx")  # fmt: skip
    refused(outcome, 2, "xx", "de, fr, en")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("price = 1501", "price = -1", ("all.toml", "price")),
        ('currency = "GBP"', 'currency = "GBX"', ("all.toml", "GBX")),
        ("format = 1", "format = 9", ("all.toml", "9")),
        ('zones = ["gb:1"]', 'zones = ["gb:7"]', ("gb:7",)),
    ],
    ids=["negative price", "unknown currency", "another format version", "unknown zone"],
)
def test_a_wrong_tariff_is_refused_with_file_and_key(mobility, region, tmp_path, old, new, words):
    path = region.parent.parent / "fares" / "strait" / "products" / "all.toml"
    path.write_text(path.read_text().replace(old, new))
    refused(mobility("build", region, "-o", tmp_path / "e"), 1, *words)
    assert not (tmp_path / "e").exists()


def test_a_scenario_with_an_unknown_line_is_refused_with_suggestions(mobility, edition, tmp_path):
    scenario = tmp_path / "s.toml"
    scenario.write_text('format = 1\n[[edit]]\nkind = "cancel_line"\nline = "west:B55"\n')
    outcome = mobility("scenario", "apply", edition, scenario, "-o", tmp_path / "after")
    refused(outcome, 1, "west:B55", "west:B5")
    assert not (tmp_path / "after").exists()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("format = 2\n[[edit]]\n", "format"),
        ('format = 1\n[[edit]]\nkind = "teleport"\n', "edit"),
        ("format = 1\nedit = []\n", "edit"),
        ("format = [", "TOML"),
    ],
)
def test_a_malformed_scenario_is_refused(mobility, edition, tmp_path, text, word):
    scenario = tmp_path / "s.toml"
    scenario.write_text(text)
    refused(mobility("scenario", "apply", edition, scenario, "-o", tmp_path / "a"), 1, word)


def test_an_edition_of_another_format_version_says_rebuild(mobility, edition):
    path = edition / "edition.json"
    path.write_text(path.read_text().replace('"format_version":1', '"format_version":99')
                    .replace('"format_version": 1', '"format_version": 99'))  # fmt: skip
    refused(mobility("info", edition), 1, "99", "mobility build")


def test_a_folder_that_is_no_edition_is_refused(mobility, tmp_path):
    refused(mobility("info", tmp_path), 1, tmp_path.name)


def test_a_changed_byte_is_found_by_verify(mobility, edition):
    path = edition / "network.bin"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    refused(mobility("info", edition, "--verify"), 3, "network.bin")


@pytest.mark.parametrize(
    "words",
    [
        ["plan"],
        ["plan", "{edition}", "--from", "Alton"],
        ["plan", "{edition}", "--from", "Alton", "--to", "Eastend"],
        ["nonsense"],
        ["build", "-o", "x"],
    ],
)
def test_a_wrong_call_is_a_usage_error(mobility, edition, words):
    outcome = mobility(*[word.format(edition=edition) for word in words])
    assert outcome.status == 2
    assert outcome.error_line


def test_no_journey_found_is_an_answer(mobility, edition):
    outcome = mobility("plan", edition, "--from", "Eastend", "--to", "Alton",
                       "--depart", f"{DAY}T07:00", "--json")  # fmt: skip
    assert outcome.status == 0
    assert outcome.document["journeys"] == []


def test_a_missing_file_of_questions_is_named(edition, mobility, tmp_path):
    scenario = tmp_path / "s.toml"
    edit = '[[edit]]\nkind = "cancel_line"\nline = "r"\n'
    scenario.write_text(f"format = 1\n{edit}", encoding="utf-8")
    words = ("scenario", "compare", edition, scenario, "--queries", tmp_path / "none.csv")
    refused(mobility(*words), 1, "none.csv")

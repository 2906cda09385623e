"""The manifest: what it says, and one clear line for whatever is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobility.core.errors import FormatVersionError, ManifestError
from mobility.feeds import Manifest, manifest_of_sources, read_manifest

WHOLE = r"""
format = 1
id = "valley"
name = "The valley"
timezone = "Europe/Zurich"
languages = ["de", "fr"]
[notice]
de = "Beispiel"
[[feeds]]
id = "city"
path = "sub/city.zip"
country = "CH"
precedence = 20
licence = "CC0-1.0"
attribution = "City"
train_number = { column = "trip_short_name", pattern = "0*([0-9]+)" }
border_point = "\\(Gr\\)\\s*$"
[[feeds]]
id = "rail"
path = "rail"
default_timezone = "Europe/Berlin"
[[hand_overs]]
left = "city:12"
right = "rail:9612"
station = "city:8500010"
"""

STATED = """
[[border_checks]]
place = "city:8500010"
from_country = "CH"
to_country = "FR"
from = 2026-12-01
until = 2026-12-31
minutes = 15
change_of_vehicle = true
documents = { en = "Carry a passport." }
[[boarding_bans]]
feed = "rail"
country = "CH"
reason = "no cabotage"
[[stations]]
member = "city:8500010"
name = "Valley Central"
tz = "Europe/Zurich"
"""


def write(folder: Path, text: str, decisions: str | bytes | None = None) -> Path:
    (folder / "region.toml").write_text(text, encoding="utf-8")
    if decisions is not None:
        data = decisions.encode() if isinstance(decisions, str) else decisions
        (folder / "decisions.csv").write_bytes(data)
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        read_manifest(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_manifest_is_read_from_its_folder_or_its_file(tmp_path: Path) -> None:
    decisions = (
        'kind,left,right,decision,reason\nstation,city:1,rail:de:2:3,same,"one hall, two names"\n'
        "\ntrain,city:t,rail:u,different,\n"
    )
    manifest = read_manifest(write(tmp_path, WHOLE, decisions))
    assert manifest == read_manifest(tmp_path / "region.toml")
    city, rail = manifest.feeds
    assert city.path == tmp_path / "sub" / "city.zip" and manifest.folder == tmp_path
    assert city.train_number is not None and city.train_number.column == "trip_short_name"
    assert (rail.precedence, rail.country, rail.border_point) == (100, None, None)
    assert [d.decision for d in manifest.decisions] == ["same", "different"]
    assert manifest.decisions[0].reason == "one hall, two names"
    assert manifest.notice == {"de": "Beispiel"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "rail"', 'id = "city"', "two feeds have the id 'city'"),
        ('id = "rail"', 'id = "Rail 1"', "feeds.1.id"),
        ('country = "CH"', 'country = "Switzerland"', "feeds.0.country"),
        ("precedence = 20", 'precedence = "first"', "feeds.0.precedence"),
        ("precedence = 20", "precedense = 20", "feeds.0.precedense"),
        ('path = "rail"', "", "feeds.1: a feed has either path or url"),
        ('path = "rail"', 'path = "rail"\nurl = "https://x.org/f.zip"', "either path or url"),
        ('path = "rail"', 'url = "ftp://x.org/f.zip"', "feeds.1.url"),
        ('path = "rail"', 'path = "rail"\ntier = "secret"', "feeds.1.tier"),
        ('path = "rail"', 'path = "rail"\ntiers = {fare = "public"}', "'fare' is no GTFS table"),
        ('"Europe/Berlin"', '"Europe/Atlantis"', "unknown time zone 'Europe/Atlantis'"),
        ('"0*([0-9]+)"', '"0*([0-9]+"', "no regular expression"),
        ('"0*([0-9]+)"', '"0*[0-9]+"', "has no group"),
        ('left = "city:12"', 'left = "town:12"', "'town:12' names no feed"),
        ('name = "The valley"', "", "name: Field required"),
        ('name = "The valley"', 'name = "x"\nfolder = "/etc"', "folder: not a field"),
        ("[notice]", "[notice", "not TOML"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert WHOLE.count(old) == 1
    message = refusal(write(tmp_path, WHOLE.replace(old, new)))
    assert told in message and "region.toml" in message


def test_another_format_is_refused_with_what_this_program_reads(tmp_path: Path) -> None:
    with pytest.raises(FormatVersionError, match="format is 2; this program reads format = 1"):
        read_manifest(write(tmp_path, WHOLE.replace("format = 1", "format = 2")))
    with pytest.raises(FormatVersionError, match="format is None"):
        read_manifest(write(tmp_path, "id = 'x'\n"))


@pytest.mark.parametrize(
    ("decisions", "told"),
    [
        ("kind,left,right\nstation,a,b\n", "no column 'decision'"),
        ("kind,left,right,decision,reason\nstation,a,b,perhaps,\n", "line 2: decision"),
        ("kind,left,right,decision,reason\nbus,a,b,same,\n", "line 2: kind"),
        ("kind,left,right,decision,reason\nstation,a,b,same,x,y\n", "line 2: more fields"),
        (b"kind,left,right,decision\nstation,\xff,b,same\n", "not UTF-8"),
    ],
)
def test_a_bad_decision_is_told_with_its_line(
    tmp_path: Path, decisions: str | bytes, told: str
) -> None:
    message = refusal(write(tmp_path, WHOLE, decisions))
    assert told in message and "decisions.csv" in message


def test_a_missing_manifest_and_no_feeds_are_told(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path)
    assert "no such file" in refusal(tmp_path / "other.toml")
    assert "feeds" in refusal(write(tmp_path, 'format = 1\nid = "x"\nname = "X"\nfeeds = []\n'))


def test_sources_without_manifest_take_ids_from_their_names(tmp_path: Path) -> None:
    manifest = manifest_of_sources([tmp_path / "renfe_cercanias.zip", tmp_path / "v1.2"])
    assert [feed.id for feed in manifest.feeds] == ["renfe-cercanias", "v1-2"]
    assert manifest.id == "region" and isinstance(manifest, Manifest)
    with pytest.raises(ManifestError, match="two feeds have the id 'a-b'"):
        manifest_of_sources([tmp_path / "a_b.zip", tmp_path / "sub" / "a-b"])
    with pytest.raises(ManifestError, match="no feed was given"):
        manifest_of_sources([])


def test_a_folder_given_as_a_dot_has_the_name_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Town").mkdir()
    monkeypatch.chdir(tmp_path / "Town")
    assert [feed.id for feed in manifest_of_sources([Path()]).feeds] == ["town"]


def test_the_sample_region_is_a_manifest(project_root: Path) -> None:
    manifest = read_manifest(project_root / "feeds" / "basel")
    assert all(feed.path.exists() for feed in manifest.feeds)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("until = 2026-12-31", "until = 2026-11-30", "until 2026-11-30 lies before"),
        ("minutes = 15", "minutes = 900", "border_checks.0.minutes"),
        ('place = "city:8500010"', 'place = "town:1"', "border_checks: 'town:1' names no feed"),
        ('feed = "rail"', 'feed = "town"', "boarding_bans: 'town' is no feed"),
        ('country = "CH"\nreason', "reason", "either by stops or by country"),
        ('tz = "Europe/Zurich"', 'tz = "Europe/Atlantis"', "unknown time zone"),
    ],
)
def test_a_false_statement_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in STATED
    assert told in refusal(write(tmp_path, WHOLE + STATED.replace(old, new)))


def test_checks_bans_and_station_names_are_read(tmp_path: Path) -> None:
    manifest = read_manifest(write(tmp_path, WHOLE + STATED))
    (check,), (ban,), (station,) = manifest.border_checks, manifest.boarding_bans, manifest.stations
    assert (check.minutes, check.change_of_vehicle) == (15, True)
    assert (str(check.from_date), str(check.until_date)) == ("2026-12-01", "2026-12-31")
    assert (ban.feed, ban.country, ban.from_date) == ("rail", "CH", None)
    assert (station.name, station.tz) == ("Valley Central", "Europe/Zurich")


def test_a_feed_with_a_reason_to_skip_is_not_used_but_known(tmp_path: Path) -> None:
    manifest = read_manifest(
        write(tmp_path, WHOLE.replace('path = "rail"', 'path = "rail"\nskip = "stale copy"'))
    )
    assert [feed.id for feed in manifest.used] == ["city"]
    assert [feed.id for feed in manifest.feeds] == ["city", "rail"]


def test_questions_left_open_are_counted(tmp_path: Path) -> None:
    asked = WHOLE.replace(
        '[[feeds]]\nid = "rail"', '# QUESTION: which licence?\n[[feeds]]\nid = "rail"'
    )
    assert read_manifest(write(tmp_path, asked)).open_questions == 1
    assert read_manifest(write(tmp_path, WHOLE)).open_questions == 0

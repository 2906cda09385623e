"""The gate: what it opens, what it refuses, and with which one line."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mobility.core.errors import FeedError
from mobility.feeds import FeedConfig, gate, read_feed


def zipped(
    path: Path, files: dict[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(FeedError) as caught:
        read_feed(FeedConfig(id="f", path=path))
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def codes(path: Path) -> set[str]:
    return {notice.code for notice in read_feed(FeedConfig(id="f", path=path)).notices}


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    assert "no such file or folder" in refusal(tmp_path / "nowhere.zip")


def test_a_web_page_instead_of_a_zip_is_named_as_such(tmp_path: Path) -> None:
    page = tmp_path / "page.zip"
    page.write_bytes(b"\n<!DOCTYPE html><html><body>403 Forbidden</body></html>")
    assert "web page" in refusal(page)


def test_an_empty_file_and_a_text_file_are_no_zip(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.zip", tmp_path / "text.zip"
    empty.write_bytes(b"")
    text.write_bytes(b"stop_id,stop_name\n")
    assert "empty" in refusal(empty)
    assert "no zip" in refusal(text)


def test_a_truncated_zip_is_refused(tmp_path: Path, base: dict[str, str]) -> None:
    whole = zipped(tmp_path / "whole.zip", dict(base)).read_bytes()
    for length in range(4, len(whole) - 1, 97):
        part = tmp_path / "part.zip"
        part.write_bytes(whole[:length])
        assert "truncated or damaged" in refusal(part)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_flipped_bytes_inside_a_zip_never_end_in_a_traceback(
    tmp_path: Path, base: dict[str, str], method: int
) -> None:
    whole = zipped(tmp_path / "whole.zip", dict(base), method=method).read_bytes()
    for at in range(0, len(whole), 41):
        part = tmp_path / "part.zip"
        part.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            read_feed(FeedConfig(id="f", path=part))
        except FeedError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_every_packing_of_the_same_files_is_the_same_version(
    tmp_path: Path, base: dict[str, str], write_feed: Callable[..., Path], method: int
) -> None:
    packed = zipped(tmp_path / "p.zip", dict(reversed(base.items())), method=method)
    folder = read_feed(FeedConfig(id="f", path=write_feed({"readme.md": "not GTFS"})))
    assert read_feed(FeedConfig(id="f", path=packed)).version == folder.version
    lines = "".join(
        f"{name} {hashlib.sha256(text.encode()).hexdigest()}\n"
        for name, text in sorted(base.items())
    )
    assert folder.version == hashlib.sha256(lines.encode()).hexdigest()


def test_another_byte_is_another_version(read_files: Callable[..., object]) -> None:
    assert read_files().version != read_files({"feed_info.txt": "feed_version\n1\n"}).version


def test_the_one_subfolder_with_stops_is_the_feed(tmp_path: Path, base: dict[str, str]) -> None:
    files = {f"some/folder/{name}": text for name, text in base.items()}
    packed = zipped(tmp_path / "sub.zip", files | {"other/notes.txt": "x"})
    assert "nested_archive" in codes(packed)


def test_two_feeds_in_one_zip_are_refused(tmp_path: Path, base: dict[str, str]) -> None:
    files = {f"{folder}/{name}": text for folder in "ab" for name, text in base.items()}
    assert "2 feeds inside (a, b)" in refusal(zipped(tmp_path / "two.zip", files))


def test_one_zip_inside_the_zip_is_opened_and_two_are_refused(
    tmp_path: Path, base: dict[str, str]
) -> None:
    inner = zipped(tmp_path / "inner.zip", dict(base)).read_bytes()
    one = zipped(tmp_path / "one.zip", {"readme.txt": "x", "gtfs.zip": inner})
    assert "nested_archive" in codes(one)
    two = zipped(tmp_path / "two.zip", {"a.zip": inner, "b.zip": inner})
    assert "2 zips inside" in refusal(two)
    broken = zipped(tmp_path / "broken.zip", {"a.zip": inner[:200]})
    assert "truncated or damaged" in refusal(broken)


def test_no_stops_is_no_feed(tmp_path: Path, base: dict[str, str]) -> None:
    del base["stops.txt"]
    assert "no stops.txt" in refusal(zipped(tmp_path / "f.zip", dict(base)))


@pytest.mark.parametrize("name", ["routes.txt", "trips.txt", "stop_times.txt", "calendar.txt"])
def test_a_missing_table_is_named(write_feed: Callable[..., Path], name: str) -> None:
    assert name in refusal(write_feed({name: None}))


def test_clutter_and_names_that_lead_outside_are_not_read(
    tmp_path: Path, base: dict[str, str]
) -> None:
    files: dict[str, str | bytes] = {
        "__MACOSX/._stops.txt": b"\x00\x05\x16\x07",
        "__MACOSX/": "",
        ".DS_Store": b"\x00",
        "../stops.txt": "evil",
        "/etc/trips.txt": "evil",
        "C:\\stops.txt": "evil",
        **base,
    }
    packed = zipped(tmp_path / "tricks.zip", files)
    feed = read_feed(FeedConfig(id="f", path=packed))
    unsafe = [notice for notice in feed.notices if notice.code == "unsafe_member_name"]
    assert [notice.count for notice in unsafe] == [3]
    assert feed.counts["stops"].kept == 4


def test_a_name_that_stands_twice_is_told_and_the_last_one_counts(
    tmp_path: Path, base: dict[str, str]
) -> None:
    packed = zipped(tmp_path / "double.zip", dict(base))
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("stops.txt", base["stops.txt"].replace("One", "Uno"))
    feed = read_feed(FeedConfig(id="f", path=packed))
    assert "duplicate_member" in {notice.code for notice in feed.notices}
    assert feed.tables["stops"]["stop_name"][0] == "Uno"


def test_a_link_out_of_the_folder_is_not_followed(
    tmp_path: Path, write_feed: Callable[..., Path]
) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("from_stop_id,to_stop_id,transfer_type\nS1,S2,0\n")
    folder = write_feed()
    (folder / "transfers.txt").symlink_to(outside)
    feed = read_feed(FeedConfig(id="f", path=folder))
    assert "unsafe_member_name" in {notice.code for notice in feed.notices}
    assert "transfers" not in feed.counts


def test_caps_count_what_is_inflated_not_what_the_header_says(
    tmp_path: Path, base: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = dict(base) | {"shapes.txt": "shape_id\n" + "x\n" * 2_000_000}
    packed = zipped(tmp_path / "bomb.zip", bomb)
    assert packed.stat().st_size < 100_000
    monkeypatch.setattr(gate, "MAX_MEMBER_BYTES", 1 << 20)
    assert "shapes.txt inflates beyond" in refusal(packed)
    monkeypatch.setattr(gate, "MAX_MEMBER_BYTES", 1 << 30)
    monkeypatch.setattr(gate, "MAX_TOTAL_BYTES", 1 << 21)
    assert "inflates beyond" in refusal(packed)


def test_a_nested_zip_is_capped_too(
    tmp_path: Path, base: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = zipped(tmp_path / "i.zip", dict(base), method=zipfile.ZIP_STORED).read_bytes()
    outer = zipped(tmp_path / "o.zip", {"i.zip": inner})
    monkeypatch.setattr(gate, "MAX_NESTED_BYTES", 500)
    assert "inner zip beyond" in refusal(outer)


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MAX_MEMBERS", 3)
    packed = zipped(tmp_path / "many.zip", {f"{i}.txt": "" for i in range(4)})
    assert "4 members; at most 3" in refusal(packed)


def test_an_encrypted_member_is_refused(tmp_path: Path, base: dict[str, str]) -> None:
    data = bytearray(zipped(tmp_path / "e.zip", dict(base)).read_bytes())
    at = 0
    for signature, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + flag] |= 1
            at = data.find(signature, at + 4)
    packed = tmp_path / "locked.zip"
    packed.write_bytes(data)
    assert "cannot be opened" in refusal(packed)


def test_known_wrong_names_and_capitals_are_read_under_the_right_name(
    write_feed: Callable[..., Path], base: dict[str, str]
) -> None:
    folder = write_feed(
        {
            "calendar.txt": None,
            "calendar_date.txt": "service_id,date,exception_type\nWD,20270105,1\n",
            "stops.txt": None,
            "Stops.TXT": base["stops.txt"],
        }
    )
    feed = read_feed(FeedConfig(id="f", path=folder))
    corrected = {n.file: n.value for n in feed.notices if n.code == "file_name_corrected"}
    assert corrected == {"calendar_dates.txt": "calendar_date.txt", "stops.txt": "Stops.TXT"}
    assert feed.counts["calendar_dates"].kept == 1


def test_progress_reports_bytes_of_each_file(write_feed: Callable[..., Path]) -> None:
    seen: list[tuple[str, int, int]] = []
    read_feed(
        FeedConfig(id="f", path=write_feed()),
        progress=lambda stage, done, total: seen.append((stage, done, total)),
    )
    assert {stage for stage, _, _ in seen} >= {"stops.txt", "stop_times.txt"}
    assert all(0 <= done <= total for _, done, total in seen)


def test_a_stream_is_hashed_as_it_passes() -> None:
    stream = gate.CappedStream(io.BytesIO(b"abc"), "x", gate.Cap("here"))
    assert stream.read(2) + stream.read(2) == b"abc"
    assert stream.hexdigest() == hashlib.sha256(b"abc").hexdigest()


@pytest.fixture
def bundle(tmp_path: Path, base: dict[str, str]) -> Path:
    """Return a zip with a feed in a zip, another in a folder and a third in a deeper folder."""
    zipped(tmp_path / "inner.zip", dict(base))
    other = base | {"stops.txt": base["stops.txt"].replace("One", "Eins")}
    files: dict[str, str | bytes] = {"north/feed.zip": (tmp_path / "inner.zip").read_bytes()}
    files |= {f"south/{name}": text for name, text in base.items()}
    files |= {f"west/gtfs/{name}": text for name, text in other.items()}
    return zipped(tmp_path / "bundle.zip", files)


@pytest.mark.parametrize(
    ("inner", "name", "told"),
    [("north/feed.zip", "One", {}), ("south", "One", {}), ("west/gtfs", "Eins", {}),
     ("west/", "Eins", {"nested_archive"})],
)  # fmt: skip
def test_a_feed_inside_a_bundle_is_named_after_a_hash(
    bundle: Path, inner: str, name: str, told: set[str]
) -> None:
    feed = read_feed(FeedConfig(id="f", path=Path(f"{bundle}#{inner}")))
    assert feed.tables["stops"]["stop_name"][0] == name
    assert {notice.code for notice in feed.notices} == set(told)


def test_a_bundle_without_a_name_after_the_hash_is_refused(bundle: Path) -> None:
    assert "2 feeds inside (south, west/gtfs); expected one: name it after #" in refusal(bundle)


@pytest.mark.parametrize("inner", ["east", "../bundle.zip", "/etc", "north/feed.zip/x"])
def test_what_is_not_in_the_bundle_is_refused_with_what_is(bundle: Path, inner: str) -> None:
    with pytest.raises(FeedError, match="inside; it holds north, south, west"):
        read_feed(FeedConfig(id="f", path=Path(f"{bundle}#{inner}")))


def test_a_folder_in_a_folder_is_named_too_but_none_outside(
    tmp_path: Path, write_feed: Callable[..., Path]
) -> None:
    folder = write_feed({}, "feed")
    assert read_feed(FeedConfig(id="f", path=Path(f"{folder.parent}#feed"))).counts
    for inner in ("../feed", "nowhere"):
        with pytest.raises(FeedError, match="there is no folder"):
            read_feed(FeedConfig(id="f", path=Path(f"{folder}#{inner}")))


def test_a_hash_in_a_name_that_exists_is_part_of_the_name(
    tmp_path: Path, base: dict[str, str]
) -> None:
    path = zipped(tmp_path / "year#27.zip", dict(base))
    assert read_feed(FeedConfig(id="f", path=path)).counts["stops"].kept == 4
    zipped(tmp_path / "inner.zip", dict(base))
    zipped(path, {"a.zip": (tmp_path / "inner.zip").read_bytes(), "b.zip": b""})
    assert read_feed(FeedConfig(id="f", path=Path(f"{path}#a.zip"))).counts["stops"].kept == 4

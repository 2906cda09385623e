"""The gate: opens a zip or folder, finds the feed inside, and lets only so many bytes through.

Nothing is ever extracted: members are read as streams under their base name, so no name can lead
outside. Caps are absolute bytes counted while inflating, because an honest padded feed compresses
200 : 1 and a header may lie about its size.
"""

from __future__ import annotations

import hashlib
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from mobility.core.errors import FeedError
from mobility.feeds.findings import Findings
from mobility.schema import TABLES

GIB = 1 << 30
MAX_TOTAL_BYTES = 16 * GIB
MAX_MEMBER_BYTES = 8 * GIB
MAX_NESTED_BYTES = 2 * GIB
MAX_MEMBERS = 10_000
CHUNK_BYTES = 1 << 20
SHOWN_NAMES = 5

LOCATIONS = "locations.geojson"
FILE_NAMES = frozenset({f"{name}.txt" for name in TABLES} | {LOCATIONS})
# Names that producers wrote instead of the right one; each is read only where that is missing.
MISNAMES = {
    "agencies.txt": "agency.txt",
    "stop.txt": "stops.txt",
    "route.txt": "routes.txt",
    "trip.txt": "trips.txt",
    "stop_time.txt": "stop_times.txt",
    "stoptimes.txt": "stop_times.txt",
    "calendars.txt": "calendar.txt",
    "calendar_date.txt": "calendar_dates.txt",
    "calendardates.txt": "calendar_dates.txt",
    "shape.txt": "shapes.txt",
    "transfer.txt": "transfers.txt",
    "frequency.txt": "frequencies.txt",
    "feedinfo.txt": "feed_info.txt",
    "fare_attribute.txt": "fare_attributes.txt",
    "fare_rule.txt": "fare_rules.txt",
}
STOPS_NAMES = {"stops.txt"} | {wrong for wrong, right in MISNAMES.items() if right == "stops.txt"}
Opener = Callable[[], IO[bytes]]
_READ_FAULTS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    OSError, ValueError,
)  # fmt: skip


class CappedStream:
    """A binary stream that hashes what passes and stops at a cap."""

    def __init__(self, raw: IO[bytes], name: str, cap: Cap) -> None:
        self._raw = raw
        self._name = name
        self._cap = cap
        self._digest = hashlib.sha256()
        self.bytes_read = 0

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Return up to ``size`` bytes.

        Raises
        ------
        FeedError
            Too many bytes, or the archive is damaged here.
        """
        try:
            data = self._raw.read(size)
        except _READ_FAULTS as fault:
            raise FeedError(f"{self._cap.place}: {self._name} is damaged: {fault}") from None
        self.bytes_read += len(data)
        self._cap.count(self._name, len(data), self.bytes_read)
        self._digest.update(data)
        return data

    def read_up_to(self, limit: int) -> bytes:
        """Return all that is left, or raise FeedError beyond the limit."""
        data = b"".join(iter(self.read, b""))
        if len(data) > limit:
            raise FeedError(f"{self._cap.place}: {self._name} is beyond {limit} bytes; refused")
        return data

    def hexdigest(self) -> str:
        """Return the SHA-256 of what has passed."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the stream below."""
        self._raw.close()


@dataclass(slots=True)
class Cap:
    """Counts the bytes of one feed against its caps."""

    place: str
    total: int = 0

    def count(self, name: str, size: int, of_member: int) -> None:
        """Take note of ``size`` more bytes of a member, or raise FeedError at the cap."""
        self.total += size
        if of_member > MAX_MEMBER_BYTES or self.total > MAX_TOTAL_BYTES:
            limit = MAX_MEMBER_BYTES if of_member > MAX_MEMBER_BYTES else MAX_TOTAL_BYTES
            raise FeedError(f"{self.place}: {name} inflates beyond {limit // GIB} GiB; refused")


@dataclass(slots=True)
class Source:
    """An open feed: which files it has and how to read them.

    Parameters
    ----------
    place : str
        The path as given, for messages.
    sizes : dict of str to int
        Canonical file name to its stated size in bytes (for progress only).
    digests : dict of str to str
        Canonical file name to the SHA-256 of its bytes, filled as files are read to their end.
    """

    place: str
    sizes: dict[str, int]
    _openers: dict[str, Opener]
    _cap: Cap
    digests: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self._openers

    @contextmanager
    def open(self, name: str) -> Iterator[CappedStream]:
        """Open a file by its canonical name; its digest is kept once it was read to its end."""
        try:
            raw = self._openers[name]()
        except _READ_FAULTS as fault:
            raise FeedError(f"{self.place}: {name} cannot be opened: {fault}") from None
        stream = CappedStream(raw, name, self._cap)
        try:
            yield stream
            while stream.read(CHUNK_BYTES):
                pass
            self.digests[name] = stream.hexdigest()
        finally:
            stream.close()

    def version(self) -> str:
        """Return the SHA-256 over names and bytes of all files, the same for zip and folder."""
        for name in sorted(self._openers):
            if name not in self.digests:
                with self.open(name):
                    pass
        lines = (f"{name} {self.digests[name]}\n" for name in sorted(self._openers))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@contextmanager
def open_source(path: Path, findings: Findings) -> Iterator[Source]:
    """Open a GTFS zip or folder; ``bundle.zip#inner/feed.zip`` or ``#folder`` names one inside.

    Raises
    ------
    FeedError
        Missing, no zip, damaged, without ``stops.txt``, or with several feeds inside.
    """
    outer, inner = split_inner(path)
    if outer.is_dir():
        yield _folder_source(_step_into(outer, inner), findings)
        return
    with _open_zip(outer) as archive, _find_archive(archive, path, inner, findings) as feed:
        yield _archive_source(feed, path, "" if feed is not archive else inner, findings)


def split_inner(path: Path) -> tuple[Path, str]:
    """Return the zip or folder that a path names, and what it names inside it after ``#``.

    >>> split_inner(Path("bundle.zip#north/feed.zip"))
    (PosixPath('bundle.zip'), 'north/feed.zip')
    """
    text = str(path)
    marks = [at for at, sign in enumerate(text) if sign == "#"]
    if not marks or path.exists():
        return path, ""
    at = next((at for at in marks if Path(text[:at]).exists()), marks[-1])
    return Path(text[:at]), text[at + 1 :].strip("/")


def _step_into(folder: Path, inner: str) -> Path:
    if ".." in PurePosixPath(inner).parts or not (folder / inner).is_dir():
        raise FeedError(f"{folder}: there is no folder {inner!r} inside")
    return folder / inner


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        head = path.open("rb")
    except FileNotFoundError:
        raise FeedError(f"{path}: there is no such file or folder") from None
    except OSError as fault:
        raise FeedError(f"{path}: cannot be opened: {fault.strerror}") from None
    with head, _archive(head, str(path)) as archive:
        yield archive


@contextmanager
def _archive(file: IO[bytes], place: str) -> Iterator[zipfile.ZipFile]:
    start = file.read(512)
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
        raise FeedError(f"{place}: {_why_no_zip(start, fault)}") from None
    with archive:
        yield archive


def _why_no_zip(start: bytes, fault: Exception) -> str:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "the file is empty; expected a GTFS zip"
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "this is a web page, not a GTFS zip; was the download refused?"
    if start.startswith(b"PK"):
        return f"the zip is truncated or damaged ({fault})"
    return "this is no zip; expected a GTFS zip or a folder"


@contextmanager
def _find_archive(
    archive: zipfile.ZipFile, path: Path, named: str, findings: Findings
) -> Iterator[zipfile.ZipFile]:
    """Yield the zip inside that is named, else the zip itself or the only zip inside it."""
    members = _safe_members(archive, Findings(""))
    zips = [name for name in members if name.lower().endswith(".zip")]
    if named and named not in members and not any(n.startswith(f"{named}/") for n in members):
        inside = ", ".join(sorted({name.partition("/")[0] for name in members})[:SHOWN_NAMES])
        raise FeedError(f"{path}: there is no {named!r} inside; it holds {inside}")
    chosen = named if named in members else ""
    if not named and zips and not any(_base(name) in STOPS_NAMES for name in members):
        if len(zips) > 1:
            raise FeedError(
                f"{path}: {len(zips)} zips inside, first {zips[0]!r}; expected one feed:"
                f" name it as {path.name}#{zips[0]}"
            )
        chosen = zips[0]
        findings.add("nested_archive", value=chosen)
    if not chosen:
        yield archive
        return
    with (
        _inflate_nested(archive, members[chosen], path) as file,
        _archive(file, f"{path} (inner zip)") as nested,
    ):
        yield nested


def _archive_source(
    archive: zipfile.ZipFile, path: Path, folder: str, findings: Findings
) -> Source:
    """Return the feed of a zip, or of one folder in it."""
    start = f"{folder}/" if folder else ""
    members = {
        name.removeprefix(start): info
        for name, info in _safe_members(archive, findings).items()
        if name.startswith(start)
    }
    openers = {name: _member_opener(archive, info) for name, info in members.items()}
    sizes = {name: info.file_size for name, info in members.items()}
    return _choose(str(path), openers, sizes, findings)


def _member_opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Opener:
    return lambda: archive.open(info)


@contextmanager
def _inflate_nested(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path
) -> Iterator[IO[bytes]]:
    """Inflate a zip inside a zip into a temporary file, counting bytes."""
    with tempfile.TemporaryFile() as file:
        try:
            with archive.open(info) as raw:
                while data := raw.read(CHUNK_BYTES):
                    if file.tell() + len(data) > MAX_NESTED_BYTES:
                        raise FeedError(f"{path}: inner zip beyond {MAX_NESTED_BYTES // GIB} GiB")
                    file.write(data)
        except _READ_FAULTS as fault:
            raise FeedError(f"{path}: {info.filename} is damaged: {fault}") from None
        file.seek(0)
        yield file


def _safe_members(archive: zipfile.ZipFile, findings: Findings) -> dict[str, zipfile.ZipInfo]:
    """Return the members that may be read, by name; the last one where a name stands twice."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise FeedError(f"{archive.filename}: {len(infos)} members; at most {MAX_MEMBERS}")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename
        if info.is_dir() or _is_clutter(name):
            continue
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
            findings.add("unsafe_member_name", value=name)
            continue
        if name in members:
            findings.add("duplicate_member", value=name)
        members[name] = info
    return members


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts if part != "..")


def _base(name: str) -> str:
    return PurePosixPath(name).name.lower()


def _folder_source(path: Path, findings: Findings) -> Source:
    root = path.resolve()
    openers: dict[str, Opener] = {}
    sizes: dict[str, int] = {}
    for found in sorted((*path.glob("*"), *path.glob("*/*"))):
        name = found.relative_to(path).as_posix()
        if _is_clutter(name) or not found.is_file():
            continue
        if not found.resolve().is_relative_to(root):
            findings.add("unsafe_member_name", value=name)
            continue
        openers[name] = _file_opener(found)
        sizes[name] = found.stat().st_size
    return _choose(str(path), openers, sizes, findings)


def _file_opener(path: Path) -> Opener:
    return lambda: path.open("rb")


def _choose(
    place: str,
    openers: dict[str, Opener],
    sizes: dict[str, int],
    findings: Findings,
) -> Source:
    """Return the source of the one folder that holds ``stops.txt``."""
    folder = _feed_folder(place, openers)
    if folder != PurePosixPath("."):
        findings.add("nested_archive", value=str(folder))
    here = sorted(name for name in openers if PurePosixPath(name).parent == folder)
    names = _canonical_names(here, findings)
    return Source(
        place=place,
        sizes={canonical: sizes[name] for canonical, name in names.items()},
        _openers={canonical: openers[name] for canonical, name in names.items()},
        _cap=Cap(place),
    )


def _feed_folder(place: str, names: dict[str, Opener]) -> PurePosixPath:
    folders = {PurePosixPath(name).parent for name in names if _base(name) in STOPS_NAMES}
    root = PurePosixPath(".")
    if root in folders:
        return root
    if not folders and "xl/workbook.xml" in names:
        raise FeedError(
            f'{place}: there is no stops.txt, but an XLSX workbook: say format = "sheet"'
        )
    if not folders:
        raise FeedError(f"{place}: there is no stops.txt; expected a GTFS feed")
    if len(folders) > 1:
        listed = ", ".join(sorted(map(str, folders))[:3])
        raise FeedError(
            f"{place}: {len(folders)} feeds inside ({listed}); expected one: name it after #"
        )
    return folders.pop()


def _canonical_names(names: list[str], findings: Findings) -> dict[str, str]:
    """Return canonical file name to the name it has here; tell what is not GTFS."""
    found: dict[str, str] = {}
    by_exactness = sorted(names, key=lambda name: PurePosixPath(name).name not in FILE_NAMES)
    left: list[str] = []
    for name in by_exactness:
        lower = _base(name)
        if lower in FILE_NAMES and lower not in found:
            found[lower] = name
            if PurePosixPath(name).name != lower:
                findings.add("file_name_corrected", lower, value=PurePosixPath(name).name)
        else:
            left.append(name)
    for name in left:
        right = MISNAMES.get(_base(name))
        if right is not None and right not in found:
            found[right] = name
            findings.add("file_name_corrected", right, value=PurePosixPath(name).name)
        else:
            findings.add("unknown_file", PurePosixPath(name).name)
    return dict(sorted(found.items()))

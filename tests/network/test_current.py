"""Which edition is in use: verified, written down, whole after a kill at any step, undone."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mobility.core.errors import CheckFailed, EnvironmentFault, UsageError
from mobility.network import compile_network, open_edition, write_edition
from mobility.network.current import Cause, Change, EditionHome, activate, rollback

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)
IDS = itertools.count()

# From the same state, each child dies one step later that touches the disk, until one ends.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from mobility.network import current, edition
home, path = current.EditionHome(Path(sys.argv[1])), Path(sys.argv[2])
import datetime as dt
cause = current.Cause("k", lambda: dt.datetime(2027, 5, 4, tzinfo=dt.UTC), sys.argv[3])
left = [0]
def dying(function):
    def step(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return step
for name in ("link", "rename", "replace", "fsync", "mkdir", "open", "write", "unlink", "rmdir"):
    setattr(os, name, dying(getattr(os, name)))
current._verify = lambda folder: edition.open_edition(folder)
kept = {edition.hash for edition in home.kept()}
files = {file: file.read_bytes() for file in (home.home / "CURRENT", home.folder / "changes.jsonl")}
for step in range(1, 500):
    for file, content in files.items():
        file.write_bytes(content)
    for edition_ in home.kept():
        if edition_.hash not in kept:
            shutil.rmtree(edition_.path)
    child = os.fork()
    if not child:
        left[0] = step
        try:
            getattr(current, sys.argv[4])(*((home, path, cause)[::1 if path.name else 2]))
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(step, os.waitstatus_to_exitcode(status), home.current().edition, len(home.history()),
          flush=True)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        break
"""


def cause(reason: str = "") -> Cause:
    return Cause("tester", lambda: NOW, f"change-{next(IDS)}", reason)


@pytest.fixture(scope="module")
def built(sample_edition: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return two editions of the sample region."""
    edition, folder = open_edition(sample_edition), tmp_path_factory.mktemp("built") / "other"
    region = edition.region()
    parts = {name: edition.part(name) or b"{}" for name in ("tariff.json", "agreements.json")}
    write_edition(folder, region, compile_network(region, walk_radius_m=300), parts)
    return sample_edition, folder


@pytest.fixture
def home(tmp_path: Path) -> EditionHome:
    """Return an empty home."""
    return EditionHome(tmp_path / "home")


def hashes(built: tuple[Path, Path]) -> list[str]:
    return [open_edition(path).hash for path in built]


def test_an_edition_is_taken_in_whole_and_used(home: EditionHome, built: tuple[Path, Path]) -> None:
    first, second = hashes(built)
    assert home.current() is None and home.kept() == () and home.history() == ()
    done = activate(home, built[0], cause("the first"))
    assert home.current() == done
    assert (done.action, done.edition, done.previous) == ("activate", first, "")
    assert (done.actor, done.at, done.reason) == ("tester", NOW, "the first")
    open_edition(home.path_of(first)).verify()
    activate(home, built[1], cause())
    assert [edition.hash for edition in home.kept()] == sorted([first, second])
    assert home.find(first[:12]) == home.path_of(first)
    assert home.find(str(built[1])) == built[1]


def test_activating_what_is_in_use_changes_nothing(
    home: EditionHome, built: tuple[Path, Path]
) -> None:
    done = activate(home, built[0], cause())
    mark = home.mark()
    assert activate(home, built[0], cause()) == done
    assert activate(home, home.path_of(done.edition), cause()) == done
    assert home.mark() == mark
    assert len(home.history()) == 1


def test_a_roll_back_undoes_one_activation_after_the_other(
    home: EditionHome, built: tuple[Path, Path]
) -> None:
    first, second = hashes(built)
    for path in (*built, *built):
        activate(home, path, cause())
    for expected in (first, second, first):
        done = rollback(home, cause())
        assert (done.action, done.edition) == ("rollback", expected)
        assert home.current() == done
    with pytest.raises(UsageError, match="no other edition was in use before"):
        rollback(home, cause())
    actions = [change.action for change in home.history()]
    assert actions == ["activate"] * 4 + ["rollback"] * 3


@pytest.mark.parametrize(
    "part", ["network.bin", "edition.json", "tables/trips.parquet", "tariff.json", "notices.json"]
)
def test_an_edition_that_is_not_what_was_built_is_refused_and_that_is_written_down(
    home: EditionHome, built: tuple[Path, Path], tmp_path: Path, part: str
) -> None:
    done = activate(home, built[0], cause())
    broken = tmp_path / "broken"
    for source in built[1].rglob("*"):
        if source.is_file() and "slices" not in source.parts:
            target = broken / source.relative_to(built[1])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    content = bytearray((broken / part).read_bytes())
    content[len(content) // 2] ^= 1
    (broken / part).write_bytes(content)
    with pytest.raises(CheckFailed, match="not activated"):
        activate(home, broken, cause())
    assert home.current() == done
    refused = home.history()[-1]
    assert refused.action == "refuse" and refused.reason
    assert [edition.hash for edition in home.kept()] == [done.edition]
    assert not [path for path in home.folder.iterdir() if path.name.endswith(".new")]


def test_damage_inside_the_home_is_found_and_mended_by_the_edition_itself(
    home: EditionHome, built: tuple[Path, Path]
) -> None:
    first, second = hashes(built)
    for path in built:
        activate(home, path, cause())
    part = home.path_of(first) / "tariff.json"
    part.unlink()  # it is a link: its other end is the edition that was built
    part.write_bytes(b"{}")
    with pytest.raises(CheckFailed):
        activate(home, home.path_of(first), cause())
    current = home.current()
    assert current is not None and current.edition == second
    assert activate(home, built[0], cause()).edition == first
    open_edition(home.path_of(first)).verify()


@pytest.mark.parametrize("damage", ["gone", "cut", "swapped"])
def test_no_roll_back_to_an_edition_that_cannot_be_opened(
    home: EditionHome, built: tuple[Path, Path], damage: str
) -> None:
    first, second = hashes(built)
    for path in built:
        activate(home, path, cause())
    network = home.path_of(first) / "network.bin"
    content = network.read_bytes()
    network.unlink()
    if damage == "cut":
        network.write_bytes(content[:-64])
    elif damage == "swapped":
        network.write_bytes((home.path_of(second) / "network.bin").read_bytes())
    with pytest.raises(CheckFailed, match="not rolled back"):
        rollback(home, cause())
    current = home.current()
    assert current is not None and current.edition == second


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"edition": "../../etc"}'])
def test_a_damaged_pointer_is_told(home: EditionHome, content: bytes) -> None:
    home.home.mkdir()
    (home.home / "CURRENT").write_bytes(content)
    with pytest.raises(EnvironmentFault, match="CURRENT"):
        home.current()


def test_a_pointer_to_another_folder_is_refused(home: EditionHome) -> None:
    change = Change("id", "activate", "../elsewhere", "", NOW, "tester")
    home.folder.mkdir(parents=True)
    home.record(change)
    with pytest.raises(EnvironmentFault, match="names no edition"):
        home.current()


def test_only_one_activates_at_a_time(home: EditionHome, built: tuple[Path, Path]) -> None:
    from mobility.core.files import sole_writer

    activate(home, built[0], cause())
    with sole_writer(home.folder), pytest.raises(EnvironmentFault, match="another process"):
        activate(home, built[1], cause())


@pytest.mark.parametrize("action", [pytest.param("activate", marks=pytest.mark.slow), "rollback"])
def test_killed_at_any_step_the_old_edition_or_the_new_one_is_in_use(
    home: EditionHome, built: tuple[Path, Path], action: str
) -> None:
    first, second = hashes(built)
    activate(home, built[0], cause())
    if action == "rollback":
        activate(home, built[1], cause())
    before, after = (first, second) if action == "activate" else (second, first)
    told = len(home.history())
    path = str(built[1]) if action == "activate" else ""
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(home.home), path, "the change", action],
        capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    steps = [line.split() for line in ran.stdout.splitlines()]
    assert len(steps) > 5, ran.stdout
    assert int(steps[-1][1]) == 0, ran.stdout
    killed = steps[:-1]
    assert {int(step[1]) for step in killed} == {-signal.SIGKILL}
    in_use = [step[2] for step in steps]
    switched = in_use.index(after)
    assert set(in_use[:switched]) <= {before} and set(in_use[switched:]) == {after}
    for _, _, edition, lines in steps:  # the history never lags behind the pointer
        assert int(lines) == told + (edition == after)
    open_edition(home.path_of(after)).verify()
    lines = (home.folder / "changes.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["id"] for line in lines].count("the change") == 1

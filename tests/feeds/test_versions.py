"""The store: every version kept whole, one active, and no crash or full disk leaves it broken."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import EnvironmentFault, FeedError, UsageError
from mobility.feeds import FeedConfig, FeedStore, Manifest
from mobility.feeds.versions.activation import (
    ActivationRefused,
    activate,
    active_path,
    rollback,
    with_active_paths,
)
from mobility.feeds.versions.fetch import take_file

from .versions_world import Now, feed_zip

CONFIG = FeedConfig(id="north", url="https://feeds.example/gtfs.zip")


@pytest.fixture
def store(tmp_path):
    return FeedStore(tmp_path / "home", "strait", "north")


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def bring(store, now, tmp_path):
    """Return a function that takes a feed of so many trips in, an hour after the one before."""

    def run(n_trips: int, **how: str):
        now.moment += dt.timedelta(hours=1)
        file = tmp_path / f"{n_trips}.zip"
        file.write_bytes(feed_zip(n_trips))
        return take_file(CONFIG, file, store, now.by(), **how).version

    return run


def assert_whole(store: FeedStore) -> None:
    """Assert that what the store says is there is there."""
    for version in store.versions():
        assert store.zip_path(version.id).stat().st_size == version.size_bytes
    active = store.active()
    if active is not None:
        assert active in store.versions()
        last = [one for one in store.history() if one.action != "refuse"][-1]
        assert last.version == active.id
    store.fetch_state()


def test_versions_are_kept_in_order_and_found_by_their_beginning(store, bring):
    ten, twelve = bring(10), bring(12)
    assert store.versions() == (ten, twelve)
    assert store.active() == twelve
    assert store.find(ten.id[:10]) == ten
    with pytest.raises(UsageError, match=ten.id[:12]):
        store.find("zz")
    with pytest.raises(UsageError, match="no version begins"):
        store.find("")


def test_roll_back_goes_to_the_version_in_use_before_and_further(store, bring, now):
    ten, eleven, twelve = bring(10), bring(11), bring(12)
    assert rollback(store, now.by()).version == eleven.id
    assert rollback(store, now.by()).version == ten.id
    with pytest.raises(UsageError, match="nothing to go to"):
        rollback(store, now.by())
    activate(store, twelve, now.by())
    assert rollback(store, now.by("ben")).version == ten.id
    actions = [(one.action, one.version) for one in store.history()]
    assert actions == [
        ("activate", ten.id), ("activate", eleven.id), ("activate", twelve.id),
        ("rollback", eleven.id), ("rollback", ten.id),
        ("activate", twelve.id), ("rollback", ten.id),
    ]  # fmt: skip
    assert store.history()[-1].actor == "ben"


def test_activation_is_refused_with_reasons_or_done_despite_them_with_one(store, bring, now):
    ten = bring(10)
    five = bring(5)
    assert store.active() == ten
    assert store.waiting() == five
    with pytest.raises(ActivationRefused, match="trips drop") as refused:
        activate(store, five, now.by())
    assert len(refused.value.reasons) == 1
    done = activate(store, five, now.by("cleo"), despite="strike until June")
    assert store.active() == five
    assert (done.actor, done.despite, len(done.reasons)) == ("cleo", "strike until June", 1)
    assert store.history()[-1] == done
    assert store.waiting() is None


def test_a_version_whose_bytes_are_gone_is_not_used(store, bring, now):
    ten = bring(10)
    bring(12)
    store.zip_path(ten.id).write_bytes(b"PK")
    with pytest.raises(EnvironmentFault, match="restore it"):
        rollback(store, now.by())


def test_the_history_is_only_ever_appended_to(store, bring, now):
    file = store.folder / "activations.jsonl"
    seen = b""
    for step in (lambda: bring(10), lambda: bring(5), lambda: bring(12), lambda: bring(11)):
        step()
        assert file.read_bytes().startswith(seen)
        seen = file.read_bytes()
    rollback(store, now.by())
    assert file.read_bytes().startswith(seen)


def test_half_a_line_that_a_crash_left_is_no_line(store, bring, now):
    bring(10)
    file = store.folder / "activations.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"action": "acti')
    assert len(store.history()) == 1
    bring(12)
    assert file.read_bytes().startswith(whole + b'{"action": "activate", "actor"')
    assert len(store.history()) == 2


def test_a_crash_between_the_switch_and_its_line_loses_neither(store, bring, now):
    bring(10)
    before = (store.folder / "activations.jsonl").read_bytes()
    twelve = bring(12)
    (store.folder / "activations.jsonl").write_bytes(before)
    assert [one.version for one in store.history()][-1] == twelve.id
    bring(13)
    assert len(store.history()) == 3


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"summary": {}}', b"\xff"])
def test_damage_is_told_in_one_line(store, bring, damage):
    ten = bring(10)
    (store.folder / "versions" / f"{ten.id}.json").write_bytes(damage)
    with pytest.raises(EnvironmentFault, match="damaged; restore it"):
        store.versions()
    for file in ("ACTIVE", "fetch.json"):
        (store.folder / file).write_bytes(damage)
    with pytest.raises(EnvironmentFault, match="damaged; restore it"):
        store.active()
    with pytest.raises(EnvironmentFault, match="damaged; restore it"):
        store.fetch_state()


# --- faults ---------------------------------------------------------------------------------------


class Faults:
    """Makes the n-th call that changes the disk fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.calls, self.at = 0, at
        for place, name in (
            (os, "fsync"),
            (Path, "replace"),
            (Path, "mkdir"),
        ):
            self._wrap(monkeypatch, place, name)

    def _wrap(self, monkeypatch: pytest.MonkeyPatch, place: object, name: str) -> None:
        real = getattr(place, name)

        def call(*arguments, **more):
            self.calls += 1
            if self.calls == self.at:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments, **more)

        monkeypatch.setattr(place, name, call)


def test_a_full_disk_at_any_step_leaves_the_store_whole(store, bring, monkeypatch):
    ten = bring(10)
    steps = 0
    for at in range(1, 40):
        with monkeypatch.context() as patched:
            faults = Faults(patched, at)
            try:
                bring(10 + at)
            except EnvironmentFault as fault:
                assert "No space left" in str(fault)
        assert_whole(store)
        assert store.active() is not None
        if faults.calls < at:
            break
        steps += 1
    assert steps >= 6
    assert ten in store.versions()
    assert bring(60) == store.active()


KILLED = 9
SCRIPT = """
import os, sys
from pathlib import Path
from mobility.feeds import FeedStore
from mobility.feeds.versions.fetch import take_file
from tests.feeds.test_versions import CONFIG
from tests.feeds.versions_world import Now

at, home, file = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
calls = 0
def killing(real):
    def call(*arguments, **more):
        global calls
        calls += 1
        if calls == at:
            os._exit(9)
        return real(*arguments, **more)
    return call
os.fsync, Path.replace = killing(os.fsync), killing(Path.replace)
take_file(CONFIG, file, FeedStore(home, "strait", "north"), Now().by())
"""


@pytest.mark.parametrize("at", [2, 6])
def test_a_kill_at_any_step_leaves_the_store_whole(store, bring, now, tmp_path, project_root, at):
    ten = bring(10)
    file = tmp_path / "new.zip"
    file.write_bytes(feed_zip(12))
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(at), str(tmp_path / "home"), str(file)],
        cwd=project_root,
        capture_output=True,
        check=False,
    )
    assert run.returncode == KILLED, run.stderr.decode()
    assert_whole(store)
    assert ten in store.versions()
    assert store.active() is not None
    came = take_file(CONFIG, file, store, now.by())
    assert_whole(store)
    assert store.active() == came.version
    assert sorted(store.folder.rglob(".incoming*")) == []


# --- what a region is built from ------------------------------------------------------------------


def test_a_feed_with_a_url_is_built_from_its_active_version(tmp_path, store, bring):
    home = tmp_path / "home"
    with pytest.raises(FeedError, match="mobility feeds fetch"):
        active_path(home, "strait", CONFIG)
    ten = bring(10)
    assert active_path(home, "strait", CONFIG) == store.zip_path(ten.id)
    inner = CONFIG.model_copy(update={"url": f"{CONFIG.url}#inner/feed.zip"})
    assert str(active_path(home, "strait", inner)) == f"{store.zip_path(ten.id)}#inner/feed.zip"
    local = FeedConfig(id="south", path=Path("south.zip"))
    skipped = FeedConfig(id="west", url=CONFIG.url, skip="no licence yet")
    manifest = Manifest(
        format=1, id="strait", name="S", feeds=(CONFIG, local, skipped), folder=tmp_path
    )
    paths = [feed.path for feed in with_active_paths(manifest, home).feeds]
    assert paths == [store.zip_path(ten.id), Path("south.zip"), None]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "back", "refuse"]), max_size=12))
def test_going_back_is_the_inverse_of_going_on(tmp_path_factory, steps):
    """Roll-back after any history gives what was in use before the last version was taken."""
    from mobility.feeds.versions.store import Activation, FeedVersion
    from mobility.feeds.versions.summary import DayCounts, FeedSummary

    store = FeedStore(tmp_path_factory.mktemp("home"), "r", "f")
    now = Now()
    days = DayCounts(dt.date(2027, 1, 1), (5,) * 60)
    for name in "abc":
        incoming = store.incoming_path()
        incoming.write_bytes(name.encode())
        summary = FeedSummary(name * 64, "Europe/Rome", (), None, days, {}, {}, 0)
        store.keep(incoming, FeedVersion(summary, "", 1, now.moment, ""))
    used: list[str] = []
    for step in steps:
        now.moment += dt.timedelta(minutes=1)
        if step == "refuse":
            store.record(Activation("refuse", "c" * 64, now.moment, "ana", ("no",)))
        elif step != "back":
            activate(store, store.find(step), now.by())
            if not used or used[-1] != step:
                used.append(step)
        elif len(used) > 1:
            used.pop()
            assert rollback(store, now.by()).version == used[-1] * 64
        else:
            with pytest.raises(UsageError):
                rollback(store, now.by())
        active = store.active()
        assert (active.id[0] if active else None) == (used[-1] if used else None)
    lines = store.folder / "activations.jsonl"
    assert not lines.exists() or all(json.loads(line) for line in lines.read_text().splitlines())

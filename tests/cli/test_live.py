"""`mobility live`: one line a poll, exit statuses, one writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from google.transit import gtfs_realtime_pb2 as pb

from mobility.cli.main import main
from mobility.core.files import sole_writer
from mobility.network import open_edition
from mobility.network.live.files import live_folder

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def message(sample_edition: Path, tmp_path: Path) -> tuple[str, Path]:
    """A feed of the sample region and a message that delays one of its trips."""
    net = open_edition(sample_edition).network
    feed = net.feed_id[0]
    trip = next(row for row in range(len(net.trip_id)) if int(net.trip_feed[row]) == 0)
    said = pb.FeedMessage()
    said.header.gtfs_realtime_version = "2.0"
    said.header.timestamp = 1_809_400_000
    for name in (net.trip_id[trip], "nobody"):
        update = said.entity.add(id=name).trip_update
        update.trip.trip_id, update.trip.start_date = name, "20270504"
        update.delay = 120
    path = tmp_path / "trips.pb"
    path.write_bytes(said.SerializeToString())
    return feed, path


def test_one_poll_tells_what_came_of_it(
    sample_edition: Path, message: tuple[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    feed, path = message
    words = ["live", str(sample_edition), "--source", f"{feed}={path}", "--once"]
    assert main([*words, "--home", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["runs"] >= 1
    assert document["sources"][0]["counts"]["unknown_trip"] == 1
    assert main([*words, "--home", str(tmp_path)]) == 0
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "2 trip updates, 1 unknown trip" in told or "1 matched" in told


@pytest.mark.parametrize(
    ("source", "status", "told"),
    [
        ("nobody=x.pb", 2, "'nobody' is no feed of the edition"),
        ("x", 2, "expected FEED=FILE_OR_URL"),
        (None, 2, "no source of live messages"),
        ("missing", 1, "cannot be read"),
        ("http", 1, "only https is fetched"),
    ],
)
def test_what_is_wrong_is_one_line_and_its_status(
    sample_edition: Path, message: tuple[str, Path], tmp_path: Path, capsys: Capture,
    source: str | None, status: int, told: str,
) -> None:  # fmt: skip
    feed, _ = message
    addresses = {"missing": f"{feed}={tmp_path}/none.pb", "http": f"{feed}=http://10.0.0.7/t.pb"}
    given = [] if source is None else ["--source", addresses.get(source, source)]
    words = ["live", str(sample_edition), *given, "--once", "--json", "--home", str(tmp_path)]
    assert main(words) == status
    assert told in capsys.readouterr().err


def test_a_second_poller_of_a_home_is_refused(
    sample_edition: Path, message: tuple[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    feed, path = message
    folder = live_folder(tmp_path, open_edition(sample_edition).hash)
    words = ["live", str(sample_edition), "--source", f"{feed}={path}", "--once"]
    with sole_writer(folder):
        assert main([*words, "--home", str(tmp_path)]) == 4
    assert "another process is writing here" in capsys.readouterr().err


def test_the_manifest_names_sources(
    sample_edition: Path, sample_region: Path, message: tuple[str, Path], tmp_path: Path,
    capsys: Capture,
) -> None:  # fmt: skip
    feed, path = message
    text = (sample_region / "region.toml").read_text("utf-8")
    region = tmp_path / "region"
    region.mkdir()
    lines = text.splitlines()
    at = lines.index(f'id = "{feed}"')
    lines.insert(at + 1, f'realtime = ["{path.name}"]')
    (region / "region.toml").write_text("\n".join(lines), encoding="utf-8")
    (region / path.name).write_bytes(path.read_bytes())
    words = ["live", str(sample_edition), "--region", str(region), "--once", "--json"]
    assert main([*words, "--home", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["sources"][0]["feed"] == feed


@pytest.mark.slow
def test_interrupted_it_ends_with_130_and_leaves_the_version(
    sample_edition: Path, message: tuple[str, Path], tmp_path: Path
) -> None:
    feed, path = message
    words = ["live", str(sample_edition), "--source", f"{feed}={path}", "--every", "1"]
    with subprocess.Popen(
        [sys.executable, "-c", "from mobility.cli import main; raise SystemExit(main())", *words,
         "--home", str(tmp_path)],
        stderr=subprocess.PIPE, env=os.environ,
    ) as poller:  # fmt: skip
        assert poller.stderr is not None
        assert b"version" in poller.stderr.readline()
        poller.send_signal(signal.SIGINT)
        poller.wait(30)
    assert poller.returncode == 130
    folder = live_folder(tmp_path, open_edition(sample_edition).hash)
    assert (folder / "CURRENT").is_file()

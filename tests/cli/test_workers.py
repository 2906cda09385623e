"""The server's processes: they answer together, come back when killed, and end in peace."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mobility.cli.workers import GIVE_WAY, START_FAILED, FairSocket, Workers, listen
from mobility.core.errors import EnvironmentFault, InputError, MobilityError
from mobility.network import compile_network, open_edition, write_edition

WAIT_S = 120


def wait_for(condition: Callable[[], object], *, seconds: float = WAIT_S) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_port_in_use_is_told_in_one_line() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(EnvironmentFault, match="in use"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_connections_are_handed_over_one_at_a_time() -> None:
    plain = listen("127.0.0.1", 0)
    address = plain.getsockname()
    fair = FairSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    fair.setblocking(False)
    with fair:
        callers = [socket.create_connection(address) for _ in range(3)]
        accepted = []
        for expected in (True, False, True, False, True, False):
            try:
                accepted.append(fair.accept()[0])
                taken = True
            except BlockingIOError:
                taken = False
            assert taken is expected
        with pytest.raises(BlockingIOError):  # nobody waits
            fair.accept()
        callers.append(socket.create_connection(address))
        accepted.append(fair.accept()[0])
        for connection in (*callers, *accepted):
            connection.close()


def cannot_start(status: int) -> None:
    """Be a worker that ends at once."""
    raise SystemExit(status)


@pytest.mark.parametrize(
    ("status", "fault"),
    [(1, InputError), (70, MobilityError)],
)
def test_where_no_worker_can_start_the_server_ends_with_the_same_kind_of_error(
    status: int, fault: type[MobilityError]
) -> None:
    with pytest.raises(fault, match="cannot start") as raised:
        Workers(cannot_start, (START_FAILED + status,), 1).run()
    assert type(raised.value) is fault


class Server:
    """A running `mobility serve` with two workers."""

    def __init__(self, home: Path, log: Path, *words: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.home, self.log = home, log
        program = (
            "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
            "from mobility.cli import main; sys.exit(main())"
        )
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, "serve", *words, "--port", str(self.port)],
                stderr=out, env=self.environment,
            )  # fmt: skip
        wait_for(self.ready)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "MOBILITY_HOME": str(self.home), "MOBILITY_WORKERS": "2"}

    def get(self, path: str) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/readyz")["status"] == "ok"
        except OSError:
            return False

    def workers(self) -> list[int]:
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = [int(word) for word in tasks.read_text().split()]
        command = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
        return [pid for pid in children if b"spawn_main" in command[pid]]

    def edition(self) -> str:
        found: str = self.get("/api/v1/health")["versions"]["edition"]
        return found

    def command(self, *words: str) -> None:
        program = "import sys; from mobility.cli import main; sys.exit(main())"
        subprocess.run(
            [sys.executable, "-c", program, "edition", *words],
            check=True, env=self.environment, capture_output=True,
        )  # fmt: skip

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(WAIT_S)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def server(sample_edition: Path, tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "home", tmp_path / "log", str(sample_edition))
    yield running
    running.end()


@pytest.mark.slow
def test_a_worker_that_is_killed_is_started_again_while_the_other_answers(server: Server) -> None:
    before = server.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    for _ in range(20):
        assert server.get("/livez") == {"status": "ok"}
    wait_for(lambda: len(server.workers()) == 2 and before[0] not in server.workers())
    assert before[1] in server.workers()
    assert f"worker {before[0]} died (signal 9)" in server.log.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_all_in_peace(server: Server, number: int, status: int) -> None:
    workers = server.workers()
    server.process.send_signal(number)
    assert server.process.wait(WAIT_S) == status
    assert not any(alive(pid) for pid in workers)
    listen("127.0.0.1", server.port).close()
    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_workers_give_way_to_commands(server: Server) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    nice = [os.getpriority(os.PRIO_PROCESS, pid) for pid in server.workers()]
    assert nice == [min(own + GIVE_WAY, 19)] * 2


@pytest.mark.slow
def test_workers_do_not_outlive_a_killed_parent(server: Server) -> None:
    workers = server.workers()
    server.process.kill()
    server.process.wait(WAIT_S)
    wait_for(lambda: not any(alive(pid) for pid in workers))


@pytest.mark.slow
def test_both_workers_follow_an_activation_and_a_roll_back(
    sample_edition: Path, tmp_path: Path
) -> None:
    edition = open_edition(sample_edition)
    other = tmp_path / "other"
    parts = {name: edition.part(name) or b"{}" for name in ("tariff.json", "agreements.json")}
    region = edition.region()
    second = write_edition(other, region, compile_network(region, walk_radius_m=300), parts)
    home = tmp_path / "home"
    environment = {**os.environ, "MOBILITY_HOME": str(home)}
    program = "import sys; from mobility.cli import main; sys.exit(main())"
    subprocess.run(
        [sys.executable, "-c", program, "edition", "activate", str(sample_edition)],
        check=True, env=environment,
    )  # fmt: skip
    server = Server(home, tmp_path / "log")
    try:
        assert server.edition() == edition.hash
        for words, expected in ((["activate", str(other)], second), (["rollback"], edition.hash)):
            server.command(*words)
            wait_for(lambda wanted=expected: {server.edition() for _ in range(12)} == {wanted})
        assert server.get(f"/api/v1/health?edition={second}")["versions"]["edition"] == second
    finally:
        server.end()

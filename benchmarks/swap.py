"""Measure swaps and roll-backs under load: failed requests, rates, seconds, memory.

    python benchmarks/swap.py [--swaps 20] [--seconds 120] [--connections 8] [--work work/swap]

Makes two editions of the sample region where they are not there yet, serves one from a home with
two workers, and lets `wrk` ask journeys (one departure, a two-hour window), departures, one-to-all,
places and stations over the loopback address: first in peace, then while the other edition is
activated and rolled back so many times. Prints one JSON document. A request fails if its status is
not 2xx or its connection breaks; `rollback_s` counts from the start of the command until every
worker answers from the edition before (by the workers' logs, and by asking), `rollback_command_s`
until the command has ended, which may be later. `kernel_share_pct` is
the part of a journeys answer that is spent in compiled code, of CPU time, measured in this process
with the same questions.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
REGION = ROOT / "feeds" / "basel"
DAY = "2027-05-04"
ENDS = (
    ("Lörrach Hbf", "Mulhouse Ville"),
    ("Lörrach Hbf", "Liestal"),
    ("Liestal", "Mulhouse Ville"),
    ("Basel SBB", "Lörrach Hbf"),
)
TIMES = ("07:00", "08:30", "12:00", "17:15")
WAIT_S = 120

LUA = """
local paths = {%s}
local at = 0
function setup(thread) threads = threads or {}; table.insert(threads, thread) end
function init(args) bad = 0; answers = 0; timed = 0; plan = 0; price = 0; json = 0; total = 0 end
function request()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at])
end
function response(status, headers, body)
  answers = answers + 1
  if status < 200 or status > 299 then bad = bad + 1 end
  local timing = headers["server-timing"]
  if timing then
    timed = timed + 1
    plan = plan + tonumber(timing:match("plan;dur=([%%d.]+)"))
    price = price + tonumber(timing:match("price;dur=([%%d.]+)"))
    json = json + tonumber(timing:match("json;dur=([%%d.]+)"))
    total = total + tonumber(timing:match("total;dur=([%%d.]+)"))
  end
end
function done(summary, latency, requests)
  local sums = {bad = 0, answers = 0, timed = 0, plan = 0, price = 0, json = 0, total = 0}
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
  end
  local e, timed = summary.errors, math.max(sums.timed, 1)
  io.write(string.format("RESULT {\\"requests\\": %%d, \\"seconds\\": %%f, \\"not_2xx\\": %%d, " ..
    "\\"socket_errors\\": %%d, \\"p50_ms\\": %%f, \\"p99_ms\\": %%f, \\"max_ms\\": %%f, " ..
    "\\"journeys\\": %%d, \\"plan_ms\\": %%f, \\"price_ms\\": %%f, \\"json_ms\\": %%f, " ..
    "\\"answer_ms\\": %%f}\\n",
    summary.requests, summary.duration / 1e6, sums.bad,
    e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    sums.timed, sums.plan / timed, sums.price / timed, sums.json / timed, sums.total / timed))
end
"""


def questions() -> list[str]:
    """Return the addresses that are asked, in turn."""
    found = []
    for number, (origin, destination) in enumerate(ENDS):
        for clock in TIMES:
            query = {"from": origin, "to": destination, "depart": f"{DAY}T{clock}"}
            window = {"window": "2h"} if number % 2 else {}
            found.append(f"/api/v1/journeys?{urlencode(query | window)}")
        board = {"place": origin, "time": f"{DAY}T{TIMES[number % len(TIMES)]}", "window": "1h"}
        found.append(f"/api/v1/departures?{urlencode(board)}")
        reach = {"place": origin, "depart": f"{DAY}T{TIMES[number % len(TIMES)]}"}
        found.append(f"/api/v1/one-to-all?{urlencode(reach)}")
        found.append(f"/api/v1/places?{urlencode({'text': destination[:6]})}")
        found.append(f"/api/v1/places/{urlencode({'': origin})[1:].replace('+', '%20')}")
    return found


def mobility(*words: str, home: Path) -> None:
    """Run a command of the program."""
    program = "import sys; from mobility.cli import main; sys.exit(main())"
    subprocess.run(
        [sys.executable, "-c", program, *words], check=True, capture_output=True, env=setting(home)
    )


def setting(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of the program's processes."""
    return {**os.environ, "MOBILITY_HOME": str(home), **more}


def editions(work: Path) -> list[Path]:
    """Return two editions of the sample region that differ in their footpaths."""
    found = []
    for radius in (400, 300):
        folder = work / f"radius-{radius}.edition"
        if not (folder / "edition.json").is_file():
            words = ("build", str(REGION), "-o", str(folder), "--walk-radius", str(radius))
            mobility(*words, home=work / "home")
        found.append(folder)
    return found


class Server:
    """`mobility serve` from a home, with its log as JSON lines."""

    def __init__(self, home: Path, log: Path, workers: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._log = log
        program = "import sys; from mobility.cli import main; sys.exit(main())"
        began = time.perf_counter()
        words = ("-v", "serve", "--port", str(self.port), "--workers", str(workers))
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            stderr=log.open("wb"),
            env=setting(home, MOBILITY_LOG_JSON="true"),
        )
        while not self._ready():
            time.sleep(0.02)
        self.start_s = time.perf_counter() - began

    def get(self, path: str) -> Any:
        """Return a document, over a connection of its own."""
        address = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            return json.load(answer)

    def edition(self) -> str:
        """Return the hash of the edition that answers."""
        return str(self.get("/api/v1/health")["versions"]["edition"])

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise SystemExit(self._log.read_text())
        try:
            return bool(self.get("/readyz")["status"] == "ok")
        except OSError:
            return False

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def switches(self, edition: str, since: float) -> list[float]:
        """Return when workers began to answer from an edition, after a moment."""
        found = []
        for line in self._log.read_text().splitlines():
            if not line.startswith("{"):
                continue
            entry = json.loads(line)
            at = dt.datetime.fromisoformat(entry["time"]).timestamp()
            if at >= since - 0.001 and entry["message"] == f"edition {edition[:12]} answers":
                found.append(at)
        return found

    def private_mb(self) -> list[float]:
        """Return what each worker alone holds in memory, in MB."""
        return [memory_mb(pid, "Private_Dirty") for pid in self.workers()]

    def resident_mb(self) -> list[float]:
        """Return what each worker has in memory, shared pages included, in MB."""
        return [memory_mb(pid, "Rss") for pid in self.workers()]


def memory_mb(pid: int, name: str) -> float:
    """Return a line of a process's memory, in MB (Linux)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.M)
    assert found
    return round(int(found[1]) / 1024, 1)


@contextmanager
def load(server: Server, script: Path, seconds: int, connections: int) -> Iterator[dict[str, Any]]:
    """Let wrk ask while inside, and at least so many seconds; its result is there afterwards."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s"]
    running = subprocess.Popen(
        [*words, str(script), f"http://127.0.0.1:{server.port}"], stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = {}
    yield result
    out, _ = running.communicate(timeout=seconds + WAIT_S)
    line = next(line for line in out.splitlines() if line.startswith("RESULT "))
    result.update(json.loads(line.removeprefix("RESULT ")))
    result["requests_per_s"] = result["requests"] / result["seconds"]


def change(
    server: Server, home: Path, words: tuple[str, ...], wanted: str, workers: int
) -> tuple[float, float]:
    """Return the seconds that a command takes, and until all workers answer from an edition."""
    began = time.time()
    mobility("edition", *words, home=home)
    command_s = time.time() - began
    until = time.monotonic() + WAIT_S
    while len(moments := server.switches(wanted, began)) < workers:
        assert time.monotonic() < until, f"{words}: {moments}"
        time.sleep(0.02)
    assert {server.edition() for _ in range(4 * workers)} == {wanted}
    return command_s, max(moments) - began


def kernel_share(edition_folder: Path) -> dict[str, float]:
    """Return CPU milliseconds per journeys answer of one thread, in all and in compiled code."""
    import numba
    import orjson

    from mobility.api.queries import JourneyQuery
    from mobility.api.served import Served
    from mobility.core.time import system_clock
    from mobility.network import open_edition

    served = Served(open_edition(edition_folder), system_clock)
    asked = [
        JourneyQuery.model_validate(
            {"from": ends[0], "to": ends[1], "depart": f"{DAY}T{clock}"}
            | ({"window": "2h"} if number % 2 else {})
        )
        for number, ends in enumerate(ENDS)
        for clock in TIMES
    ]
    spent = [0.0]

    def timed(kernel: Any) -> Any:
        def call(*arguments: Any) -> Any:
            began = time.thread_time()
            try:
                return kernel(*arguments)
            finally:
                spent[0] += time.thread_time() - began

        return call

    for query in asked:
        served.journeys(query)  # slices mapped
    for name, module in list(sys.modules.items()):
        if name.startswith("mobility.planner."):
            for word, value in list(vars(module).items()):
                if isinstance(value, numba.core.dispatcher.Dispatcher):
                    setattr(module, word, timed(value))
    rounds = 10
    began = time.thread_time()
    for query in asked * rounds:
        orjson.dumps(served.journeys(query))
    total = time.thread_time() - began
    answers = len(asked) * rounds
    return {
        "answer_ms": round(1000 * total / answers, 3),
        "kernel_ms": round(1000 * spent[0] / answers, 3),
        "kernel_share_pct": round(100 * spent[0] / total, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=ROOT / "work" / "swap")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed (Debian package wrk)")
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    home = work / "home"
    shutil.rmtree(home, ignore_errors=True)
    hashes = []
    for path in reversed(editions(work)):
        mobility("edition", "activate", str(path), home=home)
        hashes.append(json.loads((home / "CURRENT").read_text())["edition"])
    other, first = hashes
    script = work / "questions.lua"
    script.write_text(LUA % ", ".join(json.dumps(path) for path in questions()))
    load_before = os.getloadavg()[0]
    server = Server(home, work / "serve.log", options.workers)
    try:
        with load(server, script, 5, options.connections):
            pass  # slices and links of the days that are asked for
        with load(server, script, 15, options.connections) as peace:
            pass
        memory = [server.private_mb()]
        resident = [server.resident_mb()]
        activations, rollbacks = [], []
        with load(server, script, options.seconds, options.connections) as swapped:
            for _ in range(options.swaps):
                words = ("activate", other)
                activations.append(change(server, home, words, other, options.workers)[1])
                rollbacks.append(change(server, home, ("rollback",), first, options.workers))
                memory.append(server.private_mb())
                resident.append(server.resident_mb())
    finally:
        server.process.terminate()
        server.process.wait(WAIT_S)
    report = {
        "load_before": round(load_before, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "start_s": round(server.start_s, 2),
        "in_peace": _rounded(peace),
        "while_swapping": _rounded(swapped),
        "swaps": len(activations),
        "rollbacks": len(rollbacks),
        "failed": swapped["not_2xx"] + swapped["socket_errors"],
        "activate_s": _spread(activations),
        "rollback_s": _spread([whole for _, whole in rollbacks])
        | {"each": [round(whole, 3) for _, whole in rollbacks]},
        "rollback_command_s": _spread([command for command, _ in rollbacks]),
        "private_mb_first_last": [memory[0], memory[len(memory) // 2], memory[-1]],
        "resident_mb_first_last": [resident[0], resident[len(resident) // 2], resident[-1]],
        "one_thread_cpu": kernel_share(editions(work)[0]),
    }
    print(json.dumps(report, indent=2))


def _rounded(result: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 2) for name, value in result.items()}


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(seconds), 3),
        "least": round(min(seconds), 3),
        "most": round(max(seconds), 3),
    }


if __name__ == "__main__":
    main()

"""Work ends when its time is up or nobody waits any more, and its place is free again."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from mobility.api.limits import Call, Gate, Limits, Workbench, _call
from mobility.api.problems import BusyError, CallerGoneError, TimeLimitError
from mobility.core.stop import current_stop

from ..web.client import AppClient

LONG_S = 30.0


class Work:
    """Work that looks at its flag, as kernels do, and says when it ended."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()
        self.stopped = False

    def __call__(self) -> str:
        self.begun.set()
        stop, until = current_stop(), time.monotonic() + LONG_S
        try:
            while time.monotonic() < until:
                stop.check()
                time.sleep(0.002)
            return "done"
        except Exception:
            self.stopped = True
            raise
        finally:
            self.ended.set()


async def _free(bench: Workbench, taken: int = 0) -> None:
    for _ in range(500):
        if bench.taken == taken:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a place is still taken")


async def _never() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


def test_work_past_its_deadline_stops_and_frees_its_place() -> None:
    async def scene() -> None:
        bench, work = Workbench(Limits(threads=1)), Work()
        _call.set(Call(0.2, _never))
        with pytest.raises(TimeLimitError):
            await bench.run(work)
        assert await asyncio.to_thread(work.ended.wait, 5)
        assert work.stopped
        await _free(bench)
        assert await bench.run(lambda: 7) == 7
        bench.close()

    asyncio.run(scene())


def test_work_that_nobody_waits_for_stops() -> None:
    async def scene() -> None:
        bench, work, left = Workbench(Limits(threads=1)), Work(), asyncio.Event()

        async def receive() -> dict[str, Any]:
            await left.wait()
            return {"type": "http.disconnect"}

        _call.set(Call(LONG_S, receive))
        running = asyncio.ensure_future(bench.run(work))
        assert await asyncio.to_thread(work.begun.wait, 5)
        left.set()
        with pytest.raises(CallerGoneError):
            await running
        assert await asyncio.to_thread(work.ended.wait, 5)
        assert work.stopped
        await _free(bench)
        bench.close()

    asyncio.run(scene())


def test_work_that_waits_for_a_thread_never_begins_once_its_caller_is_gone() -> None:
    async def scene() -> None:
        bench, first, second = Workbench(Limits(threads=1, waiting=1)), Work(), Work()

        async def gone() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def call(work: Work, deadline_s: float, receive: Any) -> None:
            _call.set(Call(deadline_s, receive))
            await bench.run(work)

        running = asyncio.ensure_future(call(first, 1.0, _never))
        assert await asyncio.to_thread(first.begun.wait, 5)
        waiting = asyncio.ensure_future(call(second, LONG_S, gone))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await bench.run(lambda: None)
        with pytest.raises(CallerGoneError):
            await waiting
        await _free(bench, 1)
        with pytest.raises(TimeLimitError):
            await running
        await _free(bench)
        assert not second.begun.is_set()
        bench.close()

    asyncio.run(scene())


def test_a_client_that_hangs_up_frees_its_place() -> None:
    """Over a real connection: the server hears it and the work stops."""
    bench, work = Workbench(Limits(threads=1)), Work()
    app = FastAPI()
    app.add_middleware(Gate, limits=Limits(answer_s=LONG_S))

    @app.get("/long")
    async def long() -> str:
        return await bench.run(work)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + LONG_S
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
        caller.sendall(b"GET /long HTTP/1.1\r\nHost: test\r\n\r\n")
        assert work.begun.wait(10)
    assert work.ended.wait(10)
    assert work.stopped
    server.should_exit = True
    thread.join(10)
    assert bench.taken == 0
    bench.close()


@pytest.mark.parametrize("stated", ["soon", "-1", "nan", "1e9", "inf", ""])
def test_a_deadline_that_is_no_number_is_refused(api: AppClient, stated: str) -> None:
    answer = api.get("/api/v1/region", headers={"Request-Timeout": stated})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:mobility:problem:usage"


def test_a_short_deadline_ends_a_large_matrix(api: AppClient) -> None:
    places = api.get("/api/v1/one-to-all?place=Liestal&depart=2027-05-04T07:00").json()["stations"]
    ids = [place["station_id"] for place in places[:40]]
    asked = {
        "origins": ids, "destinations": ids, "depart": "2027-05-04T07:00", "window": "1h",
        "horizon": "24h",
    }  # fmt: skip
    answer = api.post("/api/v1/matrix", json=asked, headers={"Request-Timeout": "0.01"})
    assert answer.status_code == 504
    assert answer.json()["type"] == "urn:mobility:problem:time-limit"
    assert api.get("/api/v1/region").status_code == 200

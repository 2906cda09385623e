"""The server's processes: several workers on one socket, started again when they die.

The parent binds and listens, so that nobody is refused while a worker starts, and does nothing
else: a worker imports, maps the edition and answers. A worker ends with its parent, whatever ends
that; what it has begun it finishes first, unless it is killed.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from mobility.core.collector import collect_rarely
from mobility.core.errors import (
    CheckFailed,
    EnvironmentFault,
    InputError,
    MobilityError,
    UsageError,
)
from mobility.core.settings import Settings

LOG = logging.getLogger(__name__)
BACKLOG = 2048  # connections that may wait to be accepted
LOOK_S = 0.2  # between two looks at signals
GRACE_S = 20  # for answers that are under way when a worker is to stop
RESTART_S = 1.0  # before a worker that died is started again
START_FAILED = 100  # exit status of a worker that cannot start, with that of its error added
FAULTS: dict[int, type[MobilityError]] = {
    fault.exit_status: fault for fault in (InputError, UsageError, CheckFailed, EnvironmentFault)
}
STOPPING = (signal.SIGINT, signal.SIGTERM)
GIVE_WAY = 5  # niceness of workers: where all cores are busy answering, a roll-back goes first


@dataclass(frozen=True, slots=True)
class Service:
    """What a worker serves: an edition, or with None the one in use in the home, and how."""

    edition: Path | None
    settings: Settings
    log_level: int


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    EnvironmentFault
        The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise EnvironmentFault(f"{host}:{port}: {error.strerror or error}") from None


class Workers:
    """Keeps so many workers running until it is told to stop.

    Parameters
    ----------
    work : callable
        What a worker does with the arguments, until it gets SIGTERM; importable by name.
    arguments : tuple
    count : int
    """

    def __init__(self, work: Callable[..., None], arguments: tuple[Any, ...], count: int) -> None:
        self._work = work
        self._arguments = arguments
        self._count = count
        self._context = multiprocessing.get_context("spawn")
        self._signals: list[int] = []

    def run(self) -> int:
        """Return the signal that ended it, once all workers are gone.

        Raises
        ------
        MobilityError
            One of the first workers could not start, and said why; of the kind that it met.
        """
        before = {number: signal.signal(number, self._note) for number in STOPPING}
        running = [self._start() for _ in range(self._count)]
        first = list(running)
        try:
            while not self._signals:
                wait([worker.sentinel for worker in running], LOOK_S)
                for place, worker in enumerate(running):
                    if worker.is_alive() or self._signals:
                        continue
                    status = (worker.exitcode or 0) - START_FAILED
                    if worker in first and status > 0:
                        fault = FAULTS.get(status, MobilityError)
                        raise fault("the server cannot start; the lines before say why")
                    LOG.error("worker %s died (%s), another one starts", *_end(worker))
                    time.sleep(RESTART_S)
                    running[place] = self._start()
        finally:
            self._stop(running)
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._signals[0]

    def _note(self, number: int, _: object) -> None:
        self._signals.append(number)

    def _start(self) -> BaseProcess:
        worker = self._context.Process(target=self._work, args=self._arguments)
        worker.start()
        return worker

    def _stop(self, running: list[BaseProcess]) -> None:
        """End the workers: in peace, or at once on a second signal or after the grace."""
        told = len(self._signals)
        until = time.monotonic() + GRACE_S + 5
        for worker in running:
            worker.terminate()
        for worker in running:
            while worker.is_alive() and time.monotonic() < until and len(self._signals) == told:
                worker.join(LOOK_S)
        for worker in running:
            worker.kill()
            worker.join()


def _end(worker: BaseProcess) -> tuple[int | None, str]:
    code = worker.exitcode or 0
    return worker.pid, f"signal {-code}" if code < 0 else f"status {code}"


class FairSocket(socket.socket):
    """A listening socket that hands over one connection at a time.

    asyncio accepts all that wait when it is woken; the worker that wakes first would then get all
    connections of a client that opens many at once, and the others none.
    """

    _took = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Return a connection; every second call says that none waits."""
        self._took = not self._took
        if not self._took:
            raise BlockingIOError
        try:
            return super().accept()
        except OSError:
            self._took = False
            raise


def serve_worker(listening: socket.socket, service: Service) -> None:
    """Serve in this process until SIGTERM or SIGINT, or until the parent is gone."""
    from mobility.cli.app import start_logging

    os.nice(GIVE_WAY)
    start_logging(service.settings, service.log_level)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn

    from mobility.api.app import create_app
    from mobility.cli.clock import clock_of

    collect_rarely()
    gc.collect()
    gc.freeze()  # what libraries left is there for good: no collection looks at it again
    settings = service.settings
    try:
        application = create_app(service.edition, settings, clock_of(settings))
    except MobilityError as error:
        LOG.error("%s", error)
        raise SystemExit(START_FAILED + error.exit_status) from None
    except Exception:
        LOG.exception("our own fault")
        raise SystemExit(START_FAILED + MobilityError.exit_status) from None
    config = uvicorn.Config(
        application,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="on",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )
    kind = (listening.family, listening.type, listening.proto)
    fair = FairSocket(*kind, fileno=listening.detach())
    try:
        uvicorn.Server(config).run(sockets=[fair])
    except KeyboardInterrupt:  # the parent got the interrupt too, and says so
        return


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

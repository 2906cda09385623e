"""The sample edition in a real browser, at two sizes, light and dark."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from mobility.api import create_app
from mobility.web.bundle import find_bundle

from .browsing import FLAGS, SIZES, WAIT_S

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def address(sample_edition: Path) -> Iterator[str]:
    """Serve the sample edition on a free port of this machine."""
    assert find_bundle().script, "build the client first: make web"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(sample_edition, clock=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + WAIT_S
    while not server.started and time.monotonic() < until:
        thread.join(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(WAIT_S)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs chromium on the PATH")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")])
def look(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return a size of screen and a colour scheme."""
    pair: tuple[str, str] = request.param
    return pair


@pytest.fixture
def page(browser: Any, look: tuple[str, str]) -> Iterator[Any]:
    """Return a page that fails the test where anything is written to the console as an error."""
    size, scheme = look
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
    )
    opened = context.new_page()
    faults: list[str] = []
    opened.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    context.close()
    assert faults == []

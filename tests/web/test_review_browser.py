"""The review in a real browser: by keys, without JavaScript, on a phone, light and dark."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from mobility.api.review import new_token, review_app
from mobility.merge.review.desk import Desk

from .browsing import SIZES, SMALL_TARGETS, WAIT_S
from .review_desk import small_desk

pytestmark = pytest.mark.browser

LABELLESS = """() => [...document.querySelectorAll('input, select, textarea, progress, svg[role]')]
    .filter((e) => e.type !== 'hidden')
    .filter((e) => !e.labels?.length && !e.getAttribute('aria-label'))
    .map((e) => e.outerHTML.slice(0, 80))"""
HEADINGS = "() => [...document.querySelectorAll('h1,h2,h3')].map((e) => Number(e.tagName[1]))"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Desk]]:
    """Serve a small desk on a free port; give its address and the desk."""
    desk = small_desk(tmp_path)
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port, token = own.getsockname()[1], new_token()
        config = uvicorn.Config(review_app(desk, port=port, token=token), log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [own]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.05)
        yield f"http://127.0.0.1:{port}/{token}/", desk
        server.should_exit = True
        thread.join(WAIT_S)


def opened(browser: Any, size: str, scheme: str, **options: Any) -> tuple[Any, list[str]]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", **options
    )
    page, faults = context.new_page(), []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return page, faults


def shoot(page: Any, name: str) -> None:
    folder = os.environ.get("MOBILITY_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/review-{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", sorted(SIZES))
def test_a_person_reviews_by_keys_alone(
    browser: Any, served: tuple[str, Desk], size: str, scheme: str
) -> None:
    address, desk = served
    page, faults = opened(browser, size, scheme)
    page.goto(f"{address}?lang=en")
    shoot(page, f"list-{size}-{scheme}")
    page.get_by_role("link", name="Begin with the weightiest").focus()
    page.keyboard.press("Enter")
    page.locator(".effects").first.wait_for(timeout=WAIT_S * 1000)
    shoot(page, f"question-{size}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert page.evaluate(LABELLESS) == [] and page.evaluate(SMALL_TARGETS) == []
    levels = page.evaluate(HEADINGS)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))
    page.get_by_label("Reason").fill("seen by me, sd")  # keys in a field are letters
    page.keyboard.press("Enter")  # answers nothing: no answer was chosen
    page.get_by_text("Choose an answer").wait_for()
    assert desk.file.read() == ()
    assert page.get_by_label("Reason").input_value() == "seen by me, sd"
    page.get_by_role("button", name="Same").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Noted as").wait_for()
    assert [(d.decision, d.reason) for d in desk.file.read()] == [("same", "seen by me, sd")]
    page.keyboard.press("d")
    page.get_by_text("Nothing is left to decide.").wait_for()
    assert page.get_by_text("2 of 2 decided").count() == 1
    page.keyboard.press("u")
    page.get_by_text("Taken back").wait_for()
    assert len(desk.file.read()) == 1
    assert faults == []


def test_all_works_without_javascript(browser: Any, served: tuple[str, Desk]) -> None:
    address, desk = served
    page, faults = opened(browser, "mobile", "light", java_script_enabled=False)
    page.goto(f"{address}?lang=de")
    page.get_by_role("link", name="Mit dem wichtigsten beginnen").click()
    page.locator(".effects").first.wait_for(timeout=WAIT_S * 1000)  # the page loads again by itself
    page.get_by_role("button", name="Verschieden").click()
    page.get_by_text("Notiert als «Verschieden»").wait_for()
    page.get_by_role("button", name="Letzte Antwort zurücknehmen").click()
    page.get_by_text("Zurückgenommen").wait_for()
    assert desk.file.read() == () and faults == []


def test_a_page_elsewhere_cannot_answer(browser: Any, served: tuple[str, Desk]) -> None:
    address, desk = served
    page, _ = opened(browser, "desktop", "light")
    page.goto(f"{address}?lang=fr")
    key = next(one.key for one in desk.candidates() if one.standing == "ask")
    form = f'<form method="post" action="{address}answer"><input name="key" value="{key}">'
    page.goto("about:blank")
    page.set_content(f'{form}<input name="answer" value="same"><button>go</button></form>')
    with page.expect_navigation():
        page.get_by_role("button").click()
    assert "pages of this server alone" in page.content()
    assert desk.file.read() == ()

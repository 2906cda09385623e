"""Departures and runs in a real browser: keyboard alone, both sizes, light and dark."""

from __future__ import annotations

from typing import Any

import pytest

from .browsing import SMALL_TARGETS, shoot

pytestmark = pytest.mark.browser
WIDTH = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def _sound(page: Any) -> None:
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(WIDTH)


def test_from_search_to_a_board_to_a_run_by_keyboard(
    page: Any, address: str, look: tuple[str, str]
) -> None:
    page.goto(f"{address}/?lang=en")
    page.get_by_role("link", name="Departures of a stop").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Stop").focus()
    page.keyboard.type("Basel SBB")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Departures from Basel SBB").wait_for()
    _sound(page)
    shoot(page, look, "departures")
    page.locator(".board tbody th a").first.focus()
    page.keyboard.press("Enter")
    page.locator("table.calls").wait_for()
    _sound(page)
    shoot(page, look, "trip")


def test_a_journeys_stops_lead_to_their_departures(page: Any, address: str) -> None:
    page.goto(f"{address}/search?from=Liestal&to=Basel+SBB&date=2027-05-04&time=07:00&lang=en")
    page.locator(".journey summary").first.click()
    page.get_by_role("link", name="Liestal", exact=True).first.click()
    page.get_by_role("heading", name="Departures from Liestal").wait_for()

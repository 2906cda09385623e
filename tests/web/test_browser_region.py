"""The region's pages in a real browser: by keyboard, on a phone, in the dark, without script."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .browsing import SIZES, SMALL_TARGETS, shoot

pytestmark = pytest.mark.browser

TRAIN = "/region/train/ch-rail:s6-17601?other=de-regio:s6-17601"
PAGES = {
    "region": "/region?month=2028-08",  # one of the feeds has ended
    "notices": "/region/notices",
    "stations": "/region/stations?state=review",
    "trains": "/region/trains?state=joined&kind=overlap",
    "train": TRAIN,
}
# A text and what is painted behind it: the ratio of their luminances (WCAG 2.2, 1.4.3).
FAINT_TEXTS = """() => {
    const light = (c) => c.slice(0, 3).map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const numbers = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
    const behind = (e) => {
        for (let one = e; one; one = one.parentElement) {
            const color = numbers(getComputedStyle(one).backgroundColor);
            if (color.length === 3 || color[3] > 0.99) return color;
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll('main *, header *, nav *')]
        .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
        .filter((e) => e.offsetParent && !e.closest('svg, .hidden, option'))
        .filter((e) => {
            const [a, b] = [numbers(getComputedStyle(e).color), behind(e)].map(light);
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
        }).map((e) => e.outerHTML.slice(0, 90));
}"""


@pytest.mark.parametrize("name", PAGES)
def test_pages_fit_the_screen_and_can_be_read_and_touched(
    page: Any, address: str, look: tuple[str, str], name: str
) -> None:
    page.goto(f"{address}{PAGES[name]}{'&' if '?' in PAGES[name] else '?'}lang=en")
    shoot(page, look, f"region-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[look[0]][0]
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(FAINT_TEXTS) == []


def test_the_keyboard_reaches_content_calendar_and_months(page: Any, address: str) -> None:
    page.goto(f"{address}/region?lang=en&month=2027-05")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('a[rel=next]')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("month=2027-06"))
    page.get_by_role("heading", name="Coverage in June 2027").wait_for()
    table = page.get_by_role("region", name="Coverage in June 2027").get_by_role("table")
    assert table.get_by_role("rowheader").count() == 4


def test_from_the_search_to_a_train_and_its_two_timetables(
    page: Any, address: str, look: tuple[str, str]
) -> None:
    page.goto(f"{address}/?lang=en")
    page.get_by_role("link", name=re.compile("region's data")).click()
    page.get_by_role("link", name="Trains", exact=True).click()
    page.get_by_label("Verdict").select_option("joined")
    page.get_by_label("Kind").select_option("contained")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Both timetables side by side").first.click()
    assert page.locator("tr.common").count() >= 2
    assert page.get_by_role("heading", name="Who carries which section").count() == 1
    page.get_by_role("link", name="FR", exact=True).click()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator("tr.common").count() >= 2


def test_a_station_shows_its_plan_with_words_for_it(
    page: Any, address: str, look: tuple[str, str]
) -> None:
    page.goto(f"{address}/region/stations?lang=en&state=joined")
    page.locator(".links a").first.click()
    plan = page.get_by_role("img", name=re.compile(r"lies \d+ m"))
    assert plan.locator("circle").count() >= 2
    assert page.locator("figcaption").inner_text() == plan.get_attribute("aria-label")
    shoot(page, look, "region-station")


def test_everything_works_without_javascript(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="de-DE")
    page = context.new_page()
    page.goto(f"{address}/region")
    page.locator("select[name=month]").select_option("2027-12")
    page.get_by_role("button", name="Zeigen").click()
    page.get_by_role("heading", name="Abdeckung im Dezember 2027").wait_for()
    page.get_by_text("Der Kalender in Worten").click()
    assert "Tagen" in page.locator("#calendar details ul").inner_text()
    page.get_by_role("link", name="Stationen", exact=True).click()
    page.get_by_label("Name oder Id").fill("weil am rhein")
    page.get_by_role("button", name="Zeigen").click()
    assert page.locator(".match").count() > 0
    context.close()

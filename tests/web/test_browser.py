"""The page in a real browser: search, tickets and split, keyboard alone, no console errors.

The sample edition is built, or taken from MOBILITY_TEST_EDITION; screenshots go to the folder that
MOBILITY_SCREENSHOTS names.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from .browsing import SMALL_TARGETS, shoot

pytestmark = pytest.mark.browser


def search(page: Any, address: str, origin: str, destination: str) -> None:
    """Search as a visitor does, taking suggestions with mouse or finger."""
    page.goto(f"{address}/?lang=en")
    for label, text in (("From", origin), ("To", destination)):
        field = page.get_by_role("combobox", name=label, exact=True)
        field.fill(text)
        page.get_by_role("listbox", name=label).get_by_role("option").first.click()
    page.get_by_label("Date").fill("2027-05-04")
    page.get_by_label("Time").fill("07:00")
    page.get_by_role("button", name="Search", exact=True).click()
    page.locator(".journey").first.wait_for()


def minor(text: str) -> tuple[str, int]:
    """Return currency and minor units of a shown amount."""
    currency, whole, rest = re.findall(r"([A-Z]{3}) (\d+)\.(\d\d)", text)[0]
    return currency, int(whole) * 100 + int(rest)


def read_splits(page: Any) -> int:
    """Open every split of the first open journey; each must add up to its ticket's price."""
    found = 0
    journey = page.locator(".journey[open]").first
    for ticket in journey.locator(".ticket").all():
        ticket.locator(".split > summary").click()
        rows = [minor(row.inner_text()) for row in ticket.locator("tbody .amount").all()]
        if not rows:
            assert "No split is published" in ticket.inner_text()
            continue
        found += 1
        price = minor(ticket.locator(".ticket-price").inner_text())
        assert {currency for currency, _ in rows} == {price[0]}
        assert sum(amount for _, amount in rows) == price[1]
        assert minor(ticket.locator("tfoot .amount").inner_text()) == price
        assert ticket.locator(".why li").count() > 0
    return found


def wait_for_map(page: Any, look: tuple[str, str]) -> None:
    if look[0] == "mobile":
        page.get_by_role("button", name="Show on the map").first.click()
    page.locator(".map-frame .canvas[data-idle]").first.wait_for()


def test_one_ticket_over_the_border_is_read_with_its_split(
    page: Any, address: str, look: tuple[str, str]
) -> None:
    search(page, address, "Lörrach Hbf", "Liestal")
    first = page.locator(".journey").first
    assert re.search(r"07:\d\d\s*→\s*0[78]:\d\d", first.inner_text().replace("\n", " "))
    assert "Change: Basel SBB" in first.inner_text()
    shoot(page, look, "liestal")
    first.locator("summary").first.click()
    first.locator(".ticket").first.wait_for()
    assert read_splits(page) >= 1
    wait_for_map(page, look)
    shoot(page, look, "liestal-open")
    assert "from=" in page.url and "to=Liestal" in page.url


def test_two_tickets_to_mulhouse_say_what_is_not_protected(
    page: Any, address: str, look: tuple[str, str]
) -> None:
    search(page, address, "Lörrach Hbf", "Mulhouse Ville")
    two = page.locator(".journey", has_text="2 tickets").first
    two.locator("summary").first.click()
    two.locator(".ticket").nth(1).wait_for()
    assert two.locator(".ticket").count() == 2
    assert "The connection between these tickets is not protected." in two.inner_text()
    sellers = [
        t.get_by_role("definition").nth(1).inner_text() for t in two.locator(".ticket").all()
    ]
    assert len(set(sellers)) == 2
    read_splits(page)
    shoot(page, look, "mulhouse-open")


def test_the_page_follows_back_and_the_language(page: Any, address: str) -> None:
    search(page, address, "Lörrach Hbf", "Liestal")
    page.get_by_role("button", name="Later").click()
    page.wait_for_url(re.compile("page="))
    page.go_back()
    page.wait_for_url(lambda url: "page=" not in url)
    page.get_by_role("link", name="FR", exact=True).click()
    page.get_by_role("heading", name="Lörrach Hauptbahnhof → Liestal").wait_for()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator(".journey").count() > 0


def test_the_keyboard_alone_is_enough(page: Any, address: str, look: tuple[str, str]) -> None:
    page.goto(f"{address}/?lang=en")
    page.get_by_role("combobox", name="From", exact=True).focus()
    page.keyboard.type("lorrach hb")
    page.get_by_role("listbox", name="From").get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    chosen = page.get_by_role("combobox", name="From", exact=True)
    assert chosen.input_value() == "Lörrach Hauptbahnhof"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "to":
            break
    page.keyboard.type("liestal")
    page.get_by_role("listbox", name="To", exact=True).get_by_role("option").first.wait_for()
    shoot(page, look, "suggestions")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.locator(".journey").first.wait_for()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.journey > summary')"):
            break
    page.keyboard.press("Enter")
    page.locator(".journey[open] .ticket").first.wait_for()


def test_targets_are_large_enough_and_nothing_is_wider_than_the_screen(
    page: Any, address: str
) -> None:
    search(page, address, "Lörrach Hbf", "Liestal")
    page.locator(".journey > summary").first.click()
    page.locator(".journey[open] .ticket").first.wait_for()
    small = page.evaluate(SMALL_TARGETS)
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_works_without_javascript(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{address}/?lang=en")
    page.get_by_label("From").fill("Lörrach Hbf")
    page.get_by_label("To", exact=True).fill("Liestal")
    page.get_by_label("Date").fill("2027-05-04")
    page.get_by_label("Time").fill("07:00")
    page.get_by_role("button", name="Search", exact=True).click()
    page.locator(".journey > summary").first.click()
    assert read_splits(page) >= 1
    shoot(page, ("desktop", "nojs"), "liestal-open")
    context.close()


def test_labels_are_text_and_their_figures_are_reached_by_keyboard(
    page: Any, address: str, look: tuple[str, str]
) -> None:
    search(page, address, "Lörrach Hbf", "Mulhouse Ville")
    second = page.locator(".journey").nth(1)
    label = second.locator(".label", has_text="Safest connections").inner_text()
    assert "11 min longer, but the risk of missing a connection is under 0.1 % instead" in label
    about = page.locator(".about-labels summary")
    about.focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("Compared are the journeys shown").is_visible()
    second.locator("summary").first.focus()
    page.keyboard.press("Enter")
    figures = second.get_by_text("Distances, factors and sources")
    figures.focus()
    page.keyboard.press("Enter")
    assert second.locator(".factors tbody").count() == 5  # two countries a ride, and the car
    assert "CO₂e per person" in second.locator(".facts").last.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(SMALL_TARGETS) == []
    shoot(page, look, "labels")


def fill_needs(page: Any) -> None:
    """Open the needs by keyboard and ask for buses or trams, Muttenz on the way, time to change."""
    page.locator(".needs > summary").focus()
    page.keyboard.press("Enter")
    for mode in ("Bus", "Tram"):
        page.get_by_role("checkbox", name=mode, exact=True).focus()
        page.keyboard.press("Space")
    page.get_by_label("Least change").fill("10")
    page.get_by_label("Walking speed").select_option("0.8")


NEEDS_TOLD = "Asked for: at least 10 min to change, walking speed slow (0.8 m/s), only Bus, Tram."


def test_needs_are_asked_kept_in_the_address_and_told(
    page: Any, address: str, look: tuple[str, str]
) -> None:
    search(page, address, "Liestal", "Riehen")
    assert not page.locator(".needs").get_attribute("open")
    fill_needs(page)
    shoot(page, look, "needs-form")
    assert page.evaluate(SMALL_TARGETS) == []
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_text(NEEDS_TOLD).wait_for()
    assert "modes=bus&modes=tram" in page.url and "min_change=10" in page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, look, "needs-answer")
    first = page.locator(".journey").first.inner_text()
    page.get_by_role("button", name="Later").click()
    page.wait_for_url(re.compile("modes=bus.*page="))
    page.get_by_text(NEEDS_TOLD).wait_for()
    page.go_back()
    page.reload()
    page.get_by_text(NEEDS_TOLD).wait_for()
    assert page.locator(".journey").first.inner_text() == first
    assert page.get_by_role("checkbox", name="Tram", exact=True).is_checked()
    assert page.get_by_label("Walking speed").input_value() == "0.8"
    page.get_by_role("link", name="DE", exact=True).click()
    page.get_by_text("Gefragt für: mindestens 10 min zum Umsteigen").wait_for()
    assert page.get_by_role("checkbox", name="Tram", exact=True).is_checked()
    page.locator(".journey > summary").first.click()
    link = page.locator('a[href^="/what-now?"]').first.get_attribute("href")
    assert "min_change=10&walk_speed_m_s=0.8&modes=bus&modes=tram" in link
    page.get_by_role("link", name="Was nun?").first.click()
    page.get_by_text("Gefragt für: mindestens 10 min zum Umsteigen").wait_for()


def test_a_place_to_pass_is_chosen_and_what_is_wrong_is_told(page: Any, address: str) -> None:
    search(page, address, "Liestal", "Riehen")
    page.locator(".needs > summary").click()
    page.get_by_role("combobox", name="Via", exact=True).fill("Muttenz")
    page.get_by_role("listbox", name="Via").get_by_role("option").first.click()
    page.get_by_label("Minutes there").fill("20")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_text("Asked for: via Muttenz (20 min there).").wait_for()
    assert page.get_by_text("goes on without the places under “Via”").is_visible()
    assert "via=Muttenz&stay=20" in page.url
    page.get_by_label("Minutes there").fill("long")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("alert").get_by_text("a value in it does not fit").wait_for()
    assert page.get_by_label("Minutes there").input_value() == "long"
    assert page.locator(".journey").count() == 0


def test_needs_work_without_javascript(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{address}/?lang=en")
    page.get_by_label("From").fill("Liestal")
    page.get_by_label("To", exact=True).fill("Riehen")
    page.get_by_label("Date").fill("2027-05-04")
    page.get_by_label("Time", exact=True).fill("07:00")
    fill_needs(page)
    page.get_by_role("button", name="Search", exact=True).click()
    assert page.get_by_text(NEEDS_TOLD).is_visible()
    assert page.get_by_role("checkbox", name="Tram", exact=True).is_checked()
    page.get_by_label("Least change").fill("soon")
    page.get_by_role("button", name="Search", exact=True).click()
    assert "a value in it does not fit" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Least change").input_value() == "soon"
    shoot(page, ("desktop", "nojs"), "needs-wrong")
    context.close()

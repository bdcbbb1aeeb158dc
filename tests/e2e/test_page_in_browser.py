"""The page in a real browser, on a phone and on a desk: live, handled, hostile, restarted.

Needs Debian's `chromium` (or any named by CHROMIUM); skipped with the reason where there is none.
Pictures of each size are written to the folder named by RMS_PICTURES, else to a temporary one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests import feeds
from tests.serve.desks import poorer, settled

from rms_tui.book import Book, narrowed
from rms_tui.monitor import Monitor
from rms_tui.serve.access import Access
from rms_tui.serve.answers import Desk
from rms_tui.serve.websocket import Server

PHONE, DESK = (390, 844), (1920, 1080)
SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["390x844", "1920x1080"])
HOSTILE = "<img src=x onerror=alert(1)>"
OPERATOR, READER = "operator-token-0123456789", "reader-token-0123456789ab"
PATIENCE_MS = 15_000


@dataclass
class ChosenFeed(feeds.FakeFeed):
    """A feed that shows only the accounts that are watched."""

    def read(self, timeout: float) -> Book:
        """The newest Book of the watched accounts."""
        whole = super().read(timeout)
        watched = [self.selection.watches(int(login)) for login in whole.accounts.login]
        return narrowed(whole, np.array(watched))


class House:
    """A desk with a server in front of it that can be restarted on its port."""

    def __init__(self, **access: Any) -> None:
        self.now = feeds.NOW
        whole = feeds.book(12)
        names = (HOSTILE, *whole.accounts.name[1:])
        self.whole = replace(whole, accounts=replace(whole.accounts, name=names))
        self.feed = ChosenFeed(self.whole)
        self.access = access
        self.server: Server | None = None
        self.port = 0
        self.start()

    def start(self) -> None:
        """A new process, as far as a client can tell."""
        self.monitor = Monitor(self.feed, feeds.PLAN, interval=1.0, clock=lambda: self.now)
        self.server = Server(
            Desk(self.monitor),
            Access(port=self.port, **self.access),
            host="desk-1",
            version="0.0.0",
            clock=lambda: self.now,
        )
        self.server.start()
        self.port = self.server.port
        self.poll()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()

    def poll(self, newest: Book | None = None, times: int = 1) -> None:
        for _ in range(times):
            self.now += 1.0
            before, found = self.feed.newest, newest or self.feed.newest
            assert found is not None
            self.feed.newest = settled(replace(found, taken_at=self.now), before)
            self.monitor.step()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if program is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as made:
        found = made.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.stop()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("RMS_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def opened(browser: Browser, house: House, size: tuple[int, int]) -> Page:
    """The page of that size, with everything that goes wrong in it collected."""
    width, height = size
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"a dialog: {dialog.message}"))
    page.on("console", lambda said: wrong.append(said.text) if "Policy" in said.text else None)
    page.wrong = wrong  # type: ignore[attr-defined]
    page.goto(f"http://127.0.0.1:{house.port}/")
    return page


def shown(page: Page, panel: str) -> None:
    """Go to a panel: on a phone one is shown at a time."""
    button = page.locator(f"nav button[data-to={panel}]")
    if button.is_visible():
        button.click()
    expect(page.locator(f"#{panel}")).to_be_visible()


def row(page: Page, login: int) -> Any:
    return page.locator("#accounts tbody tr").filter(
        has=page.get_by_role("button", name=f"positions of account {login}", exact=True)
    )


@SIZES
def test_the_figures_are_live_and_a_client_s_name_is_text(browser, house, size, pictures):
    page = opened(browser, house, size)
    expect(page.locator("#state")).to_have_text("LIVE")
    first = int(house.whole.accounts.login[0])
    expect(row(page, first)).to_contain_text(HOSTILE)
    assert page.locator("#accounts img").count() == 0
    before = page.locator("#t-equity").inner_text()
    house.poll(poorer(house.whole, [first], 123.45))
    expect(page.locator("#t-equity")).not_to_have_text(before)
    equity = house.feed.newest.accounts.equity[0]
    expect(row(page, first)).to_contain_text(f"{equity:,.2f}")
    page.screenshot(path=pictures / f"page-{size[0]}x{size[1]}.png")
    for panel in ("positions", "exposure", "alerts", "statistics"):
        shown(page, panel)
        expect(page.locator(f"#{panel} .empty:visible")).to_have_count(0)
        if size == PHONE:
            page.screenshot(path=pictures / f"page-{panel}-{size[0]}x{size[1]}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.wrong == []
    assert (pictures / f"page-{size[0]}x{size[1]}.png").stat().st_size > 10_000


BROKEN_CELLS = """panel => [...document.querySelectorAll(`#${panel} tbody td`)].filter(cell => {
  const text = document.createRange();
  text.selectNodeContents(cell.firstChild);
  return new Set([...text.getClientRects()].map(box => Math.round(box.top))).size > 1;
}).map(cell => cell.textContent)"""
CUT_OFF = """panel => {
  const box = document.querySelector(`#${panel} .scroll`);
  return box.scrollWidth - box.clientWidth;
}"""


@SIZES
def test_no_figure_is_broken_over_two_lines_and_no_column_is_cut_off(browser, house, size):
    page = opened(browser, house, size)
    expect(page.locator("#accounts tbody tr")).to_have_count(12)
    people = house.whole.accounts
    named = replace(
        people,
        name=tuple(f"Wilhelmina Merriweather-{login}" for login in people.login),
        group=("real\\standard-usd-hedged",) * len(people),
        balance=people.balance + 1_000_000,
        equity=people.equity + 1_000_000,
    )
    house.poll(replace(house.whole, accounts=named), times=3)
    expect(page.locator("#accounts tbody tr").first).to_contain_text("Wilhelmina")
    for panel in ("accounts", "positions", "exposure"):
        shown(page, panel)
        expect(page.locator(f"#{panel} tbody tr").first).to_be_visible()
        assert page.evaluate(BROKEN_CELLS, panel) == []
        assert page.evaluate(CUT_OFF, panel) <= 0
    expect(page.locator("nav button[data-to=alerts]")).to_contain_text("(")
    small = """[...document.querySelectorAll("button, input")].filter(one => one.offsetParent)
      .map(one => [one.textContent, one.getBoundingClientRect().height])
      .filter(([, height]) => height < 24 && innerWidth < 700)"""
    assert page.evaluate(small) == [], "a finger hits what is 24 pixels high"


@SIZES
def test_an_account_is_removed_and_added_from_the_page(browser, house, size):
    page = opened(browser, house, size)
    login = int(house.whole.accounts.login[3])
    row(page, login).get_by_role("button", name=f"remove account {login}").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text(str(login))
    house.poll()
    expect(row(page, login)).to_have_count(0)
    page.locator("#add-login").fill("seven")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("expected a number")
    page.locator("#add-login").fill(str(login))
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#add-login")).to_have_value("")
    house.poll()
    expect(row(page, login)).to_have_count(1)
    assert page.wrong == []


@SIZES
def test_an_alert_is_acknowledged_from_the_page_by_name_and_with_a_note(browser, house, size):
    page = opened(browser, house, size)
    house.poll(times=2)
    alert = next(one for one in house.monitor.frames.value.alerts if one.login)
    shown(page, "alerts")
    line = page.locator(f"#alerts li[data-alert='{alert.id}']")
    expect(line).to_contain_text("not handled")
    line.get_by_role("button", name="acknowledge").click()
    page.get_by_label("Note (may be empty)").fill("called <b>the client</b>")
    page.get_by_label("Your name").fill("ann")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(line).to_contain_text("called <b>the client</b>")
    expect(line).to_contain_text("acknowledged by ann")
    kept = next(one for one in house.monitor.frames.value.alerts if one.id == alert.id)
    assert "ann" in kept.operator
    assert kept.note == "called <b>the client</b>"
    assert page.wrong == []


@SIZES
def test_the_page_lives_through_a_restart_of_the_server(browser, house, size):
    page = opened(browser, house, size)
    expect(page.locator("#state")).to_have_text("LIVE")
    house.stop()
    expect(page.locator("#state")).to_have_text("NO SERVER")
    expect(page.locator("#trouble")).to_contain_text("these figures are old")
    page.mouse.wheel(0, 5_000)
    expect(page.locator("#trouble")).to_be_in_viewport(ratio=1)
    house.start()
    expect(page.locator("#state")).to_have_text("LIVE")
    expect(page.locator("#trouble")).to_be_hidden()
    first = int(house.whole.accounts.login[0])
    house.poll(poorer(house.whole, [first], 77.0))
    expect(row(page, first)).to_contain_text(f"{house.feed.newest.accounts.equity[0]:,.2f}")
    assert page.wrong == []


def test_without_a_token_the_page_asks_for_one_and_a_reader_s_token_shows_no_buttons(browser):
    house = House(operator_token=OPERATOR, reader_token=READER)
    try:
        page = opened(browser, house, DESK)
        page.get_by_label("Token").fill("wrong-token-000000000000")
        page.locator("#ask-yes").click()
        expect(page.locator("#ask-text")).to_have_text("The token was refused.")
        page.get_by_label("Token").fill(READER)
        page.locator("#ask-yes").click()
        expect(page.locator("#role")).to_have_text("read only")
        expect(page.locator("#accounts tbody tr")).to_have_count(12)
        expect(page.locator("#add")).to_be_hidden()
        expect(page.get_by_role("button", name="remove account")).to_have_count(0)
        page.locator("#sign").click()
        page.get_by_label("Token").fill(OPERATOR)
        page.locator("#ask-yes").click()
        expect(page.locator("#role")).to_have_text("operator")
        expect(page.locator("#add")).to_be_visible()
        assert page.wrong == []
    finally:
        house.stop()


def test_the_page_works_by_keyboard_alone(browser, house):
    page = opened(browser, house, DESK)
    expect(page.locator("#accounts tbody tr")).to_have_count(12)
    login = str(house.whole.accounts.login[5])
    page.keyboard.press("/")
    page.keyboard.type(login)
    expect(page.locator("#accounts tbody tr")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#n-positions")).to_contain_text(f"account {login}")
    page.keyboard.press("4")
    expect(page.locator("#h-alerts")).to_be_focused()
    page.keyboard.press("c")
    expect(page.locator("#exposure thead")).to_contain_text("Currency")


def test_light_and_dark_follow_the_system_and_can_be_changed(browser, house):
    page = opened(browser, house, DESK)
    back = "getComputedStyle(document.documentElement).backgroundColor"
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(back)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(back)
    assert dark != light
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate(back) == dark

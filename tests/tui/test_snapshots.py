"""Pictures of every state of every pane and dialog. Remake: pytest tests/tui --snapshot-update."""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.consoles import Bench, lost_feed
from tests.feeds import NOW, FakeFeed, book
from tests.tui.scenes import (
    asking,
    changed,
    day_bench,
    handle_some,
    late_bench,
    live_a_day,
    over,
    undecided_book,
    unknown_bench,
    with_scenarios,
    worked_out,
)
from textual.pilot import Pilot
from textual.widgets import Input

from rms_tui.alerts import Alert
from rms_tui.alerts.asked import Asked
from rms_tui.changes import Change
from rms_tui.feed import FeedError, FeedStatus, Selection
from rms_tui.frame import FeedState
from rms_tui.store.binary import WAYS_OUT
from rms_tui.tui.messages import FrameReady
from rms_tui.tui.screens.first_run import FirstRunApp
from rms_tui.tui.view import HistoryError

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the SVG baselines are made on Python 3.11"
)

Snap = Callable[..., bool]
WIDE, MIDDLE, SMALL = (160, 48), (120, 40), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL], ids=["160x48", "120x40", "80x24"])


def keys(*pressed: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys once the console stands still."""

    async def before(pilot: Pilot[Any]) -> None:
        for key in pressed:
            await pilot.press(key)
            await pilot.pause()

    return before


def errand(bench: Bench, name: str, *pressed: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys, and wait for the thread they start."""

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.press(*pressed)
        await bench.errand(pilot, name)
        await pilot.pause()

    return before


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No toasts (they time out) and no blinking cursor."""
    monkeypatch.setattr("rms_tui.tui.app.RmsApp.notify", lambda *_, **__: None)
    monkeypatch.setattr(Input, "_on_mount", _unblinking(Input._on_mount))


def _unblinking(mount: Any) -> Any:
    def on_mount(self: Input, event: Any) -> Any:
        self.cursor_blink = False
        return mount(self, event)

    return on_mount


@SIZES
def test_live(snap_compare: Snap, bench: Bench, size: tuple[int, int]) -> None:
    assert snap_compare(bench.app, terminal_size=size)


@SIZES
def test_loading(snap_compare: Snap, size: tuple[int, int]) -> None:
    assert snap_compare(Bench(FakeFeed(None)).app, terminal_size=size)


@SIZES
def test_connecting(snap_compare: Snap, size: tuple[int, int]) -> None:
    bench = Bench(FakeFeed(None))
    bench.step()
    assert snap_compare(bench.app, terminal_size=size)


@SIZES
def test_refused(snap_compare: Snap, size: tuple[int, int]) -> None:
    bench = Bench(lost_feed())
    bench.step()
    assert snap_compare(bench.app, terminal_size=size)


@SIZES
def test_stale(snap_compare: Snap, bench: Bench, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        bench.now = NOW + 31
        bench.feed.error = FeedError("connection", "prod-1:443 does not answer")
        await bench.shown(pilot)

    assert snap_compare(bench.app, terminal_size=size, run_before=before)


def test_disconnected(snap_compare: Snap, bench: Bench) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        bench.now = NOW + 12
        bench.feed.error = FeedError("connection", "no route to prod-1:443")
        bench.feed.status = FeedStatus("down", "", NOW, None, "connection", NOW + 20)
        await bench.shown(pilot)

    assert snap_compare(bench.app, terminal_size=WIDE, run_before=before)


@SIZES
def test_empty(snap_compare: Snap, size: tuple[int, int]) -> None:
    bench = Bench(FakeFeed(book(0)), selection=Selection(everything=False))
    bench.step()
    assert snap_compare(bench.app, terminal_size=size)


def test_demo(snap_compare: Snap) -> None:
    bench = Bench(FakeFeed(book(30), title="simulator"), live=FeedState.DEMO)
    bench.step()
    assert snap_compare(bench.app, terminal_size=MIDDLE)


def test_worse_rows_are_marked(snap_compare: Snap, bench: Bench) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        await bench.shown(pilot, book(shock=300.0))

    assert snap_compare(bench.app, terminal_size=WIDE, run_before=before)


def test_filtered(snap_compare: Snap, bench: Bench) -> None:
    pressed = ("slash", *"group:real\\* state>=warning", "enter")
    assert snap_compare(bench.app, terminal_size=WIDE, run_before=keys(*pressed))


def test_filter_being_typed(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("slash", *"used>80"))


def test_filter_with_a_mistake(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("slash", *"level<q"))


def test_filter_without_a_match(snap_compare: Snap, bench: Bench) -> None:
    pressed = ("slash", *"login:99", "enter")
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys(*pressed))


@pytest.mark.parametrize("number", ["1", "2", "3", "4"])
def test_zoomed(snap_compare: Snap, bench: Bench, number: str) -> None:
    assert snap_compare(bench.app, terminal_size=WIDE, run_before=keys(number, "z"))


@pytest.mark.parametrize("number", ["2", "3", "4"])
def test_small_panes(snap_compare: Snap, bench: Bench, number: str) -> None:
    assert snap_compare(bench.app, terminal_size=SMALL, run_before=keys(number))


def test_exposure_by_currency(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=WIDE, run_before=keys("3", "c"))


def test_positions_of_all(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=WIDE, run_before=keys("2", "o"))


def test_scrolled_sideways(snap_compare: Snap, bench: Bench) -> None:
    pressed = ("right", "right", "right", "right")
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys(*pressed))


def test_acknowledged(snap_compare: Snap, bench: Bench) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.press("4", "z", "space")
        await bench.shown(pilot)

    assert snap_compare(bench.app, terminal_size=WIDE, run_before=before)


def test_paused(snap_compare: Snap, bench: Bench) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.press("p")
        bench.now += 42
        bench.app.post_message(FrameReady())
        await pilot.pause()

    assert snap_compare(bench.app, terminal_size=WIDE, run_before=before)


def test_mongodb_down(snap_compare: Snap, bench: Bench) -> None:
    bench.store.state, bench.store.waiting, bench.store.text = "down", 12, WAYS_OUT
    assert snap_compare(bench.app, terminal_size=WIDE)


@pytest.mark.parametrize("number", ["1", "4"])
def test_help(snap_compare: Snap, bench: Bench, number: str) -> None:
    before = keys(number, "question_mark")
    assert snap_compare(bench.app, terminal_size=WIDE, run_before=before)


def test_sort_menu(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("s"))


def test_add(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("a"))


def test_add_with_a_mistake(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("a", *"70x"))


def test_add_done(snap_compare: Snap, bench: Bench) -> None:
    bench.monitor.remove([70_101, 70_102], "x")
    before = errand(bench, "add", "a", *"70101-70104 71000", "enter")
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


def test_add_failed(snap_compare: Snap, bench: Bench) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        bench.feed.error = FeedError("hung", "no answer within 10 s")
        await errand(bench, "add", "a", *"70101", "enter")(pilot)

    assert snap_compare(bench.app, terminal_size=SMALL, run_before=before)


def test_remove(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("j", "d"))


@SIZES
def test_details(snap_compare: Snap, bench: Bench, size: tuple[int, int]) -> None:
    before = errand(bench, "history", "j", "enter")
    assert snap_compare(bench.app, terminal_size=size, run_before=before)


def test_details_without_deals(snap_compare: Snap, bench: Bench) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        bench.feed.error = FeedError("connection", "the history is locked")
        await errand(bench, "history", "enter")(pilot)

    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


def test_snooze(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("n"))


@SIZES
def test_alerts_in_every_stage(snap_compare: Snap, bench: Bench, size: tuple[int, int]) -> None:
    handle_some(bench)
    assert snap_compare(bench.app, terminal_size=size, run_before=keys("4"))


def test_alerts_in_every_stage_zoomed(snap_compare: Snap, bench: Bench) -> None:
    handle_some(bench)
    assert snap_compare(bench.app, terminal_size=WIDE, run_before=keys("4", "z"))


@SIZES
def test_rollover_near(snap_compare: Snap, size: tuple[int, int]) -> None:
    assert snap_compare(late_bench().app, terminal_size=size)


@SIZES
def test_details_with_rollover_near(snap_compare: Snap, size: tuple[int, int]) -> None:
    bench = late_bench()

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        bench.app.go_to_account(70_103)
        await pilot.pause()
        await errand(bench, "history", "enter")(pilot)

    assert snap_compare(bench.app, terminal_size=size, run_before=before)


def test_undecided(snap_compare: Snap, bench: Bench) -> None:
    bench.step(undecided_book())
    assert snap_compare(bench.app, terminal_size=MIDDLE)


@pytest.mark.parametrize("typed", ["", "10 000.50", "10x"])
def test_base(snap_compare: Snap, typed: str) -> None:
    bench = unknown_bench()

    async def before(pilot: Pilot[Any]) -> None:
        await errand(bench, "history", "enter")(pilot)
        await keys("b", *typed)(pilot)

    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


def test_base_known(snap_compare: Snap, bench: Bench) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await errand(bench, "history", "enter")(pilot)
        await keys("b")(pilot)

    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


@SIZES
def test_details_of_a_day(snap_compare: Snap, size: tuple[int, int]) -> None:
    bench = asking(day_bench(), None, changed)

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.press("enter")
        await live_a_day(bench, pilot)
        if size == SMALL:
            await pilot.press("6")

    assert snap_compare(bench.app, terminal_size=size, run_before=before)


def test_day_zoomed(snap_compare: Snap) -> None:
    bench = asking(day_bench(), None, changed)

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.press("enter")
        await live_a_day(bench, pilot)
        await pilot.press("6", "z")

    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


def test_changes_zoomed(snap_compare: Snap) -> None:
    bench = asking(day_bench(), None, changed)

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.press("enter")
        await bench.errand(pilot, "changes")
        await pilot.press("7", "z")

    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


def test_changes_not_readable(snap_compare: Snap, bench: Bench) -> None:
    def ask(_: int) -> list[Change]:
        raise HistoryError("no audit rows now: no primary within 2 s")

    bench = asking(bench, None, ask)

    async def before(pilot: Pilot[Any]) -> None:
        await errand(bench, "history", "enter")(pilot)
        await bench.errand(pilot, "changes")
        await pilot.press("7")

    assert snap_compare(bench.app, terminal_size=SMALL, run_before=before)


@pytest.mark.parametrize("typed", ["", "ftmo", "nothing like it"])
def test_limits(snap_compare: Snap, bench: Bench, typed: str) -> None:
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("l", *typed))


def test_limits_small(snap_compare: Snap, bench: Bench) -> None:
    assert snap_compare(bench.app, terminal_size=SMALL, run_before=keys("l"))


@pytest.mark.parametrize("typed", ["", "500", "-1"])
def test_own_limits(snap_compare: Snap, bench: Bench, typed: str) -> None:
    assert snap_compare(
        bench.app, terminal_size=MIDDLE, run_before=keys("l", *"its own", "enter", *typed)
    )


def test_limits_initial_balance(snap_compare: Snap, bench: Bench) -> None:
    pressed = keys("l", *"ftmo-2step", "enter")
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=pressed)


@pytest.mark.parametrize("typed", ["", "rule:max", "since:2h operator:jane"])
def test_history_asked_for(snap_compare: Snap, bench: Bench, typed: str) -> None:
    stored = over(bench, 9)
    bench = asking(bench, lambda _: stored)

    async def typing(pilot: Pilot[Any]) -> None:
        await errand(bench, "alert-history", "h")(pilot)
        await pilot.press("slash")
        bench.app.screen.query_one("#asked", Input).value = typed
        await pilot.pause()

    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=typing)


def test_history_of_nothing_asked_for(snap_compare: Snap, bench: Bench) -> None:
    bench = asking(bench, lambda _: [])

    async def before(pilot: Pilot[Any]) -> None:
        await errand(bench, "alert-history", "h")(pilot)
        await pilot.press("slash")
        bench.app.screen.query_one("#asked", Input).value = "login:70123 rule:max_loss"
        await errand(bench, "alert-history", "enter")(pilot)

    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


@SIZES
def test_history(snap_compare: Snap, bench: Bench, size: tuple[int, int]) -> None:
    stored = over(bench, 9)
    bench = asking(bench, lambda _: stored)
    before = errand(bench, "alert-history", "h")
    assert snap_compare(bench.app, terminal_size=size, run_before=before)


def test_history_being_read(snap_compare: Snap, bench: Bench) -> None:
    asked = threading.Event()
    bench = asking(bench, lambda _: asked.wait(60) and [])
    try:
        assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("h"))
    finally:
        asked.set()


def test_history_not_readable(snap_compare: Snap, bench: Bench) -> None:
    def ask(_: Asked) -> list[Alert]:
        raise HistoryError("no alert history now: no primary within 2 s")

    bench = asking(bench, ask)
    before = errand(bench, "alert-history", "h")
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


def test_history_empty(snap_compare: Snap, bench: Bench) -> None:
    bench = asking(bench, lambda _: [])
    before = errand(bench, "alert-history", "h")
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


@pytest.mark.parametrize("typed", ["", "7011", "XAU"])
def test_palette(snap_compare: Snap, bench: Bench, typed: str) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.press("colon", *typed)
        await bench.app.workers.wait_for_complete()
        await pilot.pause()

    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=before)


@pytest.mark.parametrize("theme", ["desk-light", "desk-contrast", "ansi-dark"])
def test_themes(snap_compare: Snap, theme: str) -> None:
    bench = Bench(theme=theme)
    bench.step()
    bench.step()
    assert snap_compare(bench.app, terminal_size=MIDDLE)


def test_no_color(snap_compare: Snap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    bench = Bench()
    bench.step()
    bench.step()
    assert snap_compare(bench.app, terminal_size=MIDDLE)


@pytest.mark.parametrize("size", [MIDDLE, SMALL], ids=["120x40", "80x24"])
def test_first_run(snap_compare: Snap, size: tuple[int, int]) -> None:
    assert snap_compare(FirstRunApp("desk-dark"), terminal_size=size)


def stressed(bench: Bench, *pressed: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys, and wait until all that was asked of the stress view is answered."""

    async def before(pilot: Pilot[Any]) -> None:
        for key in pressed:
            await pilot.press(key)
            await worked_out(bench, pilot)

    return before


@SIZES
def test_stress(snap_compare: Snap, bench: Bench, size: tuple[int, int]) -> None:
    assert snap_compare(bench.app, terminal_size=size, run_before=stressed(bench, "x"))


@SIZES
def test_stress_by_a_saved_scenario(
    snap_compare: Snap, bench: Bench, size: tuple[int, int]
) -> None:
    with_scenarios(bench)
    assert snap_compare(bench.app, terminal_size=size, run_before=stressed(bench, "x", "j"))


def test_stress_of_a_currency_small(snap_compare: Snap, bench: Bench) -> None:
    pressed = ("c", "3", "j", "x", "minus", "enter", "j")
    assert snap_compare(bench.app, terminal_size=SMALL, run_before=stressed(bench, *pressed))


def test_stress_by_a_wrong_percentage(snap_compare: Snap, bench: Bench) -> None:
    pressed = ("x", "m", "1", "2", "0")
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=stressed(bench, *pressed))


def test_stress_without_rates(snap_compare: Snap) -> None:
    made = book(20, shock=60.0)
    unknown = np.full(len(made.positions), np.nan)
    bench = Bench(FakeFeed(replace(made, positions=replace(made.positions, rate=unknown))))
    bench.step()
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=stressed(bench, "x"))


def test_stress_of_an_empty_book(snap_compare: Snap) -> None:
    bench = Bench(FakeFeed(book(0)))
    bench.step()
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=stressed(bench, "x"))


def test_stress_before_there_are_figures(snap_compare: Snap) -> None:
    bench = Bench(lost_feed())
    bench.step()
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=stressed(bench, "x"))

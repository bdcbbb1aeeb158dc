"""Toasts never cover the row under the cursor, and a theme says its name."""

from __future__ import annotations

import pytest
from tests.consoles import Bench
from tests.feeds import FakeFeed, book
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from rms_tui.tui.table.cursor import CursorTable


@pytest.fixture
def bench() -> Bench:
    made = Bench(FakeFeed(book(60)))
    made.step()
    return made


def covered(bench: Bench) -> list[int]:
    """The lines of the screen that toasts lie over."""
    screen = bench.app.screen
    column = screen.size.width - 20
    at = {line: screen.get_widget_at(column, line)[0] for line in range(screen.size.height)}
    return [line for line, widget in at.items() if isinstance(widget, Toast)]


def cursor(bench: Bench) -> int:
    table = bench.app.screen.focused
    assert isinstance(table, CursorTable)
    assert table.cursor_line is not None
    return table.cursor_line


async def told(bench: Bench, pilot: Pilot[None], number: int = 3) -> None:
    for at in range(number):
        bench.app._toast(f"7001{at} Client {at}: daily loss, beyond the limit", "BREACHED", "error")
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (80, 30), (120, 40), (160, 48)])
@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
async def test_toasts_leave_the_row_under_the_cursor_free_wherever_it_goes(
    bench: Bench, size: tuple[int, int], pane: str
) -> None:
    async with bench.app.run_test(size=size, notifications=True) as pilot:
        await bench.shown(pilot)
        await pilot.press(pane)
        await told(bench, pilot)
        for keys in (
            ["G"],
            ["g"],
            ["j"] * 6,
            ["j"] * 5,
            ["pagedown"],
            ["G"],
            ["pageup"],
            ["k"] * 4,
        ):
            await pilot.press(*keys)
            await pilot.pause()
            lines = covered(bench)
            assert lines, "there is no toast"
            assert cursor(bench) not in lines


async def test_what_one_does_is_told_beside_three_alerts_on_a_small_screen(bench: Bench) -> None:
    async with bench.app.run_test(size=(80, 24), notifications=True) as pilot:
        await bench.shown(pilot)
        bench.app.clear_notifications()
        await told(bench, pilot)
        await pilot.press("t")
        await pilot.pause()
        assert f"theme {bench.app.theme}" in "\n".join(bench.screen_lines())


async def test_toasts_move_away_when_another_pane_is_focused(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48), notifications=True) as pilot:
        await bench.shown(pilot)
        await pilot.press("1")
        await told(bench, pilot)
        assert min(covered(bench)) > 24
        await pilot.press("2", "G")
        await pilot.pause()
        assert max(covered(bench)) < cursor(bench)


async def test_t_says_the_name_of_the_theme(bench: Bench) -> None:
    async with bench.app.run_test(size=(80, 24)) as pilot:
        await bench.shown(pilot)
        before = bench.app.theme
        await pilot.press("t")
        said = [str(one.message) for one in bench.app._notifications if "theme" in str(one.message)]
        assert bench.app.theme != before
        assert said == [f"theme {bench.app.theme}"]


async def test_a_frame_that_comes_when_the_screens_are_gone_already_breaks_nothing(
    bench: Bench,
) -> None:
    async with bench.app.run_test(size=(120, 40), notifications=True) as pilot:
        await bench.shown(pilot)
        await told(bench, pilot)
        screens = bench.app._screen_stack
        left = screens.copy()
        screens.clear()  # as while the app ends
        try:
            bench.app._tick()
        finally:
            screens.extend(left)

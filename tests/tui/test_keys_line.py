"""The last line names the keys that matter most at any width, and the help names all."""

from __future__ import annotations

from tests.consoles import Bench
from tests.tui.scenes import worked_out

from rms_tui.tui.screens.help import Help

LINE = {
    "a": "Add", "d": "Remove", "/": "Filter", "s": "Sort", "space": "Ack", "n": "Snooze",
    "⏎": "Details", "x": "Stress", "z": "Zoom", ":": "Commands", "?": "Help", "q": "Quit",
}  # fmt: skip
"""The keys a dealer lives by."""


async def test_the_keys_a_dealer_lives_by_stand_in_the_last_line(bench: Bench) -> None:
    async with bench.app.run_test(size=(120, 40)):
        assert named(bench.text("#keys")) == LINE


async def test_a_small_screen_names_what_matters_most_and_the_help_the_rest(bench: Bench) -> None:
    async with bench.app.run_test(size=(80, 24)) as pilot:
        shown = named(bench.text("#keys"))
        assert list(shown) == ["⏎", "a", "/", "space", "n", "x", ":", "?", "q"]
        await pilot.press("question_mark")
        assert isinstance(bench.app.screen, Help)
        listed = " ".join(keys for keys, _ in bench.app.screen._keys).split()
        assert set(LINE) <= set(listed)


async def test_the_stress_view_says_how_to_find_on_a_small_screen(bench: Bench) -> None:
    async with bench.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x")
        await worked_out(bench, pilot)
        shown = named(bench.text("#keys"))
        assert list(shown) == ["⏎", "esc", "+", "-", "m", "/", ":", "?", "q"]
        assert shown["/"] == "Find"


async def test_the_last_line_follows_the_terminals_width(bench: Bench) -> None:
    async with bench.app.run_test(size=(80, 24)) as pilot:
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert named(bench.text("#keys")) == LINE


def named(line: str) -> dict[str, str]:
    """Key → word of a line of keys."""
    return dict(piece.split(" ", 1) for piece in line.strip().split("  "))

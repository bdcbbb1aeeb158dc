"""Changed cells only: a terminal emulator must show the same as if everything had been sent."""

from __future__ import annotations

import asyncio
import random

import pyte
import pytest
import textual.screen
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widgets import Input, Label

from rms_tui.tui.display import PICTURES, Difference, FrugalApp, Terminal
from rms_tui.tui.table import Cell, Column, ListedRows, LiveTable

WIDTH, HEIGHT = 60, 14
COLUMNS = [Column("login", "Login", 6), Column("name", "Name", 10), Column("p", "P/L", 9, "right")]


class Twice(App[None]):
    """Sends each update to two emulators: as Textual would, and as we do."""

    CSS = "LiveTable { border: round $primary; }"

    def __init__(self) -> None:
        super().__init__()
        self.textual = pyte.Screen(WIDTH, HEIGHT)
        self.ours = pyte.Screen(WIDTH, HEIGHT)
        self.bytes = [0, 0]
        self._streams = pyte.Stream(self.textual), pyte.Stream(self.ours)
        self._terminal = Terminal()

    def compose(self) -> ComposeResult:
        yield Label("LIVE 0.8s", id="state")
        yield LiveTable(COLUMNS)
        yield Input()

    def _display(self, _screen: object, renderable: object) -> None:
        if isinstance(renderable, ChopsUpdate | LayoutUpdate):
            sent = renderable.render_segments(self.console)
            less = Difference(renderable, self._terminal).render_segments(self.console)
            for stream, text in zip(self._streams, (sent, less), strict=True):
                stream.feed(text)
            self.bytes = [self.bytes[0] + len(sent), self.bytes[1] + len(less)]

    def assert_same(self) -> None:
        for y in range(HEIGHT):
            for x in range(WIDTH):
                assert self.ours.buffer[y][x] == self.textual.buffer[y][x], (x, y)


def rows(figures: list[tuple[str, int]]) -> ListedRows:
    return ListedRows(
        range(len(figures)),
        [
            (Cell(str(row)), Cell(name), Cell(f"{p:+,}", "good" if p > 0 else "bad"))
            for row, (name, p) in enumerate(figures)
        ],
    )


NAMES = st.sampled_from(
    ["Bob", "Ann[/b]", "日本語", "é", "👍 x", "\x1b[2J", "Client 12345", "", "−…▲"]
)


@given(
    st.lists(
        st.lists(st.tuples(NAMES, st.integers(-99_999, 99_999)), max_size=20),
        min_size=2,
        max_size=6,
    ),
    st.lists(st.sampled_from(["j", "G", "g", "tab", "right", "x"]), max_size=5),
)
@settings(max_examples=30, deadline=None)
def test_the_terminal_shows_exactly_what_textual_would_have_sent(
    pictures: list[list[tuple[str, int]]], keys: list[str]
) -> None:
    async def check() -> None:
        app = Twice()
        async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
            for number, picture in enumerate(pictures):
                app.query_one(LiveTable).show(rows(picture))
                app.query_one("#state", Label).update(f"LIVE {number}.{len(picture)}s")
                await pilot.pause()
                app.assert_same()
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
                app.assert_same()

    asyncio.run(check())


STYLES = st.sampled_from(
    [None, Style(color="red"), Style(color="#00ff00", bold=True), Style(bgcolor="blue")]
)
TEXTS = st.text(st.sampled_from("ab 日"), min_size=1, max_size=12)
STRIPS = st.tuples(
    st.integers(0, 20),
    st.integers(0, 1),
    st.lists(st.tuples(TEXTS, STYLES), min_size=1, max_size=3),
)


@given(st.lists(st.lists(STRIPS, max_size=4), max_size=6))
@settings(max_examples=300, deadline=None)
def test_strips_that_overlap_earlier_ones_leave_nothing_wrong(
    updates: list[list[tuple[int, int, list[tuple[str, Style | None]]]]],
) -> None:
    console = Console(color_system="truecolor", force_terminal=True)
    whole, less = pyte.Screen(100, 2), pyte.Screen(100, 2)
    terminal = Terminal()
    for update in updates:
        strips = [(x, y, Strip([Segment(*part) for part in parts])) for x, y, parts in update]
        for x, y, strip in strips:
            pyte.Stream(whole).feed(f"\x1b[{y + 1};{x + 1}H{strip.render(console)}")
        pyte.Stream(less).feed(terminal.changes(strips, console))
        assert whole.buffer == less.buffer


async def test_a_figure_costs_a_fraction_of_its_line() -> None:
    app = Twice()
    draw = random.Random(7)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        for _ in range(10):
            app.query_one(LiveTable).show(
                rows([("Client", draw.randint(10_000, 99_999)) for _ in range(40)])
            )
            await pilot.pause()
            app.bytes = [0, 0] if _ == 0 else app.bytes
        app.assert_same()
        assert sum("Client" in line for line in app.ours.display) == 7
        assert app.bytes[1] < app.bytes[0] / 4


async def test_a_full_update_goes_out_whole() -> None:
    app = Twice()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.query_one(LiveTable).show(rows([("Bob", 1)]))
        await pilot.pause()
        app.ours.reset()
        app.screen.refresh()
        await pilot.pause()
        app.assert_same()


def test_it_is_on_with_the_textual_it_was_tested_with() -> None:
    assert FrugalApp.frugal


async def test_it_steps_aside_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(FrugalApp[None]):
        frugal = False

    given: list[object] = []
    monkeypatch.setattr(App, "_display", lambda _app, _screen, update: given.append(update))
    async with Plain().run_test() as pilot:
        await pilot.pause()
    assert given
    assert not any(isinstance(update, Difference) for update in given)


@pytest.mark.parametrize(("asked", "period"), [(None, 1 / PICTURES), ("10", 1 / 10)])
async def test_pictures_follow_each_other_as_soon_as_we_say_unless_the_user_does(
    asked: str | None, period: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textual.screen, "UPDATE_PERIOD", 1 / 10)  # as Textual has read it
    monkeypatch.delenv("TEXTUAL_FPS", raising=False)
    if asked is not None:
        monkeypatch.setenv("TEXTUAL_FPS", asked)
    app = FrugalApp[None]()
    async with app.run_test():
        assert app.screen._update_timer._interval == period

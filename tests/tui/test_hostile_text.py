"""Text from outside is shown as it is: no markup, no escape sequences, no crash, anywhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.consoles import Bench
from tests.feeds import NOW, SYMBOLS, FakeFeed, book
from tests.tui.scenes import asking, over, worked_out
from textual import events
from textual.widgets import Input

from rms_tui.book import Book
from rms_tui.changes import Change
from rms_tui.feed import FeedError
from rms_tui.tui.line_input import LineInput
from rms_tui.tui.screens.ask import Ask
from rms_tui.tui.screens.by_hand import EnterByHand
from rms_tui.tui.screens.confirm import Confirm
from rms_tui.tui.screens.history import AlertHistory
from rms_tui.tui.screens.limits import ChooseLimits
from rms_tui.tui.screens.snooze import SnoozeMenu
from rms_tui.tui.status_line import Piece, composed, titled
from rms_tui.tui.table.literal import fitted, literal

NASTY = st.one_of(
    st.text(max_size=24),
    st.sampled_from(
        [
            "[red]Bob[/red]", "[/]", "[", "]", "\\[", "EUR[USD]", "[@click=app.quit]x[/]",
            "\x1b[2J\x1b]0;owned\x07", "a\nb\tc\r", "\u202egnp.exe", "e\u0301\u0301\u0301",
            "👨‍👩‍👧", "[link=http://x]y[/link]", "$text-error", "{0}", "%s", "",
        ]
    ),
)  # fmt: skip


def hostile_book(texts: list[str]) -> Book:
    """A Book whose every text is one of these."""
    made = book(12)
    accounts = replace(
        made.accounts,
        name=tuple(texts[i % len(texts)] for i in range(12)),
        group=tuple(texts[(i + 1) % len(texts)] for i in range(12)),
        currency=tuple(texts[(i + 2) % len(texts)] for i in range(12)),
    )
    symbols = replace(SYMBOLS, name=tuple(f"{texts[i % len(texts)]}{i}" for i in range(6)))
    return replace(made, accounts=accounts, symbols=symbols)


async def walk(texts: list[str]) -> None:
    """Go through every place of the console that shows text from outside."""
    bench = Bench(FakeFeed(hostile_book(texts), title=texts[0]))
    bench.step()
    bench.step()
    stored = [
        replace(alert, name=texts[0], rule=texts[-1], note=texts[0], operator=texts[-1])
        for alert in over(bench)
    ]
    audit = [Change(f"{i}", NOW, text, text, {"profile": text}) for i, text in enumerate(texts)]
    audit += [Change(f"own {i}", NOW, "profile", text, {"profile": {text: text}})
             for i, text in enumerate(texts)]  # fmt: skip
    asking(bench, lambda _: stored, lambda _: audit).app.operator = texts[-1]
    async with bench.app.run_test(size=(160, 48)) as pilot:
        desk = bench.app.desk
        rows = desk.accounts_pane.table.rows
        at = [column.id for column in desk.accounts_pane.table.columns].index("name")
        width = desk.accounts_pane.table.columns[at].width
        screen = bench.screen_lines()
        for row in range(len(rows)):
            assert any(fitted(rows.cells(row)[at].text, width) in line for line in screen)
        assert all("\x1b" not in line for line in screen)
        await pilot.press("d")
        assert isinstance(bench.app.screen, Confirm)
        await pilot.press("n", "enter")
        await bench.errand(pilot, "history")
        await pilot.press("b")
        assert isinstance(bench.app.screen, EnterByHand)
        await pilot.press("escape", "7", "z")
        await bench.errand(pilot, "changes")
        assert all("\x1b" not in line for line in bench.screen_lines())
        await pilot.press("l")
        assert isinstance(bench.app.screen, ChooseLimits)
        assert all("\x1b" not in line for line in bench.screen_lines())
        bench.app.screen.query_one(Input).value = texts[0]
        await pilot.press("escape", "escape", "h")
        await bench.errand(pilot, "alert-history")
        assert isinstance(bench.app.screen, AlertHistory)
        assert all("\x1b" not in line for line in bench.screen_lines())
        await pilot.press("escape")
        bench.app.push_screen(SnoozeMenu(texts[0]))
        await pilot.pause()
        await pilot.press("escape", "slash")
        desk.find_symbol(bench.feed.newest.symbols.name[0])  # type: ignore[union-attr]
        await pilot.pause()
        bench.app.go_to_account(70_103)
        bench.app.notify(texts[0], title=texts[-1], markup=False)
        bench.app.push_screen(Ask(texts[0], texts[-1], value=texts[0]))
        await pilot.pause()
        bench.app.pop_screen()
        bench.feed.error = FeedError("connection", texts[0])
        bench.now += 60
        await bench.shown(pilot)
        assert all("\x1b" not in line for line in bench.screen_lines())
        bench.app.exit()
    assert bench.app.return_code == 0


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NASTY, min_size=2, max_size=6))
@example(["[red]Bob[/red]", "EUR[USD]", "[/]", "\x1b[31m"])
def test_no_text_from_outside_is_obeyed(texts: list[str]) -> None:
    asyncio.run(walk(texts))


@given(st.lists(NASTY, max_size=5), st.lists(NASTY, max_size=3), st.integers(4, 200))
def test_a_status_line_never_grows_over_its_width(
    left: list[str], right: list[str], width: int
) -> None:
    line = composed([Piece(t) for t in left], [Piece(t) for t in right], width)
    assert line.cell_length <= width
    assert "\n" not in line.plain
    assert "\x1b" not in line.plain


@given(NASTY, NASTY, st.integers(1, 120))
def test_a_border_title_never_grows_over_its_width(one: str, other: str, width: int) -> None:
    assert titled([Piece(one)], [Piece(other)], width).cell_length <= width


@given(NASTY)
def test_pieces_show_their_text_literally(text: str) -> None:
    assert literal(text) in composed([Piece(text)], [], 400).plain


@pytest.mark.parametrize(
    ("key", "line"), [("a", "#logins"), ("slash", "#filter"), ("i", "#answer")]
)
async def test_what_is_pasted_is_shown_and_never_obeyed(key: str, line: str) -> None:
    bench = Bench(FakeFeed(book()))
    bench.step()
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press(key)
        bench.app.post_message(events.Paste("[red]Bob[/red]\x1b[31m\x07\u202eabc"))
        await pilot.pause()
        await pilot.pause()
        assert bench.app.screen.query_one(line, LineInput).value == (
            "[red]Bob[/red]\x1b[31m\x07\u202eabc"
        )
        shown = next(row for row in bench.screen_lines() if " [red]Bob[/red]\ufffd[31m" in row)
        assert "\ufffd[31m\ufffd\ufffdabc" in shown
        assert all(row.isprintable() for row in bench.screen_lines())


CONTROLS = "XAU\x1b[2J\x07\u202e\x00\x9b31m70101"
"""Clears the screen, rings, turns the line round, ends a text of C, and colours, by 8-bit CSI."""


@pytest.mark.parametrize(
    "keys",
    [
        ("colon",), ("ctrl+p",), ("a",), ("slash",), ("i",), ("x", "m"), ("x", "slash"),
        ("h", "slash"), ("l",), ("e",),
    ],
    ids=" ".join,
)  # fmt: skip
async def test_control_characters_pasted_into_any_line_do_nothing(keys: tuple[str, ...]) -> None:
    bench = Bench(FakeFeed(book()))
    bench.step()
    bell: list[int] = []
    bench.app.bell = lambda: bell.append(1)  # type: ignore[method-assign]
    async with bench.app.run_test(size=(80, 24)) as pilot:
        for key in keys:
            await pilot.press(key)
            await worked_out(bench, pilot)
        line = bench.app.focused
        assert isinstance(line, Input)
        line.value = ""
        sent: list[str] = []
        driver = bench.app._driver
        assert driver is not None
        driver.write = sent.append  # type: ignore[method-assign]
        bench.app.post_message(events.Paste(CONTROLS))
        await worked_out(bench, pilot)
        assert line.value == CONTROLS
        assert any(
            "XAU\ufffd[2J\ufffd\ufffd\ufffd\ufffd31m70101" in row for row in bench.screen_lines()
        )
        assert all(row.isprintable() for row in bench.screen_lines())
        assert not bell
        assert bench.app.focused is line
        assert all(
            bad not in text for text in sent for bad in ("\x1b[2J", "\u202e", "\x00", "\x9b")
        )
        await pilot.press("home", "delete", "end", "backspace")
        await worked_out(bench, pilot)
        assert line.value == CONTROLS[1:-1]
        assert all(row.isprintable() for row in bench.screen_lines())


async def test_a_pasted_column_is_a_list() -> None:
    bench = Bench(FakeFeed(book()))
    bench.step()
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press("a")
        bench.app.post_message(events.Paste("70201\r\n70202\t70203\n"))
        await pilot.pause()
        await pilot.pause()
        assert bench.app.screen.query_one("#logins", LineInput).value == "70201 70202 70203"


async def test_an_empty_paste_is_nothing_and_a_password_is_its_first_line() -> None:
    bench = Bench(FakeFeed(book()))
    bench.step()
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press("a")
        line = bench.app.screen.query_one("#logins", LineInput)
        line.post_message(events.Paste("\n"))
        await pilot.pause()
        assert line.value == ""
        line.password = True
        line.post_message(events.Paste(" s3cret \nnext"))
        await pilot.pause()
        assert line.value == " s3cret "

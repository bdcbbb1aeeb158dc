"""Rollover notices, bases entered by hand, alert history, and rows without a decision."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from tests.consoles import Bench
from tests.feeds import book
from tests.tui.scenes import asking, late_bench, over, undecided_book, unknown_bench
from textual.widgets import Input

from rms_tui.alerts import Alert
from rms_tui.alerts.asked import Asked
from rms_tui.risk.verdict import Reason
from rms_tui.tui.screens.by_hand import EnterByHand, amount
from rms_tui.tui.screens.history import AlertHistory
from rms_tui.tui.view import HistoryError


def text_of(bench: Bench) -> str:
    return "\n".join(bench.screen_lines())


async def test_h_shows_what_is_over_in_the_database_literally(bench: Bench) -> None:
    stored = over(bench)
    async with asking(bench, lambda _: stored).app.run_test(size=(160, 48)) as pilot:
        await pilot.press("h")
        await bench.errand(pilot, "alert-history")
        assert isinstance(bench.app.screen, AlertHistory)
        text = text_of(bench)
        assert "[red]Bob[/red]" in text
        assert "jane@desk-1" in text
        assert "called [client]" in text
        assert len(bench.app.screen.pane.table.rows) == 3
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        assert str(stored[0].login) in bench.text("#heading")
        await pilot.press("escape", "escape")
        assert bench.app.screen is bench.app.desk


async def test_history_says_why_it_cannot_be_read_and_r_tries_again(bench: Bench) -> None:
    answers: list[Sequence[Alert] | None] = [over(bench), None]

    def ask(_: Asked) -> Sequence[Alert]:
        answer = answers.pop()
        if answer is None:
            raise HistoryError("no primary: [down]")
        return answer

    async with asking(bench, ask).app.run_test(size=(160, 48)) as pilot:
        await pilot.press("h")
        await bench.errand(pilot, "alert-history")
        assert "no primary: [down]" in text_of(bench)
        await pilot.press("r")
        await bench.errand(pilot, "alert-history")
        assert "called [client]" in text_of(bench)


async def test_history_without_a_database_is_that_of_this_console(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("h")
        assert "since this console started" in text_of(bench)
        assert "No past alerts yet." in text_of(bench)
        for _ in range(3):
            await bench.shown(pilot, book(shock=-900.0))
        frame = bench.monitor.frames.value
        assert frame is not None
        assert frame.recovered
        assert isinstance(bench.app.screen, AlertHistory)
        assert len(bench.app.screen.pane.table.rows) == len(frame.recovered)


async def test_the_desk_says_whom_the_next_rollover_would_breach() -> None:
    bench = late_bench()
    async with bench.app.run_test(size=(160, 48)) as pilot:
        frame = bench.monitor.frames.value
        assert frame is not None
        assert frame.assessment is not None
        notice = frame.assessment.overnight[0]
        count = int(notice.would_breach.sum())
        assert count
        assert "Rollover 00:00 in 11m 59s:" in bench.text("#notice")
        assert f"{count} account" in bench.text("#notice")
        await pilot.press("z")
        assert "loss at 00:00" in text_of(bench)
        await pilot.press("slash", *"overnight:breach", "enter")
        assert len(bench.app.desk.accounts_pane.table.rows) == count
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        assert "next rollover in 11m 59s: would breach daily loss" in bench.text("#notice")
        assert "Rollover 00:00" in text_of(bench)


async def test_details_say_the_price_move_that_gets_to_a_limit(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.app.go_to_account(70_104)
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        assert "By price" in text_of(bench)
        assert re.search(
            r"max loss .* (EURUSD|GBPUSD|USDJPY|XAUUSD|DE40|EURGBP) [+−]", text_of(bench)
        )


async def test_b_enters_a_base_that_is_checked_as_typed_and_shown_as_manual() -> None:
    bench = unknown_bench()
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        await pilot.press("b", *"10 000.50x")
        assert isinstance(bench.app.screen, EnterByHand)
        assert "expected an amount such as 10000.50" in bench.text("#base-hint")
        await pilot.press("enter")
        assert isinstance(bench.app.screen, EnterByHand)
        await pilot.press("backspace", "enter")
        assert bench.app.screen.focused is bench.app.screen.query_one("#base-equity", Input)
        await pilot.press(*"9 900", "enter", *"12 000", "enter")
        said = [each.message for each in bench.app._notifications]
        assert "day from 00:00 server: used\nequity peak: used\nshown with the next poll" in said
        await bench.shown(pilot)
        assert "12 000.00 peak" in text_of(bench)
        assert "9 900.00 manual" in text_of(bench)


async def test_what_nobody_vouches_for_is_one_notice_until_it_is_entered() -> None:
    bench = unknown_bench(1)
    async with bench.app.run_test(size=(160, 48)) as pilot:
        said = bench.text("#notice")
        assert "1 account: day base unknown, 1 account: peak unknown: enter it" in said
        assert "to enter it: details (enter), then b" in said
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        await pilot.press("b", *"10000", "enter", *"9900", "enter", *"12000", "enter")
        await bench.shown(pilot)
        await pilot.press("escape")
        await bench.shown(pilot)
        assert bench.text("#notice").strip() == "1 account: deposits of the day unknown"


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1e300", "1_0", "-5", "١٢"])
def test_what_is_no_amount_is_not_taken(text: str) -> None:
    assert amount(text) is None


async def test_rows_without_a_decision_are_counted_by_reason(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        assert not bench.app.desk.query_one("#notice").display
        await bench.shown(pilot, undecided_book())
        frame = bench.monitor.frames.value
        assert frame is not None
        assert frame.health.undecided == {Reason.NOT_A_NUMBER: 2, Reason.IDENTITY: 1}
        said = bench.text("#notice")
        assert "3 rows undecided:" in said
        assert "2 a needed figure is missing, 1 equity is not balance + credit + floating" in said
        await bench.shown(pilot, book(shock=60.0))
        assert not bench.app.desk.query_one("#notice").display

"""Rollover notices, bases entered by hand, alert history, and rows without a decision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.consoles import Bench
from tests.feeds import NOW, OFFSET, FakeFeed, book
from textual.widgets import Input

from rms_tui.alerts import Alert, Stage
from rms_tui.book import Book, Deals, build
from rms_tui.risk.profile import DailyLoss, Plan, RiskProfile
from rms_tui.risk.verdict import Reason
from rms_tui.tui.app import RmsApp
from rms_tui.tui.screens.base import EnterBase, amount
from rms_tui.tui.screens.history import AlertHistory, AskHistory
from rms_tui.tui.view import HistoryError

BEFORE_MIDNIGHT = (NOW + OFFSET) // 86_400 * 86_400 + 86_400 - OFFSET - 720
"""Twelve minutes to the rollover of the server's day."""


def late_book() -> Book:
    """A Book shortly before midnight with one account that tomorrow's floor would breach."""
    made = book(12, at=BEFORE_MIDNIGHT)
    balance, equity = made.accounts.balance.copy(), made.accounts.equity.copy()
    floating, before = made.accounts.floating.copy(), made.accounts.prev_equity.copy()
    balance[3], floating[3], equity[3], before[3] = 200_000.0, -900.0, 199_100.0, 199_000.0
    prev_balance = made.accounts.prev_balance.copy()
    prev_balance[3] = 199_000.0
    earned = build(
        Deals,
        {
            "ticket": [1], "login": [70_103], "time": [int(BEFORE_MIDNIGHT + OFFSET) - 3600],
            "type": [1], "entry": [1], "symbol": ["EURUSD"], "lots": [1.0], "price": [1.08],
            "profit": [1000.0], "swap": [0.0], "commission": [0.0], "position": [5],
        },
    )  # fmt: skip
    return replace(
        made,
        deals=earned,
        accounts=replace(
            made.accounts,
            balance=balance,
            equity=equity,
            floating=floating,
            prev_equity=before,
            prev_balance=prev_balance,
        ),
    )


def late_bench() -> Bench:
    bench = Bench(FakeFeed(late_book()))
    bench.now = BEFORE_MIDNIGHT + 0.8
    rule = DailyLoss(rule="daily_loss", base="balance", amount=800)
    day = RiskProfile(name="late", rules=(rule,))
    bench.monitor.set_plan(Plan(profiles=(day,), default="late", overnight_minutes=60))
    bench.step()
    bench.step()
    return bench


def asking(bench: Bench, history: AskHistory) -> Bench:
    """The bench with a console that has a database to ask."""
    bench.app = RmsApp(
        bench.monitor,
        operator="dealer@desk-2",
        store=bench.store,  # type: ignore[arg-type]
        theme="desk-dark",
        clock=lambda: bench.now,
        history=history,
    )
    return bench


def over(bench: Bench, number: int = 3) -> list[Alert]:
    """Alerts that are over, as the database gives them."""
    frame = bench.monitor.frames.value
    assert frame is not None
    return [
        replace(
            alert,
            id=f"old-{at}",
            name="[red]Bob[/red]",
            stage=Stage.CLOSED,
            raised_at=NOW - 9000,
            recovered_at=NOW - 7200 - at,
            operator="jane@desk-1",
            note="called [client]",
        )
        for at, alert in enumerate(frame.alerts[:number])
    ]


def text_of(bench: Bench) -> str:
    return "\n".join(bench.screen_lines())


async def test_h_shows_what_is_over_in_the_database_literally(bench: Bench) -> None:
    stored = over(bench)
    async with asking(bench, lambda: stored).app.run_test(size=(160, 48)) as pilot:
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

    def ask() -> Sequence[Alert]:
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
        assert "No alert is over yet." in text_of(bench)
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
        assert "At price" in text_of(bench)
        assert re.search(
            r"max loss .* (EURUSD|GBPUSD|USDJPY|XAUUSD|DE40|EURGBP) [+−]", text_of(bench)
        )


async def test_b_enters_a_base_that_is_checked_as_typed_and_shown_as_manual() -> None:
    made = book(4)
    unknown = np.full(4, np.nan)
    accounts = replace(made.accounts, prev_balance=unknown, prev_equity=unknown)
    bench = Bench(FakeFeed(replace(made, accounts=accounts, deals_since=int(NOW))))
    bench.step()
    bench.step()
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        await pilot.press("b", *"10 000.50x")
        assert isinstance(bench.app.screen, EnterBase)
        assert "expected an amount such as 10000.50" in bench.text("#base-hint")
        await pilot.press("enter")
        assert isinstance(bench.app.screen, EnterBase)
        await pilot.press("backspace", "enter")
        assert bench.app.screen.focused is bench.app.screen.query_one("#base-equity", Input)
        await pilot.press(*"9 900", "enter")
        await bench.shown(pilot)
        assert "9 900.00 manual" in text_of(bench)


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1e300", "1_0", "١٢"])
def test_what_is_no_amount_is_not_taken(text: str) -> None:
    assert amount(text) is None


async def test_rows_without_a_decision_are_counted_by_reason(bench: Bench) -> None:
    made = book(shock=60.0)
    equity = made.accounts.equity.copy()
    equity[:2] = np.nan
    equity[5] += 1000.0
    async with bench.app.run_test(size=(160, 48)) as pilot:
        assert not bench.app.desk.query_one("#notice").display
        await bench.shown(pilot, replace(made, accounts=replace(made.accounts, equity=equity)))
        frame = bench.monitor.frames.value
        assert frame is not None
        assert frame.health.undecided == {Reason.NOT_A_NUMBER: 2, Reason.IDENTITY: 1}
        said = bench.text("#notice")
        assert "3 rows undecided:" in said
        assert "2 a needed figure is missing, 1 equity is not balance + credit + floating" in said
        await bench.shown(pilot, made)
        assert not bench.app.desk.query_one("#notice").display

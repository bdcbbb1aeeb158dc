"""Consoles in situations that several tests of the screen look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.consoles import Bench
from tests.feeds import NOW, OFFSET, FakeFeed, book

from rms_tui.alerts import Alert, Severity, Stage
from rms_tui.book import Book, Deals, build
from rms_tui.risk.profile import DailyLoss, Plan, RiskProfile
from rms_tui.tui.app import RmsApp
from rms_tui.tui.screens.history import AskHistory

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


def undecided_book() -> Book:
    """A Book with two rows whose equity is missing and one whose figures contradict each other."""
    made = book(shock=60.0)
    equity = made.accounts.equity.copy()
    equity[:2] = np.nan
    equity[5] += 1000.0
    return replace(made, accounts=replace(made.accounts, equity=equity))


def handle_some(bench: Bench) -> None:
    """Alerts in every stage: escalated, acknowledged, snoozed, raised, and states on their way."""
    frame = bench.monitor.frames.value
    assert frame is not None
    warned = [alert for alert in frame.alerts if alert.severity is Severity.WARNING]
    bench.monitor.snooze(warned[0].id, 1800, "dealer@desk-2")
    bench.monitor.acknowledge(warned[1].id, "jane@desk-1", "called")
    bench.now += 301
    bench.step(book(shock=90.0, at=bench.now))

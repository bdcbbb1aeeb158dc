"""Consoles in situations that several tests of the screen look at."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from tests.consoles import Bench
from tests.feeds import NOW, OFFSET, FakeFeed, book
from textual.pilot import Pilot

from rms_tui.alerts import Alert, Severity, Stage
from rms_tui.book import Book, Deals, build, take
from rms_tui.changes import Change
from rms_tui.risk.profile import DailyLoss, Plan, RiskProfile, TotalLoss, TrailingDrawdown
from rms_tui.risk.scenario import Scenario
from rms_tui.tui.app import RmsApp
from rms_tui.tui.screens.stress import Stress
from rms_tui.tui.view import AskChanges, AskHistory

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


def unknown_bench(accounts: int = 4) -> Bench:
    """A bench whose accounts' day bases and peaks nobody vouches for."""
    made = book(accounts)
    unknown = np.full(accounts, np.nan)
    table = replace(made.accounts, prev_balance=unknown, prev_equity=unknown)
    bench = Bench(FakeFeed(replace(made, accounts=table, deals_since=int(NOW))))
    rules = (
        DailyLoss(rule="daily_loss", base="equity", percent=5, of="base"),
        TrailingDrawdown(rule="trailing_drawdown", peak="equity", amount=2000, of="peak"),
        TotalLoss(rule="total_loss", percent=10),
    )
    profile = RiskProfile(name="funded", initial_balance=10_000, rules=rules)
    bench.monitor.set_plan(Plan(profiles=(profile,), default="funded"))
    bench.step()
    bench.step()
    return bench


def changed(login: int) -> list[Change]:
    """Who changed what, as the database gives it."""
    del login
    rows = (
        (600, "profile", "eva@desk-1", {"profile": "[red]funded[/red]"}),
        (4000, "acknowledge", "jane@desk-1", {"rule": "daily_loss", "note": "called [client]"}),
        (9000, "peak", "eva@desk-1", {"peak": {"source": "equity", "value": 12_000.0}}),
        (90_000, "add", "o'neill@desk-3", {}),
    )
    return [Change(f"row-{ago}", NOW - ago, *rest) for ago, *rest in rows]


def day_bench() -> Bench:
    """A bench whose first account lives through a day; its base is the server's."""
    bench = Bench(FakeFeed(day_book(NOW - 3 * 3600, 0.0)))
    rules = (
        DailyLoss(rule="daily_loss", base="balance", percent=5, of="base"),
        TotalLoss(rule="total_loss", percent=10),
        TrailingDrawdown(rule="trailing_drawdown", peak="equity", amount=2000),
    )
    profile = RiskProfile(name="funded", initial_balance=10_000, rules=rules)
    bench.monitor.set_plan(Plan(profiles=(profile,), default="funded"))
    bench.now = NOW - 3 * 3600
    bench.step()
    bench.step()
    return bench


def day_book(at: float, floating: float) -> Book:
    made = book(1, at=at)
    equity = np.array([10_000.0 + floating])
    table = replace(
        made.accounts,
        balance=np.array([10_000.0]),
        equity=equity,
        floating=np.array([floating]),
        prev_balance=np.array([10_000.0]),
        prev_equity=np.array([10_000.0]),
    )
    return replace(made, accounts=table)


async def live_a_day(bench: Bench, pilot: Pilot[None]) -> None:
    """Three hours of polls, ten minutes apart, with a dip in the middle."""
    await bench.errand(pilot, "history")
    for minute in range(0, 181, 3):
        bench.now = NOW - 3 * 3600 + minute * 60
        dip = 420 * math.sin(minute / 57.0) + (150 if 60 <= minute < 66 else 0)
        await bench.shown(pilot, day_book(bench.now, -round(dip, 2)))
    await bench.errand(pilot, "changes")


def asking(bench: Bench, history: AskHistory | None, changes: AskChanges | None = None) -> Bench:
    """The bench with a console that has a database to ask."""
    bench.app = RmsApp(
        bench.monitor,
        operator="dealer@desk-2",
        store=bench.store,  # type: ignore[arg-type]
        theme="desk-dark",
        clock=lambda: bench.now,
        history=history,
        changes=changes,
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


async def worked_out(bench: Bench, pilot: Pilot[None]) -> None:
    """Wait until all that was asked of the stress view is answered; new rows may ask once more."""
    for at in range(20):
        await pilot.pause()
        await bench.errand(pilot, "stress")
        screen = bench.app.screen
        if at and not (isinstance(screen, Stress) and screen.is_working):
            return


SAVED = (
    Scenario(name="Risk off", moves={"EURUSD": -3.0, "JPY": 5.0}),
    Scenario(name="Gold alone", moves={"XAUUSD": 4.0}),
    Scenario(name="[b]Slip of a pen[/b]", moves={"USDJPY": 1.5, "USDJYP": 2.0, "NOK": 3.0}),
    Scenario(name="Nothing here", moves={"USDJYP": 2.0}),
    Scenario(name="Nobody's", moves={"NOK": 2.0}),
)


def with_scenarios(bench: Bench, saved: tuple[Scenario, ...] = SAVED) -> Bench:
    """The bench with these scenarios, and a currency in its book that nobody holds."""
    made = bench.feed.newest
    assert made is not None
    symbols = made.symbols
    rows = np.append(np.arange(len(symbols)), 0)
    wider = take(symbols, rows)
    wider = replace(
        wider, name=(*symbols.name, "NOKSEK"), base=(*symbols.base, "NOK"),
        quote=(*symbols.quote, "SEK"),
    )  # fmt: skip
    plan = bench.monitor.plan.model_copy(update={"scenarios": saved})
    bench.monitor.set_plan(plan)
    bench.now += 1.0
    bench.step(replace(made, symbols=wider, taken_at=bench.now))
    return bench

"""A small desk for store tests: real Books through the real Monitor, and a way to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rms_tui.alerts import Alert, AlertEvent, Severity, Stage
from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, build, empty
from rms_tui.feed import FeedError, FeedStatus, Known, Selection, Sought
from rms_tui.risk.profile import MarginLevel, MaxLoss, MaxProfit, Plan, RiskProfile
from rms_tui.risk.verdict import Reason

SERVER = "Broker-Live"
NOW = 1_772_460_202.0
PLAN = Plan(
    profiles=(
        RiskProfile(
            name="desk",
            initial_balance=10_000,
            rules=(
                MaxLoss(rule="max_loss", amount=-1000),
                MarginLevel(rule="margin_level", warning=150, critical=100),
                MaxProfit(rule="max_profit", amount=5000),
            ),
        ),
    ),
    default="desk",
)


def book(floating: Sequence[float], *, at: float = NOW, names: Sequence[str] = ()) -> Book:
    """Accounts 1001, 1002 … with 10 000.00 each and these floating results; no position open."""
    count = len(floating)
    money = np.asarray(floating, dtype=float)
    equity = 10_000.0 + money
    accounts = build(
        Accounts,
        {
            "login": 1001 + np.arange(count),
            "name": list(names) or [f"Client {i}" for i in range(count)],
            "group": ["real\\A"] * count,
            "currency": ["USD"] * count,
            "digits": np.full(count, 2),
            "leverage": np.full(count, 100),
            "so_mode": np.zeros(count),
            "so_call": np.full(count, 80.0),
            "so_level": np.full(count, 50.0),
            "balance": np.full(count, 10_000.0),
            "credit": np.zeros(count),
            "equity": equity,
            "margin": np.zeros(count),
            "margin_free": equity,
            "margin_level": np.zeros(count),
            "profit": money,
            "floating": money,
            "prev_balance": np.full(count, 10_000.0),
            "prev_equity": np.full(count, 10_000.0),
            "trades_today": np.zeros(count),
            "lots_today": np.zeros(count),
            "profit_today": np.zeros(count),
            "trade_count": np.zeros(count),
        },
    )
    return Book(
        "simulator", SERVER, at, 7200.0, True, accounts, empty(Positions), empty(Symbols),
        empty(Deals), int(at),
    )  # fmt: skip


@dataclass
class HandFeed:
    """A feed that gives the Book a test put into it, or its error."""

    newest: Book
    error: FeedError | None = None
    title: str = "hand-made"
    status: FeedStatus = field(default_factory=lambda: FeedStatus("live", "polling", NOW))
    selection: Selection = field(default_factory=Selection)

    def start(self) -> None:
        """Nothing to connect."""

    def read(self, timeout: float) -> Book:  # noqa: ARG002
        if self.error is not None:
            raise self.error
        return self.newest

    def select(self, selection: Selection) -> None:
        self.selection = selection

    def known(self, sought: Sought, timeout: float) -> Known:  # noqa: ARG002
        return Known(found=frozenset(() if isinstance(sought, str) else sought))

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:  # noqa: ARG002
        return empty(Deals)

    def close(self) -> None:
        """Nothing to close."""


ALERT = Alert(
    id="a1b2c3", login=1001, server=SERVER, name="Anna", group="real\\A", currency="USD",
    profile="desk", rule="max_loss", key="desk/0:max_loss", severity=Severity.BREACH,
    stage=Stage.RAISED, first_seen=NOW, raised_at=NOW + 1, changed_at=NOW + 1, value=-1200.0,
    limit=-1000.0, used=1.2, distance=-200.0, reason=Reason.BEYOND,
)  # fmt: skip


def raised(number: int) -> AlertEvent:
    """The raising of alert number so-and-so."""
    return AlertEvent(
        "raised", replace(ALERT, id=f"alert-{number}", login=1001 + number), NOW + number
    )


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition that a thread or a process brings about; fails after `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError(f"not within {seconds:g} s")

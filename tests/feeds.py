"""Feeds and Books made by hand: the real Monitor over figures a test chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, build, empty
from rms_tui.feed import FeedError, FeedStatus, Known, Selection, Sought, known_of
from rms_tui.risk.profile import DailyLoss, MarginLevel, MaxLoss, OpenPositions, Plan, RiskProfile

NOW = 1_772_460_202.0
"""2026-03-02 14:03:22 UTC: the frozen clock of tests."""

OFFSET = 7200.0
"""The server of tests stands at UTC+2."""

PLAN = Plan(
    profiles=(
        RiskProfile(
            name="desk",
            rules=(
                MarginLevel(rule="margin_level", warning=150, critical=100),
                MaxLoss(rule="max_loss", amount=-1000),
                DailyLoss(rule="daily_loss", base="equity", percent=5, of="base"),
                OpenPositions(rule="open_positions", count=6),
            ),
        ),
    ),
    default="desk",
)

SYMBOLS = build(
    Symbols,
    {
        "name": ["EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "EURGBP", "DE40"],
        "base": ["EUR", "GBP", "USD", "XAU", "EUR", "EUR"],
        "quote": ["USD", "USD", "JPY", "USD", "GBP", "EUR"],
        "digits": [5, 5, 3, 2, 5, 1],
        "contract": [100_000, 100_000, 100_000, 100, 100_000, 1],
        "bid": [1.08512, 1.27104, 149.871, 2345.67, 0.85374, 18_212.5],
        "ask": [1.08519, 1.27115, 149.879, 2345.92, 0.85389, 18_214.0],
    },
)

NAMES = (
    "Anna Weber", "[red]Bob[/red]", "李小龙", "O'Neill & Sons", "client 7", "Zoë Kowalska",
    "Ivan Petrov", "Maria da Silva", "[/]", "Trader\x1b[31m", "Peter Novák", "Sam",
)  # fmt: skip
GROUPS = ("real\\A", "real\\B", "real\\VIP", "demo\\forex")


def book(accounts: int = 60, *, seed: int = 7, at: float = NOW, shock: float = 0.0) -> Book:
    """A Book of `accounts` clients with figures that agree; `shock` makes all of them poorer."""
    draw = np.random.default_rng(seed)
    login = 70_100 + np.arange(accounts)
    balance = np.round(draw.lognormal(9.4, 0.9, accounts), 2)
    held = draw.integers(0, 6, accounts)
    owner = np.repeat(np.arange(accounts), held)
    count = len(owner)
    symbol = draw.integers(0, len(SYMBOLS), count)
    side = draw.choice([-1, 1], count)
    lots = np.round(draw.choice([0.1, 0.2, 0.5, 1.0, 1.5], count), 2)
    price = np.where(side > 0, SYMBOLS.bid[symbol], SYMBOLS.ask[symbol])
    scale = 10.0 ** -SYMBOLS.digits[symbol].astype(float)
    profit = np.round(draw.normal(0, 260, count) * lots - shock, 2)
    swap = np.round(-draw.random(count) * 3, 2)
    floating = np.bincount(owner, profit + swap, accounts)
    margin = np.round(np.bincount(owner, lots * 420.0, accounts), 2)
    equity = np.round(balance + floating, 2)
    stop = np.where(draw.random(count) < 0.75, price - side * scale * 300, np.nan)
    days = np.round(draw.normal(0, 120, accounts), 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(margin > 0, equity / margin * 100, 0.0)
    table = build(
        Accounts,
        {
            "login": login,
            "name": [NAMES[i % len(NAMES)] for i in range(accounts)],
            "group": [GROUPS[i % len(GROUPS)] for i in range(accounts)],
            "currency": [("USD", "EUR", "GBP")[i % 3] for i in range(accounts)],
            "digits": np.full(accounts, 2),
            "leverage": np.full(accounts, 100),
            "so_mode": np.zeros(accounts),
            "so_call": np.full(accounts, 80.0),
            "so_level": np.full(accounts, 50.0),
            "balance": balance,
            "credit": np.zeros(accounts),
            "equity": equity,
            "margin": margin,
            "margin_free": np.round(equity - margin, 2),
            "margin_level": level,
            "profit": np.round(np.bincount(owner, profit, accounts), 2),
            "floating": np.round(floating, 2),
            "prev_balance": balance,
            "prev_equity": np.round(equity - days, 2),
            "trades_today": np.zeros(accounts),
            "lots_today": np.zeros(accounts),
            "profit_today": np.zeros(accounts),
            "trade_count": np.zeros(accounts),
        },
    )
    positions = build(
        Positions,
        {
            "ticket": 900_000 + np.arange(count),
            "account": owner,
            "symbol": symbol,
            "side": side,
            "lots": lots,
            "price_open": np.round(price * 1.001, 5),
            "sl": stop,
            "tp": np.where(draw.random(count) < 0.5, price + side * scale * 500, np.nan),
            "opened": (at + OFFSET - draw.integers(60, 400_000, count)).astype(int),
            "rate": np.ones(count),
            "price": price,
            "profit": profit,
            "swap": swap,
        },
    )
    return Book(
        "fake",
        "Broker-Live",
        at,
        OFFSET,
        True,
        table,
        positions,
        SYMBOLS,
        empty(Deals),
        int(at) - 172_800,
    )


def deals(login: int, *, days: int = 3, at: float = NOW) -> Deals:
    """Some closed deals of an account over a few days, and one deposit."""
    times = [
        int(at + OFFSET) - day * 86_400 - hour * 3600 for day in range(days) for hour in (1, 4)
    ]
    times.sort()
    count = len(times)
    return build(
        Deals,
        {
            "ticket": 500_000 + np.arange(count),
            "login": np.full(count, login),
            "time": times,
            "type": [2] + [i % 2 for i in range(count - 1)],
            "entry": [0] + [1] * (count - 1),
            "symbol": ["", *["EURUSD", "XAU[USD]"] * count][:count],
            "lots": [0.0] + [0.5] * (count - 1),
            "price": [0.0] + [1.08] * (count - 1),
            "profit": [5000.0] + [(-1) ** i * 120.5 for i in range(count - 1)],
            "swap": [0.0] * count,
            "commission": [0.0] + [-3.5] * (count - 1),
            "position": [0] + [400_000 + i for i in range(count - 1)],
        },
    )


@dataclass
class FakeFeed:
    """A feed that gives what a test put into it; `error` is raised instead while it is set."""

    newest: Book | None = None
    title: str = "MT5 Manager prod-1:443"
    error: FeedError | None = None
    status: FeedStatus = field(
        default_factory=lambda: FeedStatus("connecting", "syncing accounts", NOW - 3)
    )
    selection: Selection = field(default_factory=Selection)
    on_server: frozenset[int] = frozenset(range(70_100, 70_200))
    closed: bool = False

    def start(self) -> None:
        """Nothing to connect."""

    def read(self, timeout: float) -> Book:  # noqa: ARG002
        """The newest Book, or the error."""
        if self.error is not None:
            raise self.error
        if self.newest is None:
            raise FeedError("connection", "still syncing")
        if self.status.phase != "live":
            self.status = FeedStatus("live", "polling", NOW - 60)
        return self.newest

    def select(self, selection: Selection) -> None:
        """Remember it."""
        self.selection = selection

    def known(self, sought: Sought, timeout: float) -> Known:  # noqa: ARG002
        """Of the logins on this pretended server; groups are those of the newest Book."""
        if self.error is not None:
            raise self.error
        if isinstance(sought, str):
            accounts = book(0).accounts if self.newest is None else self.newest.accounts
            return known_of(accounts.login, accounts.group, sought)
        asked = frozenset(sought)
        return Known(asked & self.on_server, asked - self.on_server)

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:  # noqa: ARG002
        """A few deals for the first login asked for."""
        if self.error is not None:
            raise self.error
        return deals(logins[0]) if logins else empty(Deals)

    def close(self) -> None:
        """Remember it."""
        self.closed = True

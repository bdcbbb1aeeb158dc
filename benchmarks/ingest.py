"""Ingest through the manager gateway: vendor rows to columns, against an object for each row.

The vendor's side is imitated by slotted objects for accounts (what `UserAccountGetByGroup` gives)
and one structured array for positions (`PositionGetByGroupNumPy`). What the package itself takes
to make them is not in these figures, nor is the pipe to the parent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.gateways.manager.columns import POSITION_FIELDS, AccountTable, PositionTable
from rms_tui.gateways.manager.directory import Directory
from rms_tui.gateways.manager.ledger import Ledger
from rms_tui.gateways.manager.symbols import SymbolBoard

_TYPES = {
    "Position": "u8",
    "Login": "u8",
    "Symbol": "S128",
    "Action": "u4",
    "Digits": "u4",
    "TimeCreate": "i8",
    "Volume": "u8",
    "VolumeExt": "u8",
}
_SYMBOLS = (b"EURUSD", b"GBPUSD", b"USDJPY", b"EURJPY.pro", b"XAUUSD", b"US30.cash", b"BTCUSD")
_REPEATS = 7


class MTAccount:
    """The package's account record: attributes only."""

    __slots__ = (
        "Balance", "Credit", "CurrencyDigits", "Equity", "Floating", "Login", "Margin",
        "MarginFree", "MarginLevel", "MarginLeverage", "Profit", "Storage",
    )  # fmt: skip

    def __init__(self, login: int, balance: float) -> None:
        self.Login, self.Balance, self.Equity, self.MarginFree = login, balance, balance, balance
        self.Credit = self.Floating = self.Margin = self.MarginLevel = 0.0
        self.Profit = self.Storage = 0.0
        self.CurrencyDigits, self.MarginLeverage = 2, 100


class MTPosition:
    """The package's position record, for the baseline."""

    __slots__ = tuple(POSITION_FIELDS)


@dataclass(slots=True)
class NaiveAccount:
    """One object an account, as most projects make them."""

    login: int
    balance: float
    credit: float
    equity: float
    margin: float
    margin_free: float
    margin_level: float
    profit: float
    floating: float
    positions: list[NaivePosition]


@dataclass(slots=True)
class NaivePosition:
    """One object a position, as most projects make them."""

    ticket: int
    login: int
    symbol: str
    side: int
    lots: float
    price_open: float
    price: float
    sl: float
    tp: float
    profit: float
    swap: float


class Server:
    """A server's rows: `accounts` of them, each with `positions_each` positions."""

    def __init__(self, accounts: int, positions_each: int) -> None:
        random = np.random.default_rng(7)
        held = accounts * positions_each
        self.accounts = [
            MTAccount(100_000 + at, float(balance))
            for at, balance in enumerate(random.uniform(1e3, 1e5, accounts))
        ]
        table = np.zeros(held, [(field, _TYPES.get(field, "f8")) for field in POSITION_FIELDS])
        table["Position"] = np.arange(held) + 1
        table["Login"] = np.repeat(np.arange(accounts) + 100_000, positions_each)
        table["Symbol"] = np.array(_SYMBOLS)[random.integers(0, len(_SYMBOLS), held)]
        table["Action"] = random.integers(0, 2, held)
        table["VolumeExt"] = 1_000_000
        table["RateProfit"] = 1.0
        self.positions: npt.NDArray[Any] = table

    def tick(self, *, reopened: bool = False) -> None:
        """Move every price and figure; `reopened` also gives every position a new ticket."""
        for account in self.accounts:
            account.Equity += 0.01
            account.Profit += 0.01
        self.positions["PriceCurrent"] += 1e-5
        self.positions["Profit"] += 0.01
        if reopened:
            self.positions["Position"] += 1

    def position_objects(self) -> list[MTPosition]:
        """The positions as the package's objects."""
        made: list[MTPosition] = []
        for row in self.positions.tolist():
            position = MTPosition()
            for field, value in zip(POSITION_FIELDS, row, strict=True):
                setattr(position, field, value.decode() if field == "Symbol" else value)
            made.append(position)
        return made


def naive(accounts: list[MTAccount], positions: list[Any]) -> dict[int, NaiveAccount]:
    """The baseline: one attribute at a time into one object for each row."""
    found: dict[int, NaiveAccount] = {}
    for a in accounts:
        found[a.Login] = NaiveAccount(
            a.Login, a.Balance, a.Credit, a.Equity, a.Margin, a.MarginFree, a.MarginLevel,
            a.Profit, a.Floating, [],
        )  # fmt: skip
    for p in positions:
        position = NaivePosition(
            p.Position, p.Login, p.Symbol, -1 if p.Action == 1 else 1, p.VolumeExt / 1e8,
            p.PriceOpen, p.PriceCurrent, p.PriceSL, p.PriceTP, p.Profit, p.Storage,
        )  # fmt: skip
        found[p.Login].positions.append(position)
    return found


def measure(accounts: int, positions_each: int = 5) -> dict[str, float]:
    """Best µs an account of one ingest: the machine is shared.

    `columns`: every figure and price moved, the same positions open. `reopened`: every position
    has a new ticket too (the worst case). `accounts` and `positions`: the two parts of
    `columns`. `objects`: the baseline, the same rows as objects.
    """
    server = Server(accounts, positions_each)
    directory = Directory()
    directory.set_groups([("real", ("USD", 2, 0, 100.0, 50.0))])
    directory.set_users(
        (account.Login, "real", f"Client {account.Login}", 100, 1.0, 1.0)
        for account in server.accounts
    )
    account_table = AccountTable(directory, Ledger(30))
    position_table = PositionTable(SymbolBoard())

    def ingest() -> tuple[float, float]:
        start = time.perf_counter()
        shown = account_table.read(server.accounts)
        half = time.perf_counter()
        position_table.read(server.positions, shown.login)
        return half - start, time.perf_counter() - half

    def timed(work: Callable[[], object]) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    ingest()
    quiet: list[tuple[float, float]] = []
    reopened: list[float] = []
    for _ in range(_REPEATS):
        server.tick()
        quiet.append(ingest())
        server.tick(reopened=True)
        reopened.append(sum(ingest()))
    objects = server.position_objects()
    baseline = [timed(lambda: naive(server.accounts, objects)) for _ in range(3)]
    scale = 1e6 / accounts
    return {
        "columns": min(map(sum, quiet)) * scale,
        "accounts": min(first for first, _ in quiet) * scale,
        "positions": min(second for _, second in quiet) * scale,
        "reopened": min(reopened) * scale,
        "objects": min(baseline) * scale,
    }


if __name__ == "__main__":
    for size in (1_000, 10_000, 100_000):
        figures = measure(size)
        print(size, {name: round(value, 3) for name, value in figures.items()})

"""Ingest through the manager gateway: vendor rows to columns, against an object for each row.

The vendor's side is imitated by slotted objects for accounts (what `UserAccountGetByGroup` gives)
and one structured array for positions (`PositionGetByGroupNumPy`). What the package itself takes
to make them is not in these figures; `through_the_pipe` adds the way to the parent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from benchmarks.books import made
from benchmarks.rows import Row
from rms_tui.book import Book
from rms_tui.gateways.manager.columns import POSITION_FIELDS, AccountTable, PositionTable
from rms_tui.gateways.manager.directory import Directory
from rms_tui.gateways.manager.ledger import Ledger
from rms_tui.gateways.manager.symbols import SymbolBoard
from rms_tui.gateways.mapped import Growing
from rms_tui.gateways.pipe import Changes, applied, changes, kept_tables, receive, send, widen

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
    account_table, position_table = _tables(server)

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


def through_the_pipe(accounts: int, positions_each: int = 5, repeats: int = 15) -> float:
    """Median µs an account from the vendor's rows in one process to the Book in another.

    Every price and figure moved. The vendor's own work is not in it; the pipe and both ends are.
    """
    wanted, ask = os.pipe()
    came, give = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ask)
        os.close(came)
        _serve(wanted, give, accounts, positions_each)
        os._exit(0)
    os.close(wanted)
    os.close(give)
    times: list[float] = []
    book: Book | None = None
    growing = Growing()
    with os.fdopen(came, "rb", 0) as stream, os.fdopen(ask, "wb", 0) as asking:
        widen(stream)  # as the parent of a gateway does
        for _ in range(repeats + 2):
            time.sleep(0.05)  # the child moves its rows meanwhile
            began = time.perf_counter()
            asking.write(b"?")
            book = applied(cast("Changes", receive(stream)), book, growing)
            times.append(time.perf_counter() - began)
    os.waitpid(child, 0)
    return float(np.median(times[2:])) * 1e6 / accounts


def _serve(wanted: int, give: int, accounts: int, positions_each: int) -> None:
    server = Server(accounts, positions_each)
    account_table, position_table = _tables(server)
    before: Book | None = None
    blank = made(1)
    with os.fdopen(wanted, "rb", 0) as asked, os.fdopen(give, "wb", 0) as stream:
        while asked.read(1):
            shown = account_table.read(server.accounts)
            held = position_table.read(server.positions, shown.login)
            book = replace(blank, accounts=shown, positions=held)
            book = book if before is None else kept_tables(book, before)
            send(stream, changes(book, before))
            before = book
            server.tick()


def _tables(server: Server) -> tuple[AccountTable, PositionTable]:
    directory = Directory()
    directory.set_groups([("real", ("USD", 2, 0, 100.0, 50.0))])
    directory.set_users(
        (account.Login, "real", f"Client {account.Login}", 100, 1.0, 1.0)
        for account in server.accounts
    )
    return AccountTable(directory, Ledger(30)), PositionTable(SymbolBoard())


def rows() -> Iterator[Row]:
    """Ingest at three sizes beside objects made from the same rows."""
    for size in (1_000, 10_000, 100_000):
        figures = measure(size)
        whole = through_the_pipe(size)
        judged = size == 10_000
        yield Row(f"ingest, {size} x 5, columns", figures["columns"], "µs/account",
                  figures["objects"], "objects, without the pipe", "", True)  # fmt: skip
        yield Row(f"ingest, {size} x 5, through the pipe", whole, "µs/account",
                  figures["objects"], "objects, without the pipe",
                  "≤ 1.2" if judged else "", whole <= 1.2 or not judged)  # fmt: skip

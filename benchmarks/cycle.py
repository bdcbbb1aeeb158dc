"""The risk cycle: columns against pydantic objects, full and when only prices moved."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
from pydantic import BaseModel

from benchmarks.books import NOON, made, moved, traded
from benchmarks.rows import Row
from rms_tui.book import Book
from rms_tui.monitor import keep_freed_columns_mapped
from rms_tui.risk import assessment, exposure, memory
from rms_tui.risk.profile import Plan, RiskProfile

SIZES = (1_000, 10_000, 100_000)

PROFILE = RiskProfile.model_validate(
    {
        "name": "all six",
        "initial_balance": 50_000,
        "rules": [
            {"rule": "margin_level", "warning": 150, "critical": 100},
            {"rule": "max_loss", "amount": -1000},
            {"rule": "daily_loss", "base": "balance", "percent": 5, "of": "base"},
            {"rule": "position_risk", "percent": 10, "of": "balance"},
            {"rule": "max_profit", "amount": 5000},
            {"rule": "open_positions", "count": 20},
        ],
    }
)
PLAN = Plan(profiles=(PROFILE,), default=PROFILE.name)


class Cycle:
    """Scope, aggregates, undecided rows, memory, assessment and exposure, as the monitor does."""

    def __init__(self) -> None:
        self.remembered: memory.Memory | None = None
        self.assessed: assessment.Assessment | None = None
        self.exposed: exposure.Exposure | None = None

    def run(self, book: Book) -> assessment.Assessment:
        past = self.assessed
        scoped = assessment.scope(PLAN, book.accounts, None if past is None else past.scope)
        aggregates = assessment.held(book, past)
        undecided = assessment.undecided(book, aggregates[1])
        self.remembered = memory.remember(
            self.remembered,
            book,
            undecided == 0,
            scoped.rollovers,
            interval=1.0,
            trails=scoped.trails,
            initial=scoped.initial,
        )
        self.assessed = assessment.assess(
            book, scoped, self.remembered, aggregates, undecided, past
        )
        self.exposed = exposure.exposure(book, "USD", self.exposed)
        return self.assessed


class PositionObject(BaseModel):
    login: int
    symbol: str
    side: int
    lots: float
    price_open: float
    sl: float
    contract: float
    rate: float
    price: float
    profit: float
    swap: float


class VerdictObject(BaseModel):
    rule: str
    state: str
    value: float
    limit: float
    used: float
    distance: float


class AccountObject(BaseModel):
    login: int
    balance: float
    credit: float
    equity: float
    margin: float
    margin_free: float
    margin_level: float
    floating: float
    base_balance: float
    so_level: float
    currency: str
    group: str
    positions: list[PositionObject]
    verdicts: list[VerdictObject]


class ExposureObject(BaseModel):
    symbol: str
    buy: float = 0.0
    sell: float = 0.0
    floating: float = 0.0
    accounts: set[int] = set()
    positions: int = 0


def objects(book: Book) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """What a source without columns hands out each poll: an account and its positions."""
    accounts, held, symbols = book.accounts, book.positions, book.symbols
    columns = {
        "side": held.side,
        "lots": held.lots,
        "price_open": held.price_open,
        "sl": held.sl,
        "contract": symbols.contract[held.symbol],
        "rate": held.rate,
        "price": held.price,
        "profit": held.profit,
        "swap": held.swap,
    }
    names = [symbols.name[code] for code in held.symbol.tolist()]
    logins = accounts.login[held.account].tolist()
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    positions = [
        {"login": login, "symbol": name, **dict(zip(columns, row, strict=True))}
        for login, name, row in zip(logins, names, rows, strict=True)
    ]
    each = len(positions) // max(len(accounts), 1)
    figures = ("login", "balance", "credit", "equity", "margin", "margin_free", "margin_level",
               "floating", "so_level")  # fmt: skip
    lists = [getattr(accounts, name).tolist() for name in figures]
    return [
        (
            {
                **dict(zip(figures, values, strict=True)),
                "base_balance": values[1],
                "currency": "USD",
                "group": "real\\standard",
            },
            positions[row * each : (row + 1) * each],
        )
        for row, values in enumerate(zip(*lists, strict=True))
    ]


class NaiveCycle:
    """The same six rules and exposure over pydantic objects made anew each poll.

    It keeps the newest picture as `{login: account}`, as a monitor must.
    """

    def __init__(self) -> None:
        self.accounts: dict[int, AccountObject] = {}
        self.exposure: dict[str, ExposureObject] = {}

    def run(self, rows: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
        accounts: dict[int, AccountObject] = {}
        exposure: dict[str, ExposureObject] = {}
        for figures, held in rows:
            positions = [PositionObject(**position) for position in held]
            account = AccountObject(**figures, positions=positions, verdicts=[])
            account.verdicts = _naive_verdicts(account)
            for position in positions:
                _add(exposure, account.login, position)
            accounts[account.login] = account
        self.accounts, self.exposure = accounts, exposure


def _naive_verdicts(account: AccountObject) -> list[VerdictObject]:
    equity, balance = account.equity, account.balance
    verdicts = []
    if account.margin > 0:
        level = equity / account.margin * 100
        verdicts.append(
            _said("margin_level", level, 100.0, 100 / level, equity - account.margin, level <= 100)
        )
    floating = account.floating
    verdicts.append(
        _said("max_loss", floating, -1000.0, floating / -1000, floating + 1000, floating <= -1000)
    )
    floor, allowed = account.base_balance * 0.95, account.base_balance * 0.05
    left = equity - floor
    verdicts.append(_said("daily_loss", equity, floor, 1 - left / allowed, left, left <= 0))
    risk = 0.0
    for held in account.positions:
        loss = held.side * (held.price_open - held.sl) * held.lots * held.contract * held.rate
        risk = max(risk, loss - held.swap)
    cap = balance * 0.1
    verdicts.append(_said("position_risk", risk, cap, risk / cap, cap - risk, risk >= cap))
    gained = equity - 50_000
    verdicts.append(
        _said("max_profit", gained, 5000.0, gained / 5000, 5000 - gained, gained >= 5000)
    )
    count = len(account.positions)
    verdicts.append(_said("open_positions", count, 20.0, count / 20, 20 - count, count >= 20))
    return verdicts


def _said(
    rule: str, value: float, limit: float, used: float, distance: float, beyond: bool
) -> VerdictObject:
    return VerdictObject(
        rule=rule,
        state=_word(used, beyond),
        value=value,
        limit=limit,
        used=used,
        distance=distance,
    )


def _add(exposure: dict[str, ExposureObject], login: int, held: PositionObject) -> None:
    row = exposure.setdefault(held.symbol, ExposureObject(symbol=held.symbol))
    if held.side > 0:
        row.buy += held.lots
    else:
        row.sell += held.lots
    row.floating += held.profit + held.swap
    row.accounts.add(login)
    row.positions += 1


def _word(used: float, beyond: bool) -> str:
    if beyond:
        return "breached"
    return "critical" if used >= 0.95 else "caution" if used >= 0.8 else "ok"


def measure() -> Iterator[Row]:
    keep_freed_columns_mapped()
    """Cycle time an account, full and prices only, against the objects of the same run."""
    keep_freed_columns_mapped()
    for size in SIZES:
        book = made(size)
        full = _full(book)
        prices = _prices(book)
        rows = objects(book)
        repeat = max(1, 20_000 // size)
        naive = _best(_naive(rows), repeat)
        gc.collect()
        gc.disable()
        try:
            bare = _best(_naive(rows), repeat)
        finally:
            gc.enable()
        del rows
        per = 1e6 / size
        judged = size > 1_000
        yield Row(
            f"cycle, full, {size} x 5",
            full * per,
            "µs/account",
            naive * per,
            "pydantic objects",
            "≤ 0.3" if judged else "",
            full * per <= 0.3 or not judged,
        )
        yield Row(
            f"cycle, full, {size} x 5: times faster",
            naive / full,
            "x",
            1.0,
            "pydantic objects",
            "≥ 200" if judged else "",
            naive / full >= 200 or not judged,
        )
        yield Row(
            f"cycle, full, {size} x 5: times faster, baseline without gc",
            bare / full,
            "x",
            1.0,
            "pydantic objects",
            "≥ 80" if judged else "",
            bare / full >= 80 or not judged,
        )
        if size == 100_000:
            yield Row(
                "cycle, full, 100000 x 5",
                full * 1e3,
                "ms",
                naive * 1e3,
                "pydantic objects",
                "≤ 40",
                full * 1e3 <= 40,
            )
        yield Row(
            f"cycle, only prices moved, {size} x 5",
            prices * per,
            "µs/account",
            full * per,
            "full cycle",
            "≥ 5x" if judged else "",
            full / prices >= 5 or not judged,
        )
        if size == 100_000:
            yield _memory(book)


def _naive(rows: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> Callable[[], None]:
    cycle = NaiveCycle()
    return lambda: cycle.run(rows)


def _full(book: Book) -> float:
    cycle = Cycle()
    cycle.run(book)
    books = itertools.cycle([traded(book, seed) for seed in range(3)])
    return _best(lambda: cycle.run(next(books)), 12)


def _prices(book: Book) -> float:
    cycle = Cycle()
    cycle.run(book)
    books = itertools.cycle([moved(book, seed) for seed in range(3)])
    return _best(lambda: cycle.run(next(books)), 12)


def _best(run: Callable[[], object], repeat: int) -> float:
    """The median of `repeat` runs, in seconds."""
    run()
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def _memory(book: Book) -> Row:
    cycle = Cycle()
    assessed = cycle.run(book)
    seen: dict[int, int] = {}
    for holder in (
        book.accounts,
        book.positions,
        assessed,
        *assessed.verdicts,
        cycle.remembered,
        *([] if cycle.remembered is None else cycle.remembered.days.values()),
        None if cycle.remembered is None else cycle.remembered.last,
    ):
        if holder is None:
            continue
        for field in fields(holder):
            value = getattr(holder, field.name)
            if isinstance(value, np.ndarray):
                owner = value if value.base is None else value.base
                if isinstance(owner, np.ndarray):
                    seen[id(owner)] = owner.nbytes
            elif isinstance(value, tuple) and value and isinstance(value[0], str):
                seen[id(value)] = 8 * len(value)
    each = sum(seen.values()) / len(book.accounts)
    return Row("book, memory and assessment, 100000 x 5", each, "bytes/account", 6200.0,
               "pydantic objects, as measured before", "≤ 1000", each <= 1000)  # fmt: skip


__all__ = ["NOON", "measure"]

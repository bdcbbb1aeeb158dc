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
            self.remembered, book, undecided == 0, scoped.rollovers, interval=1.0
        )
        self.assessed = assessment.assess(
            book, scoped, self.remembered, aggregates, undecided, past
        )
        self.exposed = exposure.exposure(book, "USD", self.exposed)
        return self.assessed


class PositionObject(BaseModel):
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


def objects(book: Book) -> list[dict[str, Any]]:
    """What a source without columns hands out each poll: a dictionary an account."""
    accounts, held, symbols = book.accounts, book.positions, book.symbols
    positions = [
        {
            "symbol": symbols.name[code],
            "side": side,
            "lots": lots,
            "price_open": entry,
            "sl": sl,
            "contract": contract,
            "rate": rate,
            "price": price,
            "profit": profit,
            "swap": swap,
        }
        for code, side, lots, entry, sl, contract, rate, price, profit, swap in zip(
            held.symbol.tolist(),
            held.side.tolist(),
            held.lots.tolist(),
            held.price_open.tolist(),
            held.sl.tolist(),
            symbols.contract[held.symbol].tolist(),
            held.rate.tolist(),
            held.price.tolist(),
            held.profit.tolist(),
            held.swap.tolist(),
            strict=True,
        )
    ]
    each = len(positions) // max(len(accounts), 1)
    columns = ("login", "balance", "credit", "equity", "margin", "margin_free", "margin_level",
               "floating", "so_level")  # fmt: skip
    lists = [getattr(accounts, name).tolist() for name in columns]
    return [
        {
            **dict(zip(columns, values, strict=True)),
            "base_balance": values[1],
            "currency": "USD",
            "group": "real\\standard",
            "positions": positions[row * each : (row + 1) * each],
        }
        for row, values in enumerate(zip(*lists, strict=True))
    ]


def naive_cycle(rows: list[dict[str, Any]]) -> tuple[list[list[tuple[str, float]]], dict[str, Any]]:
    """The same six rules and exposure over pydantic objects made anew, as most projects do."""
    verdicts, by_symbol = [], {}
    for row in rows:
        account = AccountObject.model_validate(row)
        states = []
        if account.margin > 0:
            level = account.equity / account.margin * 100
            states.append((_word(100 / level, level <= 100), level))
        states.append((_word(account.floating / -1000, account.floating <= -1000),
                       account.floating))  # fmt: skip
        floor = account.base_balance * 0.95
        used = 1 - (account.equity - floor) / (account.base_balance * 0.05)
        states.append((_word(used, account.equity <= floor), account.equity))
        risk = 0.0
        for held in account.positions:
            loss = held.side * (held.price_open - held.sl) * held.lots * held.contract * held.rate
            risk = max(risk, loss - held.swap)
            symbol = by_symbol.setdefault(
                held.symbol, {"buy": 0.0, "sell": 0.0, "floating": 0.0, "accounts": set(), "n": 0}
            )
            symbol["buy" if held.side > 0 else "sell"] += held.lots
            symbol["floating"] += held.profit + held.swap
            symbol["accounts"].add(account.login)
            symbol["n"] += 1
        states.append((_word(risk / (account.balance * 0.1), risk > account.balance * 0.1), risk))
        gained = account.equity - 50_000
        states.append((_word(0.0, gained >= 5000), gained))
        count = len(account.positions)
        states.append((_word(count / 20, count >= 20), float(count)))
        verdicts.append(states)
    return verdicts, by_symbol


def _word(used: float, beyond: bool) -> str:
    if beyond:
        return "breached"
    return "critical" if used >= 0.95 else "caution" if used >= 0.8 else "ok"


def measure() -> Iterator[Row]:
    """Cycle time an account, full and prices only, against the objects of the same run."""
    for size in SIZES:
        book = made(size)
        full = _full(book)
        prices = _prices(book)
        rows = objects(book)
        repeat = max(1, 20_000 // size)
        naive = _best(lambda rows=rows: naive_cycle(rows), repeat)  # type: ignore[misc]
        gc.collect()
        gc.disable()
        try:
            bare = _best(lambda rows=rows: naive_cycle(rows), repeat)  # type: ignore[misc]
        finally:
            gc.enable()
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

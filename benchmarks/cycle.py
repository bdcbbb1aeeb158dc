"""The risk cycle: columns against pydantic objects, full and when only prices moved."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from benchmarks.books import NOON, made, moved, traded
from benchmarks.naive import NaiveCycle, objects
from benchmarks.rows import Row
from rms_tui.book import Book
from rms_tui.monitor import keep_freed_columns_mapped
from rms_tui.risk import assessment, exposure, memory
from rms_tui.risk.periods import COLUMNS, Period
from rms_tui.risk.profile import Plan, RiskProfile
from rms_tui.risk.reading import judged, reading, remembered

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

EVERY_RULE = RiskProfile.model_validate(
    {
        "name": "every rule",
        "initial_balance": 50_000,
        "rules": [
            *({**rule.model_dump(), "confirm": 2} for rule in PROFILE.rules),
            {"rule": "total_loss", "percent": 10},
            {"rule": "trailing_drawdown", "peak": "equity", "percent": 8},
            {"rule": "profit_target", "percent": 10, "flat": True},
            {"rule": "position_size", "lots": 20},
            {"rule": "stop_loss_required", "seconds": 60},
        ],
    }
)
EVERY_PLAN = Plan(profiles=(EVERY_RULE,), default=EVERY_RULE.name)

VARIANTS = RiskProfile.model_validate(
    {
        "name": "every rule, several in more than one way",
        "initial_balance": 50_000,
        "rules": [
            *({**rule.model_dump(), "confirm": 2} for rule in EVERY_RULE.rules),
            {"rule": "daily_loss", "base": "max_balance_equity", "percent": 5, "value": "worst"},
            {"rule": "trailing_drawdown", "peak": "balance", "amount": 4000, "lock": 50_000},
            {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 4000},
            {"rule": "trailing_drawdown", "peak": "max_balance_equity", "percent": 8,
             "withdrawals": "lower_peak"},
            {"rule": "position_risk", "percent": 10, "of": "equity", "idea": 60},
            {"rule": "position_size", "percent": 5000},
        ],
    }
)  # fmt: skip
VARIANTS_PLAN = Plan(profiles=(VARIANTS,), default=VARIANTS.name)
"""With rules that look at every position again when its price moves."""


class Cycle:
    """Scope, aggregates, undecided rows, memory, assessment and exposure, as the monitor does."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.plan = plan
        self.remembered: memory.Memory | None = None
        self.assessed: assessment.Assessment | None = None
        self.exposed: exposure.Exposure | None = None

    def run(self, book: Book) -> assessment.Assessment:
        past = self.assessed
        exposing = exposure.sums(book, self.exposed)
        read = reading(book, self.plan, past, exposing=exposing)
        self.remembered = remembered(read, self.remembered, interval=1.0)
        self.assessed = judged(read, self.remembered, past)
        self.exposed = exposure.exposure(book, "USD", self.exposed, read.exposed)
        return self.assessed


def measure() -> Iterator[Row]:
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
            yield _memory_apart(book)
            yield _remembering(book, prices)
        if judged:
            yield from _every_rule(book, naive, bare)
            yield from _variants(book, naive)


def _every_rule(book: Book, naive: float, bare: float) -> Iterator[Row]:
    """The same cycles with every rule there is; `naive` and `bare` are the objects' seconds with
    six rules, with and without the garbage collector."""
    size = len(book.accounts)
    per = 1e6 / size
    full, prices = _full(book, EVERY_PLAN), _prices(book, EVERY_PLAN)
    name = f"cycle, every rule ({len(EVERY_RULE.rules)}), {size} x 5"
    objects = "pydantic objects, six rules"
    judged = size == 100_000
    wanted = ("≤ 0.3", "≥ 200", "≥ 80", "≥ 5x") if judged else ("",) * 4
    small, faster, collected, quick = (
        full * per <= 0.3, naive / full >= 200, bare / full >= 80, full / prices >= 5
    )  # fmt: skip
    yield Row(f"{name}, full", full * per, "µs/account", naive * per, objects,
              wanted[0], small or not judged)  # fmt: skip
    yield Row(f"{name}: times faster", naive / full, "x", 1.0, objects,
              wanted[1], faster or not judged)  # fmt: skip
    yield Row(f"{name}: times faster, baseline without gc", bare / full, "x", 1.0, objects,
              wanted[2], collected or not judged)  # fmt: skip
    if judged:
        yield Row(f"{name}, full", full * 1e3, "ms", naive * 1e3, objects,
                  "≤ 40", full <= 0.04)  # fmt: skip
    yield Row(f"{name}, only prices moved", prices * per, "µs/account", full * per,
              "its full cycle", wanted[3], quick or not judged)  # fmt: skip


def _variants(book: Book, naive: float) -> Iterator[Row]:
    """Every rule, several in more than one way: as many as no published plan has. To know only."""
    size = len(book.accounts)
    per = 1e6 / size
    full, prices = _full(book, VARIANTS_PLAN), _prices(book, VARIANTS_PLAN)
    name = f"cycle, {len(VARIANTS.rules)} rules of {len(EVERY_RULE.rules)} kinds, {size} x 5"
    yield Row(f"{name}, full", full * per, "µs/account", naive * per,
              "pydantic objects, six rules", "", True)  # fmt: skip
    yield Row(f"{name}, only prices moved", prices * per, "µs/account", full * per,
              "its full cycle", "", True)  # fmt: skip


def _naive(rows: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> Callable[[], None]:
    cycle = NaiveCycle()
    return lambda: cycle.run(rows)


def _full(book: Book, plan: Plan = PLAN) -> float:
    cycle = Cycle(plan)
    cycle.run(book)
    books = itertools.cycle([traded(book, seed) for seed in range(3)])
    return _best(lambda: cycle.run(next(books)), 15)


def _prices(book: Book, plan: Plan = PLAN) -> float:
    cycle = Cycle(plan)
    cycle.run(book)
    books = itertools.cycle([moved(book, seed) for seed in range(3)])
    return _best(lambda: cycle.run(next(books)), max(30, 1_000_000 // len(book.accounts)))


def _best(run: Callable[[], object], repeat: int) -> float:
    """The quickest of `repeat` runs, in seconds of this thread: a cycle has one and never waits,
    and what others do on the machine only adds to it."""
    run()
    times = []
    for _ in range(repeat):
        began = time.thread_time()
        run()
        times.append(time.thread_time() - began)
    return min(times)


def _remembering(book: Book, cycle_time: float) -> Row:
    """What `remember` takes of a cycle in which only prices moved and no record fell."""
    cycle = Cycle()
    cycle.run(book)
    books = [moved(book, seed) for seed in range(3)]
    for later in books:
        cycle.run(later)
    good = np.ones(len(book.accounts), dtype=np.bool_)
    assert cycle.assessed is not None
    scoped, turn = cycle.assessed.scope, itertools.cycle(books)

    def once() -> None:
        cycle.remembered = memory.remember(
            cycle.remembered, next(turn), good, scoped.rollovers, interval=1.0,
            trails=scoped.trails, initial=scoped.initial,
        )  # fmt: skip

    share = 100.0 * _best(once, 12) / cycle_time
    return Row("memory's share of a prices-only cycle, 100000 x 5", share, "%", None, "", "≤ 10",
               share <= 10.0)  # fmt: skip


def _columns_of(*holders: object) -> dict[int, int]:
    """Bytes of every distinct array that these hold, however deep; text counts its pointers."""
    seen: dict[int, int] = {}
    for holder in holders:
        if isinstance(holder, np.ndarray):
            owner = holder if holder.base is None else holder.base
            if isinstance(owner, np.ndarray):
                seen[id(owner)] = owner.nbytes
        elif is_dataclass(holder) and not isinstance(holder, (type, Book)):
            seen |= _columns_of(*(getattr(holder, field.name) for field in fields(holder)))
        elif isinstance(holder, Mapping):
            seen |= _columns_of(*holder.values())
        elif isinstance(holder, tuple) and holder and isinstance(holder[0], str):
            seen[id(holder)] = 8 * len(holder)
        elif isinstance(holder, (tuple, list)):
            seen |= _columns_of(*holder)
    return seen


def _memory(book: Book) -> Row:
    cycle = Cycle()
    cycle.run(book)
    later = moved(book, 0)
    assessed = cycle.run(later)
    held = _columns_of(later.accounts, later.positions, assessed, cycle.remembered)
    each = sum(held.values()) / len(book.accounts)
    return Row("book, memory and assessment, 100000 x 5", each, "bytes/account", 6200.0,
               "pydantic objects, as measured before", "≤ 1000", each <= 1000)  # fmt: skip


def _apart(period: Period) -> dict[str, Any]:
    """Columns of the period's own, equal to those it shares."""
    return {name: np.array(getattr(period, name)) for name in COLUMNS}


def _memory_apart(book: Book) -> Row:
    """The worst case: every period has begun at another time and none shares a column."""
    cycle = Cycle()
    cycle.run(book)
    assert cycle.remembered is not None
    periods = {
        span: replace(period, **_apart(period)) for span, period in cycle.remembered.periods.items()
    }
    cycle.remembered = replace(cycle.remembered, periods=periods, quiet=None)
    later = moved(book, 0)
    assessed = cycle.run(later)
    held = _columns_of(later.accounts, later.positions, assessed, cycle.remembered)
    each = sum(held.values()) / len(book.accounts)
    return Row("the same in the worst case, no two periods alike", each, "bytes/account", 6200.0,
               "pydantic objects, as measured before", "", True)  # fmt: skip


__all__ = ["NOON", "measure"]

"""Books of a few accounts with the figures a test names, and the whole chain over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, build, empty, kept
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan, RiskProfile
from rms_tui.risk.reading import judged as verdicts_over
from rms_tui.risk.reading import reading, remembered
from rms_tui.risk.verdict import Reason, State, Verdict

SYMBOLS = build(
    Symbols,
    {
        "name": ["EURUSD", "USDJPY", "XAUUSD"],
        "base": ["EUR", "USD", "XAU"],
        "quote": ["USD", "JPY", "USD"],
        "digits": [5, 3, 2],
        "contract": [100_000, 100_000, 100],
        "bid": [1.1, 150.0, 4000.0],
        "ask": [1.1, 150.0, 4000.0],
    },
)


def utc(text: str) -> float:
    """`2026-03-02 14:00` (UTC) or any ISO time with an offset, as UTC seconds."""
    moment = datetime.fromisoformat(text)
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()


def book(
    rows: Sequence[Mapping[str, Any]],
    *,
    at: float = 1_772_460_000.0,
    offset: float | None = 0.0,
    positions: Sequence[Mapping[str, Any]] = (),
    deals: Sequence[Mapping[str, Any]] = (),
    connected: bool = True,
    deals_known: bool = True,
) -> Book:
    """A row is `{"balance": 100, "equity": 90, …}`; floating follows unless it is given."""
    columns: dict[str, list[Any]] = {}
    for i, row in enumerate(rows):
        balance, credit = float(row.get("balance", 0)), float(row.get("credit", 0))
        equity = float(row.get("equity", balance + credit))
        floating = float(row.get("floating", round(equity - balance - credit, 6)))
        margin = float(row.get("margin", 0))
        figures = {
            "login": 1001 + i, "name": f"Client {i}", "group": "real\\A", "currency": "USD",
            "digits": 2, "leverage": 100, "so_mode": 0, "so_call": 80.0, "so_level": 50.0,
            "margin_free": equity - margin,
            "margin_level": 100 * equity / margin if margin else 0.0,
            "profit": floating, "prev_balance": np.nan, "prev_equity": np.nan,
            "trades_today": 0, "lots_today": 0.0, "profit_today": 0.0, "trade_count": 0,
            **row,
            "balance": balance, "credit": credit, "equity": equity, "margin": margin,
            "floating": floating,
        }  # fmt: skip
        for name, value in figures.items():
            columns.setdefault(name, []).append(value)
    held: dict[str, list[Any]] = {}
    for i, position in enumerate(positions):
        full = {
            "ticket": 1 + i, "account": 0, "symbol": 0, "side": 1, "lots": 1.0, "price_open": 1.1,
            "sl": np.nan, "tp": np.nan, "opened": int(at), "rate": 1.0, "price": 1.1,
            "profit": 0.0, "swap": 0.0, **position,
        }  # fmt: skip
        for name, value in full.items():
            held.setdefault(name, []).append(value)
    dealt: dict[str, list[Any]] = {}
    for i, deal in enumerate(deals):
        full = {
            "ticket": 1 + i, "login": 1001, "time": 0, "type": 2, "entry": 0, "symbol": "",
            "lots": 0.0, "price": 0.0, "profit": 0.0, "swap": 0.0, "commission": 0.0,
            "position": 0, **deal,
        }  # fmt: skip
        for name, value in full.items():
            dealt.setdefault(name, []).append(value)
    return Book(
        "test", "Test-Server", at, offset, connected,
        build(Accounts, columns),
        build(Positions, held) if held else empty(Positions),
        SYMBOLS,
        build(Deals, dealt) if dealt else empty(Deals),
        int(at) - 200_000 if deals_known else None,
    )  # fmt: skip


def plan(*rules: Mapping[str, Any], **profile: Any) -> Plan:
    """One profile for everybody."""
    made = RiskProfile.model_validate({"name": "p", "rules": list(rules), **profile})
    return Plan(profiles=(made,), default="p")


@dataclass
class Chain:
    """What the monitor does with each Book, without a thread; columns keep their identity."""

    plan: Plan
    interval: float = 1.0
    memory: Memory | None = None
    assessed: Assessment | None = None
    book: Book | None = None

    def see(self, seen: Book, *, stale: bool = False) -> Assessment:
        if self.book is not None:
            before = self.book
            seen = replace(
                seen,
                accounts=kept(seen.accounts, before.accounts),
                positions=kept(seen.positions, before.positions),
                symbols=kept(seen.symbols, before.symbols),
                deals=kept(seen.deals, before.deals),
            )
        self.book = seen
        past = self.assessed
        read = reading(seen, self.plan, past, stale=stale, known=self.memory)
        self.memory = remembered(read, self.memory, interval=self.interval)
        self.assessed = verdicts_over(read, self.memory, past)
        return self.assessed


def judged(rules: Mapping[str, Any], seen: Book, **profile: Any) -> Verdict:
    """The verdict of a single rule over a single Book."""
    return Chain(plan(rules, **profile)).see(seen).verdicts[0]


def states(verdict: Verdict) -> list[State]:
    return [State(int(state)) for state in verdict.state]


def reasons(verdict: Verdict) -> list[Reason]:
    return [Reason(int(reason)) for reason in verdict.reason]

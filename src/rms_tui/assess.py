"""Rules over a written timeline, without MT5 and MongoDB: to try a rule, settle a dispute, test.

Each row becomes a Book of one account, with the deals that explain its balance, and goes through
the very engine that watches a server. The timeline is taken at its word: it starts with the
account's cycle, and nothing happened between its rows. Nothing here reads a file or a clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, build, empty
from rms_tui.risk import assessment
from rms_tui.risk.memory import Memory, Origin
from rms_tui.risk.profile import (
    DailyLoss,
    MaxProfit,
    Plan,
    ProfitTarget,
    RiskProfile,
    TotalLoss,
    TrailingDrawdown,
    rollover_of,
    trail_of,
)
from rms_tui.risk.reading import judged, reading, remembered
from rms_tui.risk.verdict import Reason, State, Verdict
from rms_tui.timeline import Timeline, WrittenPosition, WrittenRow

LOGIN = 1
WHOLE_UNITS = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})
"""Currencies without a smaller unit (ISO 4217): their amounts are compared as whole numbers."""


def assess(timeline: Timeline) -> Iterator[dict[str, Any]]:
    """For each row its time and what every rule says, ready for JSON; unknown numbers are None."""
    plan = Plan(profiles=(timeline.profile,), default=timeline.profile.name)
    ledger = Ledger.of(timeline)
    memory: Memory | None = None
    for row, at in zip(timeline.rows, timeline.at, strict=True):
        ledger = ledger.after(row, at)
        book = _book(timeline, row, at, ledger)
        held = assessment.held(book, None)
        if row.positions is None and abs(row.equity - row.balance - row.credit) > 0:
            unknown = np.full(1, np.nan)
            held = (held[0], unknown, unknown)
        read = reading(book, plan, held=held)
        memory = remembered(read, memory, interval=math.inf, vouched=True)
        verdicts = judged(read, memory).verdicts
        yield {
            "time": row.time,
            "rules": [_shape(timeline.profile, verdict, memory) for verdict in verdicts],
        }


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal that explains a change between two rows; `time` is the server's clock."""

    ticket: int
    time: int
    type: int
    entry: int
    symbol: str
    profit: float
    position: int


@dataclass(frozen=True, slots=True)
class Open:
    """An open position as it is known from row to row, by its symbol, side and opening price."""

    position: int
    opened: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The deals that lead from row to row, and which positions are open since when."""

    offset: float
    before: WrittenRow | None
    deals: tuple[Deal, ...]
    open: Mapping[tuple[str, str, float | None, int], Open]

    @classmethod
    def of(cls, timeline: Timeline) -> Ledger:
        """The ledger before the first row."""
        return cls(timeline.server_offset, None, (), {})

    def after(self, row: WrittenRow, at: float) -> Ledger:
        """The ledger with what happened up to this row: flows, credit, trades closed and opened.

        A change of balance that is no flow is the result of the positions that are gone, in equal
        parts: a timeline does not say which of them brought how much.
        """
        time = math.floor(at + self.offset)
        made: list[Deal] = []

        def deal(kind: int, profit: float, entry: int = 0, symbol: str = "", of: int = 0) -> None:
            made.append(
                Deal(len(self.deals) + len(made) + 1, time, kind, entry, symbol, profit, of)
            )

        before = self.before
        flat = row.equity == row.balance + row.credit
        known = row.positions if row.positions is not None else () if flat else None
        held = dict(self.open) if known is None else dict.fromkeys(_keys(known))
        gone = [key for key in self.open if key not in held]
        if row.flow:
            deal(2, row.flow)
        if before is not None:
            if row.credit != before.credit:
                deal(3, row.credit - before.credit)
            result = row.balance - before.balance - row.flow
            for key in gone:
                closes = 1 if key[1] == "buy" else 0
                deal(closes, result / len(gone), 1, key[0], self.open[key].position)
            if not gone and abs(result) > 1e-9:
                deal(0, result, 1)
        opened = dict(self.open) if known is None else {}
        for key in held:
            if key in self.open:
                opened[key] = self.open[key]
            else:
                number = len(self.deals) + len(made) + 1
                opened[key] = Open(number, time)
                deal(0 if key[1] == "buy" else 1, 0.0, 0, key[0], number)
        return replace(self, before=row, deals=(*self.deals, *made), open=opened)


def _keys(
    positions: Sequence[WrittenPosition],
) -> list[tuple[str, str, float | None, int]]:
    seen: dict[tuple[str, str, float | None], int] = {}
    keys: list[tuple[str, str, float | None, int]] = []
    for held in positions:
        same = (held.symbol, held.side, held.open)
        seen[same] = seen.get(same, -1) + 1
        keys.append((*same, seen[same]))
    return keys


def _book(timeline: Timeline, row: WrittenRow, at: float, ledger: Ledger) -> Book:
    since = math.floor(timeline.at[0] + timeline.server_offset)
    return Book(
        source="timeline",
        server="timeline",
        taken_at=at,
        server_offset=timeline.server_offset,
        connected=True,
        accounts=_account(timeline.profile, row),
        positions=_positions(row, ledger) if row.positions else empty(Positions),
        symbols=_symbols(row),
        deals=_deals(ledger),
        deals_since=since,
    )


def _account(profile: RiskProfile, row: WrittenRow) -> Accounts:
    currency = profile.currency or "USD"
    margin = math.nan if row.margin is None else row.margin
    floating = row.equity - row.balance - row.credit
    figures = {
        "login": LOGIN, "name": "", "group": "", "currency": currency,
        "digits": 0 if currency in WHOLE_UNITS else 2, "leverage": 0,
        "so_mode": 0, "so_call": 0.0, "so_level": 0.0,
        "balance": row.balance, "credit": row.credit, "equity": row.equity,
        "margin": margin, "margin_free": row.equity - margin,
        "margin_level": 100.0 * row.equity / margin if margin else 0.0,
        "profit": floating, "floating": floating,
        "prev_balance": math.nan, "prev_equity": math.nan,
        "trades_today": 0, "lots_today": 0.0, "profit_today": 0.0, "trade_count": 0,
    }  # fmt: skip
    return build(Accounts, {name: [value] for name, value in figures.items()})


def _positions(row: WrittenRow, ledger: Ledger) -> Positions:
    held = row.positions or ()
    names = _names(row)
    known = [ledger.open[key] for key in _keys(held)]
    return build(
        Positions,
        {
            "ticket": [one.position for one in known],
            "account": [0] * len(held),
            "symbol": [names.index(one.symbol) for one in held],
            "side": [1 if one.side == "buy" else -1 for one in held],
            "lots": [one.lots for one in held],
            "price_open": [_or_nan(one.open) for one in held],
            "sl": [_or_nan(one.sl) for one in held],
            "tp": [math.nan] * len(held),
            "opened": [one.opened for one in known],
            "rate": [_or_nan(one.rate) for one in held],
            "price": [_or_nan(one.price) for one in held],
            "profit": [0.0] * len(held),
            "swap": [0.0] * len(held),
        },
    )


def _names(row: WrittenRow) -> list[str]:
    return list(dict.fromkeys(held.symbol for held in row.positions or ()))


def _symbols(row: WrittenRow) -> Symbols:
    first = {held.symbol: held for held in reversed(row.positions or ())}
    names = _names(row)
    return build(
        Symbols,
        {
            "name": names,
            "base": ["" for _ in names],
            "quote": ["" for _ in names],
            "digits": [first[name].digits for name in names],
            "contract": [_or_nan(first[name].contract) for name in names],
            "bid": [_or_nan(first[name].price) for name in names],
            "ask": [_or_nan(first[name].price) for name in names],
        },
    )


def _deals(ledger: Ledger) -> Deals:
    deals = ledger.deals
    return build(
        Deals,
        {
            "ticket": [deal.ticket for deal in deals],
            "login": [LOGIN] * len(deals),
            "time": [deal.time for deal in deals],
            "type": [deal.type for deal in deals],
            "entry": [deal.entry for deal in deals],
            "symbol": [deal.symbol for deal in deals],
            "lots": [0.0] * len(deals),
            "price": [0.0] * len(deals),
            "profit": [deal.profit for deal in deals],
            "swap": [0.0] * len(deals),
            "commission": [0.0] * len(deals),
            "position": [deal.position for deal in deals],
        },
    )


def _shape(profile: RiskProfile, verdict: Verdict, remembered: Memory) -> dict[str, Any]:
    base, origin = _base(profile, verdict, remembered)
    return {
        "rule": verdict.rule.rule,
        "base": base,
        "base_origin": origin,
        "limit": _number(verdict.limit),
        "value": _number(verdict.value),
        "used": _number(verdict.used),
        "distance": _number(verdict.distance),
        "state": State(int(verdict.state[0])).word,
        "reason": Reason(int(verdict.reason[0])).name.lower(),
    }


def _base(
    profile: RiskProfile, verdict: Verdict, remembered: Memory
) -> tuple[float | None, str | None]:
    """What a rule's limit hangs from, and how that was learnt; None for a rule that has no base."""
    rule = verdict.rule
    initial = profile.initial_balance
    if isinstance(rule, TrailingDrawdown):
        peak = _number(remembered.peaks[trail_of(profile, rule)].value)
        return peak, (Origin.UNKNOWN if peak is None else Origin.OBSERVED).word
    if (
        isinstance(rule, TotalLoss)
        or (isinstance(rule, DailyLoss) and rule.base == "initial")
        or (isinstance(rule, (ProfitTarget, MaxProfit)) and rule.period == "total")
    ):
        return initial, Origin.UNKNOWN.word if initial is None else "initial"
    if not isinstance(rule, (DailyLoss, ProfitTarget, MaxProfit)):
        return None, None
    day = remembered.days[rollover_of(profile, rule)]
    kind = rule.base if isinstance(rule, DailyLoss) else rule.value
    both = np.maximum(day.balance, day.equity)
    base = _number(both if kind == "max_balance_equity" else getattr(day, kind))
    return base, (Origin.UNKNOWN if base is None else Origin(int(day.origin[0]))).word


def _number(column: Any) -> float | None:
    """The only row's figure without the noise of binary fractions; None where it is unknown."""
    value = float(column[0])
    return round(value, 6) if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value

"""Rules over a written timeline, without MT5 and MongoDB: to try a rule, settle a dispute, test.

Each row becomes a Book of one account, with the deals that explain its balance, and goes through
the very engine that watches a server. The timeline is taken at its word: it starts with the
account's cycle, and nothing happened between its rows. Nothing here reads a file or a clock.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, build
from rms_tui.risk import assessment
from rms_tui.risk.memory import Memory, Origin
from rms_tui.risk.profile import (
    DailyLoss,
    MaxProfit,
    Plan,
    PositionRisk,
    ProfitTarget,
    RiskProfile,
    TotalLoss,
    TrailingDrawdown,
    rollover_of,
    trail_of,
)
from rms_tui.risk.reading import judged, reading, remembered
from rms_tui.risk.rules.loss import standing_peak
from rms_tui.risk.verdict import Reason, State, Verdict
from rms_tui.timeline import Timeline, WrittenPosition, WrittenRow

LOGIN = 1
FLOWS_KEPT = 3 * 86_400.0
"""Seconds for which a flow is kept: longer than any trading day, which may have 25 hours."""

WHOLE_UNITS = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})
"""Currencies without a smaller unit (ISO 4217): their amounts are compared as whole numbers."""

Key: TypeAlias = tuple[str, str, float | None, int]
"""What tells a position from another: symbol, side, opening price, and its number of those."""


def assess(timeline: Timeline) -> Iterator[dict[str, Any]]:
    """For each row its time and what every rule says, ready for JSON; unknown numbers are None."""
    plan = Plan(profiles=(timeline.profile,), default=timeline.profile.name)
    ledger = Ledger.of(timeline.profile)
    book: Book | None = None
    memory: Memory | None = None
    before: assessment.Assessment | None = None
    for row, at, offset in zip(timeline.rows, timeline.at, timeline.offsets, strict=True):
        known = ledger
        ledger = known.after(row, at)
        unchanged = ledger.flows is known.flows and ledger.trades is known.trades
        same_deals = book is not None and unchanged and book.server_offset == offset
        deals = book.deals if book is not None and same_deals else _deals(ledger, offset)
        book = _book(timeline, row, at, offset, ledger, deals, book)
        held = assessment.held(book, None)
        if row.positions is None and abs(row.equity - row.balance - row.credit) > 0:
            unknown = np.full(1, np.nan)
            held = held._replace(number=unknown, risk=unknown)
        read = reading(book, plan, before, held=held)
        memory = remembered(read, memory, interval=math.inf, vouched=True)
        before = judged(read, memory, before)
        yield {
            "time": row.time,
            "rules": [_shape(timeline.profile, verdict, memory) for verdict in before.verdicts],
        }


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal that explains a change between two rows; `at` is in UTC seconds."""

    ticket: int
    at: int
    type: int
    entry: int
    symbol: str
    profit: float
    position: int


@dataclass(frozen=True, slots=True)
class Open:
    """An open position as it is known from row to row, by its symbol, side and opening price;
    `opened` is in UTC seconds."""

    position: int
    opened: int
    lots: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The deals that lead from row to row, and which positions are open since when.

    Only what a rule can still ask for is kept, so that a row of a long timeline costs no more than
    one of a short one: flows go back `FLOWS_KEPT`, trades as far as an idea of the longest window
    (`idea`, None where no rule asks for ideas) can reach.
    """

    initial: float | None
    idea: float | None
    before: WrittenRow | None = None
    last: int = 0
    flows: tuple[Deal, ...] = ()
    trades: tuple[Deal, ...] = ()
    open: Mapping[Key, Open] = field(default_factory=dict)

    @classmethod
    def of(cls, profile: RiskProfile) -> Ledger:
        """The ledger before the first row."""
        windows = [
            rule.idea
            for rule in profile.rules
            if isinstance(rule, PositionRisk) and rule.idea is not None
        ]
        return cls(profile.initial_balance, max(windows, default=None))

    def after(self, row: WrittenRow, at: float) -> Ledger:
        """The ledger with what happened up to this row: flows, credit, positions opened and closed.

        A change of balance that is no flow is the result of the positions that are gone, or hold
        fewer lots, in equal parts: a timeline does not say which of them brought how much.
        """
        when, number = math.floor(at), itertools.count(self.last + 1)
        flows = [Deal(next(number), when, kind, 0, "", money, 0) for kind, money in self._came(row)]
        flat = row.equity == row.balance + row.credit
        known = row.positions if row.positions is not None else () if flat else None
        held = {key: one.lots for key, one in self.open.items()}
        if known is not None:
            held = {key: one.lots for key, one in zip(_keys(known), known, strict=True)}
        closed = [key for key, one in self.open.items() if held.get(key, 0.0) < one.lots]
        trades: list[Deal] = []
        if closed and self.before is not None and self.idea is not None:
            share = (row.balance - self.before.balance - row.flow) / len(closed)
            trades = [
                Deal(next(number), when, int(side == "buy"), 1, symbol, share,
                     self.open[symbol, side, price, place].position)
                for symbol, side, price, place in closed
            ]  # fmt: skip
        opened = {
            key: replace(self.open[key], lots=lots)
            if key in self.open
            else Open(next(number), when, lots)
            for key, lots in held.items()
        }
        if self.idea is not None:
            trades += [
                Deal(one.position, when, int(key[1] != "buy"), 0, key[0], 0.0, one.position)
                for key, one in opened.items()
                if key not in self.open
            ]
        return replace(
            self,
            before=row,
            last=next(number) - 1,
            flows=self._kept(at, flows),
            trades=_reached((*self.trades, *trades), opened, when, self.idea)
            if trades and self.idea is not None
            else self.trades,
            open=opened,
        )

    def _came(self, row: WrittenRow) -> list[tuple[int, float]]:
        """Money in and out up to this row, as deal types; none of it that is the initial balance,
        which a timeline may begin with as a flow."""
        before = self.before
        if before is None:
            return [(2, row.flow)] if row.flow and row.balance != self.initial else []
        came = ((2, row.flow), (3, row.credit - before.credit))
        return [(kind, money) for kind, money in came if money]

    def _kept(self, at: float, flows: Sequence[Deal]) -> tuple[Deal, ...]:
        if not flows and (not self.flows or self.flows[0].at > at - FLOWS_KEPT):
            return self.flows
        return (*(one for one in self.flows if one.at > at - FLOWS_KEPT), *flows)


def _reached(
    trades: tuple[Deal, ...], held: Mapping[Key, Open], now: int, window: float
) -> tuple[Deal, ...]:
    """The trades that still belong to an idea, or may: with its open positions, or with a position
    that is opened from now on, or with a trade that does."""
    began: dict[tuple[str, bool], int] = {}
    for (symbol, side, *_), one in held.items():
        kind = symbol, side == "buy"
        began[kind] = min(began.get(kind, now), one.opened)
    opening = {deal.position: deal for deal in trades if not deal.entry}
    kept = {one.position for one in held.values()}
    for deal in sorted((deal for deal in trades if deal.entry), key=attrgetter("at"), reverse=True):
        kind = deal.symbol, deal.type == 1
        since = began.get(kind, now)
        if deal.at >= since - window:
            kept.add(deal.position)
            began[kind] = min(since, opening[deal.position].at)
    return tuple(deal for deal in trades if deal.position in kept)


def _keys(positions: Sequence[WrittenPosition]) -> list[Key]:
    seen: dict[tuple[str, str, float | None], int] = {}
    keys: list[Key] = []
    for held in positions:
        same = (held.symbol, held.side, held.open)
        seen[same] = seen.get(same, -1) + 1
        keys.append((*same, seen[same]))
    return keys


def _book(
    timeline: Timeline,
    row: WrittenRow,
    at: float,
    offset: int,
    ledger: Ledger,
    deals: Deals,
    before: Book | None,
) -> Book:
    """The row as a Book of a server whose clock is the row's own."""
    none_held = before is not None and not row.positions and not len(before.positions)
    if before is not None and none_held:
        positions, symbols = before.positions, before.symbols
    else:
        positions, symbols = _positions(row, ledger, offset), _symbols(row)
    return Book(
        source="timeline",
        server="timeline",
        taken_at=at,
        server_offset=float(offset),
        connected=True,
        accounts=_account(timeline.profile, row, None if before is None else before.accounts),
        positions=positions,
        symbols=symbols,
        deals=deals,
        deals_since=math.floor(timeline.at[0]) + offset,
    )


def _account(profile: RiskProfile, row: WrittenRow, before: Accounts | None) -> Accounts:
    margin = math.nan if row.margin is None else row.margin
    floating = row.equity - row.balance - row.credit
    moves = {
        "balance": row.balance, "credit": row.credit, "equity": row.equity,
        "margin": margin, "margin_free": row.equity - margin,
        "margin_level": 100.0 * row.equity / margin if margin else 0.0,
        "profit": floating, "floating": floating,
    }  # fmt: skip
    if before is not None:
        columns: dict[str, Any] = {name: np.array([value]) for name, value in moves.items()}
        return replace(before, **columns)
    currency = profile.currency or "USD"
    stays = {
        "login": LOGIN, "name": "", "group": "", "currency": currency,
        "digits": 0 if currency in WHOLE_UNITS else 2, "leverage": 0,
        "so_mode": 0, "so_call": 0.0, "so_level": 0.0,
        "prev_balance": math.nan, "prev_equity": math.nan,
        "trades_today": 0, "lots_today": 0.0, "profit_today": 0.0, "trade_count": 0,
    }  # fmt: skip
    return build(Accounts, {name: [value] for name, value in {**stays, **moves}.items()})


def _positions(row: WrittenRow, ledger: Ledger, offset: int) -> Positions:
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
            "sl": [_or_nan(one.sl or None) for one in held],  # MT5 writes 0 for no stop
            "tp": [math.nan] * len(held),
            "opened": [one.opened + offset for one in known],
            "rate": [_or_nan(one.rate) for one in held],
            "price": [_or_nan(one.price) for one in held],
            "profit": [0.0] * len(held),
            "swap": [0.0] * len(held),
        },
    )


def _names(row: WrittenRow) -> list[str]:
    return list(dict.fromkeys(held.symbol for held in row.positions or ()))


def _symbols(row: WrittenRow) -> Symbols:
    held = row.positions or ()
    first = {one.symbol: one for one in reversed(held)}
    contract = {one.symbol: one.contract for one in held if one.contract is not None}
    names = _names(row)
    return build(
        Symbols,
        {
            "name": names,
            "base": ["" for _ in names],
            "quote": ["" for _ in names],
            "digits": [first[name].digits for name in names],
            "contract": [_or_nan(contract.get(name)) for name in names],
            "bid": [_or_nan(first[name].price) for name in names],
            "ask": [_or_nan(first[name].price) for name in names],
        },
    )


def _deals(ledger: Ledger, offset: int) -> Deals:
    deals = sorted((*ledger.flows, *ledger.trades), key=attrgetter("ticket"))
    return build(
        Deals,
        {
            "ticket": [deal.ticket for deal in deals],
            "login": [LOGIN] * len(deals),
            "time": [deal.at + offset for deal in deals],
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
        trail = trail_of(profile, rule)
        start = np.array([np.nan if initial is None else initial])
        peak = _number(standing_peak(remembered.peaks[trail].value, start, trail))
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
    return round(value, 6) + 0.0 if math.isfinite(value) else None  # + 0.0: no minus before 0


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value

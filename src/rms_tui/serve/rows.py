"""A Frame as the tables of a subscription: accounts, positions, symbols and exposure.

Pure: the tables before and a Frame give the tables after, and what did not change stays the same.
Nothing unknown becomes 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rms_tui.book import Accounts, Codes, Floats, Ints, Positions, Symbols, empty
from rms_tui.frame import Frame
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.exposure import Exposure
from rms_tui.risk.verdict import Reason, State
from rms_tui.serve.columns import Column, Sources, Table, made, rounded, texts

NO_ACCOUNTS, NO_POSITIONS, NO_SYMBOLS = empty(Accounts), empty(Positions), empty(Symbols)
SIDES = ("sell", "buy")
_STATES = tuple(State(code).word for code in range(max(State) + 1))
_REASONS = tuple(
    Reason(code).name.lower() if code in list(Reason) else None for code in range(max(Reason) + 1)
)
_NO_FLOATS, _NO_BYTES = np.zeros(0), np.zeros(0, dtype=np.int8)

Columns = dict[str, Column]
Build = tuple[Sources, Callable[[], Column]]


def accounts(frame: Frame, before: Table | None) -> Table:
    """One row an account, with the rule that gives it its state."""
    rows = NO_ACCOUNTS if frame.book is None else frame.book.accounts
    digits = rows.digits
    plan: dict[str, Build] = {"login": _number(rows.login)}
    for name in ("name", "group", "currency"):
        plan[name] = _text(getattr(rows, name))
    plan["digits"], plan["leverage"] = _number(digits), _number(rows.leverage)
    for name, column in (
        ("balance", rows.balance),
        ("credit", rows.credit),
        ("equity", rows.equity),
        ("margin", rows.margin),
        ("free_margin", rows.margin_free),
    ):
        plan[name] = _money(column, digits)
    plan["margin_level"] = (
        (rows.margin_level, rows.margin),
        lambda: Column(
            (rows.margin_level, rows.margin),
            rounded(np.where(rows.margin > 0, rows.margin_level, np.nan), 2),
        ),
    )
    plan["profit"] = _money(rows.floating, digits)
    assessed = frame.assessment
    day_profit = _NO_FLOATS if assessed is None else assessed.day_profit
    plan["day_profit"] = _money(day_profit, digits)
    plan["closed_today"] = _number(rows.trades_today)
    plan["profit_today"] = _money(rows.profit_today, digits)
    plan.update(_judged(assessed))
    return _table("login", plan, before)


def positions(frame: Frame, before: Table | None) -> Table:
    """One row an open position, with its symbol and whose it is."""
    book = frame.book
    held = NO_POSITIONS if book is None else book.positions
    symbols = NO_SYMBOLS if book is None else book.symbols
    login = np.zeros(0, dtype=np.int64) if book is None else book.accounts.login
    words = _words_of(symbols.name, None if before is None else before.columns["symbol"])
    plan: dict[str, Build] = {
        "ticket": _number(held.ticket),
        "login": (
            (held.account, login),
            lambda: Column((held.account, login), login[held.account]),
        ),
        "symbol": (
            (held.symbol, symbols.name),
            lambda: Column((held.symbol, symbols.name), held.symbol, words),
        ),
        "type": (
            (held.side,),
            lambda: Column((held.side,), (held.side > 0).astype(np.int8), SIDES),
        ),
        "volume": _fixed(held.lots, 8),
    }
    for name, column in (
        ("price_open", held.price_open),
        ("price_current", held.price),
        ("sl", held.sl),
        ("tp", held.tp),
    ):
        plan[name] = _price(column, held.symbol, symbols)
    plan["profit"], plan["swap"] = _fixed(held.profit, 2), _fixed(held.swap, 2)
    plan["time"] = (
        (held.opened,),
        lambda: Column((held.opened,), held.opened.astype("datetime64[s]")),
    )
    return _table("ticket", plan, before)


def symbols(frame: Frame, before: Table | None) -> Table:
    """One row a symbol with a position, or needed for a rate."""
    rows = NO_SYMBOLS if frame.book is None else frame.book.symbols
    plan: dict[str, Build] = {
        "symbol": _text(rows.name),
        "base": _text(rows.base),
        "quote": _text(rows.quote),
        "digits": _number(rows.digits),
        "contract": _fixed(rows.contract, 8),
        "bid": _fixed(rows.bid, 8),
        "ask": _fixed(rows.ask, 8),
    }
    return _table("symbol", plan, before)


def exposure(frame: Frame, before: Table | None) -> Table:
    """One row a symbol with open positions; money in the report currency."""
    if frame.book is None or frame.exposure is None:
        return _table("symbol", {"symbol": _text(()), **_exposed(None, NO_SYMBOLS)}, before)
    names, code = frame.book.symbols.name, frame.exposure.by_symbol.code
    words = _words_of(names, None if before is None else before.columns["symbol"])
    plan: dict[str, Build] = {
        "symbol": ((code, names), lambda: Column((code, names), code.astype(np.int32), words)),
        **_exposed(frame.exposure, frame.book.symbols),
    }
    return _table("symbol", plan, before)


def currencies(frame: Frame, before: Table | None) -> Table:
    """One row a currency: net units of the clients, and their worth in the report currency."""
    rows = None if frame.exposure is None else frame.exposure.by_currency
    plan: dict[str, Build] = {
        "currency": _text(() if rows is None else rows.currency),
        "net": _fixed(_NO_FLOATS if rows is None else rows.net, 2),
        "notional": _fixed(_NO_FLOATS if rows is None else rows.reported, 2),
    }
    return _table("currency", plan, before)


TABLES: Mapping[str, Callable[[Frame, Table | None], Table]] = {
    "accounts": accounts,
    "positions": positions,
    "symbols": symbols,
    "exposure.symbols": exposure,
    "exposure.currencies": currencies,
}
"""How each table is made of a Frame and the table before."""


def _exposed(found: Exposure | None, names: Symbols) -> dict[str, Build]:
    rows = None if found is None else found.by_symbol
    plan: dict[str, Build] = {}
    for name, column, digits in (
        ("volume", "gross", 8), ("buy", "buy", 8), ("sell", "sell", 8), ("net", "net", 8),
        ("coverage", "coverage", 8), ("total", "total", 8), ("notional", "notional", 2),
    ):  # fmt: skip
        plan[name] = _fixed(_NO_FLOATS if rows is None else getattr(rows, column), digits)
    for name in ("accounts", "positions"):
        plan[name] = _number(_NO_BYTES if rows is None else getattr(rows, name))
    for name in ("buy_price", "sell_price"):
        if rows is None:
            plan[name] = _fixed(_NO_FLOATS, 2)
        else:
            plan[name] = _price(getattr(rows, name), rows.code, names, more=2)
    plan["profit"] = _fixed(_NO_FLOATS if rows is None else rows.floating, 2)
    plan["sentiment"] = _fixed(_NO_FLOATS if rows is None else rows.sentiment, 4)
    return plan


@dataclass(frozen=True, slots=True)
class Worst:
    """For each account the verdict that gives it its state: its index, -1 for none."""

    rule: Codes
    reason: Codes
    figures: Mapping[str, Floats]


FIGURES = ("value", "limit", "used", "distance")


def worst(assessed: Assessment) -> Worst:
    """The worst verdict of each account; among equals the one that used most of its allowance."""
    rows = len(assessed.state)
    state = np.full(rows, -1, dtype=np.int8)
    share = np.full(rows, -np.inf)
    rule = np.full(rows, -1, dtype=np.int32)
    reason = np.zeros(rows, dtype=np.int32)
    figures = {name: np.full(rows, np.nan) for name in FIGURES}
    for index, verdict in enumerate(assessed.verdicts):
        at = np.arange(rows) if verdict.rows is None else verdict.rows
        used = np.nan_to_num(verdict.used, nan=-1.0, posinf=np.inf)
        worse = (verdict.state > state[at]) | ((verdict.state == state[at]) & (used > share[at]))
        here = at[worse]
        rule[here], state[here], share[here] = index, verdict.state[worse], used[worse]
        reason[here] = verdict.reason[worse]
        for name, column in figures.items():
            column[here] = getattr(verdict, name)[worse]
    reason = np.where(assessed.undecided != 0, assessed.undecided, reason).astype(np.int32)
    return Worst(rule, reason, figures)


def _judged(assessed: Assessment | None) -> dict[str, Build]:
    """State, and the rule it comes from; worked out once, and only where a verdict changed."""
    if assessed is None:
        none: dict[str, Build] = {
            "state": ((), lambda: Column((), _NO_BYTES, _STATES)),
            "rule": ((), lambda: Column((), _NO_BYTES, (None,))),
            "profile": ((), lambda: Column((), _NO_BYTES, (None,))),
            "reason": ((), lambda: Column((), _NO_BYTES, _REASONS)),
        }
        return {**none, **{name: _fixed(_NO_FLOATS, 6) for name in FIGURES}}
    found: list[Worst] = []

    def once() -> Worst:
        if not found:
            found.append(worst(assessed))
        return found[0]

    sources: Sources = (assessed.undecided, *assessed.verdicts)
    rules = (*(verdict.rule.rule for verdict in assessed.verdicts), None)
    profiles = (*(verdict.profile for verdict in assessed.verdicts), None)
    plan: dict[str, Build] = {
        "state": ((assessed.state,), lambda: Column((assessed.state,), assessed.state, _STATES)),
        "rule": (sources, lambda: Column(sources, once().rule, rules)),
        "profile": (sources, lambda: Column(sources, once().rule, profiles)),
        "reason": (sources, lambda: Column(sources, once().reason, _REASONS)),
    }
    for name in FIGURES:
        plan[name] = (sources, partial(_figure, sources, once, name))
    return plan


def _figure(sources: Sources, once: Callable[[], Worst], name: str) -> Column:
    return Column(sources, rounded(once().figures[name], 6))


def _table(key: str, plan: Mapping[str, Build], before: Table | None) -> Table:
    columns = {
        name: made(None if before is None else before.columns[name], sources, build)
        for name, (sources, build) in plan.items()
    }
    if before is not None and all(columns[name] is before.columns[name] for name in columns):
        return before
    return Table(key, columns)


def _number(column: Any) -> Build:
    return (column,), lambda: Column((column,), column)


def _text(column: tuple[str, ...]) -> Build:
    return (column,), lambda: texts((column,), column)


def _money(column: Floats, digits: Any) -> Build:
    if len(column) != len(digits):
        digits = np.zeros(len(column), dtype=np.int8)
    return (column, digits), lambda: Column((column, digits), rounded(column, digits))


def _fixed(column: Floats, digits: int) -> Build:
    return (column,), lambda: Column((column,), rounded(column, digits))


def _price(column: Floats, code: Codes | Ints, names: Symbols, more: int = 0) -> Build:
    sources = (column, code, names.digits)
    return sources, lambda: Column(
        sources, rounded(column, (names.digits[code] + more).astype(np.int8))
    )


def _words_of(names: tuple[str, ...], before: Column | None) -> tuple[str | None, ...]:
    """Symbol names that JSON can carry; the same object as before while they are the same."""
    if before is not None and len(before.sources) == 2 and before.sources[1] is names:
        assert before.words is not None
        return before.words
    return tuple(name.encode("utf-8", "replace").decode("utf-8") for name in names)

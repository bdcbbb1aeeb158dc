"""RMS's shapes: what programs get of a Frame, as plain dictionaries ready for JSON.

Numbers that are not known are None, and so is the margin level of an account without margin (in
Python's API it is `math.inf`); nothing unknown becomes 0. Times are ISO 8601: `last_update` in UTC,
times of positions and deals in the server's own wall clock, without a zone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from rms_tui.alerts import Alert
from rms_tui.book import CLOSING_ENTRIES, TRADE_TYPES, Book, Deals, first_positions, take
from rms_tui.frame import Frame
from rms_tui.risk.assessment import verdicts_of
from rms_tui.risk.exposure import Exposure
from rms_tui.risk.verdict import Reason, State

Shape = dict[str, Any]

NEWEST_TRADES = 100

DEAL_TYPES: Mapping[int, str] = {
    0: "buy",
    1: "sell",
    2: "balance",
    3: "credit",
    4: "charge",
    5: "correction",
    6: "bonus",
    7: "commission",
    8: "commission daily",
    9: "commission monthly",
    10: "agent daily",
    11: "agent monthly",
    12: "interest",
    13: "buy canceled",
    14: "sell canceled",
    15: "dividend",
    16: "dividend franked",
    17: "tax",
    18: "agent",
    19: "stop-out compensation",
    20: "stop-out compensation credit",
}

ENTRIES: Mapping[int, str] = {0: "in", 1: "out", 2: "inout", 3: "out by"}


def accounts_snapshot(frame: Frame, history: Deals, logins: Sequence[int] | None = None) -> Shape:
    """`{login: snapshot}` of all accounts, or of those asked for. Needs a frame with a Book."""
    book = _book(frame)
    wanted = set(book.accounts.login.tolist() if logins is None else logins)
    first = first_positions(book)
    order = np.lexsort((history.ticket, history.time, history.login))
    by_login = take(history, order)
    starts = np.searchsorted(by_login.login, book.accounts.login, side="left")
    ends = np.searchsorted(by_login.login, book.accounts.login, side="right")
    return {
        str(login): {
            "account": account_shape(frame, row),
            "positions": _positions(frame, row, int(first[row]), int(first[row + 1])),
            "trades": _trades(
                frame, row, take(by_login, np.arange(int(starts[row]), int(ends[row])))
            ),
        }
        for row, login in enumerate(book.accounts.login.tolist())
        if login in wanted
    }


def update_list(frame: Frame) -> list[Shape]:
    """What an `update` carries: every account with its positions and the count of its trades."""
    book = _book(frame)
    first = first_positions(book).tolist()
    when = utc(book.taken_at)
    return [
        {
            "account": account_shape(frame, row),
            "positions": _positions(frame, row, first[row], first[row + 1]),
            "trades_summary": {"trade_count": count, "last_update": when},
        }
        for row, count in enumerate(book.accounts.trade_count.tolist())
    ]


def account_shape(frame: Frame, row: int) -> Shape:
    """The `account` part; `profit` includes swap: equity = balance + credit + profit."""
    book, assessed = _book(frame), frame.assessment
    accounts = book.accounts
    digits = int(accounts.digits[row])
    state = State.UNKNOWN if assessed is None else State(int(assessed.state[row]))

    def money(column: np.ndarray[Any, Any]) -> float | None:
        return number(float(column[row]), digits)

    level = float(accounts.margin_level[row])
    return {
        "login_id": int(accounts.login[row]),
        "name": _text(accounts.name[row]),
        "group": _text(accounts.group[row]),
        "currency": accounts.currency[row],
        "leverage": int(accounts.leverage[row]),
        "balance": money(accounts.balance),
        "credit": money(accounts.credit),
        "equity": money(accounts.equity),
        "margin": money(accounts.margin),
        "free_margin": money(accounts.margin_free),
        "margin_level": number(level, 2) if float(accounts.margin[row]) > 0 else None,
        "profit": money(accounts.floating),
        "status": state.word,
        "risk": [] if assessed is None else _rules(frame, row),
        "last_update": utc(book.taken_at),
    }


def updates_shape(frame: Frame) -> list[Shape]:
    """What an `update` carries: `{account, positions, trades_summary}` of each account."""
    book = _book(frame)
    first = first_positions(book)
    return [
        {
            "account": account_shape(frame, row),
            "positions": _positions(frame, row, int(first[row]), int(first[row + 1])),
            "trades_summary": {
                "trade_count": int(book.accounts.trade_count[row]),
                "last_update": utc(book.taken_at),
            },
        }
        for row in range(len(book.accounts))
    ]


def positions_shape(
    frame: Frame, *, login: int | None = None, symbol: str | None = None
) -> list[Shape]:
    """Open positions of all accounts, or of one, or in one symbol; each with its `login_id`."""
    book = _book(frame)
    held = book.positions
    wanted = np.ones(len(held), dtype=np.bool_)
    if login is not None:
        wanted &= book.accounts.login[held.account] == login
    if symbol is not None:
        codes = [code for code, name in enumerate(book.symbols.name) if name == symbol]
        wanted &= np.isin(held.symbol, codes)
    return [
        {"login_id": int(book.accounts.login[held.account[i]]), **position_shape(book, i)}
        for i in np.flatnonzero(wanted).tolist()
    ]


def exposure_shape(frame: Frame, symbol: str | None = None) -> Shape:
    """`{symbol: {volume, accounts, positions, ...}}`; volume is the clients' gross lots."""
    book, exposed = _book(frame), _exposure(frame)
    rows = exposed.by_symbol
    made: Shape = {}
    for i, code in enumerate(rows.code.tolist()):
        name = book.symbols.name[code]
        if symbol is not None and name != symbol:
            continue
        digits = int(book.symbols.digits[code])
        made[name] = {
            "volume": number(float(rows.gross[i]), 8),
            "accounts": int(rows.accounts[i]),
            "positions": int(rows.positions[i]),
            "buy": number(float(rows.buy[i]), 8),
            "sell": number(float(rows.sell[i]), 8),
            "net": number(float(rows.net[i]), 8),
            "coverage": number(float(rows.coverage[i]), 8),
            "notional": number(float(rows.notional[i]), 2),
            "profit": number(float(rows.floating[i]), 2),
            "buy_price": number(float(rows.buy_price[i]), digits + 2),
            "sell_price": number(float(rows.sell_price[i]), digits + 2),
            "sentiment": number(float(rows.sentiment[i]), 4),
            "report_currency": exposed.report_currency,
        }
    return made


def currency_shape(frame: Frame) -> Shape:
    """`{currency: {net, notional}}`: units of the currency, and in the report currency."""
    rows = _exposure(frame).by_currency
    return {
        name: {
            "net": number(float(rows.net[i]), 2),
            "notional": number(float(rows.reported[i]), 2),
        }
        for i, name in enumerate(rows.currency)
    }


def stats_shape(frame: Frame | None, *, running: bool, interval: float) -> Shape:
    """`{total_updates, last_update, errors, monitored_count, running, update_interval, ...}`."""
    if frame is None:
        return {
            "total_updates": 0,
            "last_update": None,
            "errors": 0,
            "monitored_count": 0,
            "running": running,
            "update_interval": interval,
        }
    health = frame.health
    count = 0 if frame.book is None else len(frame.book.accounts)
    return {
        "total_updates": health.polls,
        "last_update": None if health.polled_at is None else utc(health.polled_at),
        "errors": health.errors,
        "monitored_count": count,
        "running": running,
        "update_interval": interval,
        "state": health.state.value,
        "source": health.source,
        "last_error": health.error,
        "positions": 0 if frame.book is None else len(frame.book.positions),
        "alerts": len(frame.alerts),
        "states": _states(frame),
        "undecided": {reason.name.lower(): n for reason, n in health.undecided.items()},
        "server_offset": health.server_offset,
    }


def alert_shape(alert: Alert) -> Shape:
    """One alert for programs. `login_id` 0 with rule `feed`: it is about the book as a whole."""

    def when(instant: float | None) -> str | None:
        return None if instant is None else utc(instant)

    return {
        "id": alert.id,
        "login_id": alert.login,
        "server": _text(alert.server),
        "name": _text(alert.name),
        "group": _text(alert.group),
        "currency": _text(alert.currency),
        "rule": alert.rule,
        "profile": _text(alert.profile),
        "severity": alert.severity.word,
        "stage": alert.stage.value,
        "value": number(alert.value, 6),
        "limit": number(alert.limit, 6),
        "used": number(alert.used, 6),
        "distance": number(alert.distance, 6),
        "reason": alert.reason.name.lower(),
        "first_seen": utc(alert.first_seen),
        "raised_at": utc(alert.raised_at),
        "changed_at": utc(alert.changed_at),
        "acknowledged_at": when(alert.acknowledged_at),
        "operator": None if alert.operator is None else _text(alert.operator),
        "note": None if alert.note is None else _text(alert.note),
        "snoozed_by": None if alert.snoozed_by is None else _text(alert.snoozed_by),
        "snoozed_until": when(alert.snoozed_until),
        "escalated_at": when(alert.escalated_at),
        "recovered_at": when(alert.recovered_at),
        "closed_at": when(alert.closed_at),
    }


def position_shape(book: Book, i: int) -> Shape:
    """One open position for programs; `sl` and `tp` are None where none is set."""
    held, code = book.positions, int(book.positions.symbol[i])
    digits = int(book.symbols.digits[code])
    return {
        "ticket": int(held.ticket[i]),
        "symbol": _text(book.symbols.name[code]),
        "type": "buy" if held.side[i] > 0 else "sell",
        "volume": number(float(held.lots[i]), 8),
        "price_open": number(float(held.price_open[i]), digits),
        "price_current": number(float(held.price[i]), digits),
        "sl": number(float(held.sl[i]), digits),
        "tp": number(float(held.tp[i]), digits),
        "profit": number(float(held.profit[i]), 2),
        "swap": number(float(held.swap[i]), 2),
        "time": server_time(int(held.opened[i])),
    }


def number(value: float, digits: int) -> float | None:
    """A number rounded to its digits; None for one that is not known, or has no end."""
    return round(value, digits) if math.isfinite(value) else None


def utc(when: float) -> str:
    """UTC seconds as ISO 8601."""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")


def server_time(when: int) -> str:
    """A server wall-clock stamp as ISO 8601 without a zone."""
    return datetime.fromtimestamp(when, UTC).replace(tzinfo=None).isoformat()


def _book(frame: Frame) -> Book:
    if frame.book is None:
        raise ValueError("this frame has no Book yet: the source has not answered")
    return frame.book


def _exposure(frame: Frame) -> Exposure:
    if frame.exposure is None:
        raise ValueError("this frame has no exposure yet: the source has not answered")
    return frame.exposure


def _text(text: str) -> str:
    """Text that JSON can carry: lone surrogates are replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _rules(frame: Frame, row: int) -> list[Shape]:
    assert frame.assessment is not None
    return [
        {
            "rule": verdict.rule.rule,
            "profile": verdict.profile,
            "state": State(int(verdict.state[at])).word,
            "value": number(verdict.value_at(at), 6),
            "limit": number(float(verdict.limit[at]), 6),
            "used": number(verdict.used_at(at), 6),
            "distance": number(verdict.distance_at(at), 6),
            "reason": Reason(int(verdict.reason[at])).name.lower(),
        }
        for verdict, at in verdicts_of(frame.assessment, row)
    ]


def _positions(frame: Frame, row: int, start: int, end: int) -> Shape:
    book = _book(frame)
    listed = [position_shape(book, i) for i in range(start, end)]
    return {
        "login_id": int(book.accounts.login[row]),
        "positions": listed,
        "position_count": len(listed),
        "symbols": sorted({position["symbol"] for position in listed}),
        "last_update": utc(book.taken_at),
    }


def _trades(frame: Frame, row: int, deals: Deals) -> Shape:
    book = _book(frame)
    closed = take(deals, np.isin(deals.type, TRADE_TYPES) & np.isin(deals.entry, CLOSING_ENTRIES))
    newest = range(len(closed) - 1, max(-1, len(closed) - 1 - NEWEST_TRADES), -1)
    date = None
    if book.server_offset is not None:
        date = server_time(int(book.taken_at + book.server_offset))[:10]
    return {
        "login_id": int(book.accounts.login[row]),
        "trade_count": len(closed),
        "trades": [deal_shape(closed, i) for i in newest],
        "daily_stats": {
            "trade_count": int(book.accounts.trades_today[row]),
            "total_volume": number(float(book.accounts.lots_today[row]), 8),
            "total_profit": number(float(book.accounts.profit_today[row]), 2),
            "date": date,
        },
        "last_update": utc(book.taken_at),
    }


def deal_shape(deals: Deals, i: int) -> Shape:
    """One deal for programs; `profit` is without swap and commission."""
    return {
        "ticket": int(deals.ticket[i]),
        "time": server_time(int(deals.time[i])),
        "type": DEAL_TYPES.get(int(deals.type[i]), str(int(deals.type[i]))),
        "entry": ENTRIES.get(int(deals.entry[i]), str(int(deals.entry[i]))),
        "symbol": _text(deals.symbol[i]),
        "volume": number(float(deals.lots[i]), 8),
        "price": number(float(deals.price[i]), 8),
        "profit": number(float(deals.profit[i]), 2),
        "swap": number(float(deals.swap[i]), 2),
        "commission": number(float(deals.commission[i]), 2),
        "position": int(deals.position[i]),
    }


def _states(frame: Frame) -> dict[str, int]:
    if frame.assessment is None:
        return {}
    counts = np.bincount(frame.assessment.state, minlength=max(State) + 1)
    return {state.word: int(counts[state]) for state in State}

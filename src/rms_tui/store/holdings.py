"""What a fleet element holds, as one document that is replaced when it changes.

Rows as in `rms_tui.book.Positions` with the symbol by its name, and the symbols they need, so that
a console on another host can make the same Book of them. Unknown numbers are null.
"""

from __future__ import annotations

from typing import Any

from rms_tui.book import Accounts, Book
from rms_tui.store.database import Document
from rms_tui.store.values import instant, number, text

DIGITS = 8

MORE = ("so_call", "so_level", "prev_balance", "prev_equity", "lots_today", "profit_today")
COUNTS = ("digits", "so_mode", "trade_count")
"""Columns of Accounts that an element's `account` has beyond the figures of every desk."""


def holdings(book: Book) -> Document:
    """The document's fields, without its `_id`."""
    return {
        "positions": [_position(book, row) for row in range(len(book.positions))],
        "symbols": [_symbol(book, row) for row in range(len(book.symbols))],
        "time": instant(book.taken_at),
        "server_offset": book.server_offset,
    }


def account_more(accounts: Accounts, row: int) -> Document:
    """What a Book needs of an account beyond the figures that all desks write."""
    made: Document = {name: _number(getattr(accounts, name)[row]) for name in MORE}
    return made | {name: int(getattr(accounts, name)[row]) for name in COUNTS}


def _position(book: Book, row: int) -> Document:
    held = book.positions
    return {
        "ticket": int(held.ticket[row]),
        "symbol": text(book.symbols.name[int(held.symbol[row])]),
        "side": int(held.side[row]),
        "opened": int(held.opened[row]),
        **{
            name: _number(getattr(held, name)[row])
            for name in ("lots", "price_open", "sl", "tp", "rate", "price", "profit", "swap")
        },
    }


def _symbol(book: Book, row: int) -> Document:
    known = book.symbols
    return {
        "name": text(known.name[row]),
        "base": text(known.base[row]),
        "quote": text(known.quote[row]),
        "digits": int(known.digits[row]),
        **{name: _number(getattr(known, name)[row]) for name in ("contract", "bid", "ask")},
    }


def _number(value: Any) -> float | None:
    return number(float(value), DIGITS)

"""How far a price may move until one account is stopped out, either way.

The same shock as of `rms_tui.risk.stress`, looked for instead of given: margins stand still, and a
currency takes its conversions along. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from rms_tui.book import Book, narrowed, take
from rms_tui.risk.stress import Shock, broker_levels, shocked_book

Standing = Literal["moves", "untouched", "out", "no margin", "no level", "unknown"]
"""`moves`: a move gets there, or none does. Otherwise why no move is looked for: nothing of the
account moves, it is stopped out already, uses no margin, has no stop-out level, or is not known."""

FALLS = tuple(100.0 * (0.93**step - 1.0) for step in range(64))
RISES = tuple(100.0 * (1.05**step - 1.0) for step in range(50))
"""Percentages between which the move is looked for: to a hundredth and to eleven times."""

HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Reach:
    """The moves in percent that stop an account out, NaN where that way never does."""

    standing: Standing
    fall: float = float("nan")
    rise: float = float("nan")


def reach(book: Book, login: int, *, symbol: str | None, currency: str | None) -> Reach:
    """Which move of a symbol, or of a currency, stops an account out.

    Raises ValueError for what is not in the book.
    """
    own = _alone(book, login, symbol, currency)
    accounts = own.accounts
    figures = (accounts.equity[0], accounts.margin[0], accounts.so_level[0])
    _, change = shocked_book(own, Shock(symbol, currency, 1.0))
    if bool(np.isnan((*figures, change[0])).any()):
        return Reach("unknown")
    if accounts.margin[0] <= 0:
        return Reach("no margin")
    if accounts.so_level[0] <= 0:
        return Reach("no level")
    if bool(broker_levels(own)[1][0]):
        return Reach("out")
    if change[0] == 0:
        return Reach("untouched")

    def is_out(percent: float) -> bool:
        return bool(broker_levels(shocked_book(own, Shock(symbol, currency, percent))[0])[1][0])

    return Reach("moves", _first(is_out, FALLS), _first(is_out, RISES))


def _alone(book: Book, login: int, symbol: str | None, currency: str | None) -> Book:
    """The Book of one account, with the symbols it holds and one that has what moves."""
    own = narrowed(book, book.accounts.login == login)
    if not len(own.accounts):
        raise ValueError(f"account {login} is not in this book")
    symbols = book.symbols
    wanted = np.zeros(len(symbols), dtype=np.bool_)
    wanted[own.positions.symbol] = True
    at = zip(symbols.name, symbols.base, symbols.quote, strict=True)
    moves = [row for row, names in enumerate(at) if symbol == names[0] or currency in names[1:]]
    wanted[moves[:1]] = True
    place = np.cumsum(wanted) - 1
    held = replace(own.positions, symbol=place[own.positions.symbol].astype(np.int32))
    return replace(own, symbols=take(symbols, np.flatnonzero(wanted)), positions=held)


def _first(is_out: Callable[[float], bool], percents: Iterable[float]) -> float:
    """The smallest move that gets there, looked for between growing percentages."""
    for before, after in pairwise(percents):
        if not is_out(after):
            continue
        safe, out = before, after
        for _ in range(HALVINGS):
            middle = (safe + out) / 2.0
            safe, out = (safe, middle) if is_out(middle) else (middle, out)
        return out
    return float("nan")

"""How far a price, or several together, may move until one account is stopped out, either way.

The same shock as of `rms_tui.risk.stress`, looked for instead of given: margins stand still, and a
currency takes its conversions along. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
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

HIGHEST = 1000.0
"""Percent that no price of several is moved beyond."""

HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Reach:
    """The moves that stop an account out, NaN where that way never does.

    In percent where one price moves; in multiples where several do, each by its own percentage.
    """

    standing: Standing
    fall: float = float("nan")
    rise: float = float("nan")


def reach(book: Book, login: int, *, symbol: str | None, currency: str | None) -> Reach:
    """Which move of a symbol, or of a currency, stops an account out, in percent.

    Raises ValueError for what is not in the book.
    """
    return reach_together(book, login, (Shock(symbol, currency, 1.0),))


def reach_together(book: Book, login: int, shocks: Sequence[Shock]) -> Reach:
    """Which multiple of shocks that come together stops an account out: 2 is twice each of them.

    Raises ValueError for what is not in the book.
    """
    own = _alone(book, login, shocks)
    accounts = own.accounts
    figures = (accounts.equity[0], accounts.margin[0], accounts.so_level[0])
    _, change = shocked_book(own, *shocks)
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

    def is_out(multiple: float) -> bool:
        moved = [replace(shock, percent=shock.percent * multiple) for shock in shocks]
        return bool(broker_levels(shocked_book(own, *moved)[0])[1][0])

    backward, forward = (_multiples(shocks, way) for way in (-1.0, 1.0))
    return Reach("moves", _first(is_out, backward), _first(is_out, forward))


def _multiples(shocks: Sequence[Shock], way: float) -> list[float]:
    """Growing multiples of shocks, in that direction, as far as every price may go."""
    percents = [shock.percent * way for shock in shocks]
    fastest = max((-percent for percent in percents if percent < 0), default=0.0)
    steps = (
        [-fall / fastest for fall in FALLS] if fastest else [rise / max(percents) for rise in RISES]
    )
    return [way * step for step in steps if max(percents) * step <= HIGHEST]


def _alone(book: Book, login: int, shocks: Sequence[Shock]) -> Book:
    """The Book of one account, with the symbols it holds and for each shock one that it moves."""
    own = narrowed(book, book.accounts.login == login)
    if not len(own.accounts):
        raise ValueError(f"account {login} is not in this book")
    symbols = book.symbols
    wanted = np.zeros(len(symbols), dtype=np.bool_)
    wanted[own.positions.symbol] = True
    names = list(zip(symbols.name, symbols.base, symbols.quote, strict=True))
    for shock in shocks:
        moved = (
            row
            for row, (name, *pair) in enumerate(names)
            if shock.symbol == name or shock.currency in pair
        )
        wanted[list(islice(moved, 1))] = True
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

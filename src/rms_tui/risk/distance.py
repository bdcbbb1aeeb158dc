"""How far an account is from a limit: in money, in percent of its equity, and as a price move.

The price move is that of the account's largest symbol alone: how far its price must go until the
money is lost (or, for a profit rule, won). One lot of a symbol moves the account by
contract·rate of its currency for each unit of price.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rms_tui.book import Book, first_positions
from rms_tui.risk.profile import MarginLevel, MaxLoss, MaxProfit, ProfitTarget
from rms_tui.risk.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Distance:
    """`money` in the account's currency, `percent` of its equity; NaN where unknown.

    `move` is the signed change of `symbol`'s price that gets there, `price` the price it then
    has, `digits` the symbol's; None and NaN where no single price gets there: no position, a
    hedged one, or a rule that looks at no open result.
    """

    money: float
    percent: float
    symbol: str | None = None
    move: float = math.nan
    price: float = math.nan
    digits: int = 0


def distance_of(book: Book, row: int, verdict: Verdict, at: int) -> Distance:
    """The distance of the account in `row` of the Book, whose row in the verdict is `at`.

    For a limit in money only: lots, counts and seconds have no distance in money.
    """
    money = verdict.distance_at(at)
    if not in_money(verdict):
        return Distance(math.nan, math.nan)
    if isinstance(verdict.rule, MaxLoss) and verdict.rule.currency is not None:
        floating = float(book.accounts.floating[row])
        value = verdict.value_at(at)
        money = money * floating / value if value else math.nan
    equity = float(book.accounts.equity[row])
    percent = 100.0 * money / equity if equity > 0 else math.nan
    if not _moves_with_prices(verdict) or math.isnan(money):
        return Distance(money, percent)
    found = _largest(book, row)
    if found is None:
        return Distance(money, percent)
    symbol, per_price = found
    gains = isinstance(verdict.rule, (ProfitTarget, MaxProfit))
    move = (money if gains else -money) / per_price
    bid, ask = float(book.symbols.bid[symbol]), float(book.symbols.ask[symbol])
    now = bid if per_price > 0 else ask
    return Distance(
        money,
        percent,
        book.symbols.name[symbol],
        move,
        now + move,
        int(book.symbols.digits[symbol]),
    )


def in_money(verdict: Verdict) -> bool:
    """Whether the rule's distance is money of the account that its result can use up."""
    return verdict.rule.rule in (
        "daily_loss",
        "total_loss",
        "trailing_drawdown",
        "max_loss",
        "margin_level",
        "profit_target",
        "max_profit",
    )


def _moves_with_prices(verdict: Verdict) -> bool:
    rule = verdict.rule
    return isinstance(rule, (MaxLoss, MarginLevel)) or getattr(rule, "value", "") != "balance"


def _largest(book: Book, row: int) -> tuple[int, float] | None:
    """The symbol with the largest net notional of an account: its row, and money per price unit."""
    first = first_positions(book)
    here = slice(int(first[row]), int(first[row + 1]))
    held = book.positions
    symbols = held.symbol[here]
    if len(symbols) == 0:
        return None
    per_price = held.side[here] * held.lots[here] * book.symbols.contract[symbols] * held.rate[here]
    best: tuple[float, int, float] | None = None
    for symbol in np.unique(symbols).tolist():
        mine = symbols == symbol
        net = float(per_price[mine].sum())
        size = abs(net) * float(held.price[here][mine].mean())
        if math.isfinite(size) and abs(net) > 1e-9 and (best is None or size > best[0]):
            best = (size, symbol, net)
    return None if best is None else (best[1], best[2])

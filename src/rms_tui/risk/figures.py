"""The trading arithmetic that MT5's own reports do, for what no source hands out ready-made.

Scalars or arrays alike; money in the account's currency unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


def required_margin(
    lots: float, contract: float, leverage: float, *, price: float = 1.0, rate: float = 1.0
) -> float:
    """Margin of a position: lots·contract·price·rate / leverage (MT5 Forex calculation).

    `price` is the opening price in the quote currency and `rate` converts that currency into the
    account's; a symbol whose base is the account's currency needs neither.
    """
    return lots * contract * price * rate / leverage


def position_profit(
    side: int, lots: float, contract: float, opened: float, closed: float, rate: float = 1.0
) -> float:
    """Profit without swap: side·(closed - opened)·lots·contract·rate; `side` is +1 buy, -1 sell.

    Without `rate` it is in the symbol's quote currency.
    """
    return side * (closed - opened) * lots * contract * rate


@dataclass(frozen=True, slots=True)
class Standing:
    """What follows from four figures of an account; `level` in percent, None without margin."""

    equity: float
    margin_free: float
    level: float | None


def standing(balance: float, credit: float, floating: float, margin: float) -> Standing:
    """Equity = balance + credit + floating; free = equity - margin; level = 100·equity/margin."""
    equity = balance + credit + floating
    return Standing(equity, equity - margin, 100.0 * equity / margin if margin > 0 else None)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """As in MT5's report: `absolute` is initial - lowest; `maximal` the deepest fall in money with
    its percent of the peak; `relative` the deepest in percent of its peak, with its money."""

    absolute: float
    maximal: float
    maximal_percent: float
    relative: float
    relative_percent: float


def balance_drawdown(initial: float, results: Sequence[float]) -> Drawdown:
    """Drawdown of the balance over the results of closed deals, in their order."""
    balance = peak = lowest = initial
    maximal = maximal_percent = relative = relative_percent = 0.0
    for result in results:
        balance += result
        peak, lowest = max(peak, balance), min(lowest, balance)
        fall = peak - balance
        percent = 100.0 * fall / peak if peak > 0 else math.nan
        if fall > maximal:
            maximal, maximal_percent = fall, percent
        if percent > relative_percent:
            relative, relative_percent = fall, percent
    return Drawdown(initial - lowest, maximal, maximal_percent, relative, relative_percent)


@dataclass(frozen=True, slots=True)
class TradeStatistics:
    """Closed trades in sums, as MT5's report has them; a ratio without a divisor is None."""

    gross_profit: float
    gross_loss: float
    net: float
    profit_factor: float | None
    expected_payoff: float | None
    recovery_factor: float | None
    trades: int
    wins: int
    max_consecutive_losses: int
    max_consecutive_loss: float


def trade_statistics(results: Sequence[float], initial: float) -> TradeStatistics:
    """Statistics of closed trades in their order. Recovery factor = net / maximal drawdown.

    `max_consecutive_losses` is the longest run of losing trades, `max_consecutive_loss` what that
    run lost.
    """
    profit = sum(result for result in results if result > 0)
    loss = sum(result for result in results if result < 0)
    net = profit + loss
    deepest = balance_drawdown(initial, results).maximal
    longest, run, run_loss, longest_loss = 0, 0, 0.0, 0.0
    for result in results:
        run, run_loss = (run + 1, run_loss + result) if result < 0 else (0, 0.0)
        if run > longest or (run == longest and run_loss < longest_loss):
            longest, longest_loss = run, run_loss
    return TradeStatistics(
        gross_profit=profit,
        gross_loss=loss,
        net=net,
        profit_factor=profit / -loss if loss else None,
        expected_payoff=net / len(results) if results else None,
        recovery_factor=net / deepest if deepest else None,
        trades=len(results),
        wins=sum(1 for result in results if result > 0),
        max_consecutive_losses=longest,
        max_consecutive_loss=longest_loss,
    )


@dataclass(frozen=True, slots=True)
class BookSums:
    """A whole book: `drawdown` = unrealized / balances in percent, `leverage` = |net| / equity."""

    equity: float
    drawdown: float
    leverage: float


def book_sums(balances: float, unrealized: float, net_volume: float) -> BookSums:
    """Sums of a book, all in one currency."""
    equity = balances + unrealized
    return BookSums(equity, 100.0 * unrealized / balances, abs(net_volume) / equity)

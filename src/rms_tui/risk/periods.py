"""How an account did in a day, week, month, quarter, year and since it was first seen.

Drawdown and profit are kept free of deposits and withdrawals: the peak moves with them, the profit
does not count them. Periods that began together are one and the same object until one of them
ends, and are then measured once: a poll that brings nothing new costs a few comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.book import Book, Flags, Floats, Ints
from rms_tui.risk.clock import instant
from rms_tui.risk.flows import Came

Counts = npt.NDArray[np.int32]


class Span(StrEnum):
    """The periods kept, each on the server's own calendar."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    LIFETIME = "lifetime"


@dataclass(frozen=True, slots=True)
class Period:
    """One period of every account; NaN while nothing good was seen in it.

    `began` is its start on the server's calendar (UTC seconds), `at` when the start balance and
    equity were taken: the first good Book in it. `drawdown` is the deepest fall of equity below
    its peak in money, `relative` the deepest as a share of the peak, `profit` the most that was
    gained over the start equity; each with its time. `peak` is in today's money: flows moved it.
    `days` counts server days with a closed trade.
    """

    began: float
    at: Floats
    balance: Floats
    equity: Floats
    flow: Floats
    peak: Floats
    drawdown: Floats
    drawdown_at: Floats
    relative: Floats
    relative_at: Floats
    profit: Floats
    profit_at: Floats
    days: Counts


Periods = dict[Span, Period]

COLUMNS = tuple(field.name for field in fields(Period) if field.name != "began")


def with_columns(period: Period, columns: dict[str, Any]) -> Period:
    """The period with other columns, by name."""
    return replace(period, **columns)


def unseen(rows: int, began: float) -> Period:
    """A period in which nothing was seen yet; its columns take no memory."""
    nan = np.broadcast_to(np.float64(np.nan), rows)
    none = np.broadcast_to(np.int32(0), rows)
    return Period(began, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, none)


def beginnings(now: float, server_offset: float) -> dict[Span, float]:
    """UTC seconds at which each present period began on the server's calendar."""
    zone = timezone(timedelta(seconds=server_offset))
    today = datetime.fromtimestamp(now, zone).date()
    starts = {
        Span.DAY: today,
        Span.WEEK: today - timedelta(days=today.weekday()),
        Span.MONTH: today.replace(day=1),
        Span.QUARTER: date(today.year, 3 * ((today.month - 1) // 3) + 1, 1),
        Span.YEAR: date(today.year, 1, 1),
    }
    return {span: instant(day, "00:00", zone) for span, day in starts.items()}


def periods_after(
    periods: Periods, book: Book, good: Flags, came: Came | None, day_at: float
) -> Periods:
    """All periods after a Book. `good` are rows fit to measure, `came` what new deals brought.

    `day_at` is the start of the server's present day; NaN while its clock is unknown, and then
    only what has begun goes on.
    """
    day = periods.get(Span.DAY)
    if book.server_offset is not None and (day is None or day.began != day_at):
        periods = _turned(periods, book, book.server_offset, len(good))
    traded = _newly_traded(periods, book, good)
    known: dict[tuple[int, ...], Period] = {}
    stepped = {
        span: _stepped(period, book, good, came, traded, known) for span, period in periods.items()
    }
    unchanged = all(stepped[span] is periods[span] for span in periods)
    return periods if unchanged else stepped


def _turned(periods: Periods, book: Book, server_offset: float, rows: int) -> Periods:
    """The periods at the start of a new server day: those that ended begin anew, together."""
    begun = beginnings(book.taken_at, server_offset)
    lifetime = periods.get(Span.LIFETIME)
    begun[Span.LIFETIME] = book.taken_at if lifetime is None else lifetime.began
    fresh = unseen(rows, book.taken_at)
    return {
        span: periods[span]
        if span in periods and periods[span].began == begun[span]
        else replace(fresh, began=begun[span])
        for span in Span
    }


def _newly_traded(periods: Periods, book: Book, good: Flags) -> Flags | None:
    """Rows with the first closed trade of their server day."""
    day = periods.get(Span.DAY)
    if day is None:
        return None
    first = (book.accounts.trades_today > 0) & (day.days == 0) & good
    return first if bool(first.any()) else None


def _stepped(
    period: Period,
    book: Book,
    good: Flags,
    came: Came | None,
    traded: Flags | None,
    known: dict[tuple[int, ...], Period],
) -> Period:
    shared = tuple(id(getattr(period, name)) for name in COLUMNS)
    twin = known.get(shared)
    if twin is None:
        twin = known[shared] = _measured(period, book, good, came, traded)
    if all(getattr(twin, name) is getattr(period, name) for name in COLUMNS):
        return period
    return replace(twin, began=period.began)


def _measured(
    period: Period, book: Book, good: Flags, came: Came | None, traded: Flags | None
) -> Period:
    changed: dict[str, Any] = {}
    equity, now = book.accounts.equity, book.taken_at
    flow, peak = period.flow, period.peak
    drawdown, relative, profit = period.drawdown, period.relative, period.profit
    start = period.equity
    if came is not None:
        changed["flow"] = flow = flow + came.equity
        changed["peak"] = peak = peak + came.equity
    first = np.isnan(start) & good
    if bool(first.any()):
        zero = np.where(first, 0.0, flow)
        changed["balance"] = np.where(first, book.accounts.balance, period.balance)
        changed["equity"] = start = np.where(first, equity, start)
        changed["at"] = np.where(first, now, period.at)
        changed["flow"] = flow = zero
        changed["peak"] = peak = np.where(first, equity, peak)
        changed["drawdown"] = drawdown = np.where(first, 0.0, drawdown)
        changed["relative"] = relative = np.where(first, 0.0, relative)
        changed["profit"] = profit = np.where(first, 0.0, profit)
    higher = equity > peak
    higher &= good
    if bool(higher.any()):
        changed["peak"] = peak = np.where(higher, equity, peak)
    fall = peak - equity
    _record(changed, period, "drawdown", fall, drawdown, good, now)
    with np.errstate(divide="ignore", invalid="ignore"):
        fall /= peak
    fall[~(peak > 0)] = np.nan
    _record(changed, period, "relative", fall, relative, good, now)
    gain = equity - start
    gain -= flow
    _record(changed, period, "profit", gain, profit, good, now)
    if traded is not None:
        changed["days"] = period.days + traded.astype(np.int32)
    return replace(period, **changed) if changed else period


def _record(
    changed: dict[str, Any],
    period: Period,
    name: str,
    reached: Floats,
    best: Floats,
    good: Flags,
    now: float,
) -> None:
    """Keep the most that was ever reached of something, and when."""
    better = reached > best
    better &= good
    if bool(better.any()):
        changed[name] = np.where(better, reached, best)
        changed[f"{name}_at"] = np.where(better, now, getattr(period, f"{name}_at"))


def moved_periods(periods: Periods, row: Ints, known: Flags) -> Periods:
    """The periods in another row order; `row` is the old row of each new one."""
    done: dict[int, npt.NDArray[Any]] = {}

    def moved(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if id(column) not in done:
            absent = np.int32(0) if column.dtype == np.int32 else np.float64(np.nan)
            done[id(column)] = np.where(known, column[row], absent)
        return done[id(column)]

    return {
        span: with_columns(period, {name: moved(getattr(period, name)) for name in COLUMNS})
        for span, period in periods.items()
    }

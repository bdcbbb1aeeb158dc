"""How an account did in a day, week, month, quarter, year and since it was first seen.

Drawdown and profit are kept free of deposits and withdrawals: the peak moves with them, the profit
does not count them. Periods that began together are one and the same object until one of them
ends, and are then measured once: a poll that brings nothing new costs a few comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from operator import attrgetter, is_
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.book import Book, Codes, Flags, Floats, Ints
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
    `days` counts server days with a closed trade. `quiet` bounds the equity between which a row
    brings nothing new, `looked` is the column of trades that was looked at last; both None until
    there is one.
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
    quiet: tuple[Floats, Floats] | None = None
    looked: Codes | None = None


Periods = dict[Span, Period]

COLUMNS = tuple(
    field.name for field in fields(Period) if field.name not in ("began", "quiet", "looked")
)

_columns = attrgetter(*COLUMNS)


def with_columns(period: Period, columns: dict[str, Any]) -> Period:
    """The period with other columns, by name."""
    return replace(period, **columns, quiet=None, looked=None)


def unseen(rows: int, began: float) -> Period:
    """A period in which nothing was seen yet; its columns take no memory."""
    nan = np.broadcast_to(np.float64(np.nan), rows)
    none = np.broadcast_to(np.int32(0), rows)
    return Period(began, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, none)


def beginnings(now: float, server_offset: float) -> dict[Span, float]:
    """UTC seconds at which each present period began on the server's calendar."""
    zone = timezone(timedelta(seconds=server_offset))
    today = datetime.fromtimestamp(now, zone).date()
    starts: dict[Span, date] = {
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
    if Span.DAY in periods and periods[Span.DAY].looked is not book.accounts.trades_today:
        looked = book.accounts.trades_today if bool(good.all()) else None
        periods = {**periods, Span.DAY: replace(periods[Span.DAY], looked=looked)}
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
    if day is None or day.looked is book.accounts.trades_today:
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
    columns = _columns(period)
    shared = tuple(map(id, columns))
    twin = known.get(shared)
    if twin is None:
        twin = known[shared] = _measured(period, book, good, came, traded)
    if twin is period:
        return period
    if twin.quiet is period.quiet and all(map(is_, _columns(twin), columns)):
        return period
    return replace(twin, began=period.began, looked=period.looked)


def _measured(
    period: Period, book: Book, good: Flags, came: Came | None, traded: Flags | None
) -> Period:
    """The period with what this Book brought; only the rows that brought something are touched."""
    changed: dict[str, Any] = {}
    if traded is not None:
        changed["days"] = period.days + traded.astype(np.int32)
    if came is not None:
        changed |= {"flow": period.flow + came.equity, "peak": period.peak + came.equity}
        period = replace(period, **changed, quiet=None)
    rows = _loud(period, book.accounts.equity, good)
    if len(rows) == 0:
        return replace(period, **changed) if changed else period
    now = {name: getattr(period, name)[rows] for name in COLUMNS}
    then = dict(now)
    _begin(now, book, rows)
    _extremes(now, book.accounts.equity[rows], book.taken_at)
    for name in COLUMNS:
        if now[name] is not then[name]:
            column = np.array(changed.get(name, getattr(period, name)))
            column[rows] = now[name]
            changed[name] = column
    return replace(period, **changed, quiet=_quieted(period, now, rows))


def _loud(period: Period, equity: Floats, good: Flags) -> Ints:
    """Rows fit to measure whose equity is outside its quiet bounds."""
    if period.quiet is None:
        return np.flatnonzero(good)
    low, high = period.quiet
    loud = equity < low
    loud |= equity > high
    loud &= good
    return np.flatnonzero(loud)


def _begin(now: dict[str, Any], book: Book, rows: Ints) -> None:
    """Start the period for rows that were not seen in it yet."""
    first = np.isnan(now["equity"])
    if not bool(first.any()):
        return
    equity, balance = book.accounts.equity[rows], book.accounts.balance[rows]
    starts: dict[str, Any] = {
        "at": book.taken_at, "balance": balance, "equity": equity, "peak": equity,
        "flow": 0.0, "drawdown": 0.0, "relative": 0.0, "profit": 0.0,
    }  # fmt: skip
    for name, start in starts.items():
        now[name] = np.where(first, start, now[name])


def _extremes(now: dict[str, Any], equity: Floats, at: float) -> None:
    """Keep the highest equity, and the most that was ever lost from it or gained, with times."""
    higher = equity > now["peak"]
    if bool(higher.any()):
        now["peak"] = np.where(higher, equity, now["peak"])
    peak = now["peak"]
    fall = peak - equity
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(peak > 0, fall / peak, np.nan)
    gain = equity - now["equity"] - now["flow"]
    for name, reached in (("drawdown", fall), ("relative", share), ("profit", gain)):
        better = reached > now[name]
        if bool(better.any()):
            now[name] = np.where(better, reached, now[name])
            now[f"{name}_at"] = np.where(better, at, now[f"{name}_at"])


def _quieted(period: Period, now: dict[str, Any], rows: Ints) -> tuple[Floats, Floats]:
    """The quiet bounds after those rows were measured; a row not seen yet is never quiet."""
    count = len(period.at)
    low = np.full(count, np.inf) if period.quiet is None else period.quiet[0].copy()
    high = np.full(count, -np.inf) if period.quiet is None else period.quiet[1].copy()
    peak = now["peak"]
    low[rows] = np.maximum(peak - now["drawdown"], peak * (1.0 - now["relative"]))
    high[rows] = np.minimum(peak, now["equity"] + now["flow"] + now["profit"])
    return low, high


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

"""How an account did in a day, week, month, quarter, year and since it was first seen.

Drawdown and profit are kept free of deposits and withdrawals: the peak moves with them, the profit
does not count them. Periods that began together are one and the same object until one of them
ends, and are then measured once: a poll that brings nothing new costs a few comparisons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from operator import attrgetter, is_
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.book import Book, Codes, Flags, Floats, Ints, every, repeated, some
from rms_tui.risk.clock import instant
from rms_tui.risk.days import same_start
from rms_tui.risk.flows import Came

Counts = npt.NDArray[np.int32]

NOBODY: Ints = np.zeros(0, dtype=np.int64)


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


Periods = Mapping[Span, Period]

COLUMNS = tuple(field.name for field in fields(Period) if field.name != "began")

_columns = attrgetter(*COLUMNS)


@dataclass(frozen=True, slots=True)
class Quiet:
    """What spares most rows a look: found again whenever it is absent.

    Equity from `low` to `high` brings a row nothing new in any period; `looked` is the column of
    trades that every row was looked at for, None while some could not be.
    """

    low: Floats
    high: Floats
    looked: Codes | None


def with_columns(period: Period, columns: dict[str, Any]) -> Period:
    """The period with other columns, by name."""
    return replace(period, **columns)


def unseen(rows: int, began: float) -> Period:
    """A period in which nothing was seen yet; its columns take no memory."""
    nan = repeated(np.nan, rows)
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
    periods: Periods,
    quiet: Quiet | None,
    book: Book,
    good: Flags,
    came: Came | None,
    day_at: float,
) -> tuple[Periods, Quiet | None]:
    """All periods after a Book, and what then is quiet.

    `good` are rows fit to measure, `came` what new deals brought. `day_at` is the start of the
    server's present day; NaN while its clock is unknown, and then only what has begun goes on.
    """
    day = periods.get(Span.DAY)
    if book.server_offset is not None and (day is None or day.began != day_at):
        periods, quiet = _turned(periods, book, book.server_offset, len(good)), None
    if Span.DAY not in periods:
        return periods, None
    news = _news(periods[Span.DAY], quiet, book, good, came)
    if news is None:
        return periods, quiet
    if not (len(news.loud) or len(news.flowed) or len(news.traded)):
        return periods, quiet and replace(quiet, looked=news.looked)
    known: dict[tuple[int, ...], Period] = {}
    stepped = {span: _stepped(period, news, book, known) for span, period in periods.items()}
    return stepped, _quieted(quiet, known.values(), news, len(good))


def _turned(periods: Periods, book: Book, server_offset: float, rows: int) -> Periods:
    """The periods at the start of a new server day: those that ended begin anew, together."""
    begun = beginnings(book.taken_at, server_offset)
    lifetime = periods.get(Span.LIFETIME)
    begun[Span.LIFETIME] = book.taken_at if lifetime is None else lifetime.began
    fresh = unseen(rows, book.taken_at)
    going_on = {s for s, period in periods.items() if same_start(period.began, begun[s])}
    return {
        span: replace(periods[span] if span in going_on else fresh, began=begun[span])
        for span in Span
    }


@dataclass(frozen=True, slots=True)
class _News:
    """Rows in which a Book may bring something new: `flowed` by a deposit or a withdrawal, `loud`
    by their equity (fit to measure), `traded` by the first closed trade of their server day.
    """

    flowed: Ints
    flow: Floats
    loud: Ints
    traded: Ints
    looked: Codes | None


def _news(
    day: Period, quiet: Quiet | None, book: Book, good: Flags, came: Came | None
) -> _News | None:
    """What is new in a Book, None where nothing is."""
    equity, trades = book.accounts.equity, book.accounts.trades_today
    loud, look = good, quiet is None or quiet.looked is not trades
    if quiet is not None:
        loud = equity < quiet.low
        loud |= equity > quiet.high
        if came is not None:
            loud |= came.equity != 0
        loud &= good
        if came is None and not look and not some(loud):
            return None
    flowed = NOBODY if came is None else np.flatnonzero(came.equity)
    traded = trades > 0 if look else None
    if traded is not None and bool(traded.any()):
        traded &= day.days == 0
        traded &= good
    return _News(
        flowed,
        np.zeros(0) if came is None else came.equity[flowed],
        np.flatnonzero(loud),
        NOBODY if traded is None else np.flatnonzero(traded),
        trades if not look or every(good) else None,
    )


def _stepped(
    period: Period, news: _News, book: Book, known: dict[tuple[int, ...], Period]
) -> Period:
    columns = _columns(period)
    shared = tuple(map(id, columns))
    twin = known.get(shared)
    if twin is None:
        twin = known[shared] = _measured(period, news, book)
    if twin is period or all(map(is_, _columns(twin), columns)):
        return period
    return replace(twin, began=period.began)


def _measured(period: Period, news: _News, book: Book) -> Period:
    """The period with what this Book brought; only the rows that brought something are touched."""
    changed: dict[str, Any] = {}
    if len(news.traded):
        changed["days"] = _raised(period.days, news.traded, 1)
    if len(news.flowed):
        changed["flow"] = _raised(period.flow, news.flowed, news.flow)
        changed["peak"] = _raised(period.peak, news.flowed, news.flow)
        period = replace(period, **changed)
    rows = news.loud
    now = {name: getattr(period, name)[rows] for name in COLUMNS}
    then = dict(now)
    _begin(now, book, rows)
    _extremes(now, book.accounts.equity[rows], book.taken_at)
    for name in COLUMNS:
        if now[name] is not then[name]:
            column = changed[name] if name in changed else np.array(getattr(period, name))
            column[rows] = now[name]
            changed[name] = column
    return replace(period, **changed) if changed else period


def _raised(column: npt.NDArray[Any], rows: Ints, by: Floats | int) -> npt.NDArray[Any]:
    raised = np.array(column)
    raised[rows] += by
    return raised


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


def _quieted(quiet: Quiet | None, periods: Iterable[Period], news: _News, count: int) -> Quiet:
    """What is quiet after those rows were measured; a row not seen yet never is."""
    low = np.full(count, np.inf) if quiet is None else quiet.low.copy()
    high = np.full(count, -np.inf) if quiet is None else quiet.high.copy()
    low[news.flowed], high[news.flowed] = np.inf, -np.inf
    rows = news.loud
    lowest, highest = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
    for period in periods:
        peak = period.peak[rows]
        np.maximum(lowest, peak - period.drawdown[rows], out=lowest)
        np.maximum(lowest, peak * (1.0 - period.relative[rows]), out=lowest)
        np.minimum(highest, peak, out=highest)
        gained = period.equity[rows] + period.flow[rows] + period.profit[rows]
        np.minimum(highest, gained, out=highest)
    low[rows], high[rows] = lowest, highest
    return Quiet(low, high, news.looked)


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

"""The start of the present trading day of one rollover: its base balance and equity.

A base is learnt once a day from the best origin there is, never guessed: where nothing vouches
for it, it stays unknown (NaN) and the rules that need it decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from rms_tui.book import Book, Bytes, Deals, Flags, Floats, Ints, repeated, some
from rms_tui.risk.clock import last_rollover, next_rollover
from rms_tui.risk.flows import CREDIT_TYPES, after, complete_since, sums
from rms_tui.risk.profile import SERVER, Rollover

SERVER_DAY = Rollover(zone=SERVER, at="00:00")

SERVER_GRACE = 120.0
"""Seconds after the rollover in which a server's end-of-day record may still be yesterday's."""

SERVER_LATEST = 3600.0
"""Seconds after the rollover up to which a record that is seen to change is that of the rollover: a
server of many accounts takes its time, and one that writes at another hour means another day."""

ANCHORS = 43_200.0
"""Seconds within which two starts are of the same day: a server's clock that is put forward or
back for the summer moves the start of its day, and of its month, but begins no new one."""

DAY_COLUMNS = ("balance", "equity", "flow", "flow_balance")
"""What rules read of a day."""

_Columns = tuple[Floats, Floats, Bytes, Floats]


class Origin(IntEnum):
    """How a base was learnt; a higher one is better, the highest final for the day."""

    UNKNOWN = 0
    MANUAL = 1
    DEALS = 2
    OBSERVED = 3
    SERVER = 4

    @property
    def word(self) -> str:
        return self.name.lower()


_OBSERVED = np.array(Origin.OBSERVED, dtype=np.int8)


@dataclass(frozen=True, slots=True)
class DayBase:
    """The start of the present trading day of one rollover, a row an account.

    `at` is the rollover (UTC seconds, NaN while unknown), `until` the next one. `flow` is what
    came in or went out since (NaN while the deals are unknown), `flow_balance` the part of it that
    moved the balance; `start` = equity + flow.
    Flows later than `taken` count: those before are already in the base.
    """

    at: float
    until: float
    balance: Floats
    equity: Floats
    origin: Bytes
    taken: Floats
    flow: Floats
    flow_balance: Floats
    start: Floats
    counted: Deals | None = None


@dataclass(frozen=True, slots=True)
class LastGood:
    """Each account's newest figures that were fit to decide on, and when (UTC seconds)."""

    balance: Floats
    equity: Floats
    prev_equity: Floats
    at: Floats


def unknown_day(rows: int, at: float, until: float) -> DayBase:
    none = np.full(rows, np.nan)
    taken = np.full(rows, np.nextafter(at, -np.inf))
    return DayBase(at, until, none, none, np.zeros(rows, dtype=np.int8), taken, none, none, none)


class Watch(NamedTuple):
    """How an account's start of day may be learnt.

    `gap` is the age in seconds up to which an observation before the rollover may be its base.
    `vouched`: a written timeline says that nothing was between its rows. `starting` are rows at
    the very start of their cycle, with nothing but the `initial` balance on them. `stored`: what
    is remembered was read back, and nobody saw when anything came since.
    """

    gap: float
    flow_types: tuple[int, ...]
    starting: Flags | None
    initial: Floats
    vouched: bool = False
    stored: bool = False


def day_after(
    day: DayBase | None, last: LastGood, book: Book, good: Flags, rollover: Rollover, watch: Watch
) -> DayBase:
    """The trading day after a Book: the same one, or a new one once its rollover has passed.

    Where the server's clock was put forward or back it is the same one, with its end moved.
    """
    within = day is not None and day.at <= book.taken_at < day.until
    if day is None or not within or _clock_moved(day, rollover, book.server_offset):
        at = last_rollover(rollover, book.taken_at, book.server_offset)
        until = next_rollover(rollover, book.taken_at, book.server_offset)
        if at is None or until is None:
            unknown = day is not None and np.isnan(day.at)
            return day if day is not None and unknown else unknown_day(len(good), np.nan, np.nan)
        if day is not None and same_start(day.at, at):
            day = replace(day, at=at, until=until, counted=None)
        else:
            day = unknown_day(len(good), at, until)
    open_question = day.origin < _OBSERVED
    if rollover == SERVER_DAY and (watch.stored or book.taken_at - day.at <= SERVER_LATEST):
        open_question = _or_recorded(open_question, day, last, book)
    if some(open_question):
        unsettled = good & open_question & _may_improve(day, last, book, rollover)
        if bool(unsettled.any()):
            day = _settled(day, _learnt(day, last, book, unsettled, rollover, watch))
    return _with_flows(day, book, watch)


def same_start(one: float, other: float) -> bool:
    """Whether two starts (UTC seconds) are of one and the same day, week, month or year."""
    return abs(one - other) < ANCHORS


def _clock_moved(day: DayBase, rollover: Rollover, server_offset: float | None) -> bool:
    """Whether the day's end is no rollover by the server's clock as it goes now."""
    if rollover.zone != SERVER or server_offset is None:
        return False
    return (day.until + server_offset) % 86_400 != _into_the_day(rollover.at)


@lru_cache(maxsize=64)
def _into_the_day(clock: str) -> int:
    """Seconds of a day at which it says that time."""
    at = time.fromisoformat(clock)
    return at.hour * 3600 + at.minute * 60


def _or_recorded(open_question: Flags, day: DayBase, last: LastGood, book: Book) -> Flags:
    """With the rows whose base was observed before the server wrote its own of the same balance."""
    accounts = book.accounts
    if accounts.prev_equity is last.prev_equity:
        return open_question
    written: Flags = (day.origin == _OBSERVED) & _seen_to_change(last, book)
    if not bool(written.any()):
        return open_question
    tolerance = 1.5 * 10.0 ** -accounts.digits.astype(np.float64)
    written &= np.abs(accounts.prev_balance - day.balance) <= tolerance
    written |= open_question
    return written


def _seen_to_change(last: LastGood, book: Book) -> Flags:
    """Rows whose end-of-day record is another one than when they were last good."""
    now = book.accounts.prev_equity
    changed: Flags = (now != last.prev_equity) & np.isfinite(last.prev_equity) & np.isfinite(now)
    return changed


def _may_improve(day: DayBase, last: LastGood, book: Book, rollover: Rollover) -> Flags:
    """Rows whose base the next Book may still better: not those known by deals, once watched
    since, of whom the server has no record."""
    by_deals: Flags = (day.origin == Origin.DEALS) & (last.at > day.at)
    if rollover == SERVER_DAY:
        by_deals &= ~(np.isfinite(book.accounts.prev_balance + book.accounts.prev_equity))
    improvable: Flags = ~by_deals
    return improvable


def _learnt(
    day: DayBase,
    last: LastGood,
    book: Book,
    unsettled: Flags,
    rollover: Rollover,
    watch: Watch,
) -> _Columns:
    accounts = book.accounts
    tolerance = 1.5 * 10.0 ** -accounts.digits.astype(np.float64)
    before = float(np.nextafter(day.at, -np.inf))
    columns = (day.balance, day.equity, day.origin, day.taken)
    by_deals = np.full(len(accounts), np.nan)
    if complete_since(book, day.at):
        by_deals = accounts.balance - sums(book, after(book, before), exclude=CREDIT_TYPES)
        columns = _put(
            columns,
            unsettled & (day.origin < Origin.MANUAL),
            by_deals,
            np.full(len(by_deals), np.nan),
            Origin.DEALS,
            before,
        )
    if book.taken_at == day.at:
        return _put(columns, unsettled, accounts.balance, accounts.equity, Origin.OBSERVED, day.at)
    if watch.starting is not None:
        first = unsettled & watch.starting
        at = book.taken_at
        columns = _put(columns, first, watch.initial, watch.initial, Origin.OBSERVED, at)
    columns = _watched(columns, day, last, book, unsettled, before, tolerance, watch)
    if rollover == SERVER_DAY:
        columns = _from_server(columns, day, last, book, unsettled, before, by_deals, tolerance)
    return columns


def _watched(
    columns: _Columns,
    day: DayBase,
    last: LastGood,
    book: Book,
    unsettled: Flags,
    before: float,
    tolerance: Floats,
    watch: Watch,
) -> _Columns:
    """The last good figures before the rollover, where nothing but flows came after them."""
    watched = (last.at <= day.at) & (day.at - last.at <= watch.gap) & unsettled
    if not bool(watched.any()):
        return columns
    accounts, types = book.accounts, watch.flow_types
    if not watch.vouched:
        came = sums(book, after(book, last.at), types=types, exclude=CREDIT_TYPES)
        watched &= np.abs(accounts.balance - last.balance - came) <= tolerance
    early = after(book, last.at) & ~after(book, before)
    return _put(
        columns,
        watched,
        last.balance + sums(book, early, types=types, exclude=CREDIT_TYPES),
        last.equity + sums(book, early, types=types),
        Origin.OBSERVED,
        before,
    )


def _from_server(
    columns: _Columns,
    day: DayBase,
    last: LastGood,
    book: Book,
    unsettled: Flags,
    before: float,
    by_deals: Floats,
    tolerance: Floats,
) -> _Columns:
    """The server's own record, where the deals do not contradict it and it is today's."""
    accounts = book.accounts
    vouched = np.isnan(by_deals) | (np.abs(accounts.prev_balance - by_deals) <= tolerance)
    late = book.taken_at - day.at >= SERVER_GRACE
    since = _seen_to_change(last, book) | late
    renewed = np.where(last.at <= day.at, accounts.prev_equity != last.prev_equity, since)
    renewed |= np.isnan(last.at) & late
    known = np.isfinite(accounts.prev_balance) & np.isfinite(accounts.prev_equity)
    return _put(
        columns,
        unsettled & known & vouched & renewed,
        accounts.prev_balance,
        accounts.prev_equity,
        Origin.SERVER,
        before,
    )


def _put(
    columns: _Columns, rows: Flags, balance: Floats, equity: Floats, origin: Origin, taken: float
) -> _Columns:
    rows = rows & ~np.isnan(balance)
    if not bool(rows.any()):
        return columns
    if bool(rows.all()):
        count = len(rows)
        return balance, equity, np.full(count, np.int8(origin)), repeated(taken, count)
    return (
        np.where(rows, balance, columns[0]),
        np.where(rows, equity, columns[1]),
        np.where(rows, np.int8(origin), columns[2]),
        np.where(rows, taken, columns[3]),
    )


def _settled(day: DayBase, columns: _Columns) -> DayBase:
    balance, equity, origin, taken = columns
    if origin is day.origin:
        return day
    return replace(day, balance=balance, equity=equity, origin=origin, taken=taken, counted=None)


def _with_flows(day: DayBase, book: Book, watch: Watch) -> DayBase:
    if day.counted is book.deals:
        return day
    flow_types = watch.flow_types
    later = after(book, day.taken, np.isin(book.deals.type, flow_types))
    flow = sums(book, later, types=flow_types)
    credited = bool(np.isin(book.deals.type, CREDIT_TYPES).any())
    flow_balance = flow
    if credited:
        flow_balance = sums(book, later, types=flow_types, exclude=CREDIT_TYPES)
    read_all = watch.vouched or complete_since(book, day.at)
    if not read_all and book.deals_since is not None:
        unread = day.taken < book.deals_since - (book.server_offset or 0.0)
        flow = np.where(unread, np.nan, flow)
        flow_balance = np.where(unread, np.nan, flow_balance) if credited else flow
    alike = flow_balance is flow and day.flow_balance is day.flow
    flow = _unless_same(flow, day.flow)
    flow_balance = flow if alike else _unless_same(flow_balance, day.flow_balance)
    same_base = day.counted is not None and flow is day.flow
    return replace(
        day,
        flow=flow,
        flow_balance=flow_balance,
        start=day.start if same_base else day.equity + flow,
        counted=book.deals,
    )


def _unless_same(flow: Floats, before: Floats) -> Floats:
    """The flows, or the column before where they are the same."""
    if flow.strides == before.strides == (0,) and len(flow) == len(before):
        now, then = flow[:1], before[:1]  # one number says it all
    else:
        now, then = flow, before
    same = np.array_equal(now, then) or np.array_equal(now, then, equal_nan=True)
    return before if same else flow


def moved_day(day: DayBase, row: Ints, known: Flags) -> DayBase:
    """The day in another row order; `row` is the old row of each new one."""

    def moved(column: Floats) -> Floats:
        return np.where(known, column[row], np.nan)

    return replace(
        day,
        balance=moved(day.balance),
        equity=moved(day.equity),
        origin=np.where(known, day.origin[row], np.int8(Origin.UNKNOWN)),
        taken=np.where(known, day.taken[row], np.nextafter(day.at, -np.inf)),
        flow=moved(day.flow),
        flow_balance=moved(day.flow_balance),
        start=moved(day.start),
        counted=None,
    )


def with_base(day: DayBase, row: int, balance: float, equity: float) -> DayBase:
    """The day with an operator's entry as its base."""
    changed = replace(
        day,
        balance=day.balance.copy(),
        equity=day.equity.copy(),
        origin=day.origin.copy(),
        taken=day.taken.copy(),
        counted=None,
    )
    changed.balance[row] = balance
    changed.equity[row] = equity
    changed.origin[row] = Origin.MANUAL
    changed.taken[row] = np.nextafter(day.at, -np.inf)
    return changed

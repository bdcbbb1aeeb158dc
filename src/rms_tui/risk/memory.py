"""What MT5 forgets: each account's balance and equity at the start of its trading day.

`remember` is a step: the memory before and a Book give the memory after. A base is learnt once a
day from the best origin there is, never guessed: where nothing vouches for it, it stays unknown
(NaN) and the rules that need it decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from rms_tui.book import Accounts, Book, Bytes, Deals, Flags, Floats, Ints, rows_of, summed
from rms_tui.risk.clock import last_rollover, next_rollover
from rms_tui.risk.profile import SERVER, Rollover

FLOW_TYPES = (2, 3, 4, 5, 6, 19, 20)
"""Deal types that are money in or out, not a trading result: balance, credit, charge, correction,
bonus and the two stop-out compensations."""

CREDIT_TYPES = (3, 20)
"""Flows that change credit and equity, but not the balance."""

SERVER_DAY = Rollover(zone=SERVER, at="00:00")

SERVER_GRACE = 120.0
"""Seconds after the rollover in which a server's end-of-day record may still be yesterday's."""


_Columns = tuple[Floats, Floats, Bytes, Floats]
_Column = TypeVar("_Column", Floats, Bytes)


class Origin(IntEnum):
    """How a base was learnt; a higher one is better and final for the day."""

    UNKNOWN = 0
    MANUAL = 1
    DEALS = 2
    OBSERVED = 3
    SERVER = 4

    @property
    def word(self) -> str:
        return self.name.lower()


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


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything remembered between Books, in the row order of `login` (ascending)."""

    login: Ints
    last: LastGood
    days: Mapping[Rollover, DayBase] = field(default_factory=lambda: MappingProxyType({}))


def blank(login: Ints) -> Memory:
    """The memory of accounts never seen before."""
    none = np.full(len(login), np.nan)
    return Memory(login, LastGood(none, none, none, none))


def remember(
    memory: Memory | None,
    book: Book,
    good: Flags,
    rollovers: Iterable[Rollover],
    *,
    interval: float,
    flow_types: tuple[int, ...] = FLOW_TYPES,
    keep_intervals: float = 3.0,
) -> Memory:
    """The memory after a Book.

    `good` says which rows are fit to decide on; others change nothing. `interval` is the poll
    interval in seconds: an observation older than `keep_intervals` of them at the rollover is too
    old to be its base. Columns that did not change stay the same objects.
    """
    before = _aligned(blank(book.accounts.login) if memory is None else memory, book.accounts)
    gap = interval * keep_intervals
    days = {rollover: _day(before, book, good, rollover, gap, flow_types) for rollover in rollovers}
    return Memory(book.accounts.login, _last(before.last, book, good), MappingProxyType(days))


def entered(
    memory: Memory, rollover: Rollover, login: int, *, balance: float, equity: float
) -> Memory:
    """The memory with a base an operator entered for the present day of a rollover.

    Raises ValueError for an account or rollover that is not remembered.
    """
    row = int(rows_of(memory.login, np.array([login], dtype=np.int64))[0])
    if row < 0 or rollover not in memory.days:
        raise ValueError(f"account {login} has no trading day {rollover.zone} {rollover.at} here")
    day = memory.days[rollover]
    changed = replace(
        day,
        balance=_with(day.balance, row, balance),
        equity=_with(day.equity, row, equity),
        origin=_with(day.origin, row, Origin.MANUAL),
        taken=_with(day.taken, row, np.nextafter(day.at, -np.inf)),
        counted=None,
    )
    return replace(memory, days=MappingProxyType({**memory.days, rollover: changed}))


def _with(column: _Column, row: int, value: float) -> _Column:
    changed = column.copy()
    changed[row] = value
    return changed


def _aligned(memory: Memory, accounts: Accounts) -> Memory:
    if memory.login is accounts.login:
        return memory
    if np.array_equal(memory.login, accounts.login):
        return replace(memory, login=accounts.login)
    row = rows_of(memory.login, accounts.login)
    known = row >= 0

    def moved(column: Floats, absent: float = np.nan) -> Floats:
        if len(column) == 0:
            return np.full(len(row), absent)
        return np.where(known, column[row], absent)

    last = memory.last
    return Memory(
        accounts.login,
        LastGood(moved(last.balance), moved(last.equity), moved(last.prev_equity), moved(last.at)),
        {
            rollover: replace(
                day,
                balance=moved(day.balance),
                equity=moved(day.equity),
                origin=moved(day.origin.astype(np.float64), Origin.UNKNOWN).astype(np.int8),
                taken=moved(day.taken),
                flow=moved(day.flow),
                flow_balance=moved(day.flow_balance),
                start=moved(day.start),
                counted=None,
            )
            for rollover, day in memory.days.items()
        },
    )


def _last(last: LastGood, book: Book, good: Flags) -> LastGood:
    accounts = book.accounts
    if bool(good.all()):
        at = np.broadcast_to(np.float64(book.taken_at), len(accounts))
        return LastGood(accounts.balance, accounts.equity, accounts.prev_equity, at)
    return LastGood(
        np.where(good, accounts.balance, last.balance),
        np.where(good, accounts.equity, last.equity),
        np.where(good, accounts.prev_equity, last.prev_equity),
        np.where(good, book.taken_at, last.at),
    )


def _unknown_day(rows: int, at: float, until: float) -> DayBase:
    none = np.full(rows, np.nan)
    taken = np.full(rows, np.nextafter(at, -np.inf))
    return DayBase(at, until, none, none, np.zeros(rows, dtype=np.int8), taken, none, none, none)


def _day(
    memory: Memory,
    book: Book,
    good: Flags,
    rollover: Rollover,
    gap: float,
    flow_types: tuple[int, ...],
) -> DayBase:
    day = memory.days.get(rollover)
    if day is None or not day.at <= book.taken_at < day.until:
        at = last_rollover(rollover, book.taken_at, book.server_offset)
        until = next_rollover(rollover, book.taken_at, book.server_offset)
        if at is None or until is None:
            unknown = day is not None and np.isnan(day.at)
            return day if day is not None and unknown else _unknown_day(len(good), np.nan, np.nan)
        day = _unknown_day(len(good), at, until)
    unsettled = good & (day.origin < Origin.OBSERVED)
    if bool(unsettled.any()):
        day = _learnt(day, memory.last, book, unsettled, rollover, gap, flow_types)
    return _with_flows(day, book, flow_types)


def _learnt(
    day: DayBase,
    last: LastGood,
    book: Book,
    unsettled: Flags,
    rollover: Rollover,
    gap: float,
    flow_types: tuple[int, ...],
) -> DayBase:
    accounts = book.accounts
    tolerance = 1.5 * 10.0 ** -accounts.digits.astype(np.float64)
    before = np.nextafter(day.at, -np.inf)
    moved = _sums(book, _after(book, before), exclude=CREDIT_TYPES)
    by_deals = accounts.balance - moved  # NaN while the deals since the rollover are unknown

    columns = (day.balance, day.equity, day.origin, day.taken)
    columns = _put(
        columns,
        unsettled & (day.origin < Origin.MANUAL) & ~np.isnan(by_deals),
        by_deals,
        np.full(len(by_deals), np.nan),
        Origin.DEALS,
        before,
    )

    if book.taken_at == day.at:
        return _settled(
            day,
            _put(columns, unsettled, accounts.balance, accounts.equity, Origin.OBSERVED, day.at),
        )

    watched = (last.at <= day.at) & (day.at - last.at <= gap)
    if bool((watched & unsettled).any()):
        came = _sums(book, _after(book, last.at), types=flow_types, exclude=CREDIT_TYPES)
        agrees = np.abs(accounts.balance - last.balance - came) <= tolerance
        early = _after(book, last.at) & ~_after(book, before)
        columns = _put(
            columns,
            unsettled & watched & agrees,
            last.balance + _sums(book, early, types=flow_types, exclude=CREDIT_TYPES),
            last.equity + _sums(book, early, types=flow_types),
            Origin.OBSERVED,
            before,
        )

    if rollover == SERVER_DAY:
        vouched = np.isnan(by_deals) | (np.abs(accounts.prev_balance - by_deals) <= tolerance)
        renewed = np.where(
            last.at <= day.at,
            accounts.prev_equity != last.prev_equity,
            book.taken_at - day.at >= SERVER_GRACE,
        ) | (np.isnan(last.at) & (book.taken_at - day.at >= SERVER_GRACE))
        known = np.isfinite(accounts.prev_balance) & np.isfinite(accounts.prev_equity)
        columns = _put(
            columns,
            unsettled & known & vouched & renewed,
            accounts.prev_balance,
            accounts.prev_equity,
            Origin.SERVER,
            before,
        )
    return _settled(day, columns)


def _put(
    columns: _Columns, rows: Flags, balance: Floats, equity: Floats, origin: Origin, taken: float
) -> _Columns:
    if not bool(rows.any()):
        return columns
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


def _with_flows(day: DayBase, book: Book, flow_types: tuple[int, ...]) -> DayBase:
    if day.counted is book.deals:
        return day
    later = _after(book, day.taken)
    flow = _sums(book, later, types=flow_types)
    flow_balance = _sums(book, later, types=flow_types, exclude=CREDIT_TYPES)
    if np.array_equal(flow, day.flow, equal_nan=True):
        flow = day.flow
    if np.array_equal(flow_balance, day.flow_balance, equal_nan=True):
        flow_balance = day.flow_balance
    return replace(
        day,
        flow=flow,
        flow_balance=flow_balance,
        start=day.equity + flow,
        counted=book.deals,
    )


def _after(book: Book, when: Floats | float) -> Flags:
    """Which deals came later than an instant (UTC seconds), or than their account's own one."""
    deals = book.deals
    if book.server_offset is None or len(deals) == 0:
        return np.zeros(len(deals), dtype=np.bool_)
    time = deals.time - book.server_offset
    if isinstance(when, np.ndarray):
        row = rows_of(book.accounts.login, deals.login)
        return (time > when[np.maximum(row, 0)]) & (row >= 0)
    return time > when


def _sums(
    book: Book,
    among: Flags,
    *,
    types: tuple[int, ...] | None = None,
    exclude: tuple[int, ...] = (),
) -> Floats:
    """What those deals moved for each account: profit + swap + commission. NaN while unknown."""
    if book.deals_since is None or book.server_offset is None:
        return np.full(len(book.accounts), np.nan)
    deals = book.deals
    wanted = among & ~np.isin(deals.type, exclude)
    if types is not None:
        wanted &= np.isin(deals.type, types)
    row = rows_of(book.accounts.login, deals.login)
    wanted &= row >= 0
    amount = deals.profit[wanted] + deals.swap[wanted] + deals.commission[wanted]
    return summed(row[wanted], amount, len(book.accounts))

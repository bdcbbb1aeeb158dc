"""What MT5 forgets: bases of the trading day, flows, peaks, and how each period went.

`remember` is a step: the memory before and a Book give the memory after. It is pure and holds
nothing but columns, one row an account: what is written of it row by row and read back
(`rms_tui.risk.memory_rows`) goes on as if there had been no restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from rms_tui.book import (
    Accounts,
    Book,
    Flags,
    Floats,
    Ints,
    every,
    least,
    most,
    repeated,
    rows_of,
    some,
)
from rms_tui.risk.bare import Bare, bare_after, moved_bare
from rms_tui.risk.days import (
    SERVER_DAY,
    DayBase,
    LastGood,
    Origin,
    Watch,
    day_after,
    moved_day,
)
from rms_tui.risk.flows import (
    CREDIT_TYPES,
    FLOW_TYPES,
    Came,
    Total,
    counted,
    from_the_start,
    moved_total,
    no_flows,
)
from rms_tui.risk.peaks import Peak, Seen, moved_peak, peak_after, unknown_peak
from rms_tui.risk.periods import Period, Periods, Quiet, Span, moved_periods, periods_after
from rms_tui.risk.profile import Rollover, Trail


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything remembered between Books, in the row order of `login` (ascending).

    `bare` is there while a rule asks since when positions have no stop. `quiet` only saves work:
    whoever changes `periods` sets it to None.
    """

    login: Ints
    last: LastGood
    total: Total
    days: Mapping[Rollover, DayBase] = field(default_factory=lambda: MappingProxyType({}))
    peaks: Mapping[Trail, Peak] = field(default_factory=lambda: MappingProxyType({}))
    periods: Mapping[Span, Period] = field(default_factory=lambda: MappingProxyType({}))
    bare: Bare | None = None
    quiet: Quiet | None = None


def blank(login: Ints) -> Memory:
    """The memory of accounts never seen before."""
    none = np.full(len(login), np.nan)
    return Memory(login, LastGood(none, none, none, none), no_flows(len(login)))


def remember(
    memory: Memory | None,
    book: Book,
    good: Flags,
    rollovers: Iterable[Rollover],
    *,
    interval: float,
    trails: Iterable[Trail] = (),
    initial: Floats | None = None,
    flow_types: tuple[int, ...] = FLOW_TYPES,
    keep_intervals: float = 3.0,
    vouched: bool = False,
    stored: bool = False,
    without: Ints | None = None,
) -> Memory:
    """The memory after a Book.

    `good` says which rows are fit to decide on; others change nothing. `interval` is the poll
    interval in seconds: an observation older than `keep_intervals` of them at the rollover is too
    old to be its base, and a peak across a longer gap is not sure. `trails` are the peaks to
    follow, `initial` each account's initial balance (NaN for none). `vouched` is for a written
    timeline: it starts with the cycle and nothing happened between its rows. `stored` is for a
    memory that was read back: nobody looked since its last figures, and where somebody would have
    seen newer ones before the rollover they are no base. `without` are the rows of positions that
    have no stop, where it is followed since when they have none. Columns that did not change stay
    the same objects.
    """
    rows = len(book.accounts)
    login = book.accounts.login
    if memory is None:
        memory = blank(login)
        if vouched:
            memory = replace(memory, total=from_the_start(rows))
    before = aligned(memory, login)
    initial = repeated(np.nan, rows) if initial is None else initial
    gap = interval * keep_intervals
    starting = _starting(before.last, book.accounts, good, initial, vouched=vouched)
    total, came = counted(before.total, book, before.last.at, good, flow_types)
    watch = Watch(interval if stored else gap, flow_types, starting, initial, vouched, stored)
    days = {
        rollover: day_after(before.days.get(rollover), before.last, book, good, rollover, watch)
        for rollover in rollovers
    }
    in_step = good if vouched else _in_step(before.last, book, came, good)
    peaks = _peaks(before, book, tuple(trails), days, watch, good, in_step, came, total, gap)
    server_day = days.get(SERVER_DAY)
    periods, quiet = before.periods, before.quiet
    if server_day is not None:
        periods, quiet = periods_after(periods, quiet, book, in_step, came, server_day.at)
    bare = None
    if without is not None:
        bare = bare_after(before.bare, book, good, before.last.at, gap, without, vouched=vouched)
    return Memory(
        book.accounts.login,
        _last(before.last, book, good),
        total,
        MappingProxyType(days),
        peaks,
        periods if periods is before.periods else MappingProxyType(dict(periods)),
        bare,
        quiet,
    )


def aligned(memory: Memory, login: Ints) -> Memory:
    """The memory of exactly these accounts (ascending): nothing is known of one not in it."""
    if memory.login is login:
        return memory
    if np.array_equal(memory.login, login):
        return replace(memory, login=login)
    if len(memory.login) == 0:
        return blank(login)
    row = rows_of(memory.login, login)
    known = row >= 0

    def moved(column: Floats) -> Floats:
        return np.where(known, column[row], np.nan)

    last = memory.last
    days = {key: moved_day(day, row, known) for key, day in memory.days.items()}
    peaks = {key: moved_peak(peak, row, known) for key, peak in memory.peaks.items()}
    return Memory(
        login,
        LastGood(moved(last.balance), moved(last.equity), moved(last.prev_equity), moved(last.at)),
        moved_total(memory.total, row, known),
        MappingProxyType(days),
        MappingProxyType(peaks),
        MappingProxyType(moved_periods(dict(memory.periods), row, known)),
        None if memory.bare is None else moved_bare(memory.bare, row, known),
    )


def _last(last: LastGood, book: Book, good: Flags) -> LastGood:
    accounts = book.accounts
    if every(good):
        at = repeated(book.taken_at, len(accounts))
        return LastGood(accounts.balance, accounts.equity, accounts.prev_equity, at)
    return LastGood(
        np.where(good, accounts.balance, last.balance),
        np.where(good, accounts.equity, last.equity),
        np.where(good, accounts.prev_equity, last.prev_equity),
        np.where(good, book.taken_at, last.at),
    )


def _starting(
    last: LastGood, accounts: Accounts, good: Flags, initial: Floats, *, vouched: bool
) -> Flags | None:
    """Rows first seen with their initial balance and nothing else: the start of their cycle (None:
    there are none).

    A timeline may begin in its midst, with positions open: it says that the cycle is its own.
    """
    if not np.isnan(least(last.at)):
        return None
    first = np.isnan(last.at)
    exact = (accounts.balance == initial) & (accounts.credit == 0)
    if not vouched:
        exact &= accounts.equity == initial
        exact &= initial > 0  # zeros may be those of a terminal that has only begun to start
    starting: Flags = first & exact & good
    return starting if some(starting) else None


def _in_step(last: LastGood, book: Book, came: Came | None, good: Flags) -> Flags:
    """Good rows whose balance moved by what their new deals say, or did not move.

    A source reads accounts and deals one after the other: a deposit may be in the balance a poll
    before its deal is known, and would raise a peak that the deal then raises again. A row out of
    step is not measured for one poll.
    """
    balance = book.accounts.balance
    if came is None and balance is last.balance:
        return good
    off = balance - last.balance
    if came is not None:
        off -= came.moved
    np.abs(off, out=off)
    digits = book.accounts.digits
    if most(off) <= 1.5 * 10.0 ** -float(digits.max(initial=0)):
        return good
    apart = off > 1.5 * 10.0 ** -digits.astype(np.float64)
    return good & ~apart if bool(apart.any()) else good


def _peaks(
    before: Memory,
    book: Book,
    trails: tuple[Trail, ...],
    days: Mapping[Rollover, DayBase],
    watch: Watch,
    good: Flags,
    in_step: Flags,
    came: Came | None,
    total: Total,
    gap: float,
) -> Mapping[Trail, Peak]:
    if not trails:
        return before.peaks
    rows = len(book.accounts)
    starting = watch.starting
    if watch.vouched and bool(np.isnan(before.last.at).any()):
        starting = np.isnan(before.last.at) & ~np.isnan(watch.initial)
    lost_balance, lost_equity = _lost(before.last, book, good, gap, came)
    lost_flows = None
    if total.flow is not before.total.flow:
        lost_flows = np.isnan(total.flow) & ~np.isnan(before.total.flow)
    seen = Seen(
        watch.initial,
        starting if starting is not None and some(starting) else None,
        good,
        in_step,
        came,
        lost_balance,
        lost_equity,
        lost_flows,
    )
    made = {}
    for trail in trails:
        known = before.peaks.get(trail) or unknown_peak(rows)
        then = None if trail.rollover is None else before.days.get(trail.rollover)
        now = None if trail.rollover is None else days.get(trail.rollover)
        made[trail] = peak_after(known, trail, book, seen, then, now)
    return MappingProxyType(made)


def _lost(
    last: LastGood, book: Book, good: Flags, gap: float, came: Came | None
) -> tuple[Flags | None, Flags | None]:
    """Rows not watched for longer than `gap` while their balance, or their equity, may have moved.

    An account that stands where it stood, but for deposits and withdrawals, did not trade. Only a
    good row can say where it stands.
    """
    if book.taken_at - least(last.at) <= gap:  # NaN is not
        return None, None
    away = good & (book.taken_at - last.at > gap)
    if not bool(away.any()):
        return None, None
    accounts = book.accounts
    tolerance = 1.5 * 10.0 ** -accounts.digits.astype(np.float64)
    balance = accounts.balance - last.balance
    floating = (accounts.equity - accounts.balance) - (last.equity - last.balance)
    if came is not None:
        balance = balance - came.balance
        floating = floating - (came.equity - came.balance)
        traded = np.abs(came.moved - came.balance) > tolerance
        balance = np.where(traded, np.inf, balance)
    moved = np.abs(balance) > tolerance
    return away & moved, away & (moved | (np.abs(floating) > tolerance))


__all__ = [
    "CREDIT_TYPES",
    "FLOW_TYPES",
    "SERVER_DAY",
    "DayBase",
    "LastGood",
    "Memory",
    "Origin",
    "Peak",
    "Period",
    "Periods",
    "Span",
    "Total",
    "Trail",
    "aligned",
    "blank",
    "remember",
]

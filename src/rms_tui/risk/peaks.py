"""Peaks that trailing rules follow: how high equity, balance or a day's last balance ever was.

A peak starts at the initial balance, never falls but by a withdrawal where its trail says so, and
is only believed where the account was watched all the way: `sure` is False where a higher one may
have been missed, and then the known one is a lower bound. Where withdrawals that would have lowered
it were missed it is none: it begins anew with what is seen then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rms_tui.book import Accounts, Book, Flags, Floats, Ints, least, repeated
from rms_tui.risk.days import DayBase, same_start
from rms_tui.risk.flows import Came
from rms_tui.risk.profile import Trail


@dataclass(frozen=True, slots=True)
class Peak:
    """One trail's peak of each account: NaN while nobody vouches for any.

    `since` is when each account began to be watched without a gap (UTC seconds, NaN for never):
    what an operator enters later than that stays true.
    """

    value: Floats
    sure: Flags
    since: Floats


@dataclass(frozen=True, slots=True)
class Seen:
    """What a Book says about peaks before their trails are looked at.

    `starting` are rows at the very start of their cycle (None: none is), `initial` each account's
    initial balance; `good` rows are fit to decide on, `in_step` those whose balance and deals tell
    the same story; `lost_balance` and `lost_equity` are rows that were not watched while balance or
    equity may have moved; `lost_flows` those of whose deposits and withdrawals some were missed
    just now.
    """

    initial: Floats
    starting: Flags | None
    good: Flags
    in_step: Flags
    came: Came | None
    lost_balance: Flags | None
    lost_equity: Flags | None
    lost_flows: Flags | None


def unknown_peak(rows: int) -> Peak:
    """A peak nobody vouches for."""
    none = np.full(rows, np.nan)
    return Peak(none, np.zeros(rows, dtype=np.bool_), none)


def peak_after(
    peak: Peak, trail: Trail, book: Book, seen: Seen, before: DayBase | None, day: DayBase | None
) -> Peak:
    """The peak after a Book; `before` and `day` are the trail's trading day then and now."""
    value, sure, since = peak.value, peak.sure, peak.since
    if np.isnan(least(since)):
        since = _watched_from(since, seen.good, book.taken_at)
    if seen.starting is not None:
        unsettled = seen.starting & np.isnan(value)
        value = np.where(unsettled, seen.initial, value)
        sure = sure | unsettled
    lowers = trail.withdrawals == "lower_peak"
    if lowers and seen.came is not None:
        flow = seen.came.balance if "balance" in _parts(trail) else seen.came.equity
        value = value + flow
    top = _top(trail, book.accounts, day)
    if lowers and seen.lost_flows is not None and bool(seen.lost_flows.any()):
        begun_anew = np.where(seen.in_step, top, np.nan)
        value = np.where(seen.lost_flows & ~np.isnan(value), begun_anew, value)
    higher = top > value
    higher &= seen.in_step if lowers else seen.good
    if bool(higher.any()):
        value = np.where(higher, top, value)
    for lost in _lost(peak, trail, seen, before, day):
        if bool(lost.any()):
            sure = sure & ~lost if bool((lost & sure).any()) else sure
            since = np.where(lost, book.taken_at, since)
    if value is peak.value and sure is peak.sure and since is peak.since:
        return peak
    return Peak(value, sure, since)


def _watched_from(since: Floats, good: Flags, now: float) -> Floats:
    """Since when each account is watched, with those that are good for the first time now."""
    first = good & np.isnan(since)
    if bool(first.all()):
        return repeated(now, len(since))
    return np.where(first, now, since) if bool(first.any()) else since


def _parts(trail: Trail) -> tuple[str, ...]:
    return {"equity": ("equity",), "max_balance_equity": ("equity",)}.get(
        trail.source, ("balance",)
    )


def _top(trail: Trail, accounts: Accounts, day: DayBase | None) -> Floats:
    match trail.source:
        case "equity":
            return accounts.equity
        case "balance":
            return accounts.balance
        case "max_balance_equity":
            return np.maximum(accounts.balance, accounts.equity)
    if day is None:
        return np.full(len(accounts), np.nan)
    if trail.withdrawals == "ignore":
        return day.balance
    return day.balance + day.flow_balance


def _lost(
    peak: Peak, trail: Trail, seen: Seen, before: DayBase | None, day: DayBase | None
) -> list[Flags]:
    found = []
    by_equity = "equity" in _parts(trail)
    if trail.rollover is None:
        found.append(seen.lost_equity if by_equity else seen.lost_balance)
    elif before is not None and day is not None and not same_start(before.at, day.at):
        if seen.lost_balance is not None and not same_start(before.until, day.at):
            found.append(seen.lost_balance)
        found.append(_unmeasured(peak, before) & ~np.isnan(before.at))
    if trail.withdrawals == "lower_peak":
        found.append(seen.lost_flows)
    return [lost for lost in found if lost is not None]


def offered(peak: Peak, trail: Trail, day: DayBase | None) -> Flags:
    """Where the peak may be decided on: an end-of-day peak waits for the newest day's base."""
    if trail.rollover is None or day is None:
        return peak.sure
    unknown = _unmeasured(peak, day)
    return peak.sure & ~unknown if bool(unknown.any()) else peak.sure


def _unmeasured(peak: Peak, day: DayBase) -> Flags:
    """Rows that were watched when that day began, and yet nobody knows with what balance."""
    return np.isnan(day.balance) & np.logical_not(peak.since > day.at)


def moved_peak(peak: Peak, row: Ints, known: Flags) -> Peak:
    """The peak in another row order; `row` is the old row of each new one."""
    return Peak(
        np.where(known, peak.value[row], np.nan),
        known & peak.sure[row],
        np.where(known, peak.since[row], np.nan),
    )


def with_peak(peak: Peak, row: int, value: float) -> Peak:
    """The peak with an operator's entry."""
    changed = replace(peak, value=peak.value.copy(), sure=peak.sure.copy())
    changed.value[row] = value
    changed.sure[row] = True
    return changed

"""Money that came in or went out, from deals: of a day by time, of a lifetime by ticket.

A deposit is no profit and a withdrawal no loss: every figure that outlives a poll is kept free of
them. Sums are in the account's currency; NaN where the deals that would say so were not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rms_tui.book import Book, Deals, Flags, Floats, Ints, repeated, rows_of, summed

FLOW_TYPES = (2, 3, 4, 5, 6, 19, 20)
"""Deal types that are money in or out, not a trading result: balance, credit, charge, correction,
bonus and the two stop-out compensations."""

CREDIT_TYPES = (3, 20)
"""Flows that change credit and equity, but not the balance."""

NEVER = -2
"""Ticket of an account whose deals were never read."""

NONE_YET = -1
"""Ticket of an account without deals."""


@dataclass(frozen=True, slots=True)
class Came:
    """What new deals brought each account: external flows, and all that moved the balance."""

    equity: Floats
    balance: Floats
    moved: Floats


@dataclass(frozen=True, slots=True)
class Total:
    """External flows since an account was first seen, counted deal by deal.

    `ticket` is the highest deal ticket counted: a deal counts once, whenever it is read. `flow` is
    NaN while the deals are unknown, and from then on when some were missed.
    """

    flow: Floats
    flow_balance: Floats
    ticket: Ints
    counted: Deals | None = None
    since: int | None = None


def no_flows(rows: int) -> Total:
    """The flows of accounts never seen before."""
    none = np.full(rows, np.nan)
    return Total(none, none, np.full(rows, NEVER, dtype=np.int64))


def from_the_start(rows: int) -> Total:
    """The flows of accounts whose every deal will be counted: nothing has come yet."""
    none = np.zeros(rows)
    return Total(none, none, np.full(rows, NONE_YET, dtype=np.int64))


def counted(
    total: Total, book: Book, last_at: Floats, good: Flags, flow_types: tuple[int, ...]
) -> tuple[Total, Came | None]:
    """The total after a Book, and what its new deals brought; None where there are no new ones.

    What a row missed since it was last good counts as missed when it is good again, not before.
    """
    deals, offset, since = book.deals, book.server_offset, book.deals_since
    if since is None or offset is None:
        return total, None
    if total.counted is deals and total.since == since:
        return total, None
    flow, flow_balance, ticket = total.flow, total.flow_balance, total.ticket
    if since != total.since:
        missed = (ticket > NEVER) & (last_at < since - offset)
        if bool(missed.any()):
            since = total.since if bool((missed & ~good).any()) else since
            flow, flow_balance = _both(flow, flow_balance, missed & good, np.nan)
    if total.counted is deals:
        return replace(total, flow=flow, flow_balance=flow_balance, since=since), None
    fresh = ticket == NEVER
    came = None
    new = _new(deals, total.counted)
    row = rows_of(book.accounts.login, deals.login[new])
    new, row = new[row >= 0], row[row >= 0]
    later = (deals.ticket[new] > ticket[row]) & ~fresh[row]
    if bool(later.any()):
        came = _came(deals, new[later], row[later], len(ticket), flow_types)
        alike = flow is flow_balance and came.equity is came.balance
        flow, before = flow + came.equity, flow_balance
        flow_balance = flow if alike else before + came.balance
    if bool(fresh.any()):
        flow, flow_balance = _both(flow, flow_balance, fresh, 0.0)
        everybody = rows_of(book.accounts.login, deals.login)
        new, row = np.flatnonzero(everybody >= 0), everybody[everybody >= 0]
    if bool(fresh.any()) or len(new):
        ticket = np.where(fresh, NONE_YET, ticket)
        np.maximum.at(ticket, row, deals.ticket[new])
    return Total(flow, flow_balance, ticket, deals, since), came


def _both(flow: Floats, flow_balance: Floats, rows: Flags, value: float) -> tuple[Floats, Floats]:
    """Both sums with a value on those rows; they stay one column while no credit was moved."""
    changed = np.where(rows, value, flow)
    alike = flow is flow_balance
    return changed, changed if alike else np.where(rows, value, flow_balance)


def _new(deals: Deals, before: Deals | None) -> Ints:
    """Deals that were not in the Book before, which had most of them in the same order."""
    if before is not None and len(before) and len(deals):
        at = np.flatnonzero(before.ticket == deals.ticket[0])
        if len(at):
            known = len(before) - int(at[0])
            if known <= len(deals) and np.array_equal(before.ticket[at[0] :], deals.ticket[:known]):
                return np.arange(known, len(deals), dtype=np.int64)
    return np.arange(len(deals), dtype=np.int64)


def _came(deals: Deals, new: Ints, row: Ints, rows: int, flow_types: tuple[int, ...]) -> Came:
    amount = deals.profit[new] + deals.swap[new] + deals.commission[new]
    kind = deals.type[new]
    external, credit = np.isin(kind, flow_types), np.isin(kind, CREDIT_TYPES)
    equity = summed(row, amount * external, rows)
    no_credit = not bool(credit.any())
    return Came(
        equity,
        equity if no_credit else summed(row, amount * (external & ~credit), rows),
        summed(row, amount * ~credit, rows),
    )


def moved_total(total: Total, row: Ints, known: Flags) -> Total:
    """The totals in another row order; `row` is the old row of each new one."""

    def moved(column: Floats) -> Floats:
        return np.where(known, column[row], np.nan)

    return replace(
        total,
        flow=moved(total.flow),
        flow_balance=moved(total.flow_balance),
        ticket=np.where(known, total.ticket[row], NEVER),
        counted=None,
    )


def after(book: Book, when: Floats | float, among: Flags | None = None) -> Flags:
    """Which deals (of those `among`) came later than an instant (UTC seconds), or than their
    account's own one."""
    deals = book.deals
    if book.server_offset is None or len(deals) == 0:
        return np.zeros(len(deals), dtype=np.bool_)
    time = deals.time - book.server_offset
    earliest = np.fmin.reduce(when, initial=np.inf) if isinstance(when, np.ndarray) else when
    later: Flags = time > earliest
    if among is not None:
        later &= among
    if isinstance(when, np.ndarray):
        at = np.flatnonzero(later)
        row = rows_of(book.accounts.login, deals.login[at])
        later[at] = (time[at] > when[np.maximum(row, 0)]) & (row >= 0)
    return later


def sums(
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
    at = np.flatnonzero(wanted)
    row = rows_of(book.accounts.login, deals.login[at])
    at, row = at[row >= 0], row[row >= 0]
    if not len(at):
        return repeated(0.0, len(book.accounts))
    amount = deals.profit[at] + deals.swap[at] + deals.commission[at]
    return summed(row, amount, len(book.accounts))


def complete_since(book: Book, when: float) -> bool:
    """Whether the Book has every deal since that instant."""
    return (
        book.deals_since is not None
        and book.server_offset is not None
        and book.deals_since - book.server_offset <= when
    )

"""Since when open positions have no stop: MT5 says that one has none, not when it was taken away.

Counted from the later of a position's opening and the first Book in which it is without. Where
nobody was looking (before the first Book, over a gap) a position may have lost its stop at any time
since it was opened: what is certain and what may be are kept apart, and nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rms_tui.book import Book, Codes, Flags, Floats, Ints, rows_of


@dataclass(frozen=True, slots=True)
class Without:
    """One row a position without a stop; `since` and `earliest` as in Bare."""

    login: Ints
    ticket: Ints
    since: Floats
    earliest: Floats


@dataclass(frozen=True, slots=True)
class Looked:
    """The columns it was all made of, and whether the server's clock was known then."""

    login: Ints
    ticket: Ints
    account: Codes
    sl: Floats
    opened: Ints
    clock: bool


@dataclass(frozen=True, slots=True)
class Bare:
    """Each account's oldest position without a stop, a row an account, in UTC seconds.

    From `since` on there certainly was one without, from `earliest` on there may have been (NaN
    while the server's clock is unknown); both +inf where every position has its stop, and the same
    object where nothing is in doubt. `at` is the newest Book that was looked at.
    """

    since: Floats
    earliest: Floats
    at: float
    without: Without | None = None
    looked: Looked | None = None


def bare_after(
    before: Bare | None,
    book: Book,
    good: Flags,
    last_good: Floats,
    gap: float,
    naked: Ints,
    *,
    vouched: bool = False,
) -> Bare | None:
    """What is known after a Book; what was known before while none of its rows is `good`.

    `last_good` is when each account was last fit to decide on (UTC seconds). Across more than `gap`
    seconds without a look nothing is certain. `naked` are the rows of the positions without a stop;
    `vouched` is for a written timeline, whose positions are opened where they first stand.
    """
    if not bool(good.any()):
        return before
    now = book.taken_at
    if before is not None and not vouched and now - before.at > gap:
        before = None
    held, clock = book.positions, book.server_offset is not None
    looked = Looked(book.accounts.login, held.ticket, held.account, held.sl, held.opened, clock)
    if before is not None and before.looked is not None and _same(before.looked, looked):
        return replace(before, at=now)
    if before is not None and _none(before) and not len(naked) and len(before.since) == len(good):
        return replace(before, at=now, looked=looked)
    without = _without(before, book, naked, last_good, vouched)
    account = held.account[naked]
    was = (None, None) if before is None else (before.since, before.earliest)
    since = _kept(_oldest(without.since, account, len(good)), was[0])
    earliest = since
    if without.earliest is not without.since:
        earliest = _kept(_oldest(without.earliest, account, len(good)), was[1])
    return Bare(since, earliest, now, without, looked)


def first_look(book: Book) -> Bare:
    """What one Book says by itself: no more than which positions have no stop now."""
    good = np.ones(len(book.accounts), dtype=np.bool_)
    never = np.full(len(good), np.nan)
    none = np.full(len(good), np.inf)
    naked = np.flatnonzero(np.isnan(book.positions.sl))
    return bare_after(None, book, good, never, 0.0, naked) or Bare(none, none, book.taken_at)


def moved_bare(bare: Bare, row: Ints, known: Flags) -> Bare:
    """The same in another row order; `row` is the old row of each new one."""
    since = np.where(known, bare.since[row], np.inf)
    alike = bare.earliest is bare.since
    earliest = since if alike else np.where(known, bare.earliest[row], np.inf)
    return replace(bare, since=since, earliest=earliest)


def _same(before: Looked, now: Looked) -> bool:
    return (
        before.ticket is now.ticket
        and before.sl is now.sl
        and before.account is now.account
        and before.opened is now.opened
        and before.login is now.login
        and before.clock == now.clock
    )


def _none(bare: Bare) -> bool:
    """Whether no position was without a stop: nobody is in doubt then."""
    return bare.without is not None and len(bare.without.ticket) == 0


def _without(
    before: Bare | None, book: Book, rows: Ints, last_good: Floats, vouched: bool
) -> Without:
    """The positions in those rows, with since when they are known to have no stop."""
    held, now = book.positions, book.taken_at
    account = held.account[rows].astype(np.int64)
    login, ticket = book.accounts.login[account], held.ticket[rows]
    offset = np.nan if book.server_offset is None else book.server_offset
    opened = np.minimum(held.opened[rows] - offset, now)
    since, earliest = opened if vouched else np.full(len(rows), now), opened
    if before is not None and len(rows):
        since, earliest = since.copy(), earliest.copy()
        known = _as_before(before.without, login, ticket, since, earliest)
        fresh = np.flatnonzero(~known)
        if before.looked is not None and len(fresh):
            there = _was_there(before.looked, login[fresh], ticket[fresh])
            lost = fresh[there]
            since[lost] = earliest[lost] = now
            new = fresh[~there & (last_good[account[fresh]] == before.at)]
            new = new[~np.isnan(opened[new])]
            since[new] = earliest[new] = np.maximum(opened[new], before.at)
    if np.array_equal(since, earliest):
        earliest = since
    return Without(login, ticket, since, earliest)


def _as_before(
    before: Without | None, login: Ints, ticket: Ints, since: Floats, earliest: Floats
) -> Flags:
    """Which of these positions had no stop before; theirs is put into `since` and `earliest`."""
    if before is None:
        return np.zeros(len(ticket), dtype=np.bool_)
    at = _found(before.login, before.ticket, login, ticket)
    known: Flags = at >= 0
    was = at[known]
    since[known] = before.since[was]
    old = before.earliest[was]
    earliest[known] = np.where(np.isnan(old), earliest[known], old)
    return known


def _was_there(before: Looked, login: Ints, ticket: Ints) -> Flags:
    """Which of these positions were open in the Book before."""
    concerned = rows_of(np.unique(login), before.login) >= 0
    at = np.flatnonzero(concerned[before.account])
    owner = before.login[before.account[at].astype(np.int64)]
    there: Flags = _found(owner, before.ticket[at], login, ticket) >= 0
    return there


def _found(logins: Ints, tickets: Ints, login: Ints, ticket: Ints) -> Ints:
    """Where each position stands among those before, -1 for one that does not.

    A ticket is its account's: another server has the same number. Both are in the order of a Book,
    so that most stand where the first of their account does, and as far from it as before.
    """
    at = np.full(len(ticket), -1, dtype=np.int64)
    if len(ticket) == 0 or len(tickets) == 0:
        return at
    first = np.flatnonzero(np.diff(login, prepend=login[0] - 1))
    moved = np.searchsorted(logins, login[first]) - first
    guess = np.arange(len(ticket)) + np.repeat(moved, np.diff(first, append=len(login)))
    np.minimum(guess, len(tickets) - 1, out=guess)
    right = (tickets[guess] == ticket) & (logins[guess] == login)
    at[right] = guess[right]
    rest = np.flatnonzero(~right)
    owners = np.unique(login[rest])
    owner = rows_of(owners, logins)
    among = np.flatnonzero(owner >= 0)
    place = _searched(owner[among], tickets[among], rows_of(owners, login[rest]), ticket[rest])
    at[rest[place >= 0]] = among[place[place >= 0]]
    return at


def _searched(owners: Ints, tickets: Ints, owner: Ints, ticket: Ints) -> Ints:
    """The same by search; owners are numbers from 0."""
    known, ranked = np.unique(np.concatenate([tickets, ticket]), return_inverse=True)
    keys = ranked + len(known) * np.concatenate([owners, owner])
    old, new = keys[: len(tickets)], keys[len(tickets) :]
    order = np.argsort(old)
    at = rows_of(old[order], new)
    return np.where(at >= 0, order[at], -1) if len(order) else at


def _kept(column: Floats, before: Floats | None) -> Floats:
    same = before is not None and np.array_equal(column, before, equal_nan=True)
    return before if before is not None and same else column


def _oldest(since: Floats, row: Codes, accounts: int) -> Floats:
    oldest = np.full(accounts, np.inf)
    with np.errstate(invalid="ignore"):  # NaN is older than anything known
        np.minimum.at(oldest, row, since)
    return oldest

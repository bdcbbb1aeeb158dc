"""Which rows of a Book may not be decided at all, and why.

A row gives *no decision* when it is stale or disconnected, when a needed figure is missing, or
when its figures contradict each other: the rules then say `unknown`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from rms_tui.book import Accounts, Book, Bytes, Flags, Floats, least, most, repeated
from rms_tui.risk.verdict import Reason


class Funds(NamedTuple):
    """Balance and credit, and what they come to together."""

    balance: Floats
    credit: Floats
    sum: Floats


def funds(accounts: Accounts, before: Funds | None) -> Funds:
    """The funds of the accounts; those before while neither column changed."""
    balance, credit = accounts.balance, accounts.credit
    if before is not None and before.balance is balance and before.credit is credit:
        return before
    none = least(credit) == most(credit) == 0
    return Funds(balance, credit, balance if none else balance + credit)


@lru_cache(maxsize=8)
def nobody(rows: int) -> tuple[Bytes, Flags]:
    """That no row has a reason against it, and that every one is good."""
    return repeated(Reason.NONE, rows, np.int8), repeated(True, rows, np.bool_)


@np.errstate(invalid="ignore")  # infinite less infinite is no figure either
def undecided_rows(
    book: Book,
    positions: Floats,
    *,
    own: Funds | None = None,
    stale: bool = False,
    emptied: Callable[[], Flags | None] = lambda: None,
) -> Bytes:
    """Each row's Reason for giving no decision. `positions` is the number of open ones, NaN where
    some are open and nobody counted them. `own` are the accounts' funds if they were summed up.
    `emptied` is asked where one is at 0, and says of which rows it is not known where all their
    money went (None: of none).

    Equity must be balance + credit + floating within two units of the currency's last digit, and
    may not be 0 while there is an open position (a terminal that just started).
    """
    accounts = book.accounts
    if stale or not book.connected:
        why = Reason.STALE if stale else Reason.DISCONNECTED
        return repeated(why, len(accounts), np.int8)
    gap = funds(accounts, own).sum + accounts.floating
    gap -= accounts.equity
    lowest = least(accounts.equity)
    np.abs(gap, out=gap)
    differs = not most(gap) <= 2e-3  # NaN does too
    if lowest > 0 and not differs:  # NaN is not
        return nobody(len(accounts))[0]
    reason = np.zeros(len(accounts), dtype=np.int8)
    if differs:
        odd = ~(gap <= 2e-3)
        tolerance = 2.0 * 10.0 ** -accounts.digits[odd].astype(np.float64)
        tolerance += 1e-9 * np.abs(accounts.equity[odd])
        off = gap[odd] > tolerance
        reason[odd] = np.where(
            np.isfinite(gap[odd]), np.where(off, Reason.IDENTITY, Reason.NONE), Reason.NOT_A_NUMBER
        )
    if not lowest > 0:  # NaN is not
        zero = accounts.equity == 0.0
        reason[zero & (accounts.balance >= 0) & (positions != 0)] = Reason.ZERO_EQUITY
        gone = emptied()
        if gone is not None:
            reason[gone & (reason == Reason.NONE)] = Reason.EMPTIED
    return reason

"""Accounts that seem emptied: every figure is 0 where there was money, and no deal says why.

A terminal that has just started, or lost its account for a moment, shows such rows; they agree with
themselves. An account that was really emptied has the deals that did it.
"""

from __future__ import annotations

import numpy as np

from rms_tui.book import Book, Flags, rows_of
from rms_tui.risk.flows import CREDIT_TYPES, after, complete_since, sums
from rms_tui.risk.memory import Memory


def emptied(book: Book, known: Memory | None) -> Flags | None:
    """Those rows, None for none. Where not all deals since are known, 0 is taken as it stands."""
    if known is None or not len(known.login):
        return None
    accounts = book.accounts
    zero = (accounts.equity == 0) & (accounts.balance == 0) & (accounts.credit == 0)
    rows = np.flatnonzero(zero)
    if not len(rows):
        return None
    at = rows_of(known.login, accounts.login[rows])
    balance = np.where(at >= 0, known.last.balance[at], np.nan)
    since = np.where(at >= 0, known.last.at[at], np.nan)
    rows, balance, since = (column[balance > 0] for column in (rows, balance, since))
    if not len(rows) or not complete_since(book, float(since.min())):
        return None
    last_at = np.full(len(accounts), np.inf)
    last_at[rows] = since
    moved = sums(book, after(book, last_at), exclude=CREDIT_TYPES)[rows]
    unexplained = np.abs(balance + moved) > 1.5 * 10.0 ** -accounts.digits[rows].astype(np.float64)
    found = np.zeros(len(accounts), dtype=np.bool_)
    found[rows[unexplained]] = True
    return found if bool(unexplained.any()) else None

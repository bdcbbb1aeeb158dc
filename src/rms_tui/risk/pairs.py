"""Sums over what an account holds of one kind: a symbol, or a symbol and a direction.

Every pair of an account and a kind has a cell: all possible pairs where that is a small table (no
sorting), else those that are held. Which it is changes no sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from rms_tui.book import Flags, Floats, Ints, rows_of, summed

DENSE_CELLS = 100_000
"""Accounts x kinds up to which every possible pair has a cell."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The cell of each position, in `of`. `held` are the sorted keys of the pairs that are held,
    None where every possible pair has a cell."""

    accounts: int
    kinds: int
    of: Ints
    held: Ints | None

    @property
    def cells(self) -> int:
        return self.accounts * self.kinds if self.held is None else len(self.held)

    def summed(self, amount: Floats) -> Floats:
        """The sum of a position column in each cell."""
        return summed(self.of, amount, self.cells)

    def among(self, sums: Floats, accounts: Flags) -> Floats:
        """The cells of these accounts; nothing in those of others, whatever is unknown of them."""
        if self.held is None:
            table = sums.reshape(self.kinds, self.accounts)
            return np.where(accounts, table, 0.0).ravel()
        return np.where(accounts[self.held // self.kinds], sums, 0.0)

    def largest(self, sums: Floats) -> Floats:
        """Each account's largest cell, at least 0; NaN where one is."""
        if self.held is None:
            table = sums.reshape(self.kinds, self.accounts)
            return cast("Floats", np.maximum.reduce(table, axis=0, initial=0.0))
        found = np.zeros(self.accounts)
        with np.errstate(invalid="ignore"):  # NaN is an answer here
            np.maximum.at(found, self.held // self.kinds, sums)
        return found

    def holders(self, sums: Floats) -> Ints:
        """How many accounts have something in their cell of each kind."""
        if self.held is None:
            something = sums.reshape(self.kinds, self.accounts) != 0
            counts = map(np.count_nonzero, something)
            return np.fromiter(counts, dtype=np.int64, count=self.kinds)
        return np.bincount(self.held[sums != 0] % self.kinds, minlength=self.kinds)

    def find(self, account: Ints, kind: Ints) -> Ints:
        """The cells of other pairs, -1 where one has none; a cell need not be held in."""
        if self.held is None:
            return kind * self.accounts + account
        return rows_of(self.held, account * self.kinds + kind)


def pairs(account: Ints, kind: Ints, accounts: int, kinds: int, dense: int = DENSE_CELLS) -> Pairs:
    """The pairs of positions with these accounts (rows) and kinds (0 to `kinds` - 1)."""
    if accounts * kinds <= dense:
        cell = kind * accounts
        cell += account
        return Pairs(accounts, kinds, cell, None)
    held, of = np.unique(account * kinds + kind, return_inverse=True)
    return Pairs(accounts, kinds, of, held)

"""Sums over what an account holds of one kind: a symbol, or a symbol and a direction.

Positions are worked through in blocks of accounts, so that everything in between stays in the
processor's cache. In a block every pair of an account and a kind has a cell: all possible pairs
where that is a small table (no sorting), else those that are held. Which it is changes no sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from rms_tui.book import Codes, Floats, Ints, rows_of, summed

BLOCK = 4000
"""Accounts worked on at once. Not a power of two: a table's kinds lie this far apart, and would
then all fall on the same few lines of the cache."""

DENSE_CELLS = 100_000
"""Accounts x kinds of a block up to which every possible pair has a cell."""

_FEWEST = 256
"""Accounts below which a block is not worth its overhead: then only held pairs have cells."""


def blocks(account: Codes, accounts: int, kinds: int = 1) -> Iterator[tuple[slice, slice]]:
    """Runs of account rows, each with the run of its positions, which are in account order."""
    size = min(BLOCK, DENSE_CELLS // max(kinds, 1))
    size = size | 1 if size >= _FEWEST else BLOCK
    bounds = [*range(0, accounts, size), accounts]
    first = np.searchsorted(account, np.array(bounds, dtype=account.dtype)).tolist()
    for at in range(len(bounds) - 1):
        yield slice(bounds[at], bounds[at + 1]), slice(first[at], first[at + 1])


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

    def largest(self, sums: Floats) -> Floats:
        """Each account's largest cell, at least 0; NaN where one is."""
        if self.held is None:
            table = sums.reshape(self.kinds, self.accounts)
            return cast("Floats", np.maximum.reduce(table, axis=0, initial=0.0))
        found = np.zeros(self.accounts)
        with np.errstate(invalid="ignore"):  # NaN is an answer here
            np.maximum.at(found, self.held // self.kinds, sums)
        return found

    def find(self, account: Ints, kind: Ints) -> Ints:
        """The cells of other pairs, -1 where one has none; a cell need not be held in."""
        if self.held is None:
            return kind * self.accounts + account
        return rows_of(self.held, account * self.kinds + kind)


def pairs(account: Codes, kind: Ints, accounts: int, kinds: int, dense: int = DENSE_CELLS) -> Pairs:
    """The pairs of positions with these accounts (rows) and kinds (0 to `kinds` - 1)."""
    if accounts * kinds <= dense:
        cell = kind * accounts
        cell += account
        return Pairs(accounts, kinds, cell, None)
    key = account.astype(np.int64) * kinds
    key += kind
    held, of = np.unique(key, return_inverse=True)
    return Pairs(accounts, kinds, of, held)

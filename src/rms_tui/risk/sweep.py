"""One sweep over all open positions for everything that is summed up from them.

Positions are worked through in blocks of accounts, so that all that is in between stays in the
processor's cache, and what several sums need of a block is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

import numpy as np

from rms_tui.book import Book, Flags, Floats, Ints
from rms_tui.risk.pairs import DENSE_CELLS, Pairs, pairs

T = TypeVar("T")

BLOCK = 4000
"""Accounts worked on at once. Not a power of two: a table's kinds lie this far apart, and would
then all fall on the same few lines of the cache."""

FEWEST = 256
"""Accounts below which a block is not worth its overhead: then only held pairs have cells."""


@dataclass(frozen=True)
class Block:
    """Some accounts in a row (`rows` of the Book) and all their positions (`here`), with those of
    these positions' columns that more than one sum needs."""

    book: Book
    rows: slice
    here: slice
    known: dict[Callable[[Block], Any], Any] = field(default_factory=dict)

    @property
    def accounts(self) -> int:
        """How many accounts it has."""
        return cast("int", self.rows.stop - self.rows.start)

    @cached_property
    def account(self) -> Ints:
        """Each position's account, counted from the block's first."""
        account = self.book.positions.account[self.here] - np.int32(self.rows.start)
        return account.astype(np.int64)

    @cached_property
    def symbol(self) -> Ints:
        """Each position's row in Symbols."""
        return self.book.positions.symbol[self.here].astype(np.int64)

    @cached_property
    def bought(self) -> Flags:
        """Which of the positions are buys."""
        return self.book.positions.side[self.here] > 0

    @cached_property
    def kind(self) -> Ints:
        """symbol, and for what was bought as many more as there are symbols."""
        kind = self.bought.astype(np.int64)
        kind *= len(self.book.symbols)
        kind += self.symbol
        return kind

    @cached_property
    def held(self) -> Pairs:
        """The pairs of account and symbol."""
        return pairs(self.account, self.symbol, self.accounts, len(self.book.symbols))

    @property
    def lots(self) -> Floats:
        """As they stand in the Book."""
        return self.book.positions.lots[self.here]

    @cached_property
    def worth(self) -> Floats:
        """lots·contract·rate: the account's money for one unit of the symbol's price."""
        positions = self.book.positions
        worth: Floats = self.book.symbols.contract.take(self.symbol)
        worth *= self.lots
        worth *= positions.rate[self.here]
        return worth

    @cached_property
    def lots_held(self) -> Floats:
        """The lots in each cell of `held`."""
        return self.held.summed(self.lots)

    def once(self, make: Callable[[Block], T]) -> T:
        """What `make` gives of this block, worked out for the first who asks."""
        if make not in self.known:
            self.known[make] = make(self)
        return cast("T", self.known[make])


@dataclass(frozen=True, slots=True)
class Summing(Generic[T]):
    """Something to sum up: `add` is given every block in turn, then `made` says what it came to.

    Without `add` it is known already and needs no position.
    """

    made: Callable[[], T]
    add: Callable[[Block], None] | None = None


def sweep(book: Book, asked: Iterable[Summing[Any]]) -> None:
    """Give every block of a Book to all who ask for them."""
    adding = [one.add for one in asked if one.add is not None]
    if not adding:
        return
    with np.errstate(invalid="ignore", over="ignore"):  # NaN is an answer here
        for block in blocks(book):
            for add in adding:
                add(block)


def swept(book: Book, asked: Summing[T]) -> T:
    """What one of them comes to over a whole Book."""
    sweep(book, (asked,))
    return asked.made()


def blocks(book: Book) -> Iterator[Block]:
    """All accounts of a Book, some at a time; not those among which nobody holds anything."""
    account, accounts = book.positions.account, len(book.accounts)
    size = min(BLOCK, DENSE_CELLS // max(2 * len(book.symbols), 1))
    size = size | 1 if size >= FEWEST else BLOCK
    bounds = [*range(0, accounts, size), accounts]
    first = np.searchsorted(account, np.array(bounds, dtype=account.dtype)).tolist()
    for at in range(len(bounds) - 1):
        if first[at] < first[at + 1]:
            yield Block(book, slice(bounds[at], bounds[at + 1]), slice(first[at], first[at + 1]))


def finite(column: Floats) -> Floats:
    """The column with NaN for what is infinite: no figure of a position is, so that it comes of one
    that cannot be."""
    with np.errstate(invalid="ignore"):
        total = column.sum()
    return column if np.isfinite(total) else np.where(np.isfinite(column), column, np.nan)

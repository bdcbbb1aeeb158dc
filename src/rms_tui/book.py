"""One instant of a trading server, as columns.

A Book is what a gateway reads and everything else works on. It is immutable, and a column whose
values did not change since the Book before it is *the same array object*: readers compare with
`is` and work only on what moved. NaN means "not known"; it is never replaced by 0 here.

Times called `*_time` or `opened` are MT5's server wall clock counted as if it were UTC (integer
seconds); `taken_at` is real UTC. Volumes are lots, money is in the account's own currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int32]
Bytes: TypeAlias = npt.NDArray[np.int8]
Flags: TypeAlias = npt.NDArray[np.bool_]

TRADE_TYPES = (0, 1)
"""Deal types that are trades: buy and sell. Every other type moves money without a trade."""

CLOSING_ENTRIES = (1, 2, 3)
"""Deal entries that close volume: OUT, INOUT (reverse) and OUT_BY."""


class StopOutMode(IntEnum):
    """Units of the broker's margin-call and stop-out levels (`margin_so_mode`, `MarginSOMode`)."""

    PERCENT = 0
    MONEY = 1


@dataclass(frozen=True, slots=True)
class Accounts:
    """One row an account, ordered by login, unique. `n` rows.

    `profit` excludes swap; `floating` = profit + swap. Equity = balance + credit + floating, as
    the source reported it, never recomputed. `margin_level` is the source's percent (0.0 when
    margin is 0, as both MT5 packages report it). `prev_balance`/`prev_equity` are the server's
    own end of the previous trading day, NaN where unknown.
    """

    login: Ints
    name: tuple[str, ...]
    group: tuple[str, ...]
    currency: tuple[str, ...]
    digits: Bytes
    leverage: Codes
    so_mode: Bytes
    so_call: Floats
    so_level: Floats
    balance: Floats
    credit: Floats
    equity: Floats
    margin: Floats
    margin_free: Floats
    margin_level: Floats
    profit: Floats
    floating: Floats
    prev_balance: Floats
    prev_equity: Floats
    trades_today: Codes
    lots_today: Floats
    profit_today: Floats
    trade_count: Codes

    def __len__(self) -> int:
        return len(self.login)


@dataclass(frozen=True, slots=True)
class Positions:
    """One row an open position, ordered by account row, then ticket. `m` rows.

    `account` is the row in Accounts, `symbol` the row in Symbols. `side` is +1 buy, -1 sell.
    `sl`/`tp` are NaN where none is set. `rate` converts money of the symbol's profit currency
    into the account's currency, NaN where unknown. `profit` excludes `swap`.
    """

    ticket: Ints
    account: Codes
    symbol: Codes
    side: Bytes
    lots: Floats
    price_open: Floats
    sl: Floats
    tp: Floats
    opened: Ints
    rate: Floats
    price: Floats
    profit: Floats
    swap: Floats

    def __len__(self) -> int:
        return len(self.ticket)


@dataclass(frozen=True, slots=True)
class Symbols:
    """One row a symbol that has a position or is needed for a conversion rate. `s` rows.

    `base` and `quote` are currencies (for gold, base XAU); `contract` is units a lot;
    `bid`/`ask` are NaN where there is no price.
    """

    name: tuple[str, ...]
    base: tuple[str, ...]
    quote: tuple[str, ...]
    digits: Bytes
    contract: Floats
    bid: Floats
    ask: Floats

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True)
class Deals:
    """One row a deal, ordered by time, then ticket. `d` rows.

    `type` and `entry` are MT5's integers (type 0 buy, 1 sell, 2 balance, 3 credit …). In Book
    it holds the deals since the start of the server's previous day, for flows and day bases; from
    `history` it holds the whole window asked for.
    """

    ticket: Ints
    login: Ints
    time: Ints
    type: Bytes
    entry: Bytes
    symbol: tuple[str, ...]
    lots: Floats
    price: Floats
    profit: Floats
    swap: Floats
    commission: Floats
    position: Ints

    def __len__(self) -> int:
        return len(self.ticket)


@dataclass(frozen=True, slots=True)
class Book:
    """Accounts, positions, symbols and recent deals of one source at one instant.

    `server_offset` is server wall clock minus UTC in seconds, None where unknown. `connected`
    says whether the source itself has its link to the trade server: False makes every row stale.
    """

    source: str
    server: str
    taken_at: float
    server_offset: float | None
    connected: bool
    accounts: Accounts
    positions: Positions
    symbols: Symbols
    deals: Deals
    deals_since: int | None = None
    """Server time from which `deals` is complete; None while the source has not read them."""


def clock_offset(seconds: float) -> float | None:
    """A server's wall clock minus UTC as a Book holds it; None for what is no zone's: a day or
    more, NaN."""
    return seconds if abs(seconds) < 86_400.0 else None


Table = TypeVar("Table", Accounts, Positions, Symbols, Deals)

_DTYPES: dict[str, type[np.generic]] = {
    "Floats": np.float64,
    "Ints": np.int64,
    "Codes": np.int32,
    "Bytes": np.int8,
}


def column_types(table: type[Table]) -> dict[str, type[np.generic] | None]:
    """Each column of a table with its dtype, None for a tuple of text."""
    return {column.name: _DTYPES.get(str(column.type)) for column in fields(table)}


def empty(table: type[Table]) -> Table:
    """A table of that type without rows."""
    return build(table, {})


def build(table: type[Table], columns: Mapping[str, object]) -> Table:
    """A table from columns (any sequence), cast to the table's dtypes; absent columns are empty.

    Arrays are made read-only: a Book is shared by threads. Raises ValueError, naming the columns,
    when they differ in length.
    """
    made: dict[str, Any] = {}
    for name, dtype in column_types(table).items():
        values = columns.get(name, ())
        if dtype is None:
            made[name] = tuple(cast("Iterable[str]", values))
        else:
            column = np.ascontiguousarray(cast("Any", values), dtype=dtype)
            column.flags.writeable = False
            made[name] = column
    lengths = {name: len(column) for name, column in made.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of {table.__name__} differ in length: {lengths}")
    return table(**made)


def take(table: Table, rows: npt.NDArray[Any]) -> Table:
    """The rows of a table (indices or a mask), in the given order."""
    indices = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
    picked: dict[str, object] = {}
    for name, dtype in column_types(type(table)).items():
        column = getattr(table, name)
        picked[name] = [column[i] for i in indices.tolist()] if dtype is None else column[indices]
    return build(type(table), picked)


def kept(new: Table, old: Table | None) -> Table:
    """`new`, with every column that equals the old one replaced by the old object.

    This is what makes `is` mean "unchanged" for all who read a Book. NaN equals NaN here.
    """
    if old is None:
        return new
    same: dict[str, object] = {}
    for name, dtype in column_types(type(new)).items():
        fresh, before = getattr(new, name), getattr(old, name)
        if dtype is None:
            unchanged = fresh == before
        else:
            bits = f"u{fresh.itemsize}"  # bit for bit, so that NaN equals NaN
            unchanged = fresh is before or bool(np.array_equal(fresh.view(bits), before.view(bits)))
        if unchanged:
            same[name] = before
    if len(same) == len(fields(new)):
        return old
    return replace(new, **same)  # type: ignore[arg-type]  # columns keyed by their own names


def rows_of(sorted_logins: Ints, logins: Ints) -> Ints:
    """Row of each login in an ascending column; -1 where it is not there."""
    if len(sorted_logins) == 0:
        return np.full(len(logins), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(sorted_logins, logins), len(sorted_logins) - 1)
    return np.where(sorted_logins[at] == logins, at, -1).astype(np.int64)


def narrowed(book: Book, keep: Flags) -> Book:
    """The Book with only the accounts where `keep` is True, and their positions and deals."""
    if bool(keep.all()):
        return book
    row = np.cumsum(keep) - 1
    held = keep[book.positions.account]
    positions = take(book.positions, held)
    moved = replace(positions, account=row[positions.account].astype(np.int32))
    accounts = take(book.accounts, keep)
    dealt = rows_of(accounts.login, book.deals.login) >= 0
    return replace(book, accounts=accounts, positions=moved, deals=take(book.deals, dealt))


def first_positions(book: Book) -> Ints:
    """Where each account's positions start: n + 1 offsets into Positions, in row order."""
    return np.searchsorted(
        book.positions.account, np.arange(len(book.accounts) + 1, dtype=np.int32)
    ).astype(np.int64)


def repeated(value: float, rows: int, dtype: type[np.generic] = np.float64) -> npt.NDArray[Any]:
    """A read-only column of one number that takes no memory."""
    return np.ndarray(rows, dtype, np.array(value, dtype).tobytes(), strides=(0,))


def least(column: Floats) -> float:
    """The lowest number of a column, NaN where one is unknown, infinite where there is none."""
    return float(np.minimum.reduce(_told_apart(column), initial=np.inf))


def most(column: Floats) -> float:
    """The highest number of a column, NaN where one is unknown, -infinite where there is none."""
    return float(np.maximum.reduce(_told_apart(column), initial=-np.inf))


def some(column: npt.NDArray[Any]) -> bool:
    """Whether any row is True, or not 0."""
    return bool(np.count_nonzero(_told_apart(column)))


def every(flags: Flags) -> bool:
    """Whether all rows are True."""
    apart = _told_apart(flags)
    return bool(np.count_nonzero(apart) == len(apart))


def alike(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    """Whether two columns of codes say the same of every row."""
    if one is other:
        return True
    if len(one) != len(other):
        return False
    if one.strides == other.strides == (0,):
        one, other = one[:1], other[:1]
    return every(np.equal(one, other))


def _told_apart(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One row of a column of one number, which says it all."""
    return column[:1] if column.strides == (0,) else column


def summed(row: Ints, amount: Floats, rows: int) -> Floats:
    """Sum of the amounts that fall on each of `rows` rows."""
    return cast(
        "Floats", np.bincount(row, weights=amount, minlength=rows).astype(np.float64, copy=False)
    )

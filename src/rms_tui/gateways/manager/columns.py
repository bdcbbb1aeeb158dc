"""Vendor rows to columns: the hot path of the manager gateway.

Accounts come as objects (the package has no array variant), so one `attrgetter` over all of them
fills one matrix. Positions come as one structured array; what cannot change while the same
tickets are open (row, symbol, order) is computed once for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.book import Accounts, Codes, Floats, Ints, Positions, build, empty, kept, rows_of
from rms_tui.gateways.manager.directory import Directory, known_day_ends
from rms_tui.gateways.manager.ledger import DealFigures, Ledger
from rms_tui.gateways.manager.symbols import SymbolBoard

_FIGURES = {
    "balance": "Balance",
    "credit": "Credit",
    "equity": "Equity",
    "margin": "Margin",
    "margin_free": "MarginFree",
    "margin_level": "MarginLevel",
    "profit": "Profit",
    "floating": "Floating",
}
_row = attrgetter("Login", *_FIGURES.values())
_WIDTH = len(_FIGURES) + 1
_EXACT = 2.0**53

POSITION_FIELDS = (
    "Position", "Login", "Symbol", "Action", "Digits", "ContractSize", "TimeCreate", "PriceOpen",
    "PriceCurrent", "PriceSL", "PriceTP", "Volume", "VolumeExt", "Profit", "Storage", "RateProfit",
)  # fmt: skip


_MOVING = (
    "Position", "Action", "TimeCreate", "PriceOpen", "PriceCurrent", "PriceSL", "PriceTP",
    "VolumeExt", "Profit", "Storage", "RateProfit",
)  # fmt: skip
"""Fields that are taken anew each time. `Volume` says nothing that `VolumeExt` does not say better,
where that is there."""

_ROWS_AT_ONCE = 4096


def figures_of(objects: Sequence[Any]) -> tuple[Ints, Floats]:
    """Logins and figures (one row an account) of MTAccounts, as they come.

    A getter gives None when its object died, which NumPy reads as NaN; an account without a login
    is left out.
    """
    count = len(objects) * _WIDTH
    flat = np.fromiter(chain.from_iterable(map(_row, objects)), np.float64, count)
    matrix = flat.reshape(-1, _WIDTH)
    logins = matrix[:, 0]
    if np.isnan(logins).any():
        objects = [account for account in objects if account.Login is not None]
        return figures_of(objects)
    if len(logins) and logins.max() >= _EXACT:
        return np.fromiter(map(attrgetter("Login"), objects), np.int64), matrix[:, 1:]
    return logins.astype(np.int64), matrix[:, 1:]


class AccountTable:
    """Accounts of one source, cycle after cycle."""

    def __init__(self, directory: Directory, ledger: Ledger) -> None:
        self._directory = directory
        self._ledger = ledger
        self._shown = empty(Accounts)
        self._deals: DealFigures | None = None

    def read(self, objects: Sequence[Any]) -> Accounts:
        """The table of these MTAccounts, ordered by login, each once."""
        logins, figures = figures_of(objects)
        if len(logins) > 1 and not bool((logins[1:] > logins[:-1]).all()):
            logins, first = np.unique(logins, return_index=True)
            figures = figures[first]
        before = self._shown
        if np.array_equal(logins, before.login):
            logins = before.login
        else:
            logins.flags.writeable = False
        slow = self._directory.columns(logins, objects)
        deals = self._ledger.figures(logins)
        columns: dict[str, object] = {"login": logins, **slow}
        columns |= {name: figures[:, at] for at, name in enumerate(_FIGURES)}
        for day_end in ("prev_balance", "prev_equity"):
            columns[day_end] = known_day_ends(slow[day_end], figures[:, 0])
        columns |= {
            "trades_today": deals.trades_today,
            "lots_today": deals.lots_today,
            "profit_today": deals.profit_today,
            "trade_count": deals.trade_count,
        }
        self._shown = kept(build(Accounts, columns), before)
        return self._shown


def joined(tables: Sequence[Any]) -> npt.NDArray[Any] | None:
    """Position tables of several masks as one, each ticket once; None when there are no rows."""
    filled = [table for table in tables if len(table)]
    if not filled:
        return None
    if len(filled) == 1:
        only: npt.NDArray[Any] = filled[0]
        return only
    together = np.concatenate(filled)
    _, first = np.unique(together["Position"], return_index=True)
    return together[np.sort(first)]


class PositionTable:
    """Positions of one source, cycle after cycle."""

    def __init__(self, board: SymbolBoard) -> None:
        self._board = board
        self._shown = empty(Positions)
        self._tickets = np.empty(0, dtype=np.uint64)
        self._logins: Ints | None = None
        self._order: npt.NDArray[np.intp] | None = None
        self._ticket: Ints = np.empty(0, dtype=np.int64)
        self._account: Codes = np.empty(0, dtype=np.int32)
        self._symbol: Codes = np.empty(0, dtype=np.int32)

    def read(self, table: npt.NDArray[Any] | None, logins: Ints) -> Positions:
        """The positions of these accounts, by account row, then ticket.

        One whose login is not among the accounts came between two calls and waits for the next
        cycle. `rate` is NaN where the server gives 0; `sl` and `tp` where none is set.
        """
        if table is None:
            self._tickets, self._logins = np.empty(0, dtype=np.uint64), None
            self._shown = kept(empty(Positions), self._shown)
            return self._shown
        picked = _picked(table, _MOVING)
        if self._logins is not logins or not np.array_equal(picked["Position"], self._tickets):
            self._arrange(table, picked["Position"], logins)
        lots = picked["VolumeExt"] / 1e8
        if not picked["VolumeExt"].all():
            lots = np.where(picked["VolumeExt"] > 0, lots, table["Volume"] / 1e4)
        picked["lots"] = lots
        if self._order is not None:
            picked = {name: column[self._order] for name, column in picked.items()}
        columns = {
            "ticket": self._ticket,
            "account": self._account,
            "symbol": self._symbol,
            "side": 1 - 2 * (picked["Action"] == 1).astype(np.int8),
            "lots": picked["lots"],
            "price_open": picked["PriceOpen"],
            "sl": _unset(picked["PriceSL"]),
            "tp": _unset(picked["PriceTP"]),
            "opened": picked["TimeCreate"],
            "rate": _unset(picked["RateProfit"]),
            "price": picked["PriceCurrent"],
            "profit": picked["Profit"],
            "swap": picked["Storage"],
        }
        self._shown = kept(build(Positions, columns), self._shown)
        return self._shown

    def _arrange(self, table: npt.NDArray[Any], tickets: npt.NDArray[Any], logins: Ints) -> None:
        """What stays as long as these tickets are open: rows, symbols, order."""
        ticket = tickets.astype(np.int64)
        account = _runs_of(logins, table["Login"].astype(np.int64))
        symbol = self._board.codes(table)
        if not _in_order(account, ticket):
            self._order = np.lexsort((ticket, account))
            self._order = self._order[np.searchsorted(account[self._order], 0) :]
            account, ticket = account[self._order], ticket[self._order]
            symbol = symbol[self._order]
        else:
            self._order = None
        self._ticket, self._account, self._symbol = ticket, account.astype(np.int32), symbol
        self._tickets = tickets
        self._logins = logins


def _picked(table: npt.NDArray[Any], names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Columns of a table of records: some rows at a time, which stay in the processor's cache while
    one column after the other is taken out of them."""
    columns = {name: np.empty(len(table), table.dtype[name]) for name in names}
    for start in range(0, len(table), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        block = table[rows]
        for name, column in columns.items():
            column[rows] = block[name]
    return columns


def _runs_of(sorted_logins: Ints, logins: Ints) -> Ints:
    """`rows_of`, looking each run of equal logins up once: positions come account by account."""
    first = np.flatnonzero(np.append(True, logins[1:] != logins[:-1]))
    found = rows_of(sorted_logins, logins[first])
    return np.repeat(found, np.diff(first, append=len(logins)))


def _in_order(account: Ints, ticket: Ints) -> bool:
    """Whether every position has an account and they come by account row, then ticket."""
    step = np.diff(account)
    rising = (step > 0) | ((step == 0) & (np.diff(ticket) > 0))
    return bool(rising.all()) and not bool((account < 0).any())


def _unset(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values with NaN where MT5 writes 0 for "none"."""
    return np.where(values == 0.0, np.nan, values)

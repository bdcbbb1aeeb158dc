"""Pane 2: open positions of the account under the cursor, or of all accounts."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, cast

import numpy as np

from rms_tui.account_keys import login_of
from rms_tui.book import Book, Floats, Ints, rows_of
from rms_tui.frame import Frame
from rms_tui.tui import figures
from rms_tui.tui.filter import Fields, HoldsField, IdField, NumberField, Query, Test, WordField
from rms_tui.tui.order import Draw, OrderedRows, Ranks, fitting, ordered
from rms_tui.tui.panes.accounts import profit_cell
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column

COLUMNS = (
    Column("ticket", "Ticket", 10, "right", frozen=True),
    Column("symbol", "Symbol", 10, frozen=True),
    Column("side", "Side", 4),
    Column("lots", "Lots", 7, "right"),
    Column("open", "Open", 9, "right"),
    Column("price", "Price", 9, "right"),
    Column("sl", "SL", 9, "right"),
    Column("tp", "TP", 9, "right"),
    Column("profit", "Profit", 11, "right"),
    Column("swap", "Swap", 8, "right"),
    Column("risk", "Risk at SL", 10, "right"),
    Column("age", "Age", 6, "right"),
)
OWNER = Column("login", "Login", 9, "right", frozen=True)

IMPORTANCE = (
    "login", "ticket", "symbol", "side", "lots", "profit", "risk", "open", "price", "sl",
    "age", "tp", "swap",
)  # fmt: skip

SIDES = {"sell": -1, "buy": 1}


def _book(frame: Frame) -> Book:
    assert frame.book is not None
    return frame.book


def risk_at_stop(book: Book) -> Floats:
    """Loss of each position if its stop is hit, in the account's currency, at least 0.

    The per-position figure behind `assessment.held`: infinite without a stop, NaN without a rate.
    """
    positions = book.positions
    loss = (positions.price_open - positions.sl) * positions.side * positions.lots
    loss = loss * book.symbols.contract[positions.symbol] * positions.rate - positions.swap
    return cast("Floats", np.where(np.isnan(positions.sl), np.inf, np.maximum(loss, 0.0)))


def _in_symbol(frame: Frame, test: Test) -> Any:
    book = _book(frame)
    passing = np.array([test(name) for name in book.symbols.name], dtype=np.bool_)
    if not len(passing):
        return np.zeros(len(book.positions), dtype=np.bool_)
    return passing[book.positions.symbol]


def _of_accounts(column: str) -> Any:
    def rows_with(frame: Frame, test: Test) -> Any:
        book = _book(frame)
        texts = getattr(book.accounts, column)
        passing = {text for text in set(texts) if test(text)}
        flags = np.fromiter((text in passing for text in texts), np.bool_, len(texts))
        if not len(flags):
            return np.zeros(len(book.positions), dtype=np.bool_)
        return flags[book.positions.account]

    return rows_with


def _logins(frame: Frame) -> Ints:
    book = _book(frame)
    return book.accounts.login[book.positions.account]


FIELDS: Fields = {
    "symbol": HoldsField(_in_symbol),
    "side": WordField(lambda frame: _book(frame).positions.side, SIDES),
    "lots": NumberField(lambda frame: _book(frame).positions.lots),
    "profit": NumberField(lambda frame: _book(frame).positions.profit),
    "swap": NumberField(lambda frame: _book(frame).positions.swap),
    "risk": NumberField(lambda frame: risk_at_stop(_book(frame))),
    "login": IdField(_logins),
    "ticket": IdField(lambda frame: _book(frame).positions.ticket),
    "group": HoldsField(_of_accounts("group")),
    "name": HoldsField(_of_accounts("name")),
}


class PositionsSource:
    """Rows of the positions table: of one account, or of everybody."""

    name = "Positions"
    fields = FIELDS
    words = ("login", "ticket")
    default_sort: Sort = ("profit", False)

    def __init__(self) -> None:
        self.login: int | None = None
        """The account whose positions are shown."""
        self.everybody = False
        self._ranks = Ranks()

    @property
    def subject(self) -> str:
        """See `Source.subject`."""
        if self.everybody:
            return "all accounts"
        return "" if self.login is None else str(login_of(self.login))

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        return fitting((OWNER, *COLUMNS) if self.everybody else COLUMNS, IMPORTANCE, width)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        book = _book(frame)
        positions = book.positions
        mask = query.mask(frame)
        if self.everybody:
            order = ordered(self._sort_key(book, sort[0]), mask, descending=sort[1])
            total = len(positions)
        else:
            own = self._own(book)
            total = len(own)
            if mask is not None:
                own = own[mask[own]]
            key = np.asarray(self._sort_key(book, sort[0]))
            order = ordered(key, own, descending=sort[1])
        drawn = self._drawn(book)
        rows = OrderedRows(
            order,
            lambda row: int(positions.ticket[row]),
            lambda key: _row_of(positions.ticket, key),
            [drawn[column.id] for column in columns],
        )
        return View(rows, total)

    def nothing(self) -> str:
        """See `Source.nothing`."""
        if self.everybody:
            return "No open positions in the book."
        if self.login is None:
            return "No account under the cursor."
        return f"{login_of(self.login)} has no open positions."

    def _own(self, book: Book) -> Ints:
        if self.login is None:
            return np.zeros(0, dtype=np.int64)
        row = int(rows_of(book.accounts.login, np.array([self.login]))[0])
        if row < 0:
            return np.zeros(0, dtype=np.int64)
        start, end = np.searchsorted(book.positions.account, [row, row + 1])
        return np.arange(start, end, dtype=np.int64)

    def _sort_key(self, book: Book, column: str) -> Any:
        positions = book.positions
        match column:
            case "symbol":
                ranks = self._ranks.of("symbol", book.symbols.name)
                return ranks[positions.symbol]
            case "login":
                return book.accounts.login[positions.account]
            case "open":
                return positions.price_open
            case "risk":
                return risk_at_stop(book)
            case "age":
                return -positions.opened
        return getattr(positions, column)

    def _drawn(self, book: Book) -> dict[str, Draw]:
        held, symbols, accounts = book.positions, book.symbols, book.accounts

        def level(column: Floats) -> Draw:
            def draw(row: int) -> Cell:
                text = figures.price(float(column[row]), int(symbols.digits[held.symbol[row]]))
                return Cell(text, "dim" if text == "—" else "")

            return draw

        def digits(row: int) -> int:
            return int(accounts.digits[held.account[row]])

        def age(row: int) -> Cell:
            if book.server_offset is None:
                return Cell(figures.NA, "unknown")
            now = book.taken_at + book.server_offset
            return Cell(figures.span(now - float(held.opened[row])).replace(" ", ""))

        def quote(row: int) -> Cell:
            value = float(held.price[row])
            if math.isnan(value):
                return Cell(figures.NA, "unknown")
            return Cell(figures.price(value, int(symbols.digits[held.symbol[row]])))

        return {
            "login": lambda row: Cell(str(login_of(int(accounts.login[held.account[row]])))),
            "ticket": lambda row: Cell(str(int(held.ticket[row]))),
            "symbol": lambda row: Cell(symbols.name[held.symbol[row]]),
            "side": lambda row: Cell("buy" if held.side[row] > 0 else "sell"),
            "lots": lambda row: Cell(figures.lots(float(held.lots[row]))),
            "open": level(held.price_open),
            "price": quote,
            "sl": level(held.sl),
            "tp": level(held.tp),
            "profit": lambda row: profit_cell(float(held.profit[row]), digits(row)),
            "swap": lambda row: profit_cell(float(held.swap[row]), digits(row)),
            "risk": lambda row: _risk_cell(book, row, digits(row)),
            "age": age,
        }


def _row_of(tickets: Ints, key: Hashable) -> int | None:
    if not isinstance(key, int):
        return None
    found = np.flatnonzero(tickets == key)
    return int(found[0]) if len(found) else None


def _risk_cell(book: Book, row: int, digits: int) -> Cell:
    held = book.positions
    stop = float(held.sl[row])
    if math.isnan(stop):
        return Cell("no stop", "warning")
    contract = float(book.symbols.contract[held.symbol[row]])
    moved = (float(held.price_open[row]) - stop) * int(held.side[row]) * float(held.lots[row])
    loss = moved * contract * float(held.rate[row]) - float(held.swap[row])
    if math.isnan(loss):
        return Cell("no rate", "unknown")
    return Cell(figures.money(max(0.0, loss), digits))

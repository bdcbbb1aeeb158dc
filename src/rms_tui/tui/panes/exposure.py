"""Pane 3: what the clients hold, by symbol or netted by currency."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np

from rms_tui.book import Floats, Ints
from rms_tui.frame import Frame
from rms_tui.risk.exposure import BySymbol, Exposure
from rms_tui.tui import figures
from rms_tui.tui.filter import Fields, NumberField, Query, TextField
from rms_tui.tui.order import Draw, OrderedRows, Ranks, fitting, ordered
from rms_tui.tui.panes.accounts import profit_cell
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column

BAR = 5

BY_SYMBOL = (
    Column("symbol", "Symbol", 9, frozen=True),
    Column("net", "Net lots", 9, "right"),
    Column("bar", "", BAR, sortable=False),
    Column("buy", "Buy", 9, "right"),
    Column("sell", "Sell", 9, "right"),
    Column("notional", "Notional", 12, "right"),
    Column("floating", "Floating", 9, "right"),
    Column("accounts", "Acc", 5, "right"),
    Column("positions", "Pos", 6, "right"),
    Column("coverage", "Cover", 9, "right"),
    Column("total", "Total", 9, "right"),
    Column("buy_price", "Avg buy", 10, "right"),
    Column("sell_price", "Avg sell", 10, "right"),
    Column("sentiment", "Buy%", 5, "right"),
)
BY_CURRENCY = (
    Column("symbol", "Currency", 9, frozen=True),
    Column("net", "Net", 15, "right"),
    Column("bar", "", BAR, sortable=False),
    Column("notional", "Worth", 15, "right"),
)
IMPORTANCE = (
    "symbol", "net", "notional", "floating", "bar", "buy", "sell", "accounts", "positions",
    "coverage", "total", "buy_price", "sell_price", "sentiment",
)  # fmt: skip


def _exposure(frame: Frame) -> Exposure:
    assert frame.exposure is not None
    return frame.exposure


def _names(frame: Frame) -> tuple[str, ...]:
    """Names of the symbols with open positions, in the rows' order."""
    assert frame.book is not None
    names = frame.book.symbols.name
    return tuple(names[code] for code in _exposure(frame).by_symbol.code.tolist())


def _column(name: str) -> NumberField:
    return NumberField(lambda frame: getattr(_exposure(frame).by_symbol, name))


SYMBOL_FIELDS: Fields = {
    "symbol": TextField(_names),
    **{
        name: _column(name)
        for name in ("net", "buy", "sell", "notional", "floating", "accounts", "positions")
    },
}
CURRENCY_FIELDS: Fields = {
    "symbol": TextField(lambda frame: _exposure(frame).by_currency.currency),
    "currency": TextField(lambda frame: _exposure(frame).by_currency.currency),
    "net": NumberField(lambda frame: _exposure(frame).by_currency.net),
    "notional": NumberField(lambda frame: _exposure(frame).by_currency.reported),
}


class ExposureSource:
    """Rows of the exposure table, in one of its two views."""

    name = "Exposure"
    words = ("symbol",)
    default_sort: Sort = ("notional", True)

    def __init__(self) -> None:
        self.by_currency = False
        self._ranks = Ranks()
        self._currency = ""

    @property
    def fields(self) -> Fields:
        """See `Source.fields`."""
        return CURRENCY_FIELDS if self.by_currency else SYMBOL_FIELDS

    @property
    def subject(self) -> str:
        """See `Source.subject`."""
        how = "by currency" if self.by_currency else "by symbol"
        return f"{how}, in {self._currency}" if self._currency else how

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        if self.by_currency:
            return BY_CURRENCY
        return fitting(BY_SYMBOL, IMPORTANCE, width)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        self._currency = _exposure(frame).report_currency
        if self.by_currency:
            names = _exposure(frame).by_currency.currency
            drawn = _by_currency(_exposure(frame))
        else:
            names = _names(frame)
            drawn = _by_symbol(frame, names)
        key = self._sort_key(frame, sort[0], names)
        order: Ints = ordered(key, query.mask(frame), descending=sort[1])
        row_of = {name: row for row, name in enumerate(names)}

        def find(name: Hashable) -> int | None:
            return row_of.get(name) if isinstance(name, str) else None

        rows = OrderedRows(
            order, lambda row: names[row], find, [drawn[column.id] for column in columns]
        )
        return View(rows, len(names))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        return "No open positions in the book."

    def _sort_key(self, frame: Frame, column: str, names: tuple[str, ...]) -> Any:
        if column == "symbol":
            return self._ranks.of("symbol", names)
        if self.by_currency:
            made = _exposure(frame).by_currency
            return np.abs(made.net if column == "net" else made.reported)
        made_by_symbol = _exposure(frame).by_symbol
        if column in ("notional", "net", "total", "coverage"):
            return np.abs(getattr(made_by_symbol, column))
        return getattr(made_by_symbol, column)


def _by_symbol(frame: Frame, names: tuple[str, ...]) -> dict[str, Draw]:
    assert frame.book is not None
    made: BySymbol = _exposure(frame).by_symbol
    digits = frame.book.symbols.digits[made.code]
    largest = _largest(made.notional)

    def price(column: Floats) -> Draw:
        return lambda row: Cell(figures.price(float(column[row]), int(digits[row])))

    return {
        "symbol": lambda row: Cell(names[row]),
        "net": lambda row: _net_cell(figures.signed_lots(float(made.net[row]))),
        "bar": lambda row: _bar_cell(float(made.notional[row]), largest),
        "buy": lambda row: Cell(figures.lots(float(made.buy[row]))),
        "sell": lambda row: Cell(figures.lots(float(made.sell[row]))),
        "notional": lambda row: _worth_cell(float(made.notional[row])),
        "floating": lambda row: _floating_cell(float(made.floating[row])),
        "accounts": lambda row: Cell(figures.count(int(made.accounts[row]))),
        "positions": lambda row: Cell(figures.count(int(made.positions[row]))),
        "coverage": lambda row: _net_cell(figures.signed_lots(float(made.coverage[row]))),
        "total": lambda row: _net_cell(figures.signed_lots(float(made.total[row]))),
        "buy_price": price(made.buy_price),
        "sell_price": price(made.sell_price),
        "sentiment": lambda row: Cell(figures.percent(float(made.sentiment[row]))),
    }


def _by_currency(exposure: Exposure) -> dict[str, Draw]:
    made = exposure.by_currency
    largest = _largest(made.reported)
    return {
        "symbol": lambda row: Cell(made.currency[row]),
        "net": lambda row: _net_cell(figures.signed(float(made.net[row]), 0)),
        "bar": lambda row: _bar_cell(float(made.reported[row]), largest),
        "notional": lambda row: _worth_cell(float(made.reported[row])),
    }


def _largest(worth: Floats) -> float:
    known = np.abs(worth[~np.isnan(worth)])
    return float(known.max()) if len(known) else float("nan")


def _net_cell(text: str) -> Cell:
    return Cell(text, "dim" if text in ("0", "0.00") else "")


def _bar_cell(worth: float, largest: float) -> Cell:
    share = abs(worth) / largest if largest > 0 else float("nan")
    return Cell(figures.bar(share, BAR), "dim")


def _worth_cell(worth: float) -> Cell:
    if math.isnan(worth):
        return Cell("no rate", "unknown")
    return Cell(figures.signed(worth, 0))


def _floating_cell(value: float) -> Cell:
    return Cell("no rate", "unknown") if math.isnan(value) else profit_cell(value, 0)

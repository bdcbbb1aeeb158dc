"""Details: closed deals of the history window, newest first, with the total of each day."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from rms_tui.book import CLOSING_ENTRIES, TRADE_TYPES, Deals
from rms_tui.frame import Frame
from rms_tui.tui import figures
from rms_tui.tui.filter import NO_FIELDS, Query
from rms_tui.tui.order import fitting
from rms_tui.tui.panes.accounts import profit_cell
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column, ListedRows

COLUMNS = (
    Column("time", "Time", 14, sortable=False, frozen=True),
    Column("what", "Deal", 10, sortable=False),
    Column("symbol", "Symbol", 10, sortable=False),
    Column("lots", "Lots", 7, "right", sortable=False),
    Column("price", "Price", 11, "right", sortable=False),
    Column("profit", "Profit", 12, "right", sortable=False),
    Column("swap", "Swap", 9, "right", sortable=False),
    Column("commission", "Commission", 10, "right", sortable=False),
    Column("ticket", "Ticket", 10, "right", sortable=False),
)
IMPORTANCE = (
    "time", "profit", "symbol", "lots", "what", "price", "swap", "commission", "ticket",
)  # fmt: skip

KINDS = {
    0: "buy", 1: "sell", 2: "balance", 3: "credit", 4: "charge", 5: "correction", 6: "bonus",
    7: "commission", 8: "commission", 9: "commission", 10: "agent", 11: "agent", 12: "interest",
    13: "cancelled", 14: "cancelled", 15: "dividend", 16: "dividend", 17: "tax", 18: "agent",
}  # fmt: skip
"""MT5's deal types in words; a rarer one shows its number."""

DAY = 86_400


class DealsSource:
    """Deals of one account; what is there to show arrives later, or why it does not."""

    name = "Deals"
    fields = NO_FIELDS
    words: tuple[str, ...] = ()
    default_sort: Sort = ("", True)
    subject = "closed"

    def __init__(self) -> None:
        self.deals: Deals | None = None
        self.error: str | None = None

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        return fitting(COLUMNS, IMPORTANCE, width)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        del frame, sort, query
        if self.deals is None:
            return View(ListedRows(), 0)
        keys: list[str] = []
        cells: list[Sequence[Cell]] = []
        styles: list[str] = []
        shown = [row for row in range(len(self.deals)) if _is_shown(self.deals, row)]
        shown.reverse()
        results = _results(self.deals)
        for day, group in groupby(shown, key=lambda row: int(_deals(self).time[row]) // DAY):
            rows = list(group)
            total = _total(self.deals, day, rows, results.get(day, 0.0))
            keys.append(figures.server_date(day * DAY))
            cells.append([total.get(column.id, Cell("")) for column in columns])
            styles.append("marked")
            for row in rows:
                drawn = _cells(self.deals, row)
                keys.append(f"{int(self.deals.ticket[row])}")
                cells.append([drawn[column.id] for column in columns])
                styles.append("")
        return View(ListedRows(keys, cells, styles), len(shown))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        if self.error is not None:
            return f"The deals could not be read.\n\n{self.error}\n\nr tries again"
        if self.deals is None:
            return "Reading the deals"
        return "No closed deals in the history window."


def _deals(source: DealsSource) -> Deals:
    assert source.deals is not None
    return source.deals


def _is_shown(deals: Deals, row: int) -> bool:
    """Deals that close volume, and those that move money without a trade."""
    if int(deals.type[row]) in TRADE_TYPES:
        return int(deals.entry[row]) in CLOSING_ENTRIES
    return True


def _is_trade(deals: Deals, row: int) -> bool:
    return int(deals.type[row]) in TRADE_TYPES


def _results(deals: Deals) -> dict[int, float]:
    """Result of each server day's trades, entries included: their commission is often there."""
    traded = np.isin(deals.type, TRADE_TYPES)
    days, row = np.unique(deals.time[traded] // DAY, return_inverse=True)
    money = (deals.profit + deals.swap + deals.commission)[traded]
    sums = np.bincount(row, weights=money, minlength=len(days))
    return dict(zip(days.tolist(), sums.tolist(), strict=True))


def _total(deals: Deals, day: int, rows: Sequence[int], result: float) -> dict[str, Cell]:
    """The day's line: closed trades, their lots and the day's result; deposits are no result."""
    trades = [row for row in rows if _is_trade(deals, row)]
    return {
        "time": Cell(figures.server_date(day * DAY)),
        "what": Cell(f"{len(trades)} closed"),
        "lots": Cell(figures.lots(sum(float(deals.lots[row]) for row in trades))),
        "profit": Cell(figures.signed(result)),
    }


def _cells(deals: Deals, row: int) -> dict[str, Cell]:
    kind = int(deals.type[row])
    trade = _is_trade(deals, row)
    price = float(deals.price[row])
    return {
        "time": Cell(figures.server_moment(int(deals.time[row]))),
        "what": Cell(KINDS.get(kind, f"type {kind}")),
        "symbol": Cell(deals.symbol[row]),
        "lots": Cell(figures.lots(float(deals.lots[row])) if trade else ""),
        "price": Cell(f"{price:.10g}" if trade else ""),
        "profit": profit_cell(float(deals.profit[row]), 2),
        "swap": profit_cell(float(deals.swap[row]), 2),
        "commission": profit_cell(float(deals.commission[row]), 2),
        "ticket": Cell(str(int(deals.ticket[row]))),
    }

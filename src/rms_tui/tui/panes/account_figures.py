"""Details: one account's figures, each in a line of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rms_tui.account_keys import login_of
from rms_tui.book import rows_of
from rms_tui.frame import Frame
from rms_tui.risk.assignment import assigned
from rms_tui.risk.clock import next_rollover
from rms_tui.risk.memory import SERVER_DAY
from rms_tui.tui import figures, rollover
from rms_tui.tui.filter import NO_FIELDS, Query
from rms_tui.tui.panes.accounts import accounts, assessment, position_counts, profit_cell
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column, ListedRows
from rms_tui.tui.words import STATE_CELLS

COLUMNS = (
    Column("figure", "Figure", 16, sortable=False),
    Column("value", "Value", 24, "right", sortable=False),
)


class FiguresSource:
    """Figures of one account."""

    name = "Figures"
    fields = NO_FIELDS
    words: tuple[str, ...] = ()
    default_sort: Sort = ("", False)

    def __init__(self, login: int) -> None:
        self._login = login

    @property
    def subject(self) -> str:
        """See `Source.subject`."""
        return str(login_of(self._login))

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`; the value takes what the label leaves."""
        return COLUMNS[0], Column("value", "Value", max(12, width - 17), "right", sortable=False)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        del columns, sort, query
        row = row_of_login(frame, self._login)
        cells = [] if row is None else _figures(frame, row)
        return View(
            ListedRows([name for name, _ in cells], [(Cell(n), cell) for n, cell in cells]),
            len(cells),
        )

    def nothing(self) -> str:
        """See `Source.nothing`."""
        return f"{self._login} is no longer watched."


def row_of_login(frame: Frame, login: int) -> int | None:
    """The account's row in the Book, None when it is not there."""
    row = int(rows_of(accounts(frame).login, np.array([login]))[0])
    return None if row < 0 else row


def _figures(frame: Frame, row: int) -> Sequence[tuple[str, Cell]]:
    table, made = accounts(frame), assessment(frame)
    applied = assigned(made.scope.plan, int(table.login[row]), table.group[row])
    digits = int(table.digits[row])

    def amount(value: float) -> Cell:
        return Cell(figures.money(float(value), digits))

    margin, equity = float(table.margin[row]), float(table.equity[row])
    level = f"{figures.money(equity / margin * 100, 1)} %" if margin > 0 else "no margin used"
    return [
        ("State", STATE_CELLS[int(made.state[row])]),
        ("Name", Cell(table.name[row])),
        ("Group", Cell(table.group[row])),
        ("Profile", Cell(applied.profile.name if applied.profile else "none: no rule applies")),
        ("Profile from", Cell(applied.words)),
        ("Currency", Cell(table.currency[row])),
        ("Leverage", Cell(f"1:{int(table.leverage[row])}")),
        ("Balance", amount(table.balance[row])),
        ("Credit", amount(table.credit[row])),
        ("Equity", amount(equity)),
        ("Floating", profit_cell(float(table.floating[row]), digits)),
        ("Margin", amount(margin)),
        ("Free margin", amount(table.margin_free[row])),
        ("Margin level", Cell(figures.NA if math.isnan(margin) else level)),
        ("Margin call at", _level(table.so_mode[row], float(table.so_call[row]), digits)),
        ("Stop-out at", _level(table.so_mode[row], float(table.so_level[row]), digits)),
        ("Day P/L", profit_cell(float(made.day_profit[row]), digits)),
        ("Positions", Cell(figures.count(int(position_counts(frame)[row])))),
        ("Trades today", Cell(figures.count(int(table.trades_today[row])))),
        ("Lots today", Cell(figures.lots(float(table.lots_today[row])))),
        ("Closed today", profit_cell(float(table.profit_today[row]), digits)),
        *_coming(frame, row),
        ("Server day ends", Cell(_rollover(frame))),
    ]


def _coming(frame: Frame, row: int) -> Sequence[tuple[str, Cell]]:
    """The rollovers to come and the verdicts they would bring."""
    lines: list[tuple[str, Cell]] = []
    digits = int(accounts(frame).digits[row])
    for one in rollover.coming(frame, row):
        clock = figures.clock(one.at, frame.health.server_offset, seconds=False)
        left = figures.span(one.at - frame.at)
        verdict = STATE_CELLS[one.state]
        lines.append((f"Rollover {clock}", Cell(f"{verdict.text}, in {left}", verdict.style)))
        if not math.isnan(one.limit):
            lines.append(("  its limit", Cell(figures.money(one.limit, digits))))
    return lines


def _level(mode: object, value: float, digits: int) -> Cell:
    if math.isnan(value):
        return Cell(figures.NA, "unknown")
    if value <= 0:
        return Cell("none")
    return Cell(figures.money(value, digits) if mode else f"{figures.money(value, 0)} %")


def _rollover(frame: Frame) -> str:
    at = next_rollover(SERVER_DAY, frame.at, frame.health.server_offset)
    return figures.NA if at is None else f"in {figures.span(at - frame.at)}"

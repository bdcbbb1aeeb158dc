"""What a shock does in sums, a line each way: what the house makes, how many clients it hits."""

from __future__ import annotations

import math

from rms_tui.risk.stress import Stressed
from rms_tui.tui import figures
from rms_tui.tui.move import Move
from rms_tui.tui.order import fitting
from rms_tui.tui.panes.accounts import profit_cell
from rms_tui.tui.shocks import Answer, Question
from rms_tui.tui.table import Cell, Column, ListedRows, LiveTable

IMPORTANCE = (
    "move", "book", "breach", "call", "out", "negative", "unknown", "clients", "coverage",
)  # fmt: skip


def _columns(currency: str, width: int) -> tuple[Column, ...]:
    columns = (
        Column("move", "Move", 15, frozen=True),
        Column("book", f"Book P/L {currency}", 13, "right"),
        Column("breach", "New breach", 10, "right"),
        Column("call", "Margin call", 11, "right"),
        Column("out", "Stop-out", 8, "right"),
        Column("negative", "Negative", 8, "right"),
        Column("unknown", "Unknown", 7, "right"),
        Column("clients", "Clients' P/L", 16, "right"),
        Column("coverage", "Coverage P/L", 16, "right"),
    )
    return fitting(columns, IMPORTANCE, width)


class SidesTable(LiveTable):
    """Two rows: up and down. It takes no keys."""

    def __init__(self, *, id: str) -> None:
        super().__init__(_columns("", 78), id=id)
        self.can_focus = False
        self._answer: Answer | None = None

    def show_answer(self, answer: Answer | None) -> None:
        """Show these two sides from now on."""
        self._answer = answer
        exposure = None if answer is None else answer.question.frame.exposure
        currency = "" if exposure is None else exposure.report_currency
        columns = _columns(currency, self.size.width)
        self.set_columns(columns)
        if answer is None or answer.up is None or answer.down is None:
            self.say("" if answer is None else answer.wrong)
            self.show(ListedRows())
            return
        way = sides_of(answer.question.move, answer.question.percent)
        drawn = [
            _drawn(answer.question, words, side)
            for words, side in zip(way, (answer.up, answer.down), strict=True)
        ]
        rows = [[cells[column.id] for column in columns] for cells in drawn]
        self.show(ListedRows(("up", "down"), rows))

    def on_resize(self) -> None:
        """Another width may suit other columns."""
        super().on_resize()
        self.show_answer(self._answer)


def sides_of(move: Move, percent: float) -> tuple[str, str]:
    """Both ways of a move in words."""
    if move.is_scenario:
        return move.name, "the other way"
    up, down = figures.signed_percent(percent), figures.signed_percent(-percent)
    return f"{move.name} {up}", f"{move.name} {down}"


def _drawn(asked: Question, way: str, side: Stressed) -> dict[str, Cell]:
    return {
        "move": Cell(way, "marked"),
        "book": _money(side.book),
        "breach": _number(len(side.breached), "bad")
        if asked.judged
        else Cell(figures.NA, "unknown"),
        "call": _number(len(side.margin_call), "warning"),
        "out": _number(len(side.stopped_out), "bad"),
        "negative": _number(len(side.negative), "bad"),
        "unknown": _number(side.undecided, "unknown"),
        "clients": _money(side.clients),
        "coverage": _money(side.coverage),
    }


def _money(value: float) -> Cell:
    return Cell("no rate", "unknown") if math.isnan(value) else profit_cell(value, 0)


def _number(number: int, style: str) -> Cell:
    return Cell(figures.count(number), style if number else "dim")

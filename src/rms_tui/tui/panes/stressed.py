"""Whom a shock reaches: the accounts that hold what moves, the worst off first."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from rms_tui.account_keys import SPAN, login_of
from rms_tui.book import Accounts, Floats, Ints, rows_of
from rms_tui.frame import Frame
from rms_tui.risk.stress import Stressed
from rms_tui.tui import figures
from rms_tui.tui.filter import Fields, IdField, NumberField, Query, TextField, WordField
from rms_tui.tui.order import OrderedRows, Ranks, fitting, ordered
from rms_tui.tui.panes.accounts import profit_cell
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.shocks import Answer
from rms_tui.tui.table import Cell, Column, ListedRows

NOTHING, UNKNOWN, BREACH, CALL, OUT, NEGATIVE = range(6)

OUTCOMES: dict[int, Cell] = {
    NOTHING: Cell("—", "dim"),
    UNKNOWN: Cell("unknown", "unknown"),
    BREACH: Cell("BREACH", "bad"),
    CALL: Cell("MARGIN CALL", "warning"),
    OUT: Cell("STOPPED OUT", "breached"),
    NEGATIVE: Cell("NEGATIVE", "breached"),
}
"""What becomes of an account, harmless first."""

IMPORTANCE = ("login", "up", "down", "up_profit", "down_profit", "name", "equity", "group")


class StressedSource:
    """Rows of an Answer, whatever the newest frame is."""

    name = "Accounts"
    words = ("login", "name", "group")
    default_sort: Sort = ("worst", True)

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.percent = 0.0
        """What is asked by now."""
        self.wanted = ""
        """What is being worked out, in words, while there is no answer to it."""
        self._ranks = Ranks()

    @property
    def fields(self) -> Fields:
        """See `Source.fields`."""
        words = {"nothing": NOTHING, "unknown": UNKNOWN, "breach": BREACH, "call": CALL,
                 "stopped": OUT, "negative": NEGATIVE}  # fmt: skip
        return {
            "login": IdField(lambda _: self._accounts.login % SPAN),
            "name": TextField(lambda _: self._accounts.name),
            "group": TextField(lambda _: self._accounts.group),
            "outcome": WordField(lambda _: np.maximum(*self._outcomes), words),
            "equity": NumberField(lambda _: self._accounts.equity),
        }

    @property
    def subject(self) -> str:
        """See `Source.subject`."""
        if self.answer is None or self.answer.up is None:
            return ""
        move = self.answer.question.move
        return f"that {move.name} moves" if move.is_scenario else f"that hold {move.name}"

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        percent = self.percent if self.answer is None else self.answer.question.percent
        up, down = f"+{percent:g} %", f"{figures.MINUS}{percent:g} %"
        titles = (f"At {up}", f"At {down}", f"P/L {up}", f"P/L {down}")
        if self.answer is not None and self.answer.question.move.is_scenario:
            titles = ("As saved", "The other way", "P/L as saved", "P/L other way")
        columns = (
            Column("login", "Login", 9, "right", frozen=True),
            Column("name", "Name", 14),
            Column("group", "Group", 12),
            Column("up", titles[0], 19),
            Column("down", titles[1], 19),
            Column("equity", "Equity", 13, "right"),
            Column("up_profit", titles[2], 13, "right"),
            Column("down_profit", titles[3], 13, "right"),
        )
        return fitting(columns, IMPORTANCE, width, elastic="name")

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        if self.answer is None or self.answer.up is None or self.answer.down is None:
            return View(ListedRows(), 0)
        up, down = self.answer.up, self.answer.down
        table = self._accounts
        reached = up.change != 0  # NaN too: what is not known may be anything
        mask = query.mask(frame)
        rows = reached if mask is None else reached & mask
        order = ordered(self._sort_key(sort[0], up, down), rows, descending=sort[1])
        drawn = self._drawn(up, down)

        def find(login: Hashable) -> int | None:
            if not isinstance(login, int):
                return None
            row = int(rows_of(table.login, np.array([login]))[0])
            return None if row < 0 else row

        shown = OrderedRows(
            order,
            lambda row: int(table.login[row]),
            find,
            [drawn[column.id] for column in columns],
        )
        return View(shown, int(reached.sum()))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        if self.answer is None:
            return self.wanted
        if self.answer.wrong:
            return f"Not worked out: {self.answer.wrong}"
        move = self.answer.question.move
        if move.is_scenario:
            return f"No account holds anything that {move.name} moves."
        return f"No account holds {move.name}."

    @property
    def _accounts(self) -> Accounts:
        assert self.answer is not None
        assert self.answer.question.frame.book is not None
        return self.answer.question.frame.book.accounts

    @property
    def _outcomes(self) -> tuple[Ints, Ints]:
        assert self.answer is not None
        assert self.answer.up is not None
        assert self.answer.down is not None
        login = self._accounts.login
        return outcomes(self.answer.up, login), outcomes(self.answer.down, login)

    def _sort_key(self, column: str, up: Stressed, down: Stressed) -> Any:
        table = self._accounts
        match column:
            case "worst":
                loss = -np.minimum(up.change, down.change)
                with np.errstate(divide="ignore", invalid="ignore"):
                    share = np.nan_to_num(np.clip(loss / np.abs(table.equity), 0.0, 0.999))
                return np.maximum(*self._outcomes) + share
            case "up":
                return self._outcomes[0]
            case "down":
                return self._outcomes[1]
            case "up_profit":
                return up.change
            case "down_profit":
                return down.change
            case "name" | "group":
                return self._ranks.of(column, getattr(table, column))
        return getattr(table, column)

    def _drawn(self, up: Stressed, down: Stressed) -> dict[str, Any]:
        table = self._accounts
        breached = [frozenset(side.breached.tolist()) for side in (up, down)]
        became = self._outcomes

        def outcome(side: int) -> Any:
            def draw(row: int) -> Cell:
                cell = OUTCOMES[int(became[side][row])]
                also = became[side][row] > BREACH and int(table.login[row]) in breached[side]
                return Cell(f"{cell.text} +breach", cell.style) if also else cell

            return draw

        def profit(change: Floats) -> Any:
            return lambda row: profit_cell(float(change[row]), int(table.digits[row]))

        return {
            "login": lambda row: Cell(str(login_of(int(table.login[row])))),
            "name": lambda row: Cell(table.name[row]),
            "group": lambda row: Cell(table.group[row]),
            "up": outcome(0),
            "down": outcome(1),
            "equity": lambda row: Cell(
                figures.money(float(table.equity[row]), int(table.digits[row]))
            ),
            "up_profit": profit(up.change),
            "down_profit": profit(down.change),
        }


def outcomes(side: Stressed, logins: Ints) -> Ints:
    """The worst that becomes of each account."""
    worst = np.where(side.known, NOTHING, UNKNOWN).astype(np.int64)
    for reached, what in (
        (side.breached, BREACH),
        (side.margin_call, CALL),
        (side.stopped_out, OUT),
        (side.negative, NEGATIVE),
    ):
        worst[rows_of(logins, reached)] = what
    return worst

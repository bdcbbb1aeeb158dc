"""Pane 1: every watched account, the worst first."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from rms_tui.account_keys import SPAN, login_of
from rms_tui.book import Accounts, Bytes, Flags, Floats, rows_of
from rms_tui.frame import Frame
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.verdict import Reason, State, Verdict
from rms_tui.tui import figures, rollover
from rms_tui.tui.filter import (
    Fields,
    HoldsField,
    IdField,
    NumberField,
    Query,
    Test,
    TextField,
    WordField,
)
from rms_tui.tui.order import Draw, OrderedRows, Ranks, fitting, ordered
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.standing import Standing
from rms_tui.tui.table import Cell, Column
from rms_tui.tui.words import STATE_CELLS, STATE_WORDS, rule_words

COLUMNS = (
    Column("mark", "", 1, sortable=False, frozen=True),
    Column("state", "STATE", 8, frozen=True),
    Column("login", "Login", 9, "right", frozen=True),
    Column("name", "Name", 16),
    Column("group", "Group", 12),
    Column("currency", "Cur", 4),
    Column("balance", "Balance", 13, "right"),
    Column("credit", "Credit", 10, "right"),
    Column("equity", "Equity", 13, "right"),
    Column("margin", "Margin", 12, "right"),
    Column("free", "Free", 13, "right"),
    Column("level", "Level%", 8, "right"),
    Column("floating", "Floating", 12, "right"),
    Column("profit", "Day P/L", 12, "right"),
    Column("used", "Used%", 6, "right"),
    Column("rule", "Rule", 14),
    Column("positions", "Pos", 4, "right"),
    Column("leverage", "Lev", 5, "right"),
)

IMPORTANCE = (
    "mark", "state", "login", "used", "level", "equity", "profit", "name", "group", "balance",
    "rule", "floating", "currency", "margin", "credit", "positions", "free", "leverage",
)  # fmt: skip
"""Which columns stay in a narrow pane; up to the balance in one of 160 cells' screen."""

FLEET_COLUMNS = tuple(
    replace(column, title="Server", width=14) if column.id == "group" else column
    for column in COLUMNS
)
FLEET_IMPORTANCE = ("mark", "state", "login", "used", "group", *IMPORTANCE)
"""A fleet's accounts are on several servers, and an MT5 terminal knows no group."""

UNLIMITED = 99_999.0
"""Sort value, in percent, of a share that is infinite."""


def accounts(frame: Frame) -> Accounts:
    """The accounts of a frame that has a Book."""
    assert frame.book is not None
    return frame.book.accounts


def assessment(frame: Frame) -> Assessment:
    """The assessment of a frame that has a Book."""
    assert frame.assessment is not None
    return frame.assessment


def margin_level(frame: Frame) -> Floats:
    """Equity over margin in percent; NaN for an account without margin, which has no level."""
    table = accounts(frame)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(table.margin > 0, table.equity / table.margin * 100.0, np.nan)


def position_counts(frame: Frame) -> Floats:
    """Open positions of each account."""
    return assessment(frame).positions[1]


def _holding(frame: Frame, test: Test) -> Flags:
    """Accounts with a position in a symbol whose name passes."""
    assert frame.book is not None
    passing = np.array([test(name) for name in frame.book.symbols.name], dtype=np.bool_)
    held = np.zeros(len(frame.book.accounts), dtype=np.bool_)
    positions = frame.book.positions
    if len(passing):
        held[positions.account[passing[positions.symbol]]] = True
    return held


def _under_rule(frame: Frame, test: Test) -> Flags:
    """Accounts that a rule of that name warns about, or worse."""
    flags = np.zeros(len(accounts(frame)), dtype=np.bool_)
    for verdict in assessment(frame).verdicts:
        if test(verdict.rule.rule) or test(rule_words(verdict.rule.rule)):
            rows = slice(None) if verdict.rows is None else verdict.rows
            flags[rows] |= verdict.state >= State.CAUTION
    return flags


def _would_breach(frame: Frame) -> Flags:
    """Accounts that the next rollover would breach."""
    flags = np.zeros(len(accounts(frame)), dtype=np.bool_)
    flags[list(rollover.breaching(frame))] = True
    return flags


def _figure(name: str) -> NumberField:
    return NumberField(lambda frame: getattr(accounts(frame), name))


FIELDS: Fields = {
    "level": NumberField(margin_level),
    "used": NumberField(lambda frame: assessment(frame).used, scale=0.01),
    "state": WordField(lambda frame: assessment(frame).state, STATE_WORDS),
    "login": IdField(lambda frame: accounts(frame).login % SPAN),
    "name": TextField(lambda frame: accounts(frame).name),
    "group": TextField(lambda frame: accounts(frame).group),
    "symbol": HoldsField(_holding),
    "rule": HoldsField(_under_rule),
    "overnight": WordField(_would_breach, {"ok": 0, "breach": 1}),
    "currency": TextField(lambda frame: accounts(frame).currency),
    "equity": _figure("equity"),
    "balance": _figure("balance"),
    "credit": _figure("credit"),
    "floating": _figure("floating"),
    "margin": _figure("margin"),
    "free": _figure("margin_free"),
    "profit": NumberField(lambda frame: assessment(frame).day_profit),
    "positions": NumberField(position_counts),
    "leverage": _figure("leverage"),
}


class AccountsSource:
    """Rows of the accounts table; `standing` is shared with whoever says a row was seen."""

    name = "Accounts"
    words = ("login", "name", "group")
    default_sort: Sort = ("state", True)
    subject = ""

    def __init__(self, standing: Standing, *, fleet: bool = False) -> None:
        self._standing = standing
        self._is_fleet = fleet
        self.fields = {**FIELDS, "server": FIELDS["group"]} if fleet else FIELDS
        self._ranks = Ranks()

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        columns = FLEET_COLUMNS if self._is_fleet else COLUMNS
        importance = FLEET_IMPORTANCE if self._is_fleet else IMPORTANCE
        return fitting(columns, list(dict.fromkeys(importance)), width, elastic="name")

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        table = accounts(frame)
        key = self._sort_key(frame, sort[0])
        order = ordered(key, query.mask(frame), descending=sort[1])
        drawn = self._drawn(frame)
        rows = OrderedRows(
            order,
            lambda row: int(table.login[row]),
            partial(_row_of, frame),
            [drawn[column.id] for column in columns],
        )
        return View(rows, len(table))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        return "No account is watched.\n\nPress a to add accounts."

    def _sort_key(self, frame: Frame, column: str) -> Any:
        table = accounts(frame)
        match column:
            case "state":
                return _worst_key(self._standing)
            case "used":
                return _percent(self._standing.used)
            case "name" | "group" | "currency":
                return self._ranks.of(column, getattr(table, column))
            case "level":
                return margin_level(frame)
            case "profit":
                return assessment(frame).day_profit
            case "positions":
                return position_counts(frame)
            case "free":
                return table.margin_free
            case "rule":
                return _worst_rule_rank(assessment(frame), len(table))
        return getattr(table, column)

    def _drawn(self, frame: Frame) -> dict[str, Draw]:
        table, made = accounts(frame), assessment(frame)
        levels, standing, counts = margin_level(frame), self._standing, position_counts(frame)
        digits, breaching = table.digits, rollover.breaching(frame)
        return {
            "mark": lambda row: _mark(standing.is_marked(int(table.login[row])), row in breaching),
            "state": lambda row: STATE_CELLS[int(made.state[row])],
            "login": lambda row: Cell(str(login_of(int(table.login[row])))),
            "name": lambda row: Cell(table.name[row]),
            "group": lambda row: Cell(table.group[row]),
            "currency": lambda row: Cell(table.currency[row]),
            "balance": _money(table.balance, digits),
            "credit": _money(table.credit, digits),
            "equity": _money(table.equity, digits),
            "floating": _profit(table.floating, digits),
            "margin": _money(table.margin, digits),
            "free": _money(table.margin_free, digits),
            "level": lambda row: _level(float(levels[row]), float(table.margin[row])),
            "profit": _profit(made.day_profit, digits),
            "used": lambda row: _used(float(made.used[row]), int(made.state[row])),
            "rule": lambda row: _rule_cell(made, row, breaching.get(row)),
            "positions": lambda row: Cell(figures.count(int(counts[row]))),
            "leverage": lambda row: Cell(f"1:{int(table.leverage[row])}"),
        }


def _mark(is_worse: bool, breaches_at_rollover: bool) -> Cell:
    if is_worse:
        return Cell("▲", "marked")
    return Cell("!", "warning") if breaches_at_rollover else Cell("")


def _row_of(frame: Frame, key: Hashable) -> int | None:
    if not isinstance(key, int):
        return None
    row = int(rows_of(accounts(frame).login, np.array([key]))[0])
    return None if row < 0 else row


def _percent(used: Floats) -> Floats:
    """Whole percent, as shown: a tick within one does not reorder the table."""
    return np.rint(np.minimum(used * 100.0, UNLIMITED))


def _worst_key(standing: Standing) -> Floats:
    used = np.nan_to_num(_percent(standing.used), nan=-1.0)
    return standing.state * (UNLIMITED * 2.0) + used


def _worst_rule_rank(made: Assessment, rows: int) -> Floats:
    """Index of the verdict with the largest share used, NaN where none says."""
    best, rank = np.full(rows, -1.0), np.full(rows, np.nan)
    for index, verdict in enumerate(made.verdicts):
        where = np.arange(rows) if verdict.rows is None else verdict.rows
        used = verdict.used
        better = used > best[where]
        best[where[better]] = used[better]
        rank[where[better]] = index
    return rank


def worst_verdict(made: Assessment, row: int) -> tuple[Verdict, int] | None:
    """The verdict that decides an account's state, and the account's row in it."""
    worst: tuple[Verdict, int] | None = None
    best = (int(State.OFF), -1.0)
    for verdict in made.verdicts:
        at = row
        if verdict.rows is not None:
            at = int(np.searchsorted(verdict.rows, row))
            if at >= len(verdict.rows) or verdict.rows[at] != row:
                continue
        used = verdict.used_at(at)
        rank = (int(verdict.state[at]), -1.0 if math.isnan(used) else used)
        if rank > best:
            best, worst = rank, (verdict, at)
    return worst


def _rule_cell(made: Assessment, row: int, breaching_at: str | None) -> Cell:
    """The worst rule, or why there is no decision, or when the daily loss would be breached."""
    undecided = Reason(int(made.undecided[row]))
    if undecided is not Reason.NONE:
        return Cell(undecided.words, "unknown")
    worst = worst_verdict(made, row)
    if worst is None:
        return Cell("")
    state = int(worst[0].state[worst[1]])
    if breaching_at is not None and state < State.BREACHED:
        return Cell(f"loss at {breaching_at}", "warning")
    return Cell(rule_words(worst[0].rule.rule), "dim" if state < State.CAUTION else "")


def _money(column: Floats, digits: Bytes) -> Callable[[int], Cell]:
    def draw(row: int) -> Cell:
        value = float(column[row])
        if math.isnan(value):
            return Cell(figures.NA, "unknown")
        return Cell(figures.money(value, int(digits[row])), "dim" if value == 0 else "")

    return draw


def _profit(column: Floats, digits: Bytes) -> Callable[[int], Cell]:
    def draw(row: int) -> Cell:
        return profit_cell(float(column[row]), int(digits[row]))

    return draw


def profit_cell(value: float, digits: int) -> Cell:
    """A profit or loss with its sign, and its colour beside the sign."""
    text = figures.signed(value, digits)
    if text == figures.NA:
        return Cell(text, "unknown")
    return Cell(text, {"+": "good", figures.MINUS: "bad"}.get(text[0], "dim"))


def _level(level: float, margin: float) -> Cell:
    if math.isnan(level):
        return Cell("—", "dim") if margin == 0 else Cell(figures.NA, "unknown")
    if level >= 1e6:
        return Cell(figures.compact(level))
    return Cell(figures.money(level, 0 if level >= 1e4 else 1))


def _used(used: float, state: int) -> Cell:
    if math.isnan(used):
        return Cell(figures.NA if state == State.UNKNOWN else "—", "dim")
    style = {State.CAUTION: "warning", State.CRITICAL: "bad", State.BREACHED: "bad"}
    return Cell(figures.percent(used), style.get(State(state), ""))

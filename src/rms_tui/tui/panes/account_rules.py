"""Details: every rule of one account, with a gauge, the distance in money and the reason."""

from __future__ import annotations

import math

import numpy as np

from rms_tui.frame import Frame
from rms_tui.risk.distance import Distance, distance_of
from rms_tui.risk.memory import Origin
from rms_tui.risk.profile import DailyLoss, MaxProfit, TrailingDrawdown, rollover_of, trail_of
from rms_tui.risk.rules import RULES
from rms_tui.risk.rules.loss import standing_peak
from rms_tui.risk.verdict import Reason, State, Verdict
from rms_tui.tui import figures
from rms_tui.tui.filter import NO_FIELDS, Query
from rms_tui.tui.order import fitting
from rms_tui.tui.panes.account_figures import row_of_login
from rms_tui.tui.panes.accounts import accounts, assessment
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column, ListedRows
from rms_tui.tui.words import STATE_CELLS, rule_words

GAUGE = 7

COLUMNS = (
    Column("state", "STATE", 9, sortable=False, frozen=True),
    Column("rule", "Rule", 14, sortable=False, frozen=True),
    Column("gauge", "Used", GAUGE, sortable=False),
    Column("used", "Used%", 6, "right", sortable=False),
    Column("distance", "Left", 12, "right", sortable=False),
    Column("percent", "Left%", 6, "right", sortable=False),
    Column("move", "By price", 18, sortable=False),
    Column("price", "At price", 10, "right", sortable=False),
    Column("value", "Value", 12, "right", sortable=False),
    Column("limit", "Limit", 12, "right", sortable=False),
    Column("why", "Why", 28, sortable=False),
    Column("base", "Base or peak", 21, sortable=False),
)
IMPORTANCE = (
    "state", "rule", "gauge", "used", "distance", "percent", "move", "limit", "base", "price",
    "value", "why",
)  # fmt: skip


class RulesSource:
    """Rules of one account, the worst first."""

    name = "Rules"
    fields = NO_FIELDS
    words: tuple[str, ...] = ()
    default_sort: Sort = ("", True)
    subject = ""

    def __init__(self, login: int) -> None:
        self._login = login

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        return fitting(COLUMNS, IMPORTANCE, width, elastic="why", most=44)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        del sort, query
        row = row_of_login(frame, self._login)
        found: list[tuple[int, Verdict, int]] = []
        for index, verdict in enumerate(assessment(frame).verdicts if row is not None else ()):
            at = row if verdict.rows is None else _place(verdict, row)
            if at is not None:
                found.append((index, verdict, at))
        found.sort(key=lambda each: (-int(each[1].state[each[2]]), -_share(each[1], each[2])))
        made = []
        for _, verdict, at in found:
            cells = _cells(frame, verdict, at, row or 0)
            made.append([cells[column.id] for column in columns])
        return View(ListedRows([index for index, _, _ in found], made), len(found))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        return "No rule applies to this account."


def _place(verdict: Verdict, row: int | None) -> int | None:
    rows = verdict.rows
    assert rows is not None
    at = int(np.searchsorted(rows, row))  # type: ignore[arg-type]  # a row, by the caller
    return at if at < len(rows) and rows[at] == row else None


def _share(verdict: Verdict, at: int) -> float:
    share = verdict.used_at(at)
    return -1.0 if math.isnan(share) else share


def _cells(frame: Frame, verdict: Verdict, at: int, row: int) -> dict[str, Cell]:
    digits = int(accounts(frame).digits[row])
    unit = RULES[type(verdict.rule)].unit
    state, used = int(verdict.state[at]), verdict.used_at(at)
    style = STATE_CELLS[state].style

    def figure(value: float) -> Cell:
        if math.isnan(value):
            return Cell(figures.NA if state == State.UNKNOWN else "—", "dim")
        if unit == "%":
            return Cell(f"{figures.money(value, 1)} %")
        return Cell(figures.money(value, 0 if unit == "positions" else digits))

    distance = verdict.distance_at(at)
    far = _distance(frame, verdict, at, row)
    left = figures.money(distance, 0 if unit == "positions" else digits)
    return {
        "state": STATE_CELLS[state],
        "rule": Cell(rule_words(verdict.rule.rule)),
        "gauge": Cell(figures.gauge(used, GAUGE), "" if style == "breached" else style),
        "used": Cell("—" if math.isnan(used) else figures.percent(used)),
        "distance": Cell("—" if math.isnan(distance) else left, "bad" if distance < 0 else ""),
        "percent": Cell("—" if math.isnan(far.percent) else figures.money(far.percent, 1)),
        "move": Cell(_move(far), "" if state > State.OK else "dim"),
        "price": Cell(figures.price(far.price, far.digits) if _gets_there(far) else "—"),
        "value": figure(verdict.value_at(at)),
        "limit": figure(float(verdict.limit[at])),
        "base": _base(frame, verdict, row, digits),
        "why": Cell(Reason(int(verdict.reason[at])).words, "dim" if state <= State.OK else ""),
    }


def _distance(frame: Frame, verdict: Verdict, at: int, row: int) -> Distance:
    assert frame.book is not None
    return distance_of(frame.book, row, verdict, at)


def _move(far: Distance) -> str:
    """The price move of the largest symbol that gets to the limit: `EURUSD −0.00412`."""
    if not _gets_there(far):
        return "—"
    return f"{far.symbol} {figures.signed(far.move, far.digits)}"


def _gets_there(far: Distance) -> bool:
    """Whether a price above 0 gets there, and has not already."""
    return far.symbol is not None and far.money > 0 and far.price > 0


def _peak(frame: Frame, rule: TrailingDrawdown, row: int, digits: int) -> Cell:
    """The peak a trailing rule follows; one that may have been missed is at least that."""
    scope = assessment(frame).scope
    trail = trail_of(scope.plan.profiles[int(scope.profile[row])], rule)
    peak = None if frame.memory is None else frame.memory.peaks.get(trail)
    value = math.nan
    if peak is not None:
        at = slice(row, row + 1)
        value = float(standing_peak(peak.value[at], scope.initial[at], trail)[0])
    if peak is None or math.isnan(value):
        return Cell("peak unknown", "unknown")
    sure = bool(peak.sure[row])
    words = f"{figures.money(value, digits)} peak"
    return Cell(words) if sure else Cell(f"≥ {words}?", "unknown")


def _base(frame: Frame, verdict: Verdict, row: int, digits: int) -> Cell:
    """The day base or the peak a rule counts from, and how it was learnt."""
    rule = verdict.rule
    if isinstance(rule, TrailingDrawdown):
        return _peak(frame, rule, row, digits)
    counts_days = isinstance(rule, DailyLoss) or (
        isinstance(rule, MaxProfit) and rule.period == "day"
    )
    scope = assessment(frame).scope
    if not counts_days or frame.memory is None:
        return Cell("")
    profile = scope.plan.profiles[int(scope.profile[row])]
    wanted = rule.base if isinstance(rule, DailyLoss) else getattr(rule, "value", "equity")
    if wanted == "initial":
        initial = profile.initial_balance
        return Cell("unknown" if initial is None else f"{figures.money(initial, digits)} initial")
    day = frame.memory.days.get(rollover_of(profile, rule))
    if day is None:
        return Cell("unknown", "unknown")
    balance, equity = float(day.balance[row]), float(day.equity[row])
    known = {"balance": balance, "equity": equity}
    value = known.get(wanted, float(np.maximum(balance, equity)))
    if math.isnan(value):
        return Cell("unknown", "unknown")
    return Cell(f"{figures.money(value, digits)} {Origin(int(day.origin[row])).word}")

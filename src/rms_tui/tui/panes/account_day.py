"""Details: equity and balance of the trading day as a chart, over the floors of its rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rms_tui.book import Deals
from rms_tui.frame import Frame
from rms_tui.risk.assessment import verdicts_of
from rms_tui.risk.flows import CREDIT_TYPES
from rms_tui.risk.memory import SERVER_DAY, DayBase
from rms_tui.risk.profile import DailyLoss, Rollover, TotalLoss, TrailingDrawdown, rollover_of
from rms_tui.tui import figures
from rms_tui.tui.curves import Curve
from rms_tui.tui.day_chart import LEGEND, Day, Line, Step, chart, out_of_sight, steps_back
from rms_tui.tui.filter import NO_FIELDS, Query
from rms_tui.tui.panes.account_figures import row_of_login
from rms_tui.tui.panes.accounts import accounts, assessment
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column, ListedRows
from rms_tui.tui.words import rule_words

LEVEL, NAMES = 12, 20
"""Cells at the left for figures, at the right for names."""

ABOVE = 1
"""Lines of the pane that are no chart: the titles."""

FLOORS = (DailyLoss, TotalLoss, TrailingDrawdown)


@dataclass(frozen=True, slots=True)
class Read:
    """Deals as they were read, and the instant and the balance that they lead up to."""

    deals: Deals
    at: float
    balance: float


class DaySource:
    """The day of one account. `curve` is what was sampled, `read` its deals once they came."""

    name = "Day"
    fields = NO_FIELDS
    words: tuple[str, ...] = ()
    default_sort: Sort = ("", True)

    def __init__(self, login: int) -> None:
        self.curve = Curve()
        self.read: Read | None = None
        self.lines = 0
        self.subject = ""
        self._login = login
        self._why = "Nothing is known about this day yet."

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`; the chart takes what the figures and names leave."""
        names = NAMES if width >= 70 else 0
        room = max(8, width - LEVEL - 1 - (names + 1 if names else 0))
        made = (
            Column("level", "", LEVEL, "right", sortable=False),
            Column("chart", LEGEND, room, sortable=False),
        )
        return (*made, Column("names", "", names, sortable=False)) if names else made

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        del sort, query
        row = row_of_login(frame, self._login)
        day = None if row is None else _day(frame, row, self.curve, self.read)
        self.subject = ""
        if day is None or row is None:
            self._why = f"{self._login} is no longer watched." if row is None else _NO_DAY
            return View(ListedRows(), 0)
        drawn = chart(day, columns[1].width, self.lines)
        self.subject = _subject(frame, day, drawn)
        cells = [
            [Cell(line.level, "dim"), Cell(_axis(frame, day, line, at, drawn)), Cell(line.names)]
            for at, line in enumerate(drawn)
        ]
        keys = list(range(len(drawn)))
        return View(ListedRows(keys, [line[: len(columns)] for line in cells]), len(drawn))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        return self._why


_NO_DAY = "The trading day is not known: the server's clock is not."


class ChartPane(Pane):
    """A pane whose source draws as many lines as there are."""

    def __init__(self, number: int, source: DaySource, *, id: str) -> None:
        super().__init__(number, source, id=id)
        self._day = source

    def repaint(self) -> None:
        """Tell the source how high it may draw."""
        self._day.lines = self.size.height - ABOVE
        super().repaint()

    def on_resize(self) -> None:
        """Another size is another chart."""
        self.repaint()


def own_rollover(frame: Frame, row: int) -> Rollover:
    """The rollover that the account's first daily loss rule counts from, else the server's."""
    scope = assessment(frame).scope
    index = int(scope.profile[row])
    for rule in scope.plan.profiles[index].rules if index >= 0 else ():
        if isinstance(rule, DailyLoss):
            return rollover_of(scope.plan.profiles[index], rule)
    return SERVER_DAY


def _day(frame: Frame, row: int, curve: Curve, read: Read | None) -> Day | None:
    day = None if frame.memory is None else frame.memory.days.get(own_rollover(frame, row))
    if day is None or math.isnan(day.at) or frame.book is None:
        return None
    floors = [
        (rule_words(verdict.rule.rule), float(verdict.limit[at]))
        for verdict, at in verdicts_of(assessment(frame), row)
        if isinstance(verdict.rule, FLOORS)
    ]
    return Day(
        began=day.at,
        now=max(frame.book.taken_at, day.at + 1.0),
        base=float(day.equity[row]),
        curve=curve,
        steps=_steps(frame, day, row, read),
        floors=floors,
        digits=int(accounts(frame).digits[row]),
    )


def _steps(frame: Frame, day: DayBase, row: int, read: Read | None) -> Sequence[Step]:
    """The balance as the deals tell it, unless they do not lead back to the day's base."""
    offset = frame.health.server_offset
    if read is None or offset is None:
        return ()
    deals = read.deals
    kept = np.flatnonzero(~np.isin(deals.type, CREDIT_TYPES))
    amount = deals.profit + deals.swap + deals.commission
    moved = sorted((float(deals.time[at]) - offset, float(amount[at])) for at in kept.tolist())
    steps = steps_back(day.at, read.at, read.balance, moved)
    base = float(day.balance[row])
    tolerance = 1.5 * 10.0 ** -int(accounts(frame).digits[row])
    return () if abs(steps[0][1] - base) > tolerance else steps


def _subject(frame: Frame, day: Day, drawn: Sequence[Line]) -> str:
    """Since when what is known, and the floors that are out of sight."""

    def clock(at: float) -> str:
        return figures.clock(at, frame.health.server_offset, seconds=False)

    watched = not math.isnan(day.known_since)
    equity = f"equity since {clock(day.known_since)}" if watched else "equity not known"
    said = [f"from {clock(day.began)}", equity]
    if not day.steps:
        said.append("balance too" if watched else "balance not known")
    if drawn:
        said += [f"{name} {figures.money(at, day.digits)}" for name, at in out_of_sight(day, drawn)]
    return ", ".join(said)


def _axis(frame: Frame, day: Day, line: Line, at: int, drawn: Sequence[Line]) -> str:
    """A line as drawn; the last one with the times at its ends and in its middle."""
    if at < len(drawn) - 1:
        return line.drawn
    text, width = line.drawn, len(line.drawn)
    for share in (0.0, 0.5, 1.0) if width >= 30 else (0.0, 1.0):
        moment = day.began + share * (day.now - day.began)
        label = figures.clock(moment, frame.health.server_offset, seconds=False)
        start = round(share * (width - len(label)))
        text = text[:start] + label + text[start + len(label) :]
    return text

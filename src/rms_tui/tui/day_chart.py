"""A day of one account as lines of characters: equity, balance, and the floors under them.

Pure: what is known goes in, text comes out. Each line has a sign of its own, so that no colour is
needed to tell them apart; where nothing is known, nothing is drawn and the axis is dotted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rms_tui.tui import figures
from rms_tui.tui.curves import Curve

EQUITY, SWING, BALANCE, FLOOR = "•", "┃", "─", "╌"
LEGEND = f"{EQUITY} equity  {BALANCE} balance  {FLOOR} floor"
KNOWN, UNKNOWN = "─", "·"

Step = tuple[float, float]
"""From an instant (UTC seconds) on, this balance."""


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of an account's trading day. Times are UTC seconds, NaN is not known.

    `steps` is the balance as the deals tell it; `floors` are the names and limits of its rules.
    """

    began: float
    now: float
    base: float
    curve: Curve
    steps: Sequence[Step]
    floors: Sequence[tuple[str, float]]
    digits: int = 2

    @property
    def known_since(self) -> float:
        """Since when the equity was watched, NaN while it was not."""
        points = self.curve.since(self.began)
        return max(points[0].at, self.began) if points else math.nan


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the chart: the figure at its left, the drawing, the names at its right."""

    level: str
    drawn: str
    names: str


@dataclass(slots=True)
class _Columns:
    """Lowest and highest equity, and the balance, of each column of the chart."""

    low: list[float]
    high: list[float]
    balance: list[float]


def chart(day: Day, width: int, height: int) -> list[Line]:
    """The chart in `height` lines, the last of them the axis; none where there is no room."""
    if width < 8 or height < 4:
        return []
    columns = _columns(day, width)
    shown = [v for v in (*columns.low, *columns.high, *columns.balance) if math.isfinite(v)]
    if not shown:
        return []
    floors = [(name, at) for name, at in day.floors if math.isfinite(at)]
    below = [at for _, at in floors if at <= max(shown)]
    bottom, top = min([*shown, *([max(below)] if below else [])]), max(shown)
    if top - bottom < 10.0**-day.digits:
        bottom, top = bottom - 1.0, top + 1.0
    rows = height - 1

    def row_of(value: float) -> int:
        return round((top - value) / (top - bottom) * (rows - 1))

    grid = [[" "] * width for _ in range(rows)]
    names: dict[int, list[str]] = {}
    levels = {0: top, rows - 1: bottom}
    within = [(name, at) for name, at in floors if bottom <= at <= top]
    for name, at in within:
        row = row_of(at)
        grid[row] = [FLOOR] * width
        names.setdefault(row, []).append(name)
        levels[row] = at
    for x in range(width):
        if math.isfinite(columns.balance[x]):
            grid[row_of(columns.balance[x])][x] = BALANCE
    for x in range(width):
        if math.isfinite(columns.low[x]):
            first, last = row_of(columns.high[x]), row_of(columns.low[x])
            for row in range(first, last + 1):
                grid[row][x] = EQUITY if first == last else SWING
    for word, line in (("balance", columns.balance), ("equity", _last_equity(day, columns))):
        value = next((v for v in reversed(line) if math.isfinite(v)), math.nan)
        if math.isfinite(value):
            names.setdefault(row_of(value), []).insert(0, word)
            levels[row_of(value)] = value
    drawn = [
        Line(
            figures.money(levels[row], day.digits) if row in levels else "",
            "".join(grid[row]),
            ", ".join(names.get(row, ())),
        )
        for row in range(rows)
    ]
    return [*drawn, _axis(columns, width)]


def out_of_sight(day: Day, lines: Sequence[Line]) -> list[tuple[str, float]]:
    """The floors that no line of the chart names: too far below."""
    named = {name for line in lines for name in line.names.split(", ")}
    return [(name, at) for name, at in day.floors if math.isfinite(at) and name not in named]


def steps_back(began: float, now: float, balance: float, moved: Sequence[Step]) -> list[Step]:
    """The balance through the day, counted back from now by what each deal (in order of time)
    moved."""
    made: list[Step] = []
    for at, amount in reversed([deal for deal in moved if began < deal[0] <= now]):
        made.append((at, balance))
        balance -= amount
    return [(began, balance), *reversed(made)]


def _columns(day: Day, width: int) -> _Columns:
    none = [math.nan] * width
    made = _Columns(list(none), list(none), list(none))
    length = max(day.now - day.began, 1.0)

    def column(at: float) -> int:
        return min(width - 1, max(0, int((at - day.began) / length * width)))

    for start, balance in day.steps:
        for x in range(column(start), width):
            made.balance[x] = balance
    if math.isfinite(day.base):
        made.low[0] = made.high[0] = day.base
    for point in day.curve.since(day.began):
        end = min(point.at + day.curve.width, day.now)
        for x in range(column(point.at), column(end) + 1):
            made.low[x] = min(point.low, made.low[x]) if made.low[x] == made.low[x] else point.low
            made.high[x] = (
                max(point.high, made.high[x]) if made.high[x] == made.high[x] else point.high
            )
            made.balance[x] = point.balance
    return made


def _last_equity(day: Day, columns: _Columns) -> Sequence[float]:
    points = day.curve.since(day.began)
    return [points[-1].equity] if points else columns.low


def _axis(columns: _Columns, width: int) -> Line:
    known = [KNOWN if math.isfinite(columns.low[x]) else UNKNOWN for x in range(width)]
    return Line("", "".join(known), f"{UNKNOWN} not known" if UNKNOWN in known else "")

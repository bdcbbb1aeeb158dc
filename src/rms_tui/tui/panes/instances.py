"""Pane 5 of a console over a fleet: its terminals, and the elements that wait for one."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from rms_tui.fleet_state import FleetRow, FleetState
from rms_tui.frame import Frame
from rms_tui.tui import figures
from rms_tui.tui.filter import Fields, NumberField, Query, TextField, WordField
from rms_tui.tui.fleet_side import FleetSide
from rms_tui.tui.order import Draw, OrderedRows, fitting, ordered
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column

COLUMNS = (
    Column("standing", "STATE", 10, frozen=True),
    Column("host", "Host", 12),
    Column("path", "Terminal", 22),
    Column("element", "Element", 24),
    Column("ping", "Ping", 12, "right"),
    Column("restarts", "Restarts", 8, "right"),
    Column("error", "Error", 30),
)
IMPORTANCE = ("standing", "element", "ping", "host", "error", "restarts", "path")

STANDING_CELLS = {
    "FREE": Cell("○ FREE", "dim"),
    "OCCUPIED": Cell("● OCCUPIED", "good"),
    "FAULTY": Cell("■ FAULTY", "critical"),
    "PENDING": Cell("… PENDING", "warning"),
    "ERROR": Cell("■ ERROR", "critical"),
    "INACTIVE": Cell("▲ INACTIVE", "warning"),
}
"""Sign and word of each state: readable without colour."""

WORST_LAST = ("FREE", "OCCUPIED", "PENDING", "INACTIVE", "FAULTY", "ERROR")


class InstancesSource:
    """Rows of the fleet's terminals, the worst first."""

    name = "Instances"
    words = ("host", "terminal", "element", "error")
    default_sort: Sort = ("standing", True)

    def __init__(self, fleet: FleetSide) -> None:
        self._fleet = fleet
        self._state = FleetState()
        self.fields: Fields = {
            "state": WordField(
                lambda _: np.array([_rank(row) for row in self._state.rows]),
                {word.lower(): at for at, word in enumerate(WORST_LAST)},
            ),
            "host": self._texts("host"),
            "terminal": self._texts("path"),
            "element": TextField(lambda _: tuple(element_words(r) for r in self._state.rows)),
            "server": self._texts("server"),
            "restarts": NumberField(lambda _: np.array([r.restarts for r in self._state.rows])),
            "error": self._texts("error"),
        }

    def _texts(self, name: str) -> TextField:
        return TextField(lambda _: tuple(str(getattr(row, name)) for row in self._state.rows))

    @property
    def subject(self) -> str:
        """How many elements have no terminal, and whether all of it is old."""
        waiting = sum(not row.host for row in self._state.rows)
        words = [f"{figures.count(waiting)} without a terminal"] if waiting else []
        return ", ".join([*(["OLD: MongoDB is away"] if self._state.problem else []), *words])

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        return fitting(COLUMNS, IMPORTANCE, width, elastic="error", most=60)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        self._state = state = self._fleet.newest
        order = ordered(_sort_key(state, sort[0]), query.mask(frame), descending=sort[1])
        place = {row.id: at for at, row in enumerate(state.rows)}

        def find(key: Hashable) -> int | None:
            return place.get(key) if isinstance(key, str) else None

        drawn = _drawn(state, frame.at)
        rows = OrderedRows(
            order, lambda at: state.rows[at].id, find, [drawn[column.id] for column in columns]
        )
        return View(rows, len(state.rows))

    def account(self, key: Hashable) -> int | None:
        """The number of the account behind a row, None where there is none."""
        return next((row.key for row in self._state.rows if row.id == key), None)

    def nothing(self) -> str:
        """See `Source.nothing`."""
        if not self._state.loaded:
            return "Reading the fleet from MongoDB"
        return (
            "No terminal is known.\n\n`rms-tui instance add PATH` on a trading host names one, "
            "`rms-tui supervise` there uses it."
        )


def element_words(row: FleetRow) -> str:
    """The element of a row: `70123 on Broker-Live`; "" for a terminal without one."""
    return "" if row.login is None else f"{row.login} on {row.server}"


def _rank(row: FleetRow) -> int:
    return WORST_LAST.index(row.standing)


def _sort_key(state: FleetState, column: str) -> Any:
    match column:
        case "standing":
            return [_rank(row) for row in state.rows]
        case "ping":
            return [-(row.pinged_at or 0.0) for row in state.rows]
        case "restarts":
            return [row.restarts for row in state.rows]
        case "element":
            texts = [element_words(row) for row in state.rows]
        case _:
            texts = [str(getattr(row, column)).casefold() for row in state.rows]
    ranks = {text: at for at, text in enumerate(sorted(set(texts)))}
    return [ranks[text] for text in texts]


def _drawn(state: FleetState, now: float) -> dict[str, Draw]:
    rows = state.rows
    return {
        "standing": lambda at: STANDING_CELLS[rows[at].standing],
        "host": lambda at: Cell(rows[at].host or "—", "" if rows[at].host else "dim"),
        "path": lambda at: Cell(rows[at].path or "—", "" if rows[at].path else "dim"),
        "element": lambda at: Cell(element_words(rows[at])),
        "ping": lambda at: _ping(rows[at], state, now),
        "restarts": lambda at: Cell(
            figures.count(rows[at].restarts), "dim" if rows[at].restarts == 0 else "warning"
        ),
        "error": lambda at: Cell(rows[at].error, "bad"),
    }


def _ping(row: FleetRow, state: FleetState, now: float) -> Cell:
    """How long ago; a watched one's that is late says so."""
    if row.pinged_at is None:
        return Cell("never", "dim")
    seconds = max(0.0, now - row.pinged_at)
    late = row.standing == "OCCUPIED" and seconds > state.silent
    if late:
        return Cell(f"STALE {figures.age(seconds)}", "warning")
    return Cell(figures.age(seconds), "" if row.standing == "OCCUPIED" else "dim")

"""Details: who changed what about an account, the newest first."""

from __future__ import annotations

from collections.abc import Sequence

from rms_tui.changes import Change, words
from rms_tui.frame import Frame
from rms_tui.tui import figures
from rms_tui.tui.filter import NO_FIELDS, Query
from rms_tui.tui.order import fitting
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column, ListedRows

ROOMY = 70
"""Cells from which the date and the whole name of who did it fit."""

IMPORTANCE = ("time", "what", "operator")


class ChangesSource:
    """Audit rows of one account; what is there to show arrives later, or why it does not."""

    name = "Log"
    fields = NO_FIELDS
    words: tuple[str, ...] = ()
    default_sort: Sort = ("", True)

    def __init__(self, *, asks: bool) -> None:
        self.changes: Sequence[Change] | None = None
        self.error: str | None = None
        self._asks = asks

    @property
    def subject(self) -> str:
        """See `Source.subject`."""
        stale = self.error is not None and self.changes is not None
        return "who changed what, as last read" if stale else "who changed what"

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        roomy = width >= ROOMY
        made = (
            Column("time", "Time", 11 if roomy else 5, sortable=False, frozen=True),
            Column("operator", "Who", 20 if roomy else 8, sortable=False),
            Column("what", "What", 14, sortable=False),
        )
        return fitting(made, IMPORTANCE, width, elastic="what", most=90)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        del sort, query
        offset = frame.health.server_offset
        roomy = next(column.width for column in columns if column.id == "time") > 5
        today = figures.server_date(int(frame.at + (offset or 0.0)))
        keys, made = [], []
        for change in self.changes or ():
            at = int(change.at + (offset or 0.0))
            moment = figures.server_moment(at)[:11]
            if not roomy:  # the clock of today, the day of what is older
                moment = moment[6:] if figures.server_date(at) == today else moment[:5]
            cells = {
                "time": Cell(moment),
                "operator": Cell(change.operator if roomy else change.operator.partition("@")[0]),
                "what": Cell(words(change, offset)),
            }
            keys.append(change.id)
            made.append([cells[column.id] for column in columns])
        return View(ListedRows(keys, made), len(keys))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        if not self._asks:
            return "No database: nothing records who changes what."
        if self.error is not None:
            return f"Who changed what could not be read.\n\n{self.error}\n\nr tries again"
        return (
            "Reading who changed what" if self.changes is None else "Nobody has changed anything."
        )

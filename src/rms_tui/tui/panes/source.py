"""What a pane is told: which columns it has, and the rows of the newest frame. Pure, no widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rms_tui.frame import Frame
from rms_tui.tui.filter import Fields, Query
from rms_tui.tui.table import Column, Rows

Sort = tuple[str, bool]
"""Column id, and whether descending."""


@dataclass(frozen=True, slots=True)
class View:
    """A frame as one pane shows it: rows in order, and how many there are without the filter."""

    rows: Rows
    total: int


class Source(Protocol):
    """Turns frames into rows."""

    @property
    def name(self) -> str:
        """What the pane is called: `Accounts`."""
        ...

    @property
    def fields(self) -> Fields:
        """What a filter may ask for."""
        ...

    @property
    def words(self) -> tuple[str, ...]:
        """Fields in which a bare word is looked for."""
        ...

    @property
    def default_sort(self) -> Sort: ...

    @property
    def subject(self) -> str:
        """What the rows are of, for the title: `70123`, `by currency`; "" for everything."""
        ...

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns in the order that suits this width."""
        ...

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """The rows of a frame that has a Book."""
        ...

    def nothing(self) -> str:
        """What to say when there are no rows and no filter."""
        ...

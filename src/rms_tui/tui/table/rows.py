"""What a table shows: columns, cells, and the newest rows behind them.

A pane implements `Rows` over its own columns (NumPy arrays, a frame), so that the table asks for
the cells of the visible rows only and never holds, copies or sorts a row itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Align = Literal["left", "right"]

CELL_STYLES = (
    "dim",
    "good",
    "bad",
    "warning",
    "critical",
    "breached",
    "unknown",
    "marked",
)
"""Names a `Cell.style` or `Rows.row_style` may carry; each is a component class of the table."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `width` in terminal cells; frozen leading columns never scroll sideways."""

    id: str
    title: str
    width: int
    align: Align = "left"
    sortable: bool = True
    frozen: bool = False


class Cell(NamedTuple):
    """What a source gives for one cell: literal text and "" or one of `CELL_STYLES`.

    A tuple, because a screenful of them is made and compared for each new picture.
    """

    text: str
    style: str = ""


class Rows(Protocol):
    """The newest picture, immutable; rows already in display order (filtered, sorted)."""

    def __len__(self) -> int:
        """How many rows."""
        ...

    def key(self, row: int) -> Hashable:
        """What stays the same when the row moves: a login, a ticket."""
        ...

    def row_of(self, key: Hashable) -> int | None:
        """Where the key is now, None when it is not here. Called for each picture: be fast."""
        ...

    def cells(self, row: int) -> Sequence[Cell]:
        """One cell for each column, in column order. Called for visible rows only."""
        ...

    def row_style(self, row: int) -> str:
        """One of `CELL_STYLES` or "", under the cells' own styles."""
        ...


class ListedRows:
    """`Rows` over plain lists, for panes that show dozens of rows and not thousands."""

    def __init__(
        self,
        keys: Sequence[Hashable] = (),
        cells: Sequence[Sequence[Cell]] = (),
        styles: Sequence[str] = (),
    ) -> None:
        if len(cells) != len(keys) or (styles and len(styles) != len(keys)):
            raise ValueError(
                f"as many rows of cells and styles as keys, please: "
                f"{len(keys)} keys, {len(cells)} cells, {len(styles)} styles"
            )
        self._keys = keys
        self._cells = cells
        self._styles = styles
        self._row_of = {key: row for row, key in enumerate(keys)}

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, row: int) -> Hashable:
        """See `Rows.key`."""
        return self._keys[row]

    def row_of(self, key: Hashable) -> int | None:
        """See `Rows.row_of`."""
        return self._row_of.get(key)

    def cells(self, row: int) -> Sequence[Cell]:
        """See `Rows.cells`."""
        return self._cells[row]

    def row_style(self, row: int) -> str:
        """See `Rows.row_style`."""
        return self._styles[row] if self._styles else ""

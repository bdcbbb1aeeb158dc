"""The cursor of a table: on a key, not on a row number; where it goes and what comes into view.

Rows come and go with each picture. The cursor stays on its key whatever moves; only where the key
is gone does it stay on its line.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.scroll_view import ScrollView

from rms_tui.tui.table.layout import frozen_width, stops
from rms_tui.tui.table.rows import Column, ListedRows, Rows

HEADER = 1
"""Lines taken by the header."""


class CursorTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of one picture and a cursor on one of their keys; `LiveTable` draws them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False, id="table.up"),
        Binding("down,j", "cursor_down", "Down", show=False, id="table.down"),
        Binding("pageup", "page_up", "Page up", show=False, id="table.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="table.page_down"),
        Binding("home,g", "first_row", "First row", show=False, id="table.first"),
        Binding("end,G", "last_row", "Last row", show=False, id="table.last"),
        Binding("left", "column_left", "Columns left", show=False, id="table.left"),
        Binding("right", "column_right", "Columns right", show=False, id="table.right"),
        Binding("shift+left", "width_left", "Width left", show=False, id="table.width_left"),
        Binding("shift+right", "width_right", "Width right", show=False, id="table.width_right"),
        Binding("enter", "select_row", "Details", show=False, id="table.select"),
    ]

    @dataclass
    class CursorMoved(Message, namespace="live_table"):
        """The cursor is on another key; None when there are no rows."""

        table: CursorTable
        key: Hashable | None

        @property
        def control(self) -> CursorTable:
            """The table, for `@on` selectors."""
            return self.table

    @dataclass
    class RowSelected(Message, namespace="live_table"):
        """Enter or a double click on a row."""

        table: CursorTable
        key: Hashable

        @property
        def control(self) -> CursorTable:
            """The table, for `@on` selectors."""
            return self.table

    def __init__(
        self, columns: Sequence[Column], *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self._rows: Rows = ListedRows()
        self._row = 0
        self._key: Hashable | None = None
        self._told: Hashable | None = None
        self._following = True

    @property
    def rows(self) -> Rows:
        """The picture given last."""
        return self._rows

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns given last."""
        return self._columns

    @property
    def cursor_row(self) -> int:
        """The cursor's row number now, 0 when there are no rows."""
        return self._row if len(self._rows) else 0

    @property
    def cursor_line(self) -> int | None:
        """The screen's line that the cursor's row is on; None where it is out of sight."""
        line = self.cursor_row - self.scroll_offset.y
        return self.content_region.y + HEADER + line if 0 <= line < self._page else None

    @property
    def cursor_key(self) -> Hashable | None:
        """The key under the cursor, None when there are no rows."""
        return self._key if len(self._rows) else None

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on a key and scroll it into view; False when the key is not here."""
        row = self._rows.row_of(key)
        if row is None:
            return False
        self._move(row)
        return True

    def _repaint_rows(self, *rows: int) -> None:
        """Repaint those of these rows that look different by now."""
        raise NotImplementedError

    def _row_of_cursor(self) -> int:
        rows = self._rows
        if not len(rows):
            return self._row
        row = None if self._key is None else rows.row_of(self._key)
        return min(self._row, len(rows) - 1) if row is None else row

    def _move(self, row: int) -> None:
        if not len(self._rows):
            return
        left = self._row
        self._row = max(0, min(row, len(self._rows) - 1))
        self._key = self._rows.key(self._row)
        self._scroll_to_cursor()
        self._repaint_rows(left, self._row)
        self._tell()

    def _tell(self) -> None:
        """Post `CursorMoved` if the key is another than the one told last."""
        key = self.cursor_key
        if self.is_running and key != self._told:
            self._told = key
            self.post_message(self.CursorMoved(self, key))

    @property
    def _page(self) -> int:
        """Rows that fit on the screen."""
        return max(0, self.size.height - HEADER)

    @property
    def _width(self) -> int:
        """Cells of a line: Textual counts the scrollbar, which covers the last one, to the size."""
        return max(0, self.size.width - self.scrollbar_size_vertical)

    def _scroll_to_cursor(self) -> None:
        """Scroll as little as brings the cursor's row into view."""
        page = self._page
        if not page or not len(self._rows):
            return
        top = self.scroll_offset.y
        wanted = max(min(top, self._row), self._row - page + 1)
        if wanted != top:
            self.set_scroll(None, wanted)
        self._following = True

    def set_scroll(self, x: float | None, y: float | None) -> None:
        """Scroll at once, without animation: each step of one would be a screenful of bytes."""
        self.scroll_to(x, y, animate=False, force=True)

    # Keys

    def action_cursor_up(self) -> None:
        """One row up."""
        self._move(self._row - 1)

    def action_cursor_down(self) -> None:
        """One row down."""
        self._move(self._row + 1)

    def action_page_up(self) -> None:
        """A screenful up."""
        self._move(self._row - max(1, self._page - 1))

    def action_page_down(self) -> None:
        """A screenful down."""
        self._move(self._row + max(1, self._page - 1))

    def action_first_row(self) -> None:
        """To the first row."""
        self._move(0)

    def action_last_row(self) -> None:
        """To the last row."""
        self._move(len(self._rows) - 1)

    def action_column_left(self) -> None:
        """Scroll sideways so that the column before starts after the frozen ones."""
        now = self.scroll_offset.x
        self.set_scroll(max((x for x in stops(self._columns) if x < now), default=0), None)

    def action_column_right(self) -> None:
        """Scroll sideways so that the next column starts after the frozen ones."""
        now = self.scroll_offset.x
        self.set_scroll(min((x for x in stops(self._columns) if x > now), default=now), None)

    def action_width_left(self) -> None:
        """Scroll sideways by the width that moves."""
        self.set_scroll(self.scroll_offset.x - self._stride, None)

    def action_width_right(self) -> None:
        """Scroll sideways by the width that moves."""
        self.set_scroll(self.scroll_offset.x + self._stride, None)

    @property
    def _stride(self) -> int:
        return max(1, self._width - frozen_width(self._columns))

    def action_select_row(self) -> None:
        """Post `RowSelected` for the cursor's row."""
        if self.cursor_key is not None:
            self.post_message(self.RowSelected(self, self.cursor_key))

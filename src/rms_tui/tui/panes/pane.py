"""The one widget of the desk: a bordered table that paints what its source makes of a frame."""

from __future__ import annotations

from collections.abc import Hashable

from textual.app import ComposeResult
from textual.containers import Vertical

from rms_tui.tui import figures
from rms_tui.tui.filter import EVERYTHING, Query
from rms_tui.tui.heading import Moment
from rms_tui.tui.panes.source import Sort, Source, View
from rms_tui.tui.panes.waiting import waiting_words
from rms_tui.tui.status_line import Piece, titled
from rms_tui.tui.table import ListedRows, LiveTable


class Pane(Vertical):
    """Shows moments through a source, with a filter and an order of its own."""

    def __init__(self, number: int, source: Source, *, id: str) -> None:
        super().__init__(id=id)
        self.number = number
        self.source = source
        self.query_: Query = EVERYTHING
        self.sort: Sort = source.default_sort
        self.table = LiveTable(source.columns(80), id=f"{id}-table")
        self._moment: Moment | None = None
        self._view: View | None = None
        self._columns_at = 0

    def compose(self) -> ComposeResult:
        """The table fills the pane."""
        yield self.table

    @property
    def filter_text(self) -> str:
        """The filter as typed, "" for none."""
        return self.query_.text

    @property
    def is_painted(self) -> bool:
        """Whether it has rows of a frame, and not only words."""
        return self._view is not None

    @property
    def is_covered(self) -> bool:
        """Whether it stands behind another pane: then a frame costs it nothing."""
        return not self.display or any(not parent.display for parent in self.ancestors[:1])

    def show(self, moment: Moment) -> None:
        """Paint the newest moment."""
        self._moment = moment
        if not self.is_covered:
            self.repaint()

    def repaint(self) -> None:
        """Paint the moment again: the filter, the order, the subject or the size changed."""
        moment = self._moment
        if moment is None or moment.frame.book is None or moment.frame.assessment is None:
            self._view = None
            self.table.say(waiting_words(moment, in_full=self.number == 1))
            self.table.show(ListedRows())
            self.retitle()
            return
        columns = self.source.columns(self.size.width - 1)
        self.table.set_columns(columns)
        sort_shown = self.sort if self.sort[0] else None
        if sort_shown != self.table.sort_shown:
            self.table.set_sort_shown(sort_shown)
        view = self.source.view(moment.frame, columns, self.sort, self.query_)
        self._view = view
        if not len(view.rows):
            self.table.say(self._nothing(view))
        self.table.show(view.rows)
        self.retitle()

    def filter_by(self, query: Query) -> None:
        """Show only what passes."""
        if query.text != self.query_.text:
            self.query_ = query
            self.repaint()

    def sort_by(self, column_id: str, descending: bool) -> None:
        """Order by a column."""
        self.sort = (column_id, descending)
        self.repaint()

    def go_to(self, key: Hashable) -> bool:
        """Put the cursor on a row; False when it is not shown."""
        return self.table.move_to(key)

    def retitle(self) -> None:
        """Say name, subject, filter, order and counts in the border."""
        width = self.size.width - 4
        if width < 4:
            return
        subject = self.source.subject
        left = [Piece(f"{self.number} {self.source.name}", "bold $foreground")]
        if subject:
            left.append(Piece(f"· {subject}", "$foreground"))
        right: list[Piece] = []
        if self.query_.text:
            right.append(Piece(f"filter: {self.query_.text}", "bold $text-accent", rank=2))
        if self._view is not None:
            if self.sort != self.source.default_sort:
                right.append(Piece(f"sort: {self._sort_words()}", "$text-muted", rank=3))
            right.append(Piece(self._counts(self._view), "$foreground", rank=1))
        title = titled(left, right, width)
        if self._border_title is None or title.plain != self._border_title.plain:
            self.border_title = title  # Content, so that nothing in it is markup

    def on_resize(self) -> None:
        """Another width may suit other columns."""
        if self.size.width != self._columns_at:
            self._columns_at = self.size.width
            self.repaint()

    def _counts(self, view: View) -> str:
        total = figures.count(view.total)
        return f"{figures.count(len(view.rows))}/{total}" if self.query_.text else total

    def _sort_words(self) -> str:
        column_id, descending = self.sort
        titles = {column.id: column.title for column in self.table.columns}
        return f"{titles.get(column_id, column_id).lower()}{'▼' if descending else '▲'}"

    def _nothing(self, view: View) -> str:
        if view.total and self.query_.text:
            return f"Nothing matches {self.query_.text}\n\nescape clears the filter"
        return self.source.nothing()

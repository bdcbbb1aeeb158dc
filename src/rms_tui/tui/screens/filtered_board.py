"""A board whose panes are filtered and sorted by keys: the desk, and the stress view."""

from __future__ import annotations

from textual import on

from rms_tui.tui.filter import EVERYTHING
from rms_tui.tui.filter_bar import FilterBar
from rms_tui.tui.screens.board_screen import BoardScreen
from rms_tui.tui.screens.sort import SortMenu
from rms_tui.tui.table import LiveTable


class FilteredBoard(BoardScreen):
    """Its screen composes a FilterBar under the board."""

    @on(LiveTable.HeaderSelected)
    def _header_selected(self, event: LiveTable.HeaderSelected) -> None:
        for pane in self.board.panes:
            if pane.table is event.table:
                column, descending = pane.sort
                pane.sort_by(event.column_id, not descending if column == event.column_id else True)

    @on(FilterBar.Typed)
    def _filter_typed(self, event: FilterBar.Typed) -> None:
        event.pane.filter_by(event.query)

    @on(FilterBar.Closed)
    def _filter_closed(self, event: FilterBar.Closed) -> None:
        self.board.go(event.pane)

    def action_filter(self) -> None:
        """Type a filter for the current pane."""
        self.query_one(FilterBar).open(self.board.current)

    def action_clear(self) -> None:
        """All rows again."""
        self.board.current.filter_by(EVERYTHING)

    def action_sort(self) -> None:
        """Choose the order of the current pane."""
        pane = self.board.current

        def chosen(sort: tuple[str, bool] | None) -> None:
            if sort is not None:
                pane.sort_by(*sort)

        self.app.push_screen(SortMenu(pane.source.name, pane.table.columns, pane.sort), chosen)

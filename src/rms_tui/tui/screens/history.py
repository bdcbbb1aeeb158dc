"""Alerts that are over: of this process at once, of MongoDB as soon as it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from rms_tui.alerts import Alert
from rms_tui.feed import FeedError
from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.heading import Moment, state_pieces, worst_pieces
from rms_tui.tui.keys_line import KeysLine
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.panes.past_alerts import PastAlertsSource
from rms_tui.tui.screens.sort import SortMenu
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table import LiveTable
from rms_tui.tui.view import HistoryError

AskHistory = Callable[[], Sequence[Alert]]
"""Asks the database for alerts, the newest first. Raises HistoryError."""


class AlertHistory(Screen[None]):
    """One pane; `ask` is called in a thread, None where there is no database to ask."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", tooltip="Back to the desk", id="history.back"),
        Binding("s", "sort", "Sort", tooltip="Sort; again: reverse", id="history.sort"),
        Binding("enter", "details", "Details", tooltip="Account details", id="history.details"),
        Binding("r", "read", "Read again", tooltip="Ask MongoDB again", id="history.read"),
    ]

    def __init__(self, ask: AskHistory | None, open_account: Callable[[int], None]) -> None:
        super().__init__()
        self._ask = ask
        self._open_account = open_account
        self._moment: Moment | None = None
        self._is_painted = False
        self._source = PastAlertsSource(asks=ask is not None)
        self.pane = Pane(1, self._source, id="past-alerts")

    def compose(self) -> ComposeResult:
        """A line of state, the alerts, the keys."""
        yield StatusLine(id="heading")
        yield self.pane
        yield KeysLine(id="keys")

    def on_mount(self) -> None:
        """Show what is known at once; ask for the rest."""
        self._is_painted = True
        self.pane.table.focus()
        if self._moment is not None:
            self.show(self._moment)
        self.action_read()

    def show(self, moment: Moment) -> None:
        """Paint a moment; the alerts only when other ones are over."""
        before = None if self._moment is None else self._moment.frame
        self._moment = moment
        if not self._is_painted:
            return
        left = [Piece("Alert history", "bold"), *state_pieces(moment)]
        self.query_one("#heading", StatusLine).say(left, worst_pieces(moment.frame))
        same = before is not None and before.desk.recovered is moment.frame.desk.recovered
        if not same or not self.pane.is_painted:
            self.pane.show(moment)

    def action_read(self) -> None:
        """Ask the database, in a thread."""
        if self._ask is None:
            return
        self._source.stored = self._source.error = None
        self.pane.repaint()
        run_errand(self.app, "alert-history", once(self._ask), self._came, self._refused)

    def _came(self, alerts: Sequence[Alert]) -> None:
        self._source.stored = alerts
        self._repaint()

    def _refused(self, error: FeedError | HistoryError) -> None:
        self._source.error = error.text
        self._repaint()

    def _repaint(self) -> None:
        if self.is_attached:
            self.pane.repaint()

    def action_sort(self) -> None:
        """Choose the order."""

        def chosen(sort: tuple[str, bool] | None) -> None:
            if sort is not None:
                self.pane.sort_by(*sort)

        menu = SortMenu(self._source.name, self.pane.table.columns, self.pane.sort)
        self.app.push_screen(menu, chosen)

    def on_live_table_header_selected(self, event: LiveTable.HeaderSelected) -> None:
        """A click on a title sorts by it."""
        column, descending = self.pane.sort
        self.pane.sort_by(event.column_id, not descending if column == event.column_id else True)

    def on_live_table_row_selected(self) -> None:
        """Enter on the table."""
        self.action_details()

    def action_details(self) -> None:
        """The account of the alert under the cursor."""
        login = self._source.login_of(self.pane.table.cursor_key)
        if login is not None:
            self._open_account(login)

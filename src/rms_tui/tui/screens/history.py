"""Alerts that are over: of this process at once, of MongoDB as soon as it answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from rms_tui.alerts import Alert
from rms_tui.alerts.asked import Asked, parsed
from rms_tui.feed import FeedError
from rms_tui.tui.asked_bar import AskedBar
from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.heading import Moment, state_pieces, worst_pieces
from rms_tui.tui.keys_line import KeysLine
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.panes.past_alerts import PastAlertsSource
from rms_tui.tui.screens.sort import SortMenu
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table import LiveTable
from rms_tui.tui.view import AskHistory, HistoryError


class AlertHistory(Screen[None]):
    """One pane; `ask` is called in a thread, None where there is no database to ask."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", tooltip="Back to the desk", id="history.back"),
        Binding(
            "slash",
            "ask",
            "Filter",
            key_display="/",
            tooltip="Ask by time, account, rule or operator",
            id="history.filter",
        ),
        Binding("s", "sort", "Sort", tooltip="Sort; again: reverse", id="history.sort"),
        Binding("enter", "details", "Details", tooltip="Account details", id="history.details"),
        Binding("r", "read", "Read again", tooltip="Ask MongoDB again", id="history.read"),
    ]

    def __init__(
        self,
        ask: AskHistory | None,
        open_account: Callable[[int], None],
        *,
        login: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`login` is whose alerts are asked for at first, None for everybody's."""
        super().__init__()
        self._heading_line = StatusLine(id="heading")
        self._ask = ask
        self._open_account = open_account
        self._moment: Moment | None = None
        self._is_painted = False
        self._clock = clock
        self._text = "" if login is None else f"login:{login}"
        self._source = PastAlertsSource(asks=ask is not None)
        self._source.asked = parsed(self._text, clock())
        self.pane = Pane(1, self._source, id="past-alerts")

    def compose(self) -> ComposeResult:
        """A line of state, the alerts, the keys."""
        yield self._heading_line
        yield self.pane
        yield AskedBar(self._clock)
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
        if not self._is_painted or not self.children:  # too early, or already gone
            return
        self._say_heading(moment)
        same = before is not None and before.desk.recovered is moment.frame.desk.recovered
        if not same or not self.pane.is_painted:
            self.pane.show(moment)

    def _say_heading(self, moment: Moment) -> None:
        left = [Piece("Alert history", "bold"), *state_pieces(moment)]
        if self._text:
            left.insert(1, Piece(self._text, "bold $text-accent"))
        self._heading_line.say(left, worst_pieces(moment.frame))

    def action_read(self) -> None:
        """Ask the database, in a thread; a time that was typed as `2h` is counted from now."""
        asked = self._source.asked = parsed(self._text, self._clock())
        ask = self._ask
        if ask is None:
            self.pane.repaint()
            return
        self._source.stored = self._source.error = None
        self.pane.repaint()
        run_errand(
            self.app,
            "alert-history",
            once(lambda: ask(asked)),
            lambda alerts: self._came(asked, alerts),
            lambda error: self._refused(asked, error),
        )

    def _came(self, asked: Asked, alerts: Sequence[Alert]) -> None:
        if asked is self._source.asked:  # else something else is asked for by now
            self._source.stored = alerts
            self._repaint()

    def _refused(self, asked: Asked, error: FeedError | HistoryError) -> None:
        if asked is self._source.asked:
            self._source.error = error.text
            self._repaint()

    def action_ask(self) -> None:
        """Type what is wanted."""
        self.query_one(AskedBar).open(self._text)

    def on_asked_bar_typed(self, event: AskedBar.Typed) -> None:
        """Ask for that."""
        self._text = event.text
        if self._moment is not None:
            self._say_heading(self._moment)
        self.pane.table.focus()
        self.action_read()

    def on_asked_bar_left(self) -> None:
        """Back to the alerts."""
        self.pane.table.focus()

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

"""One account in full: figures, rules, the day, positions, deals, alerts, who changed what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from rms_tui.account_keys import login_of
from rms_tui.book import Deals
from rms_tui.changes import Change
from rms_tui.feed import FeedError
from rms_tui.monitor import Monitor
from rms_tui.tui.board import Board
from rms_tui.tui.curves import Curves
from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.heading import Moment, rollover_words, state_pieces, worst_pieces
from rms_tui.tui.keys_line import KeysLine
from rms_tui.tui.messages import EntryAsked, HistoryAsked
from rms_tui.tui.panes.account_alerts import AccountAlertsSource
from rms_tui.tui.panes.account_changes import ChangesSource
from rms_tui.tui.panes.account_day import ChartPane, DaySource, Read
from rms_tui.tui.panes.account_deals import DealsSource
from rms_tui.tui.panes.account_figures import FiguresSource, row_of_login
from rms_tui.tui.panes.account_rules import RulesSource
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.panes.positions import PositionsSource
from rms_tui.tui.screens.board_screen import BoardScreen, handling_keys, pane_keys, taking_keys
from rms_tui.tui.status_line import Piece
from rms_tui.tui.view import AskChanges, HistoryError

PANES = ("Figures", "Rules", "Positions", "Deals", "Alerts", "Day", "Log")

READ_CHANGES = 5.0
"""Seconds between two looks for what colleagues changed."""


class Details(BoardScreen):
    """Follows the frames like the desk; its deals are read once, in a thread."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", tooltip="Back to the desk", id="details.back"),
        *handling_keys("details", "this alert, or the account's alerts"),
        Binding(
            "b", "by_hand", "Base, peak", tooltip="Enter a day base or a peak", id="details.base"
        ),
        Binding(
            "r", "read", "Read again", tooltip="Read deals and changes again", id="details.read"
        ),
        *taking_keys("details"),
        *pane_keys("details", PANES, next_shown=True),
    ]

    def __init__(
        self, monitor: Monitor, login: int, curves: Curves, changes: AskChanges | None
    ) -> None:
        """`curves` sample the account from now on; `changes` is asked in a thread, None where
        there is no database to ask."""
        super().__init__()
        self._login = login
        self._monitor = monitor
        self._curves = curves
        self._ask_changes = changes
        self._changes_read = -math.inf
        self._moment: Moment | None = None
        self._is_painted = False
        self._deals = DealsSource()
        positions = PositionsSource()
        positions.login = login
        self._day = DaySource(login)
        self._changes = ChangesSource(asks=changes is not None)
        self.alerts_pane = Pane(5, AccountAlertsSource(login), id="account-alerts")
        self._day_pane = ChartPane(6, self._day, id="account-day")
        self._changes_pane = Pane(7, self._changes, id="account-changes")
        self._deals_pane = Pane(4, self._deals, id="account-deals")
        self.board = Board(
            [
                Pane(1, FiguresSource(login), id="account-figures"),
                self.alerts_pane,
                self._changes_pane,
            ],
            [
                Pane(2, RulesSource(login), id="account-rules"),
                self._day_pane,
                Pane(3, positions, id="account-positions"),
                self._deals_pane,
            ],
        )

    @property
    def login(self) -> int:
        """See `BoardScreen.login`."""
        return self._login

    def compose(self) -> ComposeResult:
        """A line of state, the panes, the keys."""
        yield self.heading_line
        yield self.notice_line
        yield self.board
        yield KeysLine(id="keys")

    def on_mount(self) -> None:
        """Read the deals; show what is known at once."""
        self.notice_line.display = False
        self._is_painted = True
        self.board.fit(self.size.width, self.size.height)
        self.board.go(self.board.panes[1])
        if self._moment is not None:
            self.show(self._moment)
        self._read_deals()

    def show(self, moment: Moment) -> None:
        """Paint a moment."""
        same = self._moment is not None and self._moment.frame is moment.frame
        self._moment = moment
        if not self._is_painted or not self.children:  # too early, or already gone
            return
        self._say_heading(moment)
        self._day.curve = self._curves.of(self.login)
        if moment.now - self._changes_read >= READ_CHANGES:
            self._read_changes(moment.now)
        if not same or not self.board.current.is_painted:
            for pane in self.board.panes:
                pane.show(moment)

    def _say_heading(self, moment: Moment) -> None:
        name = ""
        if moment.frame.book is not None:
            row = row_of_login(moment.frame, self.login)
            name = "" if row is None else moment.frame.book.accounts.name[row]
        left = [Piece(f"{login_of(self.login)} {name}", "bold"), *state_pieces(moment)]
        self.heading_line.say(left, worst_pieces(moment.frame))
        words = rollover_words(moment, self.login)
        self.say_notice([Piece(words, "bold $text-warning")] if words else [])

    def action_read(self) -> None:
        """Ask for the deals and the changes, in threads."""
        self._read_deals()
        if self._moment is not None:
            self._read_changes(self._moment.now)

    def _read_deals(self) -> None:
        self._deals.deals = self._deals.error = None
        self._deals_pane.repaint()
        run_errand(
            self.app,
            "history",
            once(lambda: self._monitor.history([self.login])),
            self._deals_came,
            self._deals_refused,
        )

    def _deals_came(self, deals: Deals) -> None:
        self._deals.deals = deals
        self._day.read = self._read(deals)
        if self.is_attached:
            self._day_pane.repaint()
            self._deals_pane.repaint()

    def _read(self, deals: Deals) -> Read | None:
        """The deals with the balance they lead up to."""
        frame = self._monitor.frames.value
        if frame is None or frame.book is None:
            return None
        row = row_of_login(frame, self.login)
        if row is None:
            return None
        return Read(deals, frame.book.taken_at, float(frame.book.accounts.balance[row]))

    def _deals_refused(self, error: FeedError | HistoryError) -> None:
        self._deals.error = error.text
        if self.is_attached:
            self._deals_pane.repaint()

    def _read_changes(self, now: float) -> None:
        ask = self._ask_changes
        self._changes_read = now
        if ask is not None:
            run_errand(
                self.app,
                "changes",
                once(lambda: ask(self.login)),
                self._changes_came,
                self._changes_refused,
            )

    def _changes_came(self, changes: Sequence[Change]) -> None:
        same = self._changes.changes == changes and self._changes.error is None
        self._changes.changes, self._changes.error = changes, None
        if self.is_attached and not same:
            self._changes_pane.repaint()

    def _changes_refused(self, error: FeedError | HistoryError) -> None:
        self._changes.error = error.text
        if self.is_attached:
            self._changes_pane.repaint()

    def action_by_hand(self) -> None:
        """Enter a day base or a peak where nobody else vouches for one."""
        self.post_message(EntryAsked(self.login))

    def action_history(self) -> None:
        """Alerts of this account that are over."""
        self.post_message(HistoryAsked(self.login))

"""One account in full: figures, rules, positions, closed deals, alerts."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from rms_tui.book import Deals
from rms_tui.feed import FeedError
from rms_tui.monitor import Monitor
from rms_tui.tui.board import Board
from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.heading import Moment, rollover_words, state_pieces, worst_pieces
from rms_tui.tui.keys_line import KeysLine
from rms_tui.tui.messages import AckAsked, BaseAsked, SnoozeAsked
from rms_tui.tui.panes.account_alerts import AccountAlertsSource
from rms_tui.tui.panes.account_deals import DealsSource
from rms_tui.tui.panes.account_figures import FiguresSource, row_of_login
from rms_tui.tui.panes.account_rules import RulesSource
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.panes.positions import PositionsSource
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.view import HistoryError


class Details(Screen[None]):
    """Follows the frames like the desk; its deals are read once, in a thread."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", tooltip="Back to the desk", id="details.back"),
        Binding(
            "space",
            "acknowledge",
            "Ack",
            tooltip="Acknowledge alerts",
            id="details.acknowledge",
        ),
        Binding("n", "snooze", "Snooze", tooltip="Snooze alerts", id="details.snooze"),
        Binding("b", "base", "Base", tooltip="Enter the day's base", id="details.base"),
        Binding("r", "read", "Read deals", tooltip="Read the deals again", id="details.read"),
        Binding("z", "zoom", "Zoom", tooltip="This pane alone, or all", id="details.zoom"),
        Binding("tab", "pane(1)", "Next pane", id="details.next"),
        Binding("shift+tab", "pane(-1)", "Pane before", show=False, id="details.before"),
        *(
            Binding(str(n), f"go({n})", f"Pane {n}", show=False, id=f"details.pane_{n}")
            for n in (1, 2, 3, 4, 5)
        ),
        Binding("p", "app.pause", "Pause", tooltip="Hold the picture", id="details.pause"),
    ]

    def __init__(self, monitor: Monitor, login: int) -> None:
        super().__init__()
        self.login = login
        self._monitor = monitor
        self._moment: Moment | None = None
        self._is_painted = False
        self._deals = DealsSource()
        positions = PositionsSource()
        positions.login = login
        self._alerts_pane = Pane(5, AccountAlertsSource(login), id="account-alerts")
        self._deals_pane = Pane(4, self._deals, id="account-deals")
        self.board = Board(
            [Pane(1, FiguresSource(login), id="account-figures"), self._alerts_pane],
            [
                Pane(2, RulesSource(login), id="account-rules"),
                Pane(3, positions, id="account-positions"),
                self._deals_pane,
            ],
        )

    def compose(self) -> ComposeResult:
        """A line of state, the panes, the keys."""
        yield StatusLine(id="heading")
        yield StatusLine(id="notice")
        yield self.board
        yield KeysLine(id="keys")

    def on_mount(self) -> None:
        """Read the deals; show what is known at once."""
        self.query_one("#notice").display = False
        self._is_painted = True
        self.board.fit(self.size.width, self.size.height)
        self.board.go(self.board.panes[1])
        if self._moment is not None:
            self.show(self._moment)
        self.action_read()

    def on_resize(self, event: events.Resize) -> None:
        """All panes or one at a time, as the new size allows."""
        self.board.fit(event.size.width, event.size.height)

    def show(self, moment: Moment) -> None:
        """Paint a moment."""
        same = self._moment is not None and self._moment.frame is moment.frame
        self._moment = moment
        if not self._is_painted:
            return
        self._say_heading(moment)
        if not same or not self.board.current.is_painted:
            for pane in self.board.panes:
                pane.show(moment)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click may have chosen another pane."""
        for pane in self.board.panes:
            if pane.table is event.widget:
                self.board.note_focus(pane)

    def _say_heading(self, moment: Moment) -> None:
        name = ""
        if moment.frame.book is not None:
            row = row_of_login(moment.frame, self.login)
            name = "" if row is None else moment.frame.book.accounts.name[row]
        left = [Piece(f"{self.login} {name}", "bold"), *state_pieces(moment)]
        self.query_one("#heading", StatusLine).say(left, worst_pieces(moment.frame))
        words = rollover_words(moment, self.login)
        line = self.query_one("#notice", StatusLine)
        line.say([Piece(words, "bold $text-warning")] if words else [])
        if line.display != bool(words):
            line.display = bool(words)

    def action_read(self) -> None:
        """Ask for the deals, in a thread."""
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
        if self.is_attached:
            self._deals_pane.repaint()

    def _deals_refused(self, error: FeedError | HistoryError) -> None:
        self._deals.error = error.text
        if self.is_attached:
            self._deals_pane.repaint()

    def action_acknowledge(self) -> None:
        """The alert under the cursor in Alerts, else all of the account."""
        self.post_message(AckAsked(self.login, self._alert_id))

    def action_snooze(self) -> None:
        """The alert under the cursor in Alerts, else all of the account."""
        self.post_message(SnoozeAsked(self.login, self._alert_id))

    def action_base(self) -> None:
        """Enter a base where nobody else vouches for one."""
        self.post_message(BaseAsked(self.login))

    @property
    def _alert_id(self) -> str | None:
        """The alert under the cursor of Alerts; "" for what is no alert, None elsewhere."""
        if self.board.current is not self._alerts_pane:
            return None
        key = self._alerts_pane.table.cursor_key
        return key if isinstance(key, str) else ""

    def action_go(self, number: int) -> None:
        """To a pane by its number."""
        self.board.go(self.board.panes[number - 1])

    def action_pane(self, by: int) -> None:
        """To the next pane."""
        self.board.step(by)

    def action_zoom(self) -> None:
        """One pane, or all."""
        self.board.zoom()

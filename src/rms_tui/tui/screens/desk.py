"""The desk: state, sums, four panes, a filter and the keys. What a dealer watches all shift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from rms_tui.export import What
from rms_tui.tui.board import Board
from rms_tui.tui.filter import EVERYTHING, parse
from rms_tui.tui.filter_bar import FilterBar
from rms_tui.tui.fleet_side import FleetSide, fleet_pieces
from rms_tui.tui.heading import Moment, Totals, heading, notice
from rms_tui.tui.keys_line import KeysLine
from rms_tui.tui.messages import AddAsked, DetailsAsked, ExportAsked, RemoveAsked, StressAsked
from rms_tui.tui.move import Move
from rms_tui.tui.panes.accounts import AccountsSource
from rms_tui.tui.panes.alerts import AlertsSource
from rms_tui.tui.panes.exposure import ExposureSource
from rms_tui.tui.panes.instances import InstancesSource
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.panes.positions import PositionsSource
from rms_tui.tui.screens.board_screen import handling_keys, pane_keys, taking_keys
from rms_tui.tui.screens.filtered_board import FilteredBoard
from rms_tui.tui.standing import Standing
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table import LiveTable
from rms_tui.tui.view import StoreView

TABLES: dict[int, What] = {1: "accounts", 2: "positions", 3: "exposure", 4: "alerts"}
"""What `e` exports from each pane."""


class Desk(FilteredBoard):
    """Four panes over the newest moment."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", tooltip="Add accounts", id="desk.add"),
        Binding("d", "remove", "Remove", tooltip="Stop watching this account", id="desk.remove"),
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            tooltip="Filter this pane",
            id="desk.filter",
        ),
        Binding("s", "sort", "Sort", tooltip="Sort this pane; again: reverse", id="desk.sort"),
        *handling_keys("desk", "this alert, or the account's alerts"),
        Binding("enter", "details", "Details", tooltip="Account details", id="desk.details"),
        Binding(
            "c",
            "exposure",
            "Currency",
            tooltip="Exposure by symbol or by currency",
            id="desk.exposure",
        ),
        Binding(
            "x", "stress", "Stress", tooltip="Stress: what a price move does", id="desk.stress"
        ),
        Binding(
            "o",
            "everybody",
            "All positions",
            show=False,
            tooltip="Positions of one account, or of all",
            id="desk.positions",
        ),
        Binding("e", "export", "Export", show=False, tooltip="Export to a file", id="desk.export"),
        *taking_keys("desk"),
        *pane_keys("desk", ("Accounts", "Positions", "Exposure", "Alerts")),
        Binding("escape", "clear", "Clear filter", show=False, id="desk.clear"),
    ]

    def __init__(
        self, operator: str, store: StoreView | None, fleet: FleetSide | None = None
    ) -> None:
        super().__init__()
        self.summary_line = StatusLine(id="summary")
        self._operator = operator
        self.store = store
        self.tape: Sequence[Piece] = ()
        self._moment: Moment | None = None
        self._is_painted = False
        self._totals = Totals()
        self.standing = Standing()
        self.positions = PositionsSource()
        self.exposure = ExposureSource()
        self.accounts_pane = Pane(
            1, AccountsSource(self.standing, fleet=fleet is not None), id="accounts"
        )
        self.positions_pane = Pane(2, self.positions, id="positions")
        self.exposure_pane = Pane(3, self.exposure, id="exposure")
        self.alerts_pane = Pane(4, AlertsSource(), id="alerts")
        self._fleet = fleet
        left = [self.accounts_pane, self.positions_pane]
        self.instances: InstancesSource | None = None
        if fleet is not None:
            self.instances = InstancesSource(fleet)
            left.append(Pane(5, self.instances, id="instances"))
        self.board = Board(left, [self.alerts_pane, self.exposure_pane])

    def compose(self) -> ComposeResult:
        """Two lines on top, the panes, the filter when typed, the keys."""
        yield self.heading_line
        yield self.summary_line
        yield self.notice_line
        yield self.board
        yield FilterBar()
        yield KeysLine(id="keys")

    def on_mount(self) -> None:
        """Say something before there is a frame."""
        self.notice_line.display = False
        self.board.fit(self.size.width, self.size.height)
        self.board.go(self.accounts_pane)
        self._is_painted = True
        if self._moment is not None:
            self._paint(self._moment)
            return
        self.heading_line.say([Piece("RMS", "bold"), Piece("○ STARTING", "bold")])
        for pane in self.board.panes:
            pane.repaint()

    # What is shown

    def show(self, moment: Moment) -> None:
        """Paint a moment: where only time went on, only what tells the time."""
        same = self._moment is not None and self._moment.frame is moment.frame
        self._moment = moment
        if not self._is_painted or not self.children:  # too early, or already gone
            return
        if same and moment.frame.book is not None:
            self._say_heading(moment)
        else:
            self._paint(moment)

    def _paint(self, moment: Moment) -> None:
        self._say_heading(moment)
        self.standing.follow(moment.frame)
        terminals = () if self._fleet is None else fleet_pieces(self._fleet.newest)
        self.summary_line.say(self._totals.pieces(moment.frame), terminals)
        for pane in self.board.panes:
            pane.show(moment)

    def _say_heading(self, moment: Moment) -> None:
        self.heading_line.say(*heading(moment, self.store, self._operator, self.tape))
        self.say_notice(notice(moment, self.store))

    @property
    def login(self) -> int | None:
        """The account that is meant: under the cursor, or behind the row under it."""
        pane = self.board.current
        key = pane.table.cursor_key
        if pane is self.alerts_pane and self._moment is not None:
            if isinstance(key, tuple):  # a pending state has no id yet
                return int(key[0])
            return next((a.login for a in self._moment.frame.alerts if a.id == key), None)
        if pane is self.positions_pane and self.positions.everybody:
            return self._owner(key)
        if self.instances is not None and pane.source is self.instances:
            return self.instances.account(key)
        under = self.accounts_pane.table.cursor_key
        return under if isinstance(under, int) else None

    def _owner(self, ticket: object) -> int | None:
        book = None if self._moment is None else self._moment.frame.book
        if book is None:
            return None
        rows = (book.positions.ticket == ticket).nonzero()[0]
        return int(book.accounts.login[book.positions.account[rows[0]]]) if len(rows) else None

    def find_account(self, login: int) -> None:
        """Put the cursor on an account, and lift a filter that hides it."""
        pane = self.accounts_pane
        self.board.go(pane)
        if not pane.go_to(login):
            pane.filter_by(EVERYTHING)
            pane.go_to(login)

    def find_symbol(self, symbol: str) -> None:
        """Show who holds a symbol."""
        source = self.accounts_pane.source
        quoted = symbol.replace('"', "")
        self.accounts_pane.filter_by(parse(f'symbol="{quoted}"', source.fields))
        self.board.go(self.accounts_pane)

    # Messages of the panes

    @on(LiveTable.CursorMoved, "#accounts-table")
    def _account_chosen(self, event: LiveTable.CursorMoved) -> None:
        login = event.key if isinstance(event.key, int) else None
        if login is not None and self.standing.seen(login):
            self.accounts_pane.repaint()
        if login != self.positions.login:
            self.positions.login = login
            if not self.positions.everybody:
                self.positions_pane.repaint()

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_details()

    # Keys

    def action_exposure(self) -> None:
        """By symbol, or by currency."""
        self.exposure.by_currency = not self.exposure.by_currency
        pane = self.exposure_pane
        pane.query_ = EVERYTHING
        pane.sort = self.exposure.default_sort
        pane.repaint()

    def action_everybody(self) -> None:
        """Positions of one account, or of all."""
        self.positions.everybody = not self.positions.everybody
        self.positions_pane.repaint()

    def action_details(self) -> None:
        """The account's details; from Exposure, who holds the symbol."""
        pane = self.board.current
        if pane is self.exposure_pane:
            symbol = pane.table.cursor_key
            if isinstance(symbol, str) and not self.exposure.by_currency:
                self.find_symbol(symbol)
            return
        if self.login is not None:
            self.note_seen()
            self.post_message(DetailsAsked(self.login))

    def note_seen(self) -> None:
        """See `BoardScreen.note_seen`."""
        if self.login is not None:
            self.standing.seen(self.login)

    def action_stress(self) -> None:
        """What a move would do: of the symbol or currency under the cursor, if there is one."""
        self.post_message(StressAsked(self._move(), self.login))

    def _move(self) -> Move | None:
        pane, book = self.board.current, None if self._moment is None else self._moment.frame.book
        key = pane.table.cursor_key
        if pane is self.exposure_pane and isinstance(key, str):
            return Move("currency" if self.exposure.by_currency else "symbol", key)
        if pane is self.positions_pane and book is not None:
            rows = (book.positions.ticket == key).nonzero()[0]
            if len(rows):
                return Move("symbol", book.symbols.name[book.positions.symbol[rows[0]]])
        return None

    def action_export(self) -> None:
        """Ask for a file for the current pane's table, or everything."""
        self.post_message(ExportAsked(TABLES.get(self.board.current.number, "accounts")))

    def action_add(self) -> None:
        """Ask which accounts to add."""
        self.post_message(AddAsked())

    def action_remove(self) -> None:
        """Ask whether to stop watching the account that is meant."""
        if self.login is not None:
            self.post_message(RemoveAsked(self.login))


class FleetBoard(Desk):
    """The desk of a fleet: the same, with its terminals as the fifth pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("5", "go(5)", "Instances", show=False, tooltip="To Instances", id="desk.pane_5")
    ]

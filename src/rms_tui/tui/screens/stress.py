"""The stress view: a price or a currency moves by ± x %, or several as they were saved, and who
and what that reaches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from rms_tui.account_keys import login_of
from rms_tui.frame import Frame
from rms_tui.risk.stop_out import Reach
from rms_tui.tui import figures
from rms_tui.tui.board import Board
from rms_tui.tui.filter import EVERYTHING
from rms_tui.tui.filter_bar import FilterBar
from rms_tui.tui.heading import Moment, state_pieces, worst_pieces
from rms_tui.tui.keys_line import KeysLine
from rms_tui.tui.messages import DetailsAsked
from rms_tui.tui.move import Move
from rms_tui.tui.panes.account_figures import row_of_login
from rms_tui.tui.panes.moves import MovesSource, moves
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.panes.stressed import StressedSource
from rms_tui.tui.screens.ask import Ask
from rms_tui.tui.screens.board_screen import pane_keys, taking_keys
from rms_tui.tui.screens.filtered_board import FilteredBoard
from rms_tui.tui.shocks import Answer, Question, Shocks
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.stress_sides import SidesTable
from rms_tui.tui.table import LiveTable

STEPS = (0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0)
"""Percentages that + and - go through."""

FIRST = 5.0
"""The percentage of the first shock."""


class Stress(FilteredBoard):
    """What may move on the left, whom it reaches on the right, both ways in sums above."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", tooltip="Back to the desk", id="stress.back"),
        Binding("plus,equals_sign", "step(1)", "More", tooltip="A larger move", id="stress.more"),
        Binding("minus", "step(-1)", "Less", tooltip="A smaller move", id="stress.less"),
        Binding("m", "percent", "By %", tooltip="Type by how many percent", id="stress.move"),
        Binding(
            "slash",
            "filter",
            "Find",
            key_display="/",
            tooltip="Filter this pane: find what moves, or an account",
            id="stress.filter",
        ),
        Binding("s", "sort", "Sort", tooltip="Sort this pane; again: reverse", id="stress.sort"),
        Binding("enter", "details", "Accounts, details", id="stress.details"),
        *taking_keys("stress"),
        *pane_keys("stress", ("What moves", "Accounts")),
    ]

    def __init__(
        self,
        percent: float,
        keep: Callable[[float], None],
        *,
        move: Move | None = None,
        login: int | None = None,
        judged: bool = True,
    ) -> None:
        """`keep` is told each percentage; the cursors begin at `move` and `login`; `judged` says
        whether rules are judged here, and not by a fleet's workers."""
        super().__init__()
        self._percent = percent
        self._keep = keep
        self._first_move = move
        self._login = login
        self._judged = judged
        self._moment: Moment | None = None
        self._is_painted = False
        self._shocks: Shocks | None = None
        self._moves = MovesSource()
        self._stressed = StressedSource()
        self._stressed.percent = percent
        self._is_scenario = False
        self._scenario_line = StatusLine(id="stress-scenario")
        self._moves_pane = Pane(1, self._moves, id="stress-moves")
        self._accounts_pane = Pane(2, self._stressed, id="stress-accounts")
        self.board = Board([self._moves_pane], [self._accounts_pane])

    @property
    def login(self) -> int | None:
        """The account under the cursor, once one was chosen here; the desk's until then."""
        return self._login

    @property
    def is_working(self) -> bool:
        """Whether what is asked is not answered yet."""
        return self._shocks is not None and self._shocks.busy

    def compose(self) -> ComposeResult:
        """State, both ways, the account's own limit, the panes, the keys."""
        yield StatusLine(id="heading")
        yield SidesTable(id="stress-sides")
        yield self._scenario_line
        yield StatusLine(id="stress-reach")
        yield self.board
        yield FilterBar()
        yield KeysLine(id="keys")

    def on_mount(self) -> None:
        """Show what is known at once; the answer comes from a thread."""
        self._scenario_line.display = False
        self._shocks = Shocks(self.app, self._came)
        self._is_painted = True
        self.board.fit(self.size.width, self.size.height)
        self.board.go(self._moves_pane)
        if self._moment is not None:
            self.show(self._moment)

    # What is shown

    def show(self, moment: Moment) -> None:
        """Paint a moment, and ask anew where the figures are others."""
        same = self._moment is not None and self._moment.frame is moment.frame
        self._moment = moment
        if not self._is_painted or not self.children:  # too early, or already gone
            return
        left = [Piece("Stress", "bold"), *state_pieces(moment)]
        self.query_one("#heading", StatusLine).say(left, worst_pieces(moment.frame))
        if same and self._moves_pane.is_painted:
            return
        self._moves.follow(moment.frame)
        self._moves_pane.show(moment)
        self._accounts_pane.show(moment)
        self._begin(moment.frame)
        self._ask()

    def _begin(self, frame: Frame) -> None:
        """Put the cursor where the desk's was, with the first frame that has it."""
        move = self._first_move
        if move is not None and frame.book is not None and frame.exposure is not None:
            self._first_move = None
            if move in moves(frame):
                self._moves_pane.go_to(move)

    @property
    def _move(self) -> Move | None:
        key = self._moves_pane.table.cursor_key
        return key if isinstance(key, Move) else None

    def _ask(self) -> None:
        moment, move = self._moment, self._move
        if (move is not None and move.is_scenario) != self._is_scenario:
            self._is_scenario = not self._is_scenario
            self.refresh_bindings()
        if moment is None or move is None or self._shocks is None:
            self._stressed.answer = None
            self._stressed.wanted = "Nothing to move."
            self._paint_answer()
            return
        by = "" if move.is_scenario else f"±{self._percent:g} % of "
        self._stressed.wanted = f"Working out what {by}{move.name} does"
        question = Question(moment.frame, move, self._percent, self.login, self._judged)
        self._shocks.ask(question)

    def _came(self, answer: Answer) -> None:
        if not self.is_attached or answer.question.move != self._move:
            return  # gone, or the cursor is somewhere else by now
        self._stressed.answer = answer
        self._paint_answer()
        if self.board.current is self._moves_pane:
            self._accounts_pane.table.action_first_row()  # the worst off, not who was it before

    def _paint_answer(self) -> None:
        answer = self._stressed.answer
        self._accounts_pane.repaint()
        self.query_one(SidesTable).show_answer(answer)
        words = [] if answer is None else scenario_words(answer)
        self._scenario_line.say(words)
        self._scenario_line.display = bool(words)
        self.query_one("#stress-reach", StatusLine).say(self._reach_pieces(answer))

    def _reach_pieces(self, answer: Answer | None) -> Sequence[Piece]:
        if answer is None or answer.reach is None or answer.question.login is None:
            return [Piece("which move stops an account out is said here", "$text-muted")]
        frame, login = answer.question.frame, answer.question.login
        row = row_of_login(frame, login)
        name = frame.book.accounts.name[row] if frame.book is not None and row is not None else ""
        words = reach_words(answer.question, answer.reach)
        return [Piece(f"{login_of(login)} {name}:", "bold"), *words]

    # Messages of the panes

    @on(LiveTable.CursorMoved, "#stress-moves-table")
    def _move_chosen(self) -> None:
        self._ask()

    @on(LiveTable.CursorMoved, "#stress-accounts-table")
    def _account_chosen(self, event: LiveTable.CursorMoved) -> None:
        chosen = self.board.current is self._accounts_pane or self._login is None
        if chosen and isinstance(event.key, int) and event.key != self._login:
            self._login = event.key
            self._ask()

    @on(LiveTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_details()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A scenario has percentages of its own."""
        if action in ("step", "percent") and self._is_scenario:
            return False
        return super().check_action(action, parameters)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Whoever goes to the accounts means the one under the cursor."""
        super().on_descendant_focus(event)
        table = self._accounts_pane.table
        if event.widget is table and isinstance(table.cursor_key, int):
            self._login = table.cursor_key
            self._ask()

    def action_details(self) -> None:
        """From what moves to whom it reaches, from there to the account."""
        if self.board.current is self._moves_pane:
            self.board.go(self._accounts_pane)
        elif self.login is not None:
            self.post_message(DetailsAsked(self.login))

    def action_back(self) -> None:
        """Lift the filter of this pane, else back to the desk."""
        if self.board.current.filter_text:
            self.board.current.filter_by(EVERYTHING)
        else:
            self.dismiss(None)

    def action_step(self, by: int) -> None:
        """The next larger percentage, or with -1 the next smaller one."""
        now = self._percent
        others = [step for step in STEPS if (step > now if by > 0 else step < now)]
        if others:
            self._take(min(others) if by > 0 else max(others))

    def action_percent(self) -> None:
        """Ask by how many percent."""

        def taken(text: str | None) -> None:
            if text is not None and (value := percent_of(text)) is not None:
                self._take(value)

        question = f"By how many percent up and down, now {self._percent:g}"
        self.app.push_screen(Ask("Move by", question, wrong=wrong_percent), taken)

    def _take(self, percent: float) -> None:
        self._percent = self._stressed.percent = percent
        self._keep(percent)
        self._ask()


def percent_of(text: str) -> float | None:
    """A percentage as typed, `7.5`, `7,5` or `7.5 %`; None where it cannot be a shock."""
    bare = text.strip().removesuffix("%").strip().replace(",", ".")
    if not bare.isascii() or "_" in bare:
        return None
    try:
        value = float(bare)
    except ValueError:
        return None
    return value if 0 < value < 100 else None


def wrong_percent(text: str) -> str | None:
    """What is wrong with a percentage, or None."""
    right = percent_of(text) is not None
    return None if right else "expected a percentage above 0 and below 100, such as 7.5"


def scenario_words(answer: Answer) -> Sequence[Piece]:
    """What a scenario moves, and first which of its names do nothing; nothing for other moves."""
    over = answer.over
    if over is None or not answer.question.move.is_scenario:
        return []
    idle = [
        Piece(f"{said} {', '.join(names)}", "bold $text-warning")
        for said, names in (("nobody holds", over.unheld), ("not in this book:", over.absent))
        if names
    ]
    moved = [f"{shock.name} {figures.signed_percent(shock.percent)}" for shock in over.shocks]
    return [Piece(f"{answer.question.move.name}:", "bold"), *idle, Piece(", ".join(moved), rank=1)]


def reach_words(question: Question, reach: Reach) -> Sequence[Piece]:
    """Which move stops an account out, or why none does."""
    move = question.move
    said = {
        "untouched": f"{move.name} does not move it",
        "out": "at or below its stop-out level already",
        "no margin": "uses no margin: no move stops it out",
        "no level": "its group has no stop-out level",
        "unknown": "not known: a figure, a price or a rate is missing",
    }
    if reach.standing in said:
        return [Piece(said[reach.standing], "$text-muted")]
    ways = [
        f"{figures.signed(percent, 2)} times it"
        if move.is_scenario
        else f"{figures.signed(percent, 2)} %{_price(question, percent)}"
        for percent in (reach.fall, reach.rise)
        if not math.isnan(percent)
    ]
    if not ways:
        return [Piece(f"no move of {move.name} stops it out")]
    return [Piece(f"stopped out by {move.name} {' or '.join(ways)}", "bold $text-warning")]


def _price(question: Question, percent: float) -> str:
    """The price it is then at, of a symbol."""
    book = question.frame.book
    if book is None or question.move.kind != "symbol":
        return ""
    row = book.symbols.name.index(question.move.name)
    then = float(book.symbols.bid[row]) * (1.0 + percent / 100.0)
    return f" ({figures.price(then, int(book.symbols.digits[row]))})"

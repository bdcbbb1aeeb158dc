"""Add accounts: logins, ranges, group masks, lists of them; says what happened to each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from rms_tui.feed import FeedError
from rms_tui.logins import Named, parse_named
from rms_tui.monitor import Monitor, Outcome
from rms_tui.plural import noun
from rms_tui.tui import figures
from rms_tui.tui.errand import run_errand
from rms_tui.tui.line_input import LineInput
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table.literal import literal
from rms_tui.tui.view import HistoryError

AT_ONCE = 500
"""Logins asked of the source in one go; between two goes the progress is shown."""

Outcomes = list[tuple[int, Outcome]]


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of some of the accounts that are asked for."""

    asked: int
    outcomes: Outcomes


STYLES: dict[str, str] = {
    "added": "$text-success",
    "not on the server": "$text-warning",
    "already watched": "$text-muted",
}


class AddAccounts(ModalScreen[None]):
    """Stays open so that more can be added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="add.close")
    ]

    def __init__(self, monitor: Monitor, operator: str) -> None:
        super().__init__()
        self._monitor = monitor
        self._operator = operator
        self._outcomes: Outcomes = []
        self._busy = False

    def compose(self) -> ComposeResult:
        """The line, what is wrong with it or going on, and what became of the logins."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Add accounts"
            yield Static(Content("Logins, ranges and group masks, such as 70123 7000-7010 real\\*"))
            yield LineInput(id="logins", placeholder="70123, 7000-7010, real\\*")
            yield StatusLine(id="add-hint")
            with VerticalScroll(id="outcomes", can_focus=False):
                yield Static(id="outcome-text", markup=False)

    def on_mount(self) -> None:
        """Ready to type."""
        self.query_one("#outcomes").display = False
        self.query_one(Input).focus()
        self._explain()

    def on_input_changed(self) -> None:
        """Check what is typed."""
        self._explain()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask the source for them, in a thread."""
        named = _named(event.value)
        if isinstance(named, str) or self._busy:
            return
        self._busy, self._outcomes = True, []
        self._say(Piece(f"asking the source for {_words(named)}", "bold"))
        run_errand(self.app, "add", lambda: self._added(named), self._went_on, self._went_wrong)

    def _added(self, named: Named) -> Iterator[Progress]:
        """In the thread: find the groups' accounts, add them all, some at a time."""
        members = self._monitor.members(named.masks) if named.masks else []
        logins = list(dict.fromkeys((*named.logins, *members)))
        for at in range(0, len(logins), AT_ONCE):
            outcomes = self._monitor.add(logins[at : at + AT_ONCE], self._operator)
            yield Progress(len(logins), outcomes)
        if not logins:
            yield Progress(0, [])

    def _went_on(self, progress: Progress) -> None:
        self._outcomes += progress.outcomes
        self._busy = len(self._outcomes) < progress.asked
        if not self.is_attached:
            return
        self._tell(None)
        if self._busy:
            done = figures.count(len(self._outcomes))
            self._say(Piece(f"{done} of {figures.count(progress.asked)} done", "bold"))
        elif not progress.asked:
            self._say(Piece("no account is in that group", "$text-warning"))
        else:
            self.query_one(Input).clear()
            self._say(Piece("done; more logins, or escape", "$text-muted"))

    def _went_wrong(self, error: FeedError | HistoryError) -> None:
        self._busy = False
        if self.is_attached:
            self._tell(error)
            self._say(Piece("not added; enter tries again", "$text-error"))

    def _tell(self, error: FeedError | HistoryError | None) -> None:
        lines: list[Content] = []
        if error is not None:
            lines.append(Content.styled(literal(error.text), "$text-error"))
        for outcome, style in STYLES.items():
            logins = [login for login, what in self._outcomes if what == outcome]
            if logins:
                named = Content.styled(f"{outcome} ({figures.count(len(logins))}): ", style)
                lines.append(named + Content(spans(logins)))
        self.query_one("#outcome-text", Static).update(Content("\n").join(lines))
        self.query_one("#outcomes").display = bool(lines)

    def _explain(self) -> None:
        text = self.query_one(Input).value
        if not text.strip():
            if not self._outcomes:
                self._say(Piece("enter adds them, escape closes", "$text-muted"))
            return
        named = _named(text)
        if isinstance(named, str):
            self._say(Piece(named, "$text-error"))
        else:
            self._say(Piece(f"enter adds {_words(named)}", "$text-muted"))

    def _say(self, piece: Piece) -> None:
        self.query_one(StatusLine).say([piece])


def _named(text: str) -> Named | str:
    """What the text names, or what is wrong with it."""
    try:
        return parse_named(text)
    except ValueError as error:
        return str(error)


def _words(named: Named) -> str:
    accounts = [_accounts(len(named.logins))] if named.logins else []
    groups = [f"the accounts in {named.masks}"] if named.masks else []
    return " and ".join((*accounts, *groups))


def _accounts(number: int) -> str:
    return f"{figures.count(number)} {noun(number, 'account')}"


MOST_SPANS = 30
"""Logins and ranges that are named of one outcome; the rest is counted."""


def spans(logins: Sequence[int]) -> str:
    """Logins with runs written as ranges: `7000-7010 7042`; of very many the first ones."""
    pieces: list[str] = []
    ordered = sorted(set(logins))
    start = 0
    for at, login in enumerate(ordered):
        if at + 1 == len(ordered) or ordered[at + 1] != login + 1:
            first = ordered[start]
            pieces.append(str(first) if first == login else f"{first}-{login}")
            start = at + 1
    more = f" and {len(pieces) - MOST_SPANS} more" if len(pieces) > MOST_SPANS else ""
    return " ".join(pieces[:MOST_SPANS]) + more

"""One question with one line of answer, checked while it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from rms_tui.tui.line_input import LineInput
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table.literal import literal


class Ask(ModalScreen[str | None]):
    """Answers the line, None when left; `wrong` says what is wrong with a line, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave", id="ask.leave")
    ]

    def __init__(
        self,
        title: str,
        question: str,
        *,
        value: str = "",
        hint: str = "enter takes it, escape leaves it",
        wrong: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._value = value
        self._hint = hint
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        """The question, the line, what is wrong with it."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(literal(self._title))
            yield Static(Content(literal(self._question)))
            yield LineInput(self._value, id="answer")
            yield StatusLine(id="answer-hint")

    def on_mount(self) -> None:
        """Ready to type."""
        self.query_one(Input).focus()
        self._explain()

    def on_input_changed(self) -> None:
        """Check what is typed."""
        self._explain()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take a right answer."""
        if self._wrong(event.value) is None:
            self.dismiss(event.value)

    def _explain(self) -> None:
        wrong = self._wrong(self.query_one(Input).value)
        piece = Piece(self._hint, "$text-muted") if wrong is None else Piece(wrong, "$text-error")
        self.query_one(StatusLine).say([piece])

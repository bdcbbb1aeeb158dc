"""The line in which a history is asked for: explained while it is typed, asked on enter."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from rms_tui.alerts.asked import SYNTAX, Asked, parsed
from rms_tui.tui.line_input import LineInput
from rms_tui.tui.status_line import Piece, StatusLine


class AskedBar(Vertical):
    """An input line over a line that says what is wrong, or what can be asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="asked.leave"),
    ]

    @dataclass
    class Typed(Message):
        """This is asked for now."""

        text: str
        asked: Asked

    @dataclass
    class Left(Message):
        """Nothing else is asked for than before."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(id="asked-bar")
        self._clock = clock
        self.display = False

    def compose(self) -> ComposeResult:
        """The input, and a line to explain."""
        yield LineInput(id="asked", placeholder=SYNTAX)
        yield StatusLine(id="asked-hint")

    def open(self, text: str) -> None:
        """Type, beginning with what is asked for now."""
        self.display = True
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)
        self._explain()
        self.screen.set_focus(line)  # at once: `focus()` would let the next key pass by

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check what is typed."""
        event.stop()
        if self.display:
            self._explain()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask, unless it is wrong."""
        event.stop()
        try:
            asked = parsed(event.value, self._clock())
        except ValueError:
            return
        self.display = False
        self.post_message(self.Typed(" ".join(event.value.split()), asked))

    def action_leave(self) -> None:
        """Leave it as it was."""
        self.display = False
        self.post_message(self.Left())

    def _explain(self) -> None:
        hint = self.query_one(StatusLine)
        try:
            parsed(self.query_one(Input).value, self._clock())
        except ValueError as error:
            hint.say([Piece(str(error), "$text-error")])
            return
        hint.say(
            [
                Piece(SYNTAX, "$text-muted"),
                Piece("enter asks, escape leaves", "$text-muted", rank=1),
            ]
        )

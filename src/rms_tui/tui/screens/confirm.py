"""A question that is answered with yes or no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from rms_tui.tui.table.literal import literal


class Confirm(ModalScreen[bool]):
    """Answers whether it was confirmed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Yes", id="confirm.yes"),
        Binding("n,escape", "dismiss(False)", "No", id="confirm.no"),
    ]

    def __init__(self, title: str, question: str, consequence: str) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._consequence = consequence

    def compose(self) -> ComposeResult:
        """What is asked, what it does, which keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(literal(self._title))
            yield Static(Content(literal(self._question)).stylize("bold"))
            yield Static(Content(literal(self._consequence)))
            yield Static(Content("y or enter: yes    n or escape: no"), classes="hint")

"""Enter the base of an account's trading days, where nobody better vouches for one."""

from __future__ import annotations

import math
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from rms_tui.tui import figures
from rms_tui.tui.line_input import LineInput
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table.literal import literal

FIGURES = ("balance", "equity")

LARGEST = 1e15
"""Money beyond this is a slip of the finger; floats no longer hold its cents."""


class EnterBase(ModalScreen[tuple[float, float] | None]):
    """Answers balance and equity at the start of the day, None when left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave", id="base.leave")
    ]

    def __init__(self, subject: str, known: str) -> None:
        super().__init__()
        self._subject = subject
        self._known = known

    def compose(self) -> ComposeResult:
        """Whose base, what is known of it, and the two figures."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Base of the trading day"
            yield Static(Content(literal(self._subject)).stylize("bold"))
            yield Static(Content(literal(self._known)), classes="hint")
            for name in FIGURES:
                yield LineInput(id=f"base-{name}", placeholder=f"{name} at the day's start")
            yield StatusLine(id="base-hint")

    def on_mount(self) -> None:
        """Ready to type."""
        self.query_one(Input).focus()
        self._explain()

    def on_input_changed(self) -> None:
        """Check what is typed."""
        self._explain()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """From the balance to the equity; from there take both, if both are right."""
        event.stop()
        taken = {name: amount(self._line(name).value) for name in FIGURES}
        for name, value in taken.items():
            if value is None:
                self._line(name).focus()
                return
        balance, equity = taken["balance"], taken["equity"]
        if balance is not None and equity is not None:
            self.dismiss((balance, equity))

    def _line(self, name: str) -> Input:
        return self.query_one(f"#base-{name}", Input)

    def _explain(self) -> None:
        said = []
        for name in FIGURES:
            text = self._line(name).value
            value = amount(text)
            if value is not None:
                said.append(f"{name} {figures.money(value)}")
            elif text.strip():
                wrong = Piece(f"{name}: expected an amount such as 10000.50", "$text-error")
                self.query_one(StatusLine).say([wrong])
                return
        hint = "enter takes both, escape leaves" if len(said) == 2 else "enter goes on"
        words = Piece("  ".join(said), "bold") if said else Piece("Amounts, in the account's money")
        self.query_one(StatusLine).say([words, Piece(hint, "$text-muted", rank=1)])


def amount(text: str) -> float | None:
    """The money a text says, blanks between its digits aside; None where it is none."""
    bare = text.replace(" ", "")
    if not bare.isascii() or "_" in bare:
        return None
    try:
        value = float(bare)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < LARGEST else None

"""For how long an alert is to be silent."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rms_tui.tui.table.literal import literal

CHOICES = (("5 m", 300.0), ("30 m", 1800.0), ("2 h", 7200.0), ("24 h", 86_400.0))
"""What is offered, in words and seconds."""


class SnoozeMenu(ModalScreen[float | None]):
    """Answers seconds, None for no snooze."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="snooze.back"),
        *(
            Binding(str(at), f"choose({at})", f"For {words}", show=False, id=f"snooze.choice_{at}")
            for at, (words, _) in enumerate(CHOICES, 1)
        ),
        Binding("j", "down", "Down", show=False, id="snooze.down"),
        Binding("k", "up", "Up", show=False, id="snooze.up"),
    ]

    def __init__(self, subject: str) -> None:
        super().__init__()
        self._subject = subject

    def compose(self) -> ComposeResult:
        """What is to be silent, and the choices."""
        with Vertical(classes="dialog narrow") as box:
            box.border_title = "Snooze"
            yield Static(Content(literal(self._subject)).stylize("bold"))
            yield OptionList(
                *(Option(Content(f"{at}  {words}")) for at, (words, _) in enumerate(CHOICES, 1)),
                compact=True,
            )
            hint = "enter or 1-4 snoozes, escape leaves. One that gets worse rings anyway."
            yield Static(Content(hint), classes="hint")

    def on_mount(self) -> None:
        """Start at the shortest."""
        options = self.query_one(OptionList)
        options.highlighted = 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That long."""
        self.dismiss(CHOICES[event.option_index][1])

    def action_choose(self, number: int) -> None:
        """By its number."""
        self.dismiss(CHOICES[number - 1][1])

    def action_down(self) -> None:
        """One line down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """One line up."""
        self.query_one(OptionList).action_cursor_up()

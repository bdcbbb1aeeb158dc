"""By which limits one account is judged: a profile of a list, its own ones, or its group's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from rms_tui.risk.own_profile import SHORT, OwnProfile
from rms_tui.tui import figures
from rms_tui.tui.line_input import LineInput
from rms_tui.tui.screens.by_hand import amount
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table.literal import literal

OWN, BACK = "own", "back"
"""Answers that are no profile's name."""

WORDS = {
    "max_daily_loss": "daily loss, from the day's balance",
    "max_position_risk": "risk of one position, at its stop",
    "max_profit": "profit of the day",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the list. `kind` is OWN, BACK, or where the profile comes from."""

    kind: str
    name: str
    words: str


class ChooseLimits(ModalScreen[Choice | None]):
    """Answers the chosen line, None when left. What is typed narrows the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="limits.leave"),
        Binding("down", "move(1)", "Down", show=False, priority=True, id="limits.down"),
        Binding("up", "move(-1)", "Up", show=False, priority=True, id="limits.up"),
    ]

    def __init__(self, subject: str, present: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._subject = subject
        self._present = present
        self._choices = choices
        self._shown: Sequence[Choice] = choices

    def compose(self) -> ComposeResult:
        """Whose limits, which ones now, and what there is to choose from."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Limits"
            yield Static(Content(literal(self._subject)).stylize("bold"))
            yield Static(Content(literal(f"now: {self._present}")), classes="hint")
            yield LineInput(id="limits", placeholder="type to narrow the list")
            yield OptionList(compact=True)
            yield StatusLine(id="limits-hint")

    def on_mount(self) -> None:
        """All of them, ready to type."""
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._narrow()

    def on_input_changed(self) -> None:
        """Only what has the words that are typed."""
        self._narrow()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The one that is lit; the first where more was typed on meanwhile."""
        event.stop()
        matching = self._matching(event.value)
        lit = self.query_one(OptionList).highlighted
        if matching:
            same = lit is not None and matching == self._shown
            self.dismiss(matching[lit if same and lit is not None else 0])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """The one that is clicked."""
        self.dismiss(self._shown[event.option_index])

    def action_move(self, by: int) -> None:
        """One line up or down."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()

    def _matching(self, text: str) -> list[Choice]:
        words = text.casefold().split()
        return [
            one
            for one in self._choices
            if all(word in f"{one.name} {one.words} {one.kind}".casefold() for word in words)
        ]

    def _narrow(self) -> None:
        self._shown = self._matching(self.query_one(Input).value)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(Content.assemble((literal(one.name), "bold"), f"  {literal(one.words)}"))
            for one in self._shown
        )
        options.highlighted = 0 if self._shown else None
        count = f"{len(self._shown)} of {len(self._choices)}"
        hint = "enter takes it, escape leaves" if self._shown else "nothing of that name"
        self.query_one(StatusLine).say([Piece(count, "bold"), Piece(hint, "$text-muted")])


class OwnLimits(ModalScreen[OwnProfile | None]):
    """Answers limits of an account's own, None when left; an empty line is no limit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave", id="own.leave"),
        Binding("down,tab", "next(1)", "Next", show=False, priority=True, id="own.next"),
        Binding("up,shift+tab", "next(-1)", "Before", show=False, priority=True, id="own.before"),
    ]

    def __init__(self, subject: str, present: OwnProfile | None) -> None:
        super().__init__()
        self._subject = subject
        self._present = present if isinstance(present, Mapping) else {}

    def compose(self) -> ComposeResult:
        """A line for each limit."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Limits of its own"
            yield Static(Content(literal(self._subject)).stylize("bold"))
            for name in SHORT:
                value = self._present.get(name)
                text = f"{value:.10g}" if isinstance(value, int | float) else ""
                yield Static(Content(WORDS[name]), classes="hint")
                yield LineInput(text, id=f"own-{name}", placeholder="no limit")
            yield StatusLine(id="own-hint")

    def on_mount(self) -> None:
        """Ready to type."""
        self.query(Input).first().focus()
        self._explain()

    def on_input_changed(self) -> None:
        """Check what is typed."""
        self._explain()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take them all, if they are right."""
        event.stop()
        if self._wrong() is None and (limits := self._limits()):
            self.dismiss({**self._kept(), **limits})

    def action_next(self, by: int) -> None:
        """To another line."""
        lines = list(self.query(Input))
        at = lines.index(self.focused) if isinstance(self.focused, Input) else 0
        lines[(at + by) % len(lines)].focus()

    def _kept(self) -> dict[str, object]:
        """What else stands on the element, such as rules: it is not asked for and not lost."""
        return {name: value for name, value in self._present.items() if name not in SHORT}

    def _limits(self) -> dict[str, float]:
        typed = {name: amount(self.query_one(f"#own-{name}", Input).value) for name in SHORT}
        return {name: value for name, value in typed.items() if value is not None}

    def _wrong(self) -> str | None:
        for name in SHORT:
            text = self.query_one(f"#own-{name}", Input).value
            value = amount(text)
            if text.strip() and (value is None or value <= 0):
                return f"{name}: expected an amount above 0 such as 500"
        return None

    def _explain(self) -> None:
        wrong = self._wrong()
        if wrong is not None:
            self.query_one(StatusLine).say([Piece(wrong, "$text-error")])
            return
        said = [f"{name} {figures.money(value)}" for name, value in self._limits().items()]
        words = Piece(", ".join(said), "bold") if said else Piece("Amounts, in the account's money")
        hint = "enter takes them, escape leaves" if said else "one at least"
        self.query_one(StatusLine).say([words, Piece(hint, "$text-muted", rank=1)])

"""Enter by hand what nobody vouches for: the base of an account's trading days, its peaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from rms_tui.memory_desk import LARGEST
from rms_tui.risk.entries import Outcome, source_words
from rms_tui.risk.profile import Trail
from rms_tui.tui import figures
from rms_tui.tui.line_input import LineInput
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table.literal import literal

BASE = ("balance", "equity")


@dataclass(frozen=True, slots=True)
class Entered:
    """What was typed: balance and equity at the day's start, and peaks."""

    base: tuple[float, float] | None
    peaks: tuple[tuple[Trail, float], ...]


class EnterByHand(ModalScreen[Entered | None]):
    """Answers what was typed, None when left. Asks only for what would be used."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave", id="base.leave"),
        Binding("down,tab", "next(1)", "Next", show=False, priority=True, id="base.next"),
        Binding("up,shift+tab", "next(-1)", "Before", show=False, priority=True, id="base.before"),
    ]

    def __init__(self, subject: str, known: Sequence[Outcome]) -> None:
        """`known` is what an entry would come to for each day and peak of the account."""
        super().__init__()
        self._subject = subject
        self._known = known
        wants_base = any(one.used and not isinstance(one.of, Trail) for one in known)
        wanted = [one.of for one in known if one.used and isinstance(one.of, Trail)]
        self._trails = {f"peak-{at}": trail for at, trail in enumerate(wanted)}
        self._names = [*(BASE if wants_base else ()), *self._trails]

    def compose(self) -> ComposeResult:
        """Whose figures, what is known of them, and those that are wanted."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Base and peak by hand"
            yield Static(Content(literal(self._subject)).stylize("bold"))
            yield Static(Content("\n").join(map(_standing, self._known)), classes="hint")
            for name in self._names:
                trail = self._trails.get(name)
                words = f"{name} at the day's start"
                if trail is not None:
                    words = f"highest {source_words(trail.source)} so far"
                yield LineInput(id=f"base-{name}", placeholder=words)
            yield StatusLine(id="base-hint")

    def on_mount(self) -> None:
        """Ready to type."""
        if self._names:
            self.query(Input).first().focus()
        self._explain()

    def on_input_changed(self) -> None:
        """Check what is typed."""
        self._explain()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to the next line; from the last one, or with all typed, take what is right."""
        event.stop()
        wrong = [name for name in self._names if self._text(name) and self._value(name) is None]
        if wrong:
            self._line(wrong[0]).focus()
            return
        empty = [name for name in self._names if not self._text(name)]
        here = self._names.index(str(event.input.id).removeprefix("base-"))
        following = [name for name in empty if self._names.index(name) > here]
        if following:
            self._line(following[0]).focus()
            return
        if self._half() is not None:
            self._line(next(name for name in empty if name in BASE)).focus()
            return
        taken = self._taken()
        if taken.base is not None or taken.peaks:
            self.dismiss(taken)

    def action_next(self, by: int) -> None:
        """To another line."""
        if not self._names:
            return
        at = self._names.index(str(self.focused.id).removeprefix("base-")) if self.focused else 0
        self._line(self._names[(at + by) % len(self._names)]).focus()

    def _line(self, name: str) -> Input:
        return self.query_one(f"#base-{name}", Input)

    def _text(self, name: str) -> str:
        return self._line(name).value.strip()

    def _value(self, name: str) -> float | None:
        return amount(self._text(name))

    def _short(self, name: str) -> str:
        trail = self._trails.get(name)
        return name if trail is None else f"{source_words(trail.source)} peak"

    def _half(self) -> str | None:
        """The figure of the base that is missing beside the other one."""
        given = [name for name in self._names if name in BASE and self._text(name)]
        return None if len(given) != 1 else next(name for name in BASE if name not in given)

    def _taken(self) -> Entered:
        values = {name: self._value(name) for name in self._names}
        balance, equity = values.get("balance"), values.get("equity")
        base = None if balance is None or equity is None else (balance, equity)
        peaks = [(trail, values[name]) for name, trail in self._trails.items()]
        return Entered(base, tuple((trail, at) for trail, at in peaks if at is not None))

    def _explain(self) -> None:
        if not self._names:
            words = Piece("nothing to enter: it is known already", "bold")
            self.query_one(StatusLine).say([words, Piece("escape leaves", "$text-muted")])
            return
        said = []
        for name in self._names:
            value = self._value(name)
            if value is not None:
                said.append(f"{self._short(name)} {figures.money(value)}")
            elif self._text(name):
                wrong = f"{self._short(name)}: expected an amount such as 10000.50"
                self.query_one(StatusLine).say([Piece(wrong, "$text-error")])
                return
        half = self._half()
        hint = "enter takes it, escape leaves" if said and half is None else "enter goes on"
        if half is not None:
            hint = f"and the {half}?"
        figures_said = Piece("  ".join(said), "bold")
        words = figures_said if said else Piece("Amounts, in the account's money")
        self.query_one(StatusLine).say([words, Piece(hint, "$text-muted", rank=1)])


def _standing(one: Outcome) -> Content:
    known = one.why if one.why else "not known"
    return Content(literal(f"{one.subject}: {'wanted ' * (one.used and bool(one.why))}{known}"))


def amount(text: str) -> float | None:
    """The money a text says, 0 or more, blanks between its digits aside; None where it is none."""
    bare = text.replace(" ", "")
    if not bare.isascii() or "_" in bare:
        return None
    try:
        value = float(bare)
    except ValueError:
        return None
    return value if 0 <= value < LARGEST else None

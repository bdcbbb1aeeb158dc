"""Add an account to the fleet: login, server, password and profile, a line each.

The password is masked, leaves this screen in a type that does not show it, and is wiped from the
line the moment it is taken.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import SecretStr
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.fleet_side import FleetSide
from rms_tui.tui.line_input import LineInput
from rms_tui.tui.status_line import Piece, StatusLine

FIELDS = (
    ("login", "Login", "70123"),
    ("server", "Server, as MT5 names it", "Broker-Live"),
    ("password", "Password; empty: the terminal has it stored", ""),
    ("profile", "Profile of rms.toml, or a preset; empty: as the plan says", ""),
)
LARGEST = 2**56
HINT = "enter goes on, and adds after the last line; escape closes"


class AddToFleet(ModalScreen[None]):
    """Stays open so that more can be added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="add_element.close"),
        # Before any line sees them: what is typed after is the next line's, and never a password
        # on the line before, however fast it comes.
        Binding("enter", "go_on", "Go on", show=False, priority=True, id="add_element.go_on"),
        Binding("down,tab", "next(1)", "Next", show=False, priority=True, id="add_element.next"),
        Binding(
            "up,shift+tab", "next(-1)", "Before", show=False, priority=True, id="add_element.before"
        ),
    ]

    def __init__(self, fleet: FleetSide) -> None:
        super().__init__()
        self._fleet = fleet
        self._busy = False

    def compose(self) -> ComposeResult:
        """A line for each, and what is wrong or became of it."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Add an account to the fleet"
            for name, question, example in FIELDS:
                yield Static(Content(question))
                line = LineInput(id=f"element-{name}", placeholder=example)
                line.password = name == "password"
                yield line
            yield StatusLine(id="element-hint")

    def on_mount(self) -> None:
        """Ready to type."""
        self.set_focus(self._line("login"))
        self._say(HINT, "$text-muted")

    def action_next(self, by: int) -> None:
        """To another line, at once."""
        lines = list(self.query(LineInput))
        at = lines.index(self.focused) if isinstance(self.focused, LineInput) else -1
        self.set_focus(lines[(at + by) % len(lines)])

    def action_go_on(self) -> None:
        """To the next line; after the last one add, once all that was typed is there."""
        last = self.focused is self._line("profile")
        names = [name for name, _, _ in FIELDS]
        at = len(names) - 1
        if not last:
            at = next((n for n, name in enumerate(names) if self.focused is self._line(name)), 0)
            self.action_next(1)
        self.call_after_refresh(lambda: self._check(names[: at + 1], add=last))

    def _check(self, names: list[str], *, add: bool) -> None:
        wrong = self._wrong(names)
        if wrong is not None:
            if add:
                self.set_focus(self._line(wrong[0]))
            self._say(wrong[1], "$text-error")
        elif not add:
            self._say(HINT, "$text-muted")
        elif not self._busy:
            self._add()

    def _add(self) -> None:
        login, server = int(self._line("login").value), self._line("server").value.strip()
        typed = self._line("password")
        password = SecretStr(typed.value) if typed.value else None
        typed.clear()
        profile = self._line("profile").value.strip() or None
        self._busy = True
        self._say(f"adding {login} on {server}", "bold")
        run_errand(
            self.app,
            "add-element",
            once(lambda: self._fleet.add(login, server, password, profile)),
            self._added,
            lambda error: self._ended(f"not added: {error.text}", "$text-error"),
        )

    def _added(self, words: str) -> None:
        if self.is_attached:
            self._line("login").clear()
        self._ended(words, "$text-success")

    def _ended(self, words: str, style: str) -> None:
        self._busy = False
        if self.is_attached:
            self.set_focus(self._line("login"))
            self._say(words, style)

    def _wrong(self, names: list[str]) -> tuple[str, str] | None:
        """The first of these lines that cannot be, and why."""
        login = self._line("login").value.strip()
        if not (login.isascii() and login.isdecimal() and 0 < int(login) < LARGEST):
            return "login", "login: expected a number such as 70123"
        if "server" in names and not self._line("server").value.strip():
            return "server", "server: expected its name, such as Broker-Live"
        return None

    def _line(self, name: str) -> LineInput:
        return self.query_one(f"#element-{name}", LineInput)

    def _say(self, words: str, style: str) -> None:
        self.query_one(StatusLine).say([Piece(words, style)])

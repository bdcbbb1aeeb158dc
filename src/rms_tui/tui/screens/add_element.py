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
from textual.widgets import Input, Static

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
        Binding("down", "app.focus_next", "Next line", show=False, id="add_element.next"),
        Binding("up", "app.focus_previous", "Line before", show=False, id="add_element.before"),
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
        self._line("login").focus()
        self._say(HINT, "$text-muted")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """To the next line; after the last one, add."""
        names = [name for name, _, _ in FIELDS]
        at = names.index((event.input.id or "").removeprefix("element-"))
        wrong = self._wrong(names[: at + 1])
        if wrong is not None:
            self._line(wrong[0]).focus()
            self._say(wrong[1], "$text-error")
        elif at + 1 < len(names):
            self._line(names[at + 1]).focus()
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
            self._line("login").focus()
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

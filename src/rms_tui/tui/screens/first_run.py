"""What a first start shows while no source is configured: the three ways to begin."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from rms_tui.tui.signals import exit_when_told
from rms_tui.tui.stylesheet import stylesheet
from rms_tui.tui.theme import ThemedApp

Choice = Literal["demo", "quit"]

WAYS = (
    (
        "See it work, without MT5",
        ("rms-tui --demo",),
        "A simulated broker with 250 clients. The header says DEMO all the time.",
    ),
    (
        "Watch a whole server (MT5 Manager API, on Windows)",
        ("MT5_HOST=mt5.example.com", "MT5_MANAGER_USER=1001", "MT5_MANAGER_PASS=…"),
        "Write these lines into a file .env here, then start rms-tui.",
    ),
    (
        "Watch one account (MT5 terminal, on Windows)",
        ("MT5_PATH=C:\\Program Files\\MetaTrader 5\\terminal64.exe", "MT5_LOGIN=70123"),
        "Write these lines into a file .env here, then start rms-tui.",
    ),
)


class FirstRunApp(ThemedApp[Choice]):
    """Asks nothing but whether to start the demo."""

    TITLE = "rms-tui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "choose('demo')", "Start the demo", id="first.demo"),
        Binding("q,escape", "choose('quit')", "Quit", id="first.quit"),
    ]

    def __init__(self, theme: str | None = None) -> None:
        super().__init__(theme, css_path=stylesheet())
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        """Three ways and two keys."""
        with Vertical(id="first-run"):
            yield Static(Content.styled("rms-tui watches MetaTrader 5 accounts.", "bold"))
            yield Static(Content("No source is configured yet. There are three ways to start."))
            for number, (what, lines, how) in enumerate(WAYS, 1):
                yield Static(Content.styled(f"\n{number}  {what}", "bold $text-accent"))
                yield Static(Content("\n".join(f"     {line}" for line in lines)))
                yield Static(Content(f"   {how}"), classes="hint")
            yield Static(Content.styled("\nd  start the demo now      q  quit", "bold"))

    def on_mount(self) -> None:
        """Begin to listen to the system's requests to end."""
        exit_when_told(self)

    def action_choose(self, choice: Choice) -> None:
        """Leave with the choice."""
        self.exit(choice)


def show_first_run() -> Choice:
    """Show the screen on this terminal; `demo` when the operator asked for it, else `quit`."""
    return FirstRunApp().run(mouse=False) or "quit"

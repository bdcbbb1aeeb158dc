"""Help for the pane that has the keys: its keys, and what its filter takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from rms_tui.tui.board import Board
from rms_tui.tui.filter import Fields, IdField, NumberField, WordField
from rms_tui.tui.panes.pane import Pane

GRAMMAR = (
    ("level<150", "a figure: < <= > >= = !="),
    ("state>=warning", "a state, or that and worse"),
    ("group:real\\*", "starts with, or a mask with *"),
    ("name~cli", "contains"),
    ('name="Ann Lee"', "is exactly; quotes keep blanks"),
    ("!login:70", "not"),
    ("ann", "a word: in the login, name or group"),
)


class Help(ModalScreen[None]):
    """Two lists; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss(None)", "Close", id="help.close"),
        Binding("j", "down", "Down", show=False, id="help.down"),
        Binding("k", "up", "Up", show=False, id="help.up"),
    ]

    def __init__(self, name: str, keys: Sequence[tuple[str, str]], fields: Fields | None) -> None:
        super().__init__()
        self._name = name
        self._keys = keys
        self._fields = fields

    def compose(self) -> ComposeResult:
        """Keys, then the filter."""
        with Vertical(classes="dialog wide") as box:
            box.border_title = f"Keys of {self._name}"
            with VerticalScroll():
                yield Static(_listed(self._keys, 14))
                if self._fields is not None:
                    yield Static(Content.styled("\nFilter, with /", "bold"))
                    yield Static(_listed(GRAMMAR, 18))
                    yield Static(Content.styled("\nFields", "bold"))
                    yield Static(_listed(_kinds(self._fields), 18))
            yield Static(Content("escape closes"), classes="hint")

    def action_down(self) -> None:
        """Scroll down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """Scroll up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)


def help_for(screen: Screen[Any]) -> Help | None:
    """Help for the pane of a screen that has the keys; None for a screen without panes."""
    board = getattr(screen, "board", None)
    pane = board.current if isinstance(board, Board) else getattr(screen, "pane", None)
    if not isinstance(pane, Pane):
        return None
    keys: dict[str, tuple[list[str], str]] = {}
    bindings = screen.active_bindings.values()
    for active in sorted(bindings, key=lambda active: _place(active.binding)):
        binding = active.binding
        if binding.id:
            words = binding.tooltip or binding.description
            name = screen.app.get_key_display(binding)
            keys.setdefault(binding.id, ([], words))[0].append(name)
    listed = [(" ".join(dict.fromkeys(names)), words) for names, words in keys.values()]
    return Help(pane.source.name, listed, pane.source.fields or None)


def _place(binding: Binding) -> int:
    """Keys of the screen first, those of the whole App next, moving about last."""
    part = (binding.id or "").partition(".")[0]
    return {"app": 1, "table": 2}.get(part, 0)


def _listed(rows: Sequence[tuple[str, str]], width: int) -> Content:
    return Content("\n").join(
        Content.styled(f"{left:<{width}} ", "bold $text-accent") + Content(right)
        for left, right in rows
    )


def _kinds(fields: Fields) -> list[tuple[str, str]]:
    kinds: dict[str, list[str]] = {"figures": [], "numbers": [], "states": [], "texts": []}
    for name, found in fields.items():
        match found:
            case NumberField():
                kinds["figures"].append(name)
            case IdField():
                kinds["numbers"].append(name)
            case WordField():
                kinds["states"].append(f"{name} ({' '.join(found.words)})")
            case _:
                kinds["texts"].append(name)
    return [(kind, ", ".join(names)) for kind, names in kinds.items() if names]

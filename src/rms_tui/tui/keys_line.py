"""The last line: the keys of the pane that has them."""

from __future__ import annotations

from typing import Any

from textual.binding import ActiveBinding
from textual.screen import Screen
from textual.widgets import Input

from rms_tui.tui.status_line import Piece, StatusLine

KEPT = ("app.quit", "app.help", "app.commands", "details.back", "history.back", "stress.back")
"""Keys that are named however narrow the line: they lead to all others."""

SHOWN = ("table.select",)
"""Keys of a widget that are named here though it does not ask for it."""

IMPORTANCE = (
    "select", "details", "filter", "acknowledge", "stress", "snooze", "more", "less", "move", "add",
    "sort", "remove", "zoom", "base", "limits", "history", "pause",
)  # fmt: skip
"""By the end of their ids: which keys stay in a narrow line. Others give way to all of them."""

NARROW = 100
"""Cells below which long words are shorter."""

SHORTER = {"table.select": "Open", "app.commands": "Cmds"}


def key_of(screen: Screen[Any], action: str) -> str:
    """The key that does this on a screen now, as the keymap gives it; "" for none."""
    for active in screen.active_bindings.values():
        if active.binding.action == action:
            return screen.app.get_key_display(active.binding)
    return ""


class KeysLine(StatusLine):
    """Lists the bindings that are shown, in their order; says them again when the focus moves.

    Those that do not fit are in the help.
    """

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh_keys())
        self.call_after_refresh(self.refresh_keys)

    def on_resize(self) -> None:
        """Another width may need shorter words."""
        self.refresh_keys()

    def refresh_keys(self) -> None:
        """Say the keys of now."""
        if not self.is_mounted or not self.is_attached:  # too early, or already gone
            return
        around = (self.screen, self.app)  # their keys are letters while someone types
        shown: dict[str, ActiveBinding] = {}
        for active in self.screen.active_bindings.values():
            typing = isinstance(self.screen.focused, Input) and active.node in around
            wanted = active.binding.show or active.binding.id in SHOWN
            if wanted and active.enabled and not typing:
                shown.setdefault(active.binding.action, active)
        pieces: list[Piece] = []
        for at, active in enumerate(shown.values()):
            key = self.app.get_key_display(active.binding)
            words = active.binding.description
            if self.size.width < NARROW:
                words = SHORTER.get(active.binding.id or "", words)
            pieces.append(Piece(f"{key} {words}", rank=_rank(active.binding.id or "", at)))
        self.say(pieces)


def _rank(binding_id: str, at: int) -> int:
    """What is dropped later has the lower rank; `at` is its place in the line."""
    if binding_id in KEPT:
        return 0
    command = binding_id.rpartition(".")[2]
    return 1 + (IMPORTANCE.index(command) if command in IMPORTANCE else len(IMPORTANCE) + at)

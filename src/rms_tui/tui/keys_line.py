"""The last line: the keys of the pane that has them."""

from __future__ import annotations

from textual.binding import ActiveBinding

from rms_tui.tui.status_line import Piece, StatusLine

KEPT = ("app.quit", "app.help", "app.commands", "details.back")
"""Keys that are named however narrow the line: they lead to all others."""


class KeysLine(StatusLine):
    """Lists the bindings that are shown, in their order; says them again when the focus moves."""

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh_keys())
        self.call_after_refresh(self.refresh_keys)

    def refresh_keys(self) -> None:
        """Say the keys of now."""
        if not self.is_mounted:
            return
        shown: dict[str, ActiveBinding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show and active.enabled:
                shown.setdefault(active.binding.action, active)
        pieces: list[Piece] = []
        for at, active in enumerate(shown.values()):
            key = self.app.get_key_display(active.binding)
            kept = active.binding.id in KEPT
            pieces.append(Piece(f"{key} {active.binding.description}", rank=0 if kept else at + 1))
        self.say(pieces)

"""Panes side by side, or one at a time: where the screen is small, or when one is zoomed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from rms_tui.tui.keys_line import key_of
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.status_line import Piece, StatusLine

ROOMY = (100, 30)
"""Columns and rows from which all panes fit at once."""

SNUG = 140
"""Columns below which the right side gives way."""


class Board(Vertical):
    """Two columns of panes; knows which pane is current and shows tabs when it stands alone."""

    def __init__(self, left: Sequence[Pane], right: Sequence[Pane]) -> None:
        super().__init__()
        self._sides = (left, right)
        self.panes = tuple(sorted((*left, *right), key=lambda pane: pane.number))
        self.current = self.panes[0]
        self.zoomed = False
        self._cramped = False

    def compose(self) -> ComposeResult:
        """Tabs, then the columns."""
        yield StatusLine(id="tabs")
        with Horizontal(id="columns"):
            for name, panes in zip(("left", "right"), self._sides, strict=True):
                with Vertical(id=name, classes="column"):
                    yield from panes

    @property
    def alone(self) -> bool:
        """Whether only the current pane is shown."""
        return self.zoomed or self._cramped

    def fit(self, width: int, height: int) -> None:
        """Take the screen's size into account."""
        cramped = width < ROOMY[0] or height < ROOMY[1]
        self.set_class(width < SNUG, "-snug")
        if cramped != self._cramped:
            self._cramped = cramped
            self._arrange()

    def zoom(self) -> None:
        """Show the current pane alone, or all again."""
        self.zoomed = not self.zoomed
        self._arrange()

    def go(self, pane: Pane) -> None:
        """Make a pane the current one and give it the keys."""
        changed = pane is not self.current
        self.current = pane
        if changed and self.alone:
            self._arrange()
        pane.table.focus()

    def step(self, by: int) -> None:
        """To the next pane, or with -1 to the one before."""
        at = self.panes.index(self.current) + by
        self.go(self.panes[at % len(self.panes)])

    def note_focus(self, pane: Pane) -> None:
        """A pane got the keys by other means, such as a click."""
        self.current = pane

    def say_tabs(self) -> None:
        """Name the panes while only one is shown."""
        self.query_one("#tabs", StatusLine).say(
            [
                Piece(
                    f" {pane.number} {pane.source.name} ",
                    "bold reverse" if pane is self.current else "$text-muted",
                )
                for pane in self.panes
            ],
            [Piece(f"zoomed, {key_of(self.screen, 'zoom')} shows all", "$text-muted", rank=1)]
            if self.zoomed and not self._cramped
            else [],
        )

    def _arrange(self) -> None:
        self.set_class(self.alone, "-alone")
        for side, panes in zip(("left", "right"), self._sides, strict=True):
            self.query_one(f"#{side}").display = not self.alone or self.current in panes
        for pane in self.panes:
            pane.display = not self.alone or pane is self.current
        self.say_tabs()
        for pane in self.panes:
            if pane.display:
                pane.repaint()

"""The filter being typed: applied as it becomes right, explained while it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from rms_tui.tui.filter import EVERYTHING, FilterError, Query, parse
from rms_tui.tui.line_input import LineInput
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.status_line import Piece, StatusLine

EXAMPLES = "level<150  used>80  state:critical  group:real\\*  symbol:XAU  name~cli  !login:70"


class FilterBar(Vertical):
    """An input line over a line that says what is wrong, or what a filter can be."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", id="filter.clear"),
        Binding("down", "keep", "Keep", show=False, id="filter.keep"),
    ]

    @dataclass
    class Typed(Message):
        """The text makes a query now."""

        pane: Pane
        query: Query

    @dataclass
    class Closed(Message):
        """Done with typing; the query of the last Typed stays."""

        pane: Pane

    def __init__(self) -> None:
        super().__init__(id="filter-bar")
        self._pane: Pane | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        """The input, and a line to explain."""
        yield LineInput(id="filter", placeholder=EXAMPLES)
        yield StatusLine(id="filter-hint")

    def open(self, pane: Pane) -> None:
        """Type a filter for this pane."""
        self._pane = pane
        self.display = True
        line = self.query_one(Input)
        line.value = pane.filter_text
        line.cursor_position = len(line.value)
        self._explain()
        self.screen.set_focus(line)  # at once: `focus()` would let the next key pass by

    def on_input_changed(self, event: Input.Changed) -> None:
        """Apply each text that is right."""
        event.stop()
        if self.display:
            self._explain()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter keeps the filter, unless it is wrong."""
        event.stop()
        if self._query() is not None:
            self.action_keep()

    def action_keep(self) -> None:
        """Back to the pane, filtered."""
        self._close()

    def action_clear(self) -> None:
        """Back to the pane, all rows."""
        if self._pane is not None:
            self.post_message(self.Typed(self._pane, EVERYTHING))
        self._close()

    def _close(self) -> None:
        self.display = False
        if self._pane is not None:
            self.post_message(self.Closed(self._pane))

    def _query(self) -> Query | None:
        if self._pane is None:
            return None
        source = self._pane.source
        try:
            return parse(self.query_one(Input).value, source.fields, source.words)
        except FilterError:
            return None

    def _explain(self) -> None:
        if self._pane is None:
            return
        source, text = self._pane.source, self.query_one(Input).value
        hint = self.query_one("#filter-hint", StatusLine)
        try:
            query = parse(text, source.fields, source.words)
        except FilterError as error:
            near = text[error.at : error.at + 12]
            where = f"at “{near}”" if near else "at the end"
            hint.say([Piece(where, "bold $text-error"), Piece(error.text, "$text-error")])
            return
        self.post_message(self.Typed(self._pane, query))
        hint.say(
            [
                Piece(f"{source.name} by: {' '.join(source.fields)}", "$text-muted"),
                Piece("enter keeps, escape clears", "$text-muted", rank=1),
            ]
        )

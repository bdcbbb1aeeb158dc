"""Lines to type in. Their cursor does not blink: an idle console sends nothing over SSH.

What is pasted comes from anywhere: Textual would send its control characters to the terminal, and
take the first line of a column of logins only.
"""

from __future__ import annotations

from unicodedata import category

from rich.text import Text
from textual import events
from textual.command import CommandInput
from textual.widgets import Input

from rms_tui.tui.table.literal import REPLACED

UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Characters that could move the cursor or reorder the line."""


class LineInput(Input):
    """One line high, still, and literal."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(value, placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    @property
    def _value(self) -> Text:
        return _drawn(self, super()._value)

    def _on_paste(self, event: events.Paste) -> None:
        _paste(self, event)


class PaletteInput(CommandInput):
    """The palette's line, still and literal too."""

    def __init__(self, *, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, select_on_focus=False)
        self.cursor_blink = False

    @property
    def _value(self) -> Text:
        return _drawn(self, super()._value)

    def _on_paste(self, event: events.Paste) -> None:
        _paste(self, event)


def _drawn(line: Input, own: Text) -> Text:
    """What is drawn: a visible sign for what is unsafe, cell by cell as the cursor counts."""
    if line.password or (line.value.isascii() and line.value.isprintable()):
        return own
    shown = (REPLACED if category(one) in UNSAFE else one for one in line.value)
    return Text("".join(shown), no_wrap=True, overflow="ignore", end="")


def _paste(line: Input, event: events.Paste) -> None:
    """Lines and tabs become blanks, so that a column of a spreadsheet is a list."""
    event.prevent_default()
    event.stop()
    lines = event.text.splitlines()
    if not lines:
        return
    pasted = lines[0] if line.password else " ".join(event.text.split())
    if line.selection.is_empty:
        line.insert_text_at_cursor(pasted)
    else:
        line.replace(pasted, *line.selection)

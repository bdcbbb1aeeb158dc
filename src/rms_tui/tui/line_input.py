"""A line to type in. Its cursor does not blink: an idle console sends nothing over SSH."""

from __future__ import annotations

from textual.widgets import Input


class LineInput(Input):
    """One line high, still."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(value, placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

"""Where toasts lie: never over the row that is being read.

On a small terminal they would cover half a table. They take less than half of the screen, and the
half that the cursor is not in.
"""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets._toast import ToastRack

from rms_tui.tui.table.cursor import CursorTable

ABOVE = "-above"

LOW = 30
"""Lines of a screen below which nothing stands between two toasts: five fit on 24."""


def place_toasts(screen: Screen[object]) -> None:
    """Have the toasts of a screen lie above where the focused table's cursor is in the lower half.

    Cheap where nothing changes.
    """
    table = screen.focused
    above = False
    if isinstance(table, CursorTable):
        line = table.cursor_line
        above = line is not None and line >= screen.size.height // 2
    for rack in screen.query(ToastRack):
        rack.set_class(above, ABOVE)
        rack.set_class(screen.size.height < LOW, "-low")

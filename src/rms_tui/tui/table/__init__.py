"""The console's table: draws visible rows from the newest picture, repaints what changed."""

from rms_tui.tui.table.rows import CELL_STYLES, Cell, Column, ListedRows, Rows
from rms_tui.tui.table.widget import LiveTable

__all__ = ["CELL_STYLES", "Cell", "Column", "ListedRows", "LiveTable", "Rows"]

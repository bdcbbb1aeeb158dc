"""Where each column stands in a line of a given width, scrolled sideways by some cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from rms_tui.tui.table.rows import Column

GAP = 1
"""Blank cells between two columns."""


class Slot(NamedTuple):
    """The visible part of a column: cells `start` to `end` of its `width`, then `gap` blanks."""

    column: int
    width: int
    right: bool
    start: int
    end: int
    gap: int


def full_width(columns: Sequence[Column]) -> int:
    """Cells needed to show every column at once."""
    return max(0, sum(column.width + GAP for column in columns) - GAP)


def frozen_count(columns: Sequence[Column]) -> int:
    """How many leading columns are frozen; a frozen column after a moving one moves too."""
    return len(list(takewhile(lambda column: column.frozen, columns)))


def stops(columns: Sequence[Column]) -> list[int]:
    """Sideways scroll offsets that put a moving column right after the frozen ones."""
    offsets, x = [], 0
    for column in columns[frozen_count(columns) :]:
        offsets.append(x)
        x += column.width + GAP
    return offsets


def frozen_width(columns: Sequence[Column]) -> int:
    """Cells that never scroll, their last gap included."""
    return sum(column.width + GAP for column in columns[: frozen_count(columns)])


def slots(columns: Sequence[Column], width: int, scrolled: int) -> tuple[Slot, ...]:
    """The visible parts of columns, left to right; together they never exceed `width`."""
    shown: list[Slot] = []
    frozen = frozen_count(columns)
    x = 0
    hidden = 0
    for index, column in enumerate(columns):
        if index == frozen:
            hidden = scrolled
        if x >= width:
            break
        start = min(column.width, hidden)
        gap = GAP - min(GAP, hidden - start)
        hidden -= start + (GAP - gap)
        end = min(column.width, start + width - x)
        x += end - start
        gap = min(gap, width - x)
        x += gap
        if end > start or gap:
            shown.append(Slot(index, column.width, column.align == "right", start, end, gap))
    return tuple(shown)


def slot_at(shown: Sequence[Slot], x: int) -> Slot | None:
    """The slot under cell `x` of a line (its gap counts), None right of the last."""
    right = 0
    for slot in shown:
        right += slot.end - slot.start + slot.gap
        if x < right:
            return slot
    return None

"""Which rows are shown and in what order: filtered and sorted as columns, never row by row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rms_tui.book import Flags, Floats, Ints
from rms_tui.tui.table import Cell, Column, Rows

Draw = Callable[[int], Cell]
"""A column's cell for a row of the source (not of the screen)."""


def ordered(key: Any, rows: Flags | Ints | None, *, descending: bool) -> Ints:
    """The rows (a mask, indices, None for all) by their key; equal keys in source order.

    Rows without a key (NaN) come last either way.
    """
    values = np.asarray(key, dtype=np.float64)
    chosen: Any = np.arange(len(values)) if rows is None else rows
    if chosen.dtype == np.bool_:
        chosen = np.flatnonzero(chosen)
    picked = values[chosen]
    if descending:
        picked = -picked
    order: Ints = chosen[np.argsort(picked, kind="stable")].astype(np.int64)
    return order


ELASTIC = 8
"""Cells an elastic column needs to be of use."""


class Ranks:
    """Texts as numbers that sort alike; made again only when the column is another object."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[str, ...], Floats]] = {}

    def of(self, column_id: str, texts: tuple[str, ...]) -> Floats:
        """The rank of each text among the distinct ones, case aside."""
        known = self._known.get(column_id)
        if known is not None and known[0] is texts:
            return known[1]
        distinct = sorted(set(texts), key=lambda text: (text.casefold(), text))
        rank = {text: at for at, text in enumerate(distinct)}
        made = np.fromiter((rank[text] for text in texts), dtype=np.float64, count=len(texts))
        self._known[column_id] = (texts, made)
        return made


class OrderedRows:
    """Rows for a LiveTable: an order over a source's rows and a function for each column."""

    def __init__(
        self,
        order: Ints,
        key_of: Callable[[int], Hashable],
        source_row_of: Callable[[Hashable], int | None],
        draw: Sequence[Draw],
        style: Callable[[int], str] = lambda _: "",
    ) -> None:
        self._order = order
        self._key_of = key_of
        self._source_row_of = source_row_of
        self._draw = draw
        self._style = style

    def __len__(self) -> int:
        return len(self._order)

    @property
    def order(self) -> Ints:
        """The source's rows in display order."""
        return self._order

    def key(self, row: int) -> Hashable:
        """See `Rows.key`."""
        return self._key_of(int(self._order[row]))

    def row_of(self, key: Hashable) -> int | None:
        """See `Rows.row_of`."""
        at = self._source_row_of(key)
        if at is None:
            return None
        places = np.flatnonzero(self._order == at)
        return int(places[0]) if len(places) else None

    def cells(self, row: int) -> tuple[Cell, ...]:
        """See `Rows.cells`."""
        at = int(self._order[row])
        return tuple([draw(at) for draw in self._draw])

    def row_style(self, row: int) -> str:
        """See `Rows.row_style`."""
        return self._style(int(self._order[row]))


class StackedRows:
    """Rows above other rows; no key may be in both."""

    def __init__(self, upper: Rows, lower: Rows) -> None:
        self._upper = upper
        self._lower = lower

    def __len__(self) -> int:
        return len(self._upper) + len(self._lower)

    def _of(self, row: int) -> tuple[Rows, int]:
        below = row - len(self._upper)
        return (self._upper, row) if below < 0 else (self._lower, below)

    def key(self, row: int) -> Hashable:
        """See `Rows.key`."""
        rows, at = self._of(row)
        return rows.key(at)

    def row_of(self, key: Hashable) -> int | None:
        """See `Rows.row_of`."""
        at = self._upper.row_of(key)
        if at is not None:
            return at
        below = self._lower.row_of(key)
        return None if below is None else len(self._upper) + below

    def cells(self, row: int) -> Sequence[Cell]:
        """See `Rows.cells`."""
        rows, at = self._of(row)
        return rows.cells(at)

    def row_style(self, row: int) -> str:
        """See `Rows.row_style`."""
        rows, at = self._of(row)
        return rows.row_style(at)


def fitting(
    columns: Sequence[Column],
    importance: Sequence[str],
    width: int,
    *,
    elastic: str = "",
    most: int = 24,
) -> tuple[Column, ...]:
    """Columns in their own order, those that fit `width` by importance first, the rest after.

    What does not fit is not lost: it is reached by scrolling sideways. The `elastic` column gives
    way down to 8 cells to stay in view, and takes what is left, up to `most`.
    """
    by_id = {column.id: column for column in columns}
    left, chosen = width + 1, set()
    for name in importance:
        column = by_id.get(name)
        if column is None:
            continue
        needed = min(column.width, ELASTIC) if name == elastic else column.width
        if needed + 1 > left:
            break
        left -= needed + 1
        chosen.add(name)
    if elastic in chosen:
        least = min(by_id[elastic].width, ELASTIC)
        by_id[elastic] = replace(by_id[elastic], width=min(most, least + left))
    return (
        *(by_id[column.id] for column in columns if column.id in chosen),
        *(by_id[column.id] for column in columns if column.id not in chosen),
    )

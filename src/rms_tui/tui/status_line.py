"""One line of words with a left and a right end; what matters least gives way when it is narrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from rms_tui.tui.table.literal import literal

GAP = 2
"""Blank cells between two pieces."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A literal text in a Textual style; the highest `rank` is dropped first, 0 never."""

    text: str
    style: str = ""
    rank: int = 0


class StatusLine(Widget):
    """Shows pieces; repaints only when one of them changed."""

    DEFAULT_CSS = """
    StatusLine { height: 1; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left: tuple[Piece, ...] = ()
        self._right: tuple[Piece, ...] = ()

    @property
    def text(self) -> str:
        """What the line says at its present width."""
        return composed(self._left, self._right, self.size.width).plain

    def say(self, left: Iterable[Piece], right: Iterable[Piece] = ()) -> None:
        """Show these pieces from now on."""
        newest = tuple(left), tuple(right)
        if newest != (self._left, self._right):
            self._left, self._right = newest
            self.refresh()

    def render(self) -> Content:
        """The pieces that fit, in exactly the line's width."""
        return composed(self._left, self._right, self.size.width)


def composed(left: Sequence[Piece], right: Sequence[Piece], width: int) -> Content:
    """Pieces of both ends in `width` cells, a blank cell at each edge."""
    kept, kept_right = list(left), list(right)
    room = width - 2
    while _width(kept) + _width(kept_right) + _gap(kept_right) > room:
        droppable = max((*kept, *kept_right), key=lambda piece: piece.rank, default=None)
        if droppable is None or droppable.rank == 0:
            break
        (kept if droppable in kept else kept_right).remove(droppable)
    gap = max(_gap(kept_right), room - _width(kept) - _width(kept_right))
    line = Content.assemble(" ", *_spaced(kept), " " * gap, *_spaced(kept_right), " ")
    if line.cell_length > width:
        line = line.truncate(width, ellipsis=True)
    return line


def _gap(right: Sequence[Piece]) -> int:
    """Blank cells that keep the ends apart, where there are two."""
    return GAP if right else 0


def _width(pieces: Sequence[Piece]) -> int:
    return sum(cell_len(literal(piece.text)) for piece in pieces) + GAP * max(0, len(pieces) - 1)


def _spaced(pieces: Sequence[Piece]) -> list[str | tuple[str, str]]:
    parts: list[str | tuple[str, str]] = []
    for at, piece in enumerate(pieces):
        if at:
            parts.append(" " * GAP)
        parts.append((literal(piece.text), piece.style))
    return parts


def titled(left: Sequence[Piece], right: Sequence[Piece], width: int) -> Content:
    """A border's title in exactly `width` cells: both ends, and the border's line between them."""
    kept, kept_right = list(left), list(right)
    while _width(kept) + _width(kept_right) + 2 * GAP > width:
        droppable = max((*kept, *kept_right), key=lambda piece: piece.rank, default=None)
        if droppable is None or droppable.rank == 0:
            break
        (kept if droppable in kept else kept_right).remove(droppable)
    if not kept_right:
        return Content.assemble(*_spaced(kept)).truncate(max(1, width), ellipsis=True)
    fill = max(1, width - _width(kept) - _width(kept_right) - GAP)
    line = Content.assemble(*_spaced(kept), f" {'─' * fill} ", *_spaced(kept_right))
    return line.truncate(max(1, width), ellipsis=True)

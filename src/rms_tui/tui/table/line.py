"""One line of the table as a Strip of exactly the table's width, with few changes of style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip
from textual.style import Style as VisualStyle

from rms_tui.tui.table.ink import Inks
from rms_tui.tui.table.layout import Slot
from rms_tui.tui.table.literal import cut, fitted, literal
from rms_tui.tui.table.rows import Cell


class Picture(NamedTuple):
    """What a line shows. Two equal pictures need no repaint; `lit` is the cursor's row."""

    cells: Sequence[Cell]
    row_style: str
    lit: bool


def line_strip(picture: Picture, shown: Sequence[Slot], width: int, inks: Inks) -> Strip:
    """The picture in `width` cells. Adjacent parts of one style become one segment.

    This runs for each visible row of each new picture, hence the flat loop.
    """
    cells, row_style, lit = picture
    inks_here = inks.of(row_style, lit)
    segments: list[Segment] = []
    texts: list[str] = []
    pen: Style | None = None
    used = 0
    for column, wide, right, start, end, gap in shown:
        text, cell_style = cells[column]
        style, gap_style = inks_here[cell_style]
        text = fitted(text, wide, right)
        if end - start < wide:
            text = cut(text, start, end, right=right)
        if style is not pen:
            if texts:
                segments.append(Segment("".join(texts), pen))
                texts.clear()
            pen = style
        texts.append(text)
        if gap:
            if gap_style is not pen:
                segments.append(Segment("".join(texts), pen))
                texts.clear()
                pen = gap_style
            texts.append(" " * gap)
        used += end - start + gap
    if used < width:
        under = inks_here[""].style
        if under is not pen:
            if texts:
                segments.append(Segment("".join(texts), pen))
                texts.clear()
            pen = under
        texts.append(" " * (width - used))
    if texts:
        segments.append(Segment("".join(texts), pen))
    return Strip([segment for segment in segments if segment.text], width)


def message_strips(message: str | Content, width: int, height: int, style: Style) -> list[Strip]:
    """The message wrapped, centred both ways, literal. Exactly `height` strips of `width` cells."""
    content = message if isinstance(message, Content) else Content(message)
    safe = "\n".join(literal(line) for line in content.plain.split("\n"))
    if safe != content.plain:
        content = Content(safe)
    lines = content.wrap(max(1, width - 2)) if content else []
    lines = lines[:height]
    top = (height - len(lines)) // 2
    blank = Strip.blank(width, style)
    strips = [blank] * top
    base = VisualStyle.from_rich_style(style)
    for line in lines:
        written = [
            Segment(text, style + part.rich_style)
            for text, part in line.rstrip().truncate(width).render(base, end="")
            if text
        ]
        body = Strip(written)
        left = (width - body.cell_length) // 2
        padded = Strip([Segment(" " * left, style), *written] if left else written)
        strips.append(padded.adjust_cell_length(width, style))
    return strips + [blank] * (height - len(strips))

"""One line of the table as a Strip of exactly the table's width, with few changes of style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip
from textual.style import Style as VisualStyle

from rms_tui.tui.table.ink import Inks
from rms_tui.tui.table.layout import Slot
from rms_tui.tui.table.literal import cropped, fitted, literal
from rms_tui.tui.table.rows import Cell, Column


@dataclass(frozen=True, slots=True)
class Picture:
    """What a line shows. Two equal pictures need no repaint; `lit` is the cursor's row."""

    cells: Sequence[Cell]
    row_style: str
    lit: bool


def line_strip(
    picture: Picture, columns: Sequence[Column], shown: Sequence[Slot], width: int, inks: Inks
) -> Strip:
    """The picture in `width` cells. Adjacent parts of one style become one segment."""
    runs: list[Segment] = []
    texts: list[str] = []
    style: Style | None = None
    used = 0

    def write(text: str, text_style: Style) -> None:
        nonlocal style
        if text_style is not style:
            if texts and style is not None:
                runs.append(Segment("".join(texts), style))
            texts.clear()
            style = text_style
        texts.append(text)

    cells, row_style, lit = picture.cells, picture.row_style, picture.lit
    for slot in shown:
        column = columns[slot.column]
        cell = cells[slot.column]
        ink = inks.ink(row_style, cell.style, lit)
        text = fitted(cell.text, column.width, right=column.align == "right")
        if slot.end - slot.start < column.width:
            text = cropped(text, slot.start, slot.end)
        if text:
            write(text, ink.style)
        if slot.gap:
            write(" " * slot.gap, ink.gap)
        used += slot.end - slot.start + slot.gap
    if used < width:
        write(" " * (width - used), inks.ink(row_style, "", lit).style)
    if texts:
        runs.append(Segment("".join(texts), style))
    return Strip(runs, width)


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

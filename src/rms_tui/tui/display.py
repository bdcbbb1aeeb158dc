"""Send to the terminal only the cells that differ from what it shows already.

Textual sends each dirty line whole from its widget's left edge; over SSH a price tick is then
a line of 200 bytes instead of seven. `App._display` is private, so this steps aside by itself in
any Textual but the one it was tested with (against a terminal emulator, cell by cell). A full
update always goes out whole: it is the cure for a garbled terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeVar

import textual
from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip

TESTED_WITH = "8.2.8"
"""The Textual whose internals this file knows."""

BRIDGED = 6
"""A gap of equal cells no longer than this is cheaper to send again than to jump over."""

ReturnType = TypeVar("ReturnType")
Cell = tuple[str, Style | None]
Line = dict[int, Cell]


class FrugalApp(App[ReturnType]):
    """An App that remembers what its terminal shows."""

    frugal = textual.__version__ == TESTED_WITH
    """Set to False to send everything Textual would."""

    _terminal: Terminal | None = None

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if self.frugal and renderable is not None:
            if self._terminal is None:
                self._terminal = Terminal()
            if isinstance(renderable, ChopsUpdate | LayoutUpdate):
                renderable = Difference(renderable, self._terminal)
            else:
                self._terminal.forget()
        super()._display(screen, renderable)


class Difference(CompositorUpdate):
    """An update that compares itself with the terminal at the moment it is written.

    Not earlier: Textual drops updates while batching or closing, and a dropped one was not seen.
    """

    def __init__(self, update: ChopsUpdate | LayoutUpdate, terminal: Terminal) -> None:
        self._update = update
        self._terminal = terminal

    def __rich_console__(self, console: Console, options: object) -> Iterator[Segment]:
        raise NotImplementedError("written by render_segments only")

    def render_segments(self, console: Console) -> str:
        """What to write so that the terminal shows the update."""
        update = self._update
        if isinstance(update, ChopsUpdate):
            return self._terminal.changes(_strips(update), console)
        self._terminal.forget()
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                self._terminal.put(x, y, strip)
                x += strip.cell_length
        return update.render_segments(console)


class Terminal:
    """The cells a terminal shows, as far as they are known for sure."""

    def __init__(self) -> None:
        self._lines: dict[int, Line] = {}

    def forget(self) -> None:
        """Know nothing: something else wrote to the terminal."""
        self._lines.clear()

    def put(self, x: int, y: int, strip: Strip) -> bool:
        """Remember a strip sent whole; False when its width is the terminal's own opinion."""
        line = self._lines.setdefault(y, {})
        cells = _cells(strip)
        if cells is None:
            for at in range(x, x + strip.cell_length):
                line.pop(at, None)
            return False
        line.update(enumerate(cells, x))
        return True

    def changes(self, strips: Iterable[tuple[int, int, Strip]], console: Console) -> str:
        """What to write for strips at (x, y), remembering it."""
        written: list[str] = []
        colours = console._color_system or ColorSystem.TRUECOLOR
        pen: str | None = None
        for x, y, strip in strips:
            cells = _cells(strip)
            if cells is None or any(style is not None and style.link for _, style in cells):
                if pen:
                    written.append("\x1b[0m")
                pen = None
                written.append(f"\x1b[{y + 1};{x + 1}H{strip.render(console)}")
                self.put(x, y, strip)
                continue
            line = self._lines.setdefault(y, {})
            for start, end in _changed_runs(line, x, cells):
                written.append(f"\x1b[{y + 1};{x + start + 1}H")
                for style, run in groupby(cells[start:end], _style_of):
                    ansi = "" if style is None else Strip.render_ansi(style, colours)
                    if ansi != pen:
                        written.append(f"\x1b[0;{ansi}m" if ansi else "\x1b[0m")
                        pen = ansi
                    written.extend(character for character, _ in run)
            line.update(enumerate(cells, x))
        if pen:
            written.append("\x1b[0m")
        return "".join(written)


def _style_of(cell: Cell) -> Style | None:
    return cell[1]


def _strips(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """The strips Textual would send, with their places: its own `render_segments`, unrendered."""
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > x2 or end <= x1:
                continue
            whole = x1 <= x < x2 and end <= x2
            yield x, y, strip if whole else strip.crop(0, min(end, x2) - x)


def _cells(strip: Strip) -> list[Cell] | None:
    """One entry for each cell, None when some character is not certainly one cell wide."""
    cells: list[Cell] = []
    for text, style, control in strip:
        if control or not text.isprintable():
            return None
        if not (text.isascii() or all(map(_is_one_cell, text))):
            return None
        cells.extend([(character, style) for character in text])
    return cells


def _is_one_cell(character: str) -> bool:
    return get_character_cell_size(character) == 1


def _changed_runs(line: Line, x: int, cells: list[Cell]) -> list[tuple[int, int]]:
    """Half-open runs of cells that differ, over small gaps of one style."""
    known = line.get
    runs: list[tuple[int, int]] = []
    for at, cell in enumerate(cells):
        if known(x + at) == cell:
            continue
        if runs:
            start, end = runs[-1]
            gap = cells[end:at]
            if len(gap) <= BRIDGED and all(each[1] is cell[1] for each in gap):
                runs[-1] = start, at + 1
                continue
        runs.append((at, at + 1))
    return runs

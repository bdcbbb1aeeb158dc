"""Send to the terminal only the cells that differ from what it shows already.

Textual sends each dirty line whole from its widget's left edge; over SSH a price tick is then
a line of 200 bytes instead of seven. `App._display` is private, so this steps aside by itself in
any Textual but the one it was tested with (against a terminal emulator, cell by cell). A full
update always goes out whole: it is the cure for a garbled terminal.
"""

from __future__ import annotations

import os
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import textual
import textual.screen
from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.screen import Screen
from textual.strip import Strip

from rms_tui.book import Flags
from rms_tui.tui.output import Output
from rms_tui.tui.theme import ThemedApp

TESTED_WITH = "8.2.8"
"""The Textual whose internals this file knows."""

BRIDGED = 6
"""A gap of equal cells no longer than this is cheaper to send again than to jump over."""

PICTURES = 120
"""Pictures a second at most. Textual paints at once, and then not again for a sixtieth of a second:
a key that falls into that wait is the one that seems slow. `TEXTUAL_FPS` says otherwise."""

ReturnType = TypeVar("ReturnType")


class FrugalApp(ThemedApp[ReturnType]):
    """An App that remembers what its terminal shows."""

    frugal = textual.__version__ == TESTED_WITH
    """Set to False to send everything Textual would."""

    _terminal: Terminal | None = None

    def __init__(self, theme: str | None = None, **more: Any) -> None:
        if self.frugal and "TEXTUAL_FPS" not in os.environ:
            vars(textual.screen).update(UPDATE_PERIOD=1 / PICTURES)
        super().__init__(theme, **more)
        if self.frugal and sys.platform != "win32":
            import textual.drivers.linux_driver as driver

            output = partial(Output, self._later(self._paint_anew), self._later(self.exit))
            vars(driver).update(WriterThread=output)

    def _later(self, does: Callable[[], object]) -> Callable[[], None]:
        """The same, in the app's own thread, for any thread to call."""

        def call() -> None:
            with suppress(RuntimeError):  # the loop has ended
                if self._loop is not None:
                    self._loop.call_soon_threadsafe(does)

        return call

    def _paint_anew(self) -> None:
        """Send the whole screen: the terminal missed some of it."""
        if self._running and self.screen.is_current:
            self._display(self.screen, self.screen._compositor.render_update(full=True))

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


class Shown(NamedTuple):
    """A stretch of cells on a line, each one character wide, with the characters' code points;
    where each style ends."""

    text: str
    codes: npt.NDArray[np.uint32]
    ends: list[int]
    styles: list[Style | None]


class Terminal:
    """What a terminal shows, as far as it is known for sure."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, Shown]] = {}

    def forget(self) -> None:
        """Know nothing: something else wrote to the terminal."""
        self._lines.clear()

    def put(self, x: int, y: int, strip: Strip) -> None:
        """Remember a strip sent whole."""
        self._remember(x, y, strip.cell_length, _shown(strip))

    def _remember(self, x: int, y: int, length: int, shown: Shown | None) -> None:
        """Stretches on a line never overlap: what the new one covers in part is forgotten."""
        line = self._lines.setdefault(y, {})
        before = line.get(x)
        if before is None or len(before.text) != length:
            for start, other in list(line.items()):
                if start < x + length and x < start + len(other.text):
                    del line[start]
        if shown is None:
            line.pop(x, None)
        else:
            line[x] = shown

    def changes(self, strips: Iterable[tuple[int, int, Strip]], console: Console) -> str:
        """What to write for strips at (x, y), remembering it."""
        written: list[str] = []
        colours = console._color_system or ColorSystem.TRUECOLOR
        pen = ""
        for x, y, strip in strips:
            shown = _shown(strip)
            if shown is None:
                written.append(f"\x1b[0m\x1b[{y + 1};{x + 1}H{strip.render(console)}")
                pen = ""
                self._remember(x, y, strip.cell_length, None)
                continue
            before = self._lines.get(y, {}).get(x)
            self._remember(x, y, strip.cell_length, shown)
            text, _, ends, styles = shown
            for start, end in _changed_runs(before, shown):
                written.append(f"\x1b[{y + 1};{x + start + 1}H")
                span = bisect_right(ends, start)
                while start < end:
                    style = styles[span]
                    stop = min(end, ends[span])
                    ansi = "" if style is None else Strip.render_ansi(style, colours)
                    if ansi != pen:
                        written.append(f"\x1b[0;{ansi}m" if ansi else "\x1b[0m")
                        pen = ansi
                    written.append(text[start:stop])
                    start, span = stop, span + 1
        if pen:
            written.append("\x1b[0m")
        return "".join(written)


def _strips(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """The strips Textual would send, with their places: its own `render_segments`, unrendered."""
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= x2 or end <= x1:
                continue
            whole = x >= x1 and end <= x2
            yield x, y, strip if whole else strip.crop(0, min(end, x2) - x)


def _shown(strip: Strip) -> Shown | None:
    """The strip's cells; None when a character may not be one cell wide, or carries a link."""
    ends: list[int] = []
    styles: list[Style | None] = []
    end = 0
    for text, style, control in strip:
        if control or (style is not None and style.link) or not _one_cell_each(text):
            return None
        if text:
            end += len(text)
            ends.append(end)
            styles.append(style)
    text = strip.text
    return Shown(text, np.frombuffer(text.encode("utf-32-le"), np.uint32), ends, styles)


@lru_cache(maxsize=8192)
def _one_cell_each(text: str) -> bool:
    """Whether every character is printable and one cell wide; cells of a table are mostly those of
    a moment ago."""
    if not text.isprintable():
        return False
    return text.isascii() or all(get_character_cell_size(character) == 1 for character in text)


def _changed_runs(before: Shown | None, shown: Shown) -> list[tuple[int, int]]:
    """Half-open runs of cells that differ, over small gaps of one style."""
    width = len(shown.codes)
    if before is None or len(before.codes) != width:
        return [(0, width)] if width else []
    changed = before.codes != shown.codes
    if before.ends != shown.ends or before.styles != shown.styles:
        _mark_restyled(changed, before, shown)
    at = np.flatnonzero(changed)
    if not len(at):
        return []
    gaps = np.flatnonzero(np.diff(at) > 1)
    starts = [int(at[0]), *at[gaps + 1].tolist()]
    stops = [*(at[gaps] + 1).tolist(), int(at[-1]) + 1]
    runs = [(starts[0], stops[0])]
    for start, stop in zip(starts[1:], stops[1:], strict=True):
        first, end = runs[-1]
        ends = shown.ends
        if start - end <= BRIDGED and bisect_right(ends, end) == bisect_right(ends, start):
            runs[-1] = (first, stop)
        else:
            runs.append((start, stop))
    return runs


def _mark_restyled(changed: Flags, before: Shown, shown: Shown) -> None:
    """Mark the cells that have another style than before."""
    old = new = start = 0
    width = len(shown.codes)
    while start < width:
        end = min(before.ends[old], shown.ends[new])
        was, now = before.styles[old], shown.styles[new]
        if not (was is now or was == now):
            changed[start:end] = True
        old += before.ends[old] == end
        new += shown.ends[new] == end
        start = end

"""The table itself: a picture, a scroll offset, and what was drawn last on each line.

It never walks over all rows and never copies one: a picture of 100 000 rows costs as much as one
of fifty. It must not ask a terminal to repaint a line whose content is on the screen already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rms_tui.tui.table.cursor import HEADER, CursorTable
from rms_tui.tui.table.ink import Inks
from rms_tui.tui.table.layout import Slot, full_width, slot_at, slots
from rms_tui.tui.table.line import Picture, line_strip, message_strips
from rms_tui.tui.table.literal import cropped, literal
from rms_tui.tui.table.rows import CELL_STYLES, Cell, Column, Rows


class LiveTable(CursorTable):
    """A table over `Rows` that someone else keeps; give it each new picture with `show`."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "live-table--header",
        "live-table--sorted",
        "live-table--cursor",
        "live-table--empty",
        *(f"live-table--{name}" for name in CELL_STYLES),
    }

    DEFAULT_CSS = """
    LiveTable {
        background: $surface;
        color: $foreground;
        height: 1fr;
        overflow: auto auto;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;

        & > .live-table--header { background: $panel; color: $foreground; text-style: bold; }
        & > .live-table--sorted { color: $text-accent; text-style: bold; }
        & > .live-table--empty { color: $text-muted; }
        & > .live-table--dim { color: $text-muted; }
        & > .live-table--good { color: $text-success; }
        & > .live-table--bad { color: $text-error; }
        & > .live-table--warning { color: $text-warning; text-style: bold; }
        & > .live-table--critical { color: $text-error; text-style: bold underline; }
        & > .live-table--breached { color: $text-error; text-style: bold reverse; }
        & > .live-table--unknown { color: $text-muted; text-style: italic; }
        & > .live-table--marked { color: $text-accent; text-style: bold; }

        & > .live-table--cursor { background: $block-cursor-blurred-background; }
        &:focus > .live-table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }
        &:nocolor > .live-table--cursor { text-style: bold; }
        &:nocolor:focus > .live-table--cursor { text-style: bold reverse; }
        &:ansi > .live-table--cursor { text-style: bold; }
        &:ansi:focus > .live-table--cursor { text-style: bold reverse; }
    }
    """

    @dataclass
    class HeaderSelected(Message):
        """A click on the header of a sortable column."""

        table: LiveTable
        column_id: str

        @property
        def control(self) -> LiveTable:
            """The table, for `@on` selectors."""
            return self.table

    def __init__(
        self, columns: Sequence[Column], *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(columns, id=id, classes=classes)
        self._sort_shown: tuple[str, bool] | None = None
        self._empty_text: str | Content = ""
        self._inks = Inks(self, "live-table--")
        self._drawn: dict[int, tuple[Picture, Strip]] = {}
        self._message: list[Strip] = []
        self._placed: tuple[Size, int] = (Size(0, 0), 0)
        self._slots: tuple[Slot, ...] = ()

    # What is shown

    @property
    def sort_shown(self) -> tuple[str, bool] | None:
        """Column id and whether descending, as the header shows it."""
        return self._sort_shown

    @property
    def empty_text(self) -> str | Content:
        """What an empty table says."""
        return self._empty_text

    def show(self, rows: Rows) -> None:
        """Take the newest rows and repaint the visible lines whose content differs.

        The cursor stays on its key. If the key is gone the cursor stays on its line number; while
        there are no rows at all the key is remembered, so that it survives a filter being typed.
        """
        was_empty = not len(self._rows)
        self._rows = rows
        self._row = self._row_of_cursor()
        if len(rows):
            self._key = rows.key(self._row)
        if was_empty != (not len(rows)):
            self._forget_lines()
        following = self._following  # before fewer rows move the scroll offset
        self._fit_scrollbars()
        if following:
            self._scroll_to_cursor()
        elif len(rows):
            self._following = 0 <= self._row - self.scroll_offset.y < self._page
        self._repaint_changed()
        self._tell()

    def set_sort_shown(self, sort: tuple[str, bool] | None) -> None:
        """Show ▲ (ascending) or ▼ (descending) at a column's title. Sorting is the source's."""
        self._sort_shown = sort
        self._repaint_changed()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Lay out other columns; the rows shown must give cells for these from now on."""
        if self._columns == tuple(columns):
            return
        self._columns = tuple(columns)
        self._forget_lines()
        self._fit_scrollbars()

    def say(self, text: str | Content) -> None:
        """What to show, centred and literal, while there are no rows."""
        if text == self._empty_text and type(text) is type(self._empty_text):
            return
        self._empty_text = text
        if not len(self._rows):
            self._forget_lines()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One line of the content area, from the newest rows. Called by Textual for dirty lines."""
        self._place()
        return self._line(y)

    def _line(self, y: int) -> Strip:
        if y >= HEADER and not len(self._rows):
            return self._message_line(y - HEADER)
        drawn = self._drawn.get(y)
        if drawn is None:
            picture = self._picture(y, self.scroll_offset.y)
            drawn = self._drawn[y] = picture, self._strip(picture)
        return drawn[1]

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a crop, past Textual's styling of borders and padding when there are none.

        A Strip costs Textual as much as its text costs us, and the usual way makes five a line.
        """
        styles = self.styles
        if styles.gutter or styles.tint.a or styles.has_rule("hatch") or self.opacity != 1:
            return super().render_lines(crop)
        self._place()
        background = self.background_colors[1]
        filters = self.get_line_filters()
        lines: list[Strip] = []
        for y in crop.line_range:
            strip = self._line(y)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            lines.append(strip)
        if crop.column_span != (0, self.size.width):
            return [strip.crop(*crop.column_span) for strip in lines]
        return lines

    def _repaint_rows(self, *rows: int) -> None:
        top = self.scroll_offset.y
        self._repaint([row - top + HEADER for row in rows])

    def _repaint_changed(self) -> None:
        self._repaint(list(self._drawn))

    def _repaint(self, lines: Iterable[int]) -> None:
        """Ask for a repaint of those lines that would look different from what was drawn last.

        One region for each line: Textual repaints from the widget's left edge in any case.
        """
        if not self.is_mounted:
            return
        self._place()
        top = self.scroll_offset.y
        width, height = self._placed[0]
        changed: list[Region] = []
        for y in lines:
            if y not in self._drawn:
                continue
            if y >= height:
                del self._drawn[y]
                continue
            picture, strip = self._drawn[y]
            newest = self._picture(y, top)
            if newest == picture:
                continue
            newest_strip = self._strip(newest)
            if newest_strip == strip:
                self._drawn[y] = newest, strip
                continue
            self._drawn[y] = newest, newest_strip
            changed.append(Region(0, y, width, 1))
        if changed:
            self.refresh(*changed)

    def _picture(self, y: int, top: int) -> Picture:
        if y < HEADER:
            return Picture(self._titles(), "header", False)
        rows = self._rows
        row = top + y - HEADER
        if row >= len(rows):
            return Picture((), "", False)
        return Picture(rows.cells(row), rows.row_style(row), row == self._row)

    def _titles(self) -> tuple[Cell, ...]:
        sorted_id, descending = self._sort_shown or ("", False)
        arrow = "▼" if descending else "▲"
        return tuple(
            Cell(cropped(literal(column.title), 0, column.width - 1) + arrow, "sorted")
            if column.id == sorted_id
            else Cell(column.title)
            for column in self._columns
        )

    def _strip(self, picture: Picture) -> Strip:
        shown = self._slots if picture.cells else ()
        return line_strip(picture, shown, self._placed[0].width, self._inks)

    def _message_line(self, y: int) -> Strip:
        if not self._message:
            style = self._inks.of("empty", False)[""].style
            self._message = message_strips(self._empty_text, self._width, self._page, style)
        return self._message[y]

    def _place(self) -> None:
        """Lay the columns out again if the size or the sideways scroll changed."""
        placed = Size(self._width, self.size.height), self.scroll_offset.x
        if placed != self._placed:
            self._placed = placed
            self._drawn.clear()
            self._message.clear()
            self._slots = slots(self._columns, self._width, self.scroll_offset.x)

    def _forget_lines(self) -> None:
        """Draw everything anew: other columns, other styles, rows came or went entirely."""
        self._placed = Size(0, 0), 0
        self._drawn.clear()
        self._message.clear()
        self.refresh()

    # Size and scrolling

    def _fit_scrollbars(self) -> None:
        """Tell Textual the new extent; lay out the screen only if a scrollbar comes or goes.

        The `virtual_size` reactive would repaint everything for each row more or less.
        """
        new = Size(full_width(self._columns), len(self._rows) + HEADER)
        old = self.virtual_size
        if new == old:
            return
        height = self.container_size.height
        comes_or_goes = (new.height > height) != (old.height > height)
        if comes_or_goes or new.width != old.width or not height or self.styles.auto_dimensions:
            self.virtual_size = new
            return
        self.set_reactive(Widget.virtual_size, new)
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            if _thumb_moves(bar.window_virtual_size, new.height, height):
                bar.window_virtual_size = new.height
        self.scroll_target_y = self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Repaint the lines that differ, not the header nor equal neighbours."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            if len(self._rows):
                self._following = 0 <= self._row - round(new_value) < self._page
            self._repaint_changed()

    def notify_style_update(self) -> None:
        """The stylesheet, the theme or the focus changed: mix the styles again.

        Textual calls this before it updates the component classes, hence the later call; and for
        any class set on an ancestor, hence the comparison.
        """
        super().notify_style_update()
        self._inks.forget()
        if self.is_mounted:
            self.call_next(self._restyle)

    def _restyle(self) -> None:
        self._inks.forget()
        self._message.clear()
        if not len(self._rows):
            self.refresh()
        for y, (picture, strip) in self._drawn.items():
            newest = self._strip(picture)
            if newest != strip:
                self._drawn[y] = picture, newest
                self.refresh(Region(0, y, self._width, 1))

    def on_mount(self) -> None:
        """Rows may have been shown before there was a screen."""
        self._fit_scrollbars()
        self._tell()

    def on_resize(self) -> None:
        """A smaller table must not leave the cursor below its edge."""
        if self._following:
            self._scroll_to_cursor()

    def on_hide(self) -> None:
        """While hidden nothing is drawn, so `show` costs nothing; all is dirty when it returns."""
        self._forget_lines()

    # Keys and mouse

    def on_click(self, event: events.Click) -> None:
        """A row takes the cursor, twice selects it; a header asks for its column."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < HEADER:
            slot = slot_at(self._slots, offset.x)
            if slot is not None and self._columns[slot.column].sortable:
                self.post_message(self.HeaderSelected(self, self._columns[slot.column].id))
            return
        row = self.scroll_offset.y + offset.y - HEADER
        if row < len(self._rows):
            self._move(row)
            if event.chain == 2:
                self.action_select_row()


def _thumb_moves(old: int, new: int, height: int) -> bool:
    """Whether the thumb of a scrollbar `height` long changes by an eighth of a cell, as drawn."""
    return abs(height * height * 8 // max(1, old) - height * height * 8 // max(1, new)) > 0

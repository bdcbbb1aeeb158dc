"""From style names to terminal styles, through the stylesheet, computed once for each mixture.

Textual's own `get_visual_style` drops `reverse`, which is what makes a state readable without
colour, and its partial Rich styles drop transparency; so the layers are mixed here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from rich.style import Style
from textual.color import Color
from textual.widget import Widget


class Ink(NamedTuple):
    """How to draw a cell, and how to draw the gap after it.

    The gap takes the cell's own style where a blank looks the same in both: fewer changes of style
    are fewer bytes over SSH.
    """

    style: Style
    gap: Style


class RowInks(dict[str, Ink]):
    """The ink of each cell style on rows of one kind, mixed when it is first looked up.

    Raises ValueError for a name that is no component class of the widget.
    """

    def __init__(self, mix: Callable[[str], Ink]) -> None:
        super().__init__()
        self._mix = mix

    def __missing__(self, cell_style: str) -> Ink:
        ink = self[cell_style] = self._mix(cell_style)
        return ink


class Inks:
    """Mixtures of a widget's component classes, kept until its styles change."""

    def __init__(self, widget: Widget, prefix: str) -> None:
        self._widget = widget
        self._prefix = prefix
        self._rows: dict[tuple[str, bool], RowInks] = {}

    def forget(self) -> None:
        """Call when the widget's styles changed."""
        self._rows.clear()

    def of(self, row_style: str, lit: bool) -> RowInks:
        """The row's style under the cell's, under the cursor's when the row is `lit`."""
        inks = self._rows.get((row_style, lit))
        if inks is None:
            mix = partial(self._ink, row_style, "cursor" if lit else "")
            inks = self._rows[row_style, lit] = RowInks(mix)
        return inks

    def _ink(self, row_style: str, cursor: str, cell_style: str) -> Ink:
        style = self._mixed(row_style, cell_style, cursor)
        under = self._mixed(row_style, cursor)
        return Ink(style, style if _blanks_alike(style, under) else under)

    def _mixed(self, *names: str) -> Style:
        background = self._widget.background_colors[1]
        foreground = self._widget.colors[3]
        text_style = self._widget.styles.text_style
        for name in filter(None, names):
            try:
                styles = self._widget.get_component_styles(self._prefix + name)
            except KeyError:
                known = sorted(self._widget.COMPONENT_CLASSES)
                raise ValueError(
                    f"no style {name!r} in {type(self._widget).__name__}; known: {known}"
                ) from None
            if styles.has_rule("background"):
                background += styles.background
            if styles.auto_color:
                foreground = background.get_contrast_text(styles.color.a)
            elif styles.has_rule("color"):
                foreground = styles.color
            text_style += styles.text_style
        return _colours(background, background + foreground) + text_style


def _colours(background: Color, foreground: Color) -> Style:
    return Style(color=foreground.rich_color, bgcolor=background.rich_color)


def _blanks_alike(one: Style, other: Style) -> bool:
    """Whether a space looks the same in both styles."""

    def seen(style: Style) -> tuple[object, ...]:
        flags = (style.reverse, style.underline, style.underline2, style.strike, style.overline)
        behind = style.color if style.reverse else style.bgcolor
        return (behind, *map(bool, flags), style.color if any(flags) else None)

    return seen(one) == seen(other)

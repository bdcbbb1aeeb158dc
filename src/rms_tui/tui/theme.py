"""Colours for long shifts: calm dark by default, light, high contrast, and the terminal's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from textual.app import App
from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme

DARK = Theme(
    name="desk-dark",
    primary="#4c8dca",
    secondary="#7a8ea6",
    accent="#63b3ed",
    warning="#e0a84c",
    error="#ef6b66",
    success="#62b87a",
    foreground="#c8d0da",
    background="#0d1117",
    surface="#0d1117",
    panel="#161d27",
    dark=True,
    variables={
        "border": "#4c8dca",
        "border-blurred": "#2b3644",
        "block-cursor-background": "#1d4a75",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#1a2431",
        "input-selection-background": "#4c8dca 40%",
        "scrollbar": "#2b3644",
        "scrollbar-background": "#0d1117",
        "footer-background": "#161d27",
        "text-muted": "#9aa0a8",
    },
)

LIGHT = Theme(
    name="desk-light",
    primary="#1f5f9e",
    secondary="#5b6b7d",
    accent="#0b6bb5",
    warning="#9a5b00",
    error="#b3261e",
    success="#1d7a3c",
    foreground="#1d2733",
    background="#fbfbf9",
    surface="#fbfbf9",
    panel="#ebedf0",
    dark=False,
    variables={
        "border": "#1f5f9e",
        "border-blurred": "#c3cad3",
        "block-cursor-background": "#1f5f9e",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#dde5ee",
        "scrollbar": "#c3cad3",
        "scrollbar-background": "#fbfbf9",
        "text-muted": "#5c6570",
    },
)

CONTRAST = Theme(
    name="desk-contrast",
    primary="#00ffff",
    secondary="#ffffff",
    accent="#00ffff",
    warning="#ffff00",
    error="#ff6060",
    success="#00ff66",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#202020",
    dark=True,
    text_alpha=1.0,
    variables={
        "border": "#ffff00",
        "border-blurred": "#a0a0a0",
        "block-cursor-background": "#ffff00",
        "block-cursor-foreground": "#000000",
        "block-cursor-blurred-background": "#404040",
        "text-muted": "#d0d0d0",
    },
)

OWN = (DARK, LIGHT, CONTRAST)

CYCLE = (*(theme.name for theme in OWN), "ansi-dark")
"""What `t` goes through; the last one uses the terminal's own sixteen colours."""


def first_theme(color_system: str | None) -> str:
    """The theme to start with: a terminal of sixteen colours (or none) keeps its own."""
    return "ansi-dark" if color_system in ("standard", "windows") else DARK.name


def next_theme(name: str) -> str:
    """The theme after this one."""
    at = CYCLE.index(name) + 1 if name in CYCLE else 0
    return CYCLE[at % len(CYCLE)]


NO_COLOR = NoColor()

ReturnType = TypeVar("ReturnType")


class ThemedApp(App[ReturnType]):
    """An App in one of our themes, readable on any terminal and with NO_COLOR."""

    def __init__(self, theme: str | None = None, **more: Any) -> None:
        super().__init__(**more)
        for own in OWN:
            self.register_theme(own)
        self.theme = theme or first_theme(self.console.color_system)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, but for NO_COLOR in a theme of the terminal's own colours.

        Textual chooses that filter before it knows the theme: greys, in which a terminal's own
        foreground and background are both black.
        """
        filters = super().get_line_filters()
        if not self.native_ansi_color:
            return filters
        return [NO_COLOR if isinstance(one, Monochrome) else one for one in filters]

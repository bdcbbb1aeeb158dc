"""Names that are nearly ours.

A limit that a slip of the pen switched off would be missed when it is too late.
"""

from __future__ import annotations

from difflib import get_close_matches

from rms_tui.settings.refused import SettingsError

PREFIXES = ("RMS_", "MT5_", "WS_", "MARGIN_", "MAX_")
"""How our variables begin: others of the environment are nobody's mistake."""

ALIKE = 0.85
"""How near, of 1, an unknown variable's name is to one of ours to be taken for a slip of it."""


def refuse_misspelt(layers: list[tuple[str, dict[str, object]]], known: set[str]) -> None:
    """Raises SettingsError. A longer name (`MT5_HOST_2`) is a note of someone who keeps two."""
    for origin, layer in layers:
        for name in layer:
            if name in known or not name.startswith(PREFIXES):
                continue
            if any(name.startswith((f"{one}_", f"{one}2", f"{one}3")) for one in known):
                continue
            for meant in get_close_matches(name, known, 1, ALIKE):
                raise SettingsError(f"{name}: no such setting, expected {meant}? (from {origin})")

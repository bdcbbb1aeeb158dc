"""Text from the outside world made safe for a terminal line, and cut to a width in cells.

Names, comments and symbols come from clients. They may hold escape sequences, bidi overrides,
invisible characters or emoji whose width terminals disagree on. Nothing here interprets markup; a
character that could move the cursor, reorder the line or break a column shows as a visible sign.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, normalize

from rich.cells import cell_len, get_character_cell_size, split_text

REPLACED = "\N{REPLACEMENT CHARACTER}"
"""Stands for controls, bidi and zero-width formats, surrogates, private and unassigned."""

UNPLACED = "\N{MIDDLE DOT}"
"""Stands for a mark with nothing to sit on, or one whose width terminals disagree on."""

MARKS_KEPT = 2
"""Combining marks kept on one character: enough for Thai and Vietnamese, too few for a tower."""

_REGIONAL_A = 0x1F1E6
_REGIONAL_Z = 0x1F1FF


def literal(text: str) -> str:
    """The text with every character that is unsafe in a terminal line replaced by a visible one.

    The result holds no control, format, surrogate or separator character other than space, and its
    width is the sum of its characters' widths.
    """
    if text.isascii() and text.isprintable():
        return text
    return _replaced(text)


@lru_cache(maxsize=8192)
def _replaced(text: str) -> str:
    shown: list[str] = []
    marks = MARKS_KEPT  # as if full: a leading mark would sit on the neighbouring column
    for character in normalize("NFC", text):
        kind = category(character)
        if kind in ("Mn", "Me"):
            if _selects_a_variant(character):
                continue
            marks += 1
            shown.append(character if marks <= MARKS_KEPT else UNPLACED)
            continue
        marks = 0
        if kind == "Zs":
            shown.append(" ")
        elif kind[0] == "C" or kind in ("Zl", "Zp"):
            shown.append(REPLACED)
        elif _REGIONAL_A <= ord(character) <= _REGIONAL_Z:
            shown.append(chr(ord(character) - _REGIONAL_A + ord("A")))
        elif kind == "Mc" or get_character_cell_size(character) == 0:
            shown.append(UNPLACED)
            marks = MARKS_KEPT
        else:
            shown.append(character)
    return "".join(shown)


def _selects_a_variant(character: str) -> bool:
    """Variation selectors draw nothing; rich and terminals disagree on the width they cause."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def fitted(text: str, width: int, right: bool = False) -> str:
    """The text, literal, in exactly `width` cells: padded, or cut and ended with an ellipsis."""
    if text.isascii() and text.isprintable():
        length = len(text)
        if length <= width:
            return text.rjust(width) if right else text.ljust(width)
    else:
        text = _replaced(text)
        length = cell_len(text)
    if length > width:
        if width <= 0:
            return ""
        text = split_text(text, width - 1)[0] + "…"
        length = cell_len(text)
    if length == width:
        return text
    blank = " " * (width - length)
    return blank + text if right else text + blank


def cut(text: str, start: int, end: int, *, right: bool = False) -> str:
    """Cells `start` to `end` of a literal text; an ellipsis where something of it is left out.

    Of a figure (`right`) no digit is left then: a part of a number reads as another number.
    """
    shown, width = cropped(text, start, end), end - start
    lost_before = bool(cropped(text, 0, start).strip())
    lost_after = cell_len(text.rstrip()) > end
    if not (lost_before or lost_after) or not width:
        return shown
    if right:
        return "…".rjust(width)
    if lost_before:
        shown = "…" + cropped(shown, 1, width)
    return cropped(shown, 0, width - 1) + "…" if lost_after else shown


def cropped(text: str, start: int, end: int) -> str:
    """Cells `start` to `end` of a literal text; half of a wide character becomes a space."""
    if text.isascii():
        return text[start:end]
    return split_text(split_text(text, end)[0], start)[1]

"""How a person writes accounts: `70123`, `7000-7010`, group masks, lists with commas or spaces."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST = 10_000
"""Logins one text may name; a slip such as 7000-70000000 is an error, not an hour's work."""

_PIECE = re.compile(r"(\d{1,15})(?:\s*(?:-|\.\.)\s*(\d{1,15}))?")


def parse_logins(text: str) -> list[int]:
    """The logins a text names, each once, in the order written.

    Raises ValueError with what was expected and what came.
    """
    logins: dict[int, None] = {}
    for piece in re.split(r"[,;\s]+", re.sub(r"\s*(-|\.\.)\s*", r"\1", text.strip())):
        if not piece:
            continue
        match = _PIECE.fullmatch(piece)
        if match is None:
            raise ValueError(f"{piece!r}: expected a login such as 70123 or a range 7000-7010")
        first, last = int(match[1]), int(match[2] or match[1])
        if first == 0:
            raise ValueError(f"{piece!r}: expected logins from 1, such as 70123 or 7000-7010")
        if last < first:
            raise ValueError(f"{piece!r}: expected a range from low to high, such as 7000-7010")
        if last - first + 1 + len(logins) > MOST:
            raise ValueError(f"{piece!r}: more than {MOST} logins at once")
        logins.update(dict.fromkeys(range(first, last + 1)))
    if not logins:
        raise ValueError("no login: expected one such as 70123, a list, or a range 7000-7010")
    return list(logins)


@dataclass(frozen=True, slots=True)
class Named:
    """What a text names: logins in the order written, and MT5 group masks, "" for none."""

    logins: tuple[int, ...]
    masks: str


def parse_named(text: str) -> Named:
    """Logins and group masks (`real\\*`, `!real\\test*`: what has a `*` or a `\\`).

    Raises ValueError with what was expected and what came.
    """
    pieces = [piece for piece in re.split(r"[,;\s]+", text) if piece]
    masks = [piece for piece in pieces if "*" in piece or "\\" in piece]
    if masks and all(mask.startswith("!") for mask in masks):
        raise ValueError(
            f"{masks[0]!r} only leaves accounts out: expected a mask to take them from too, such "
            "as real\\*"
        )
    logins = " ".join(piece for piece in pieces if piece not in masks)
    if not masks:
        return Named(tuple(parse_logins(text)), "")
    return Named(tuple(parse_logins(logins)) if logins else (), ",".join(masks))

"""Numbers with their noun: 1 account, 2 accounts."""

from __future__ import annotations


def noun(number: int, one: str, several: str | None = None) -> str:
    """The word for so many; `several` where it is not `one` with an s."""
    return one if number == 1 else several or f"{one}s"


def counted(number: int, one: str, several: str | None = None) -> str:
    """The number and its word."""
    return f"{number} {noun(number, one, several)}"

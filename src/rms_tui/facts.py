"""What operators and alerts bring about: facts that must not be lost, on their way to be written.

Each names who did it and when (UTC seconds), and comes to the same however often it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rms_tui.alerts import AlertEvent
from rms_tui.risk.entries import BaseEntry, Entry, PeakEntry
from rms_tui.risk.own_profile import OwnProfile


@dataclass(frozen=True, slots=True)
class AccountChange:
    """An operator added or removed an account. `at` is UTC seconds."""

    login: int
    server: str | None
    action: Literal["add", "remove"]
    operator: str
    at: float


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """An operator gave an account a profile of its own; None: back to its group's."""

    login: int
    server: str | None
    profile: OwnProfile | None
    operator: str
    at: float


Fact: TypeAlias = AlertEvent | AccountChange | ProfileChange | BaseEntry | PeakEntry

__all__ = [
    "AccountChange",
    "BaseEntry",
    "Entry",
    "Fact",
    "OwnProfile",
    "PeakEntry",
    "ProfileChange",
]

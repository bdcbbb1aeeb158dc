"""Messages of the console: wake-ups from threads, and what an operator asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from rms_tui.export import What
from rms_tui.tui.move import Move


class FrameReady(Message):
    """There is a newer frame in the mailbox. No payload: who reads it takes the newest."""

    def can_replace(self, message: Message) -> bool:
        """Two in a row are one."""
        return isinstance(message, FrameReady)


@dataclass
class ErrandDone(Message):
    """A thread's work went on or ended; `deliver` tells who asked, on the UI's own loop."""

    deliver: Callable[[], None]


@dataclass
class AddAsked(Message):
    """Accounts are to be added."""


@dataclass
class RemoveAsked(Message):
    """An account is to be watched no longer."""

    login: int


@dataclass
class DetailsAsked(Message):
    """An account's details are to be shown."""

    login: int


@dataclass
class SnoozeAsked(Message):
    """An alert is to be silent for a time, or all unanswered ones of an account."""

    login: int | None
    alert_id: str | None = None


@dataclass
class HistoryAsked(Message):
    """Alerts that are over are to be shown, of one account or of all."""

    login: int | None = None


@dataclass
class EntryAsked(Message):
    """An account's day bases and peaks are to be entered by hand."""

    login: int


@dataclass
class LimitsAsked(Message):
    """An account's limits are to be changed."""

    login: int


@dataclass
class StressAsked(Message):
    """What a price move would do is to be shown, beginning with a move and an account."""

    move: Move | None
    login: int | None


@dataclass
class ExportAsked(Message):
    """A table is to be written to a file, or everything."""

    what: What


@dataclass
class CopyAsked(Message):
    """A line of text is to be put into the clipboard of whoever sits before the terminal."""

    line: str


@dataclass
class AckAsked(Message):
    """An alert was handled, or all open ones of an account; with a note if one is to be asked."""

    login: int | None
    alert_id: str | None = None
    with_note: bool = False

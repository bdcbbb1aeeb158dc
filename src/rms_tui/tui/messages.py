"""Messages that cross threads on their way to the console."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message


class FrameReady(Message):
    """There is a newer frame in the mailbox. No payload: who reads it takes the newest."""

    def can_replace(self, message: Message) -> bool:
        """Two in a row are one."""
        return isinstance(message, FrameReady)


@dataclass
class ErrandDone(Message):
    """A thread's work ended; `deliver` hands its outcome to who asked, on the UI's own loop."""

    deliver: Callable[[], None]

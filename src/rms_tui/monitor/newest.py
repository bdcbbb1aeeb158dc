"""The newest Frame: each goes out in order, under the lock that orders the alerts' edges too.

A poll makes one, and so does whatever changes the alerts between two polls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rms_tui.alert_desk import AlertDesk
from rms_tui.alerts import AlertEvent, Times
from rms_tui.book import Book, Ints
from rms_tui.frame import Frame, Health
from rms_tui.latest import Latest
from rms_tui.memory_desk import MemoryDesk
from rms_tui.monitor.cycle import Counts, Shown, following, with_desk
from rms_tui.risk.memory import Memory


class Newest:
    """`frame` is the one that was put into `frames` last, `alerts` the desk it shows."""

    def __init__(
        self,
        put: Callable[[AlertEvent], object],
        clock: Callable[[], float],
        times: Times,
        memories: MemoryDesk,
    ) -> None:
        """`put` takes the edges of the alerts, `clock` gives UTC seconds."""
        self.frames: Latest[Frame] = Latest()
        self.frame: Frame | None = None
        self.alerts = AlertDesk(put, self._show, clock, times)
        self._memories = memories

    @property
    def book(self) -> Book | None:
        """The Book it shows, None before the first."""
        return None if self.frame is None else self.frame.book

    @property
    def logins(self) -> Ints | None:
        """Who is in that Book."""
        book = self.book
        return None if book is None else book.accounts.login

    @property
    def memory(self) -> Memory | None:
        """What is remembered, None before the first Book."""
        return None if self.frame is None else self.frame.memory

    def publish(self, now: float, health: Health, shown: Shown) -> Frame:
        """Publish what a poll made, with the alerts as they are."""
        with self.alerts.lock:
            frame = following(self.frame, now, health, shown, self.alerts.desk, self._counts)
            return self._put(frame)

    def forget(self) -> None:
        """Let the next Frame be made as if there was no Book before; nothing is published."""
        if self.frame is not None:
            self.frame = replace(
                self.frame, book=None, memory=None, assessment=None, exposure=None, alerts=()
            )

    def _show(self) -> None:
        """Publish the newest Frame with the desk as it is now."""
        with self.alerts.lock:
            if self.frame is not None:
                self._put(with_desk(self.frame, self.alerts.desk, self._counts))

    def _put(self, frame: Frame) -> Frame:
        self.frame = frame
        self.frames.put(frame)
        return frame

    @property
    def _counts(self) -> Counts:
        return Counts(
            recalls=self._memories.recalls,
            edges=self.alerts.edges.count,
            outside=self._memories.taken + self.alerts.admitted,
        )

"""A poller's life under a `Monitor`: not started, running (alone or as one desk of a book), over.

It decides nothing about accounts; it waits for Frames, and never for ever.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from rms_tui.api.news import TICK
from rms_tui.feed import FeedError
from rms_tui.frame import Frame
from rms_tui.monitor import Monitor as Poller
from rms_tui.serve.clock import Clock
from rms_tui.wiring.first import first_frame, silent
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import Desk

if TYPE_CHECKING:  # what a database needs is imported when there is one
    from rms_tui.wiring.book_desk import BookDesk

ANSWER = 10.0
"""Seconds for a short question to the source."""


class Watched:
    """`share` makes the desk that decides with others on its MongoDB who polls; None: alone."""

    def __init__(self, poller: Poller, share: Callable[[], BookDesk] | None = None) -> None:
        self.poller = poller
        self._share = share
        self._book: BookDesk | None = None
        self._looking = threading.Lock()
        self._opened = self._started = self.stopped = False
        self._looked = 0

    @property
    def shares(self) -> bool:
        """Whether there is a database, which others may use too."""
        return self._share is not None

    @property
    def looked(self) -> int:
        """How many frames were of looks before the start: accounts may have come and gone since."""
        return self._looked

    @property
    def running(self) -> bool:
        """Whether it was started, and not stopped yet."""
        return self._started and not self.stopped

    def start(self) -> bool:
        """Poll, or follow who polls; False when it runs already. Raises RuntimeError when over."""
        with self._looking:
            self.require()
            if self._started:
                return False
            self._started = True
            self._looked = self.poller.frames.count
            if self._share is None:
                self.poller.start()
            else:
                self._book = self._share()
                self._book.start()
            return True

    def stop(self, timeout: float) -> None:
        """End it and close the source; what is left is written."""
        self.stopped = True
        if self._book is None:
            self.poller.stop(timeout)
        else:
            self._book.stop()

    def require(self) -> None:
        """Raises RuntimeError once it is over."""
        if self.stopped:
            raise RuntimeError("this Monitor was stopped: make another one")

    def wait(self, timeout: float) -> Frame:
        """The newest frame with a Book; polls once where it was not started.

        Raises FeedError when the source says why it cannot, or gives no accounts in time. One desk
        of several is given some seconds: who polls may just have begun.
        """
        self.require()
        with self._looking:
            if not self._started:
                return self._looked_once(timeout)
        began, seen = time.monotonic(), self._looked
        excused = began + min(timeout, ANSWER if self.shares else 0.0)
        while True:
            got = self.poller.frames.newer(seen, TICK)
            if got is not None:
                seen, frame = got
                if frame.book is not None:
                    return frame
            self.require()
            status, now = self.poller.feed.status, time.monotonic()
            if status.phase == "down" and status.error and now >= excused:
                raise FeedError(status.cause or "connection", status.error)
            if now > began + timeout:
                raise silent(self.poller, timeout)

    def settle(self, holds: Callable[[set[int]], bool]) -> None:
        """While it runs, wait until this holds of the watched logins; not for ever."""
        deadline, seen = time.monotonic() + ANSWER, 0
        while self.running and time.monotonic() < deadline:
            got = self.poller.frames.newer(seen, TICK)
            if got is None:
                continue
            seen, frame = got
            if frame.book is not None and holds(set(frame.book.accounts.login.tolist())):
                return

    def _looked_once(self, timeout: float) -> Frame:
        """A poll without the thread; the source stays connected for the next one."""
        if not self._opened:
            self._opened = True
            weakref.finalize(self, self.poller.feed.close)
            self.poller.feed.select(self.poller.selection)
        self.poller.feed.start()
        return first_frame(self.poller, timeout)


def shared_book(given: Given, made: Desk, poller: Poller, clock: Clock) -> BookDesk:
    """The part that this process plays for its book, as any other desk on that MongoDB."""
    from rms_tui.wiring.book_desk import BookDesk
    from rms_tui.wiring.reload import plan_watch

    return BookDesk(made, poller, clock, limits=lambda: plan_watch(given, poller))

"""When to poll: what the thread `rms-monitor` does from `start` to `stop`.

Missed ticks are skipped, never made up for. Freed memory goes back between two polls, never within
one: there it is needed again at once. A poll that broke is told to the readers, and the next one
comes: a thread that ended would leave its last Frame standing as if it were new.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref

from rms_tui.allocator import LARGE, give_back_freed
from rms_tui.frame import Frame
from rms_tui.monitor.polling import Polling

logger = logging.getLogger(__name__)

READERS = 0.5
"""Longest time in seconds that readers are given to let go of the frame before."""


def thread(polling: Polling, wake: threading.Event, stopping: threading.Event) -> threading.Thread:
    """A thread to be started, that does what `run` says."""
    return threading.Thread(
        target=run, args=(polling, wake, stopping), name="rms-monitor", daemon=True
    )


def run(polling: Polling, wake: threading.Event, stopping: threading.Event) -> None:
    """Poll each interval until `stopping`; `wake` ends a wait early, for another interval."""
    due, told = time.monotonic(), ""
    while not stopping.is_set():
        before = _weak(polling.newest.frame)
        try:
            polling.step()
            told = ""
        except Exception as error:
            text = polling.broke(error).health.error or ""
            if text != told:  # once, not each second
                logger.exception("a poll broke")
            told = text
        due += polling.interval
        now = time.monotonic()
        if not now + polling.interval / 2 <= due <= now + polling.interval:
            due = now + polling.interval
        _tidy(polling, before, due, wake)
        while not stopping.is_set() and (left := due - time.monotonic()) > 0:
            woken = wake.wait(left)
            wake.clear()
            if woken and not stopping.is_set():
                due = min(due, time.monotonic() + polling.interval)


def _weak(frame: Frame | None) -> weakref.ref[Frame] | None:
    return None if frame is None else weakref.ref(frame)


def _tidy(
    polling: Polling, before: weakref.ref[Frame] | None, due: float, wake: threading.Event
) -> None:
    """Give back what the frame before was made of, once its readers have let go of it."""
    book = polling.newest.book
    if polling.interval < 1 or book is None or len(book.accounts) < LARGE:
        return
    end = min(due, time.monotonic() + READERS)
    while before is not None and before() is not None and time.monotonic() < end:
        if wake.wait(0.02):  # left set: it is for who waits next
            return
    give_back_freed()

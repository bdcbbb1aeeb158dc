"""The thread between the mailbox and the screen: waits for a newer frame, wakes the UI once.

It never holds a frame and never queues: while a wake-up is on its way no second one is posted, so
a UI that is busy finds one message and the newest frame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rms_tui.frame import Frame
from rms_tui.latest import Latest

WAIT = 0.25
"""Longest wait for a frame in seconds, so that the thread ends soon after it is told to."""


class Bridge:
    """Calls `wake` from its own thread for new frames; `taken` must follow each wake-up."""

    def __init__(self, frames: Latest[Frame], wake: Callable[[], object]) -> None:
        self._frames = frames
        self._wake = wake
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._ready.set()
        self._thread = threading.Thread(target=self._run, name="rms-bridge", daemon=True)

    def start(self) -> None:
        """Begin to wait; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Wake the UI no more."""
        self._stopping.set()
        self._ready.set()

    def taken(self) -> None:
        """The UI read the mailbox: the next frame may wake it again."""
        self._ready.set()

    def _run(self) -> None:
        seen = 0
        while not self._stopping.is_set():
            newer = self._frames.newer(seen, WAIT)
            if newer is None or not self._ready.wait(WAIT) or self._stopping.is_set():
                continue
            self._ready.clear()
            seen = newer[0]
            self._wake()

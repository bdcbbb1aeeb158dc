"""What a worker is told from outside: to stop, or to look at its element.

From its supervisor over stdin: a line `stop` or `look`; the end of it means that the supervisor is
gone, at once and on every system. From a person by SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import IO

from rms_tui.stopping import hear

STOP, LOOK = "stop", "look"


class Orders:
    """Set `stopped`, and call `on_look`, as ordered."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.why = "asked to stop"
        self.on_look: Callable[[], None] = lambda: None

    def from_signals(self) -> None:
        """Take SIGTERM and Ctrl-C as the order to stop; call in the main thread."""
        hear(self.stopped.set)

    def from_supervisor(self, stream: IO[str]) -> None:
        """Follow the lines of a supervisor from now on; returns at once."""
        threading.Thread(
            target=self._follow, args=(stream,), name="rms-orders", daemon=True
        ).start()

    def _follow(self, stream: IO[str]) -> None:
        try:
            for line in stream:
                if line.strip() == LOOK:
                    self.on_look()
                elif line.strip() == STOP:
                    break
            else:
                self.why = "the supervisor is gone"
        except (OSError, ValueError):
            self.why = "the supervisor is gone"
        self.stopped.set()

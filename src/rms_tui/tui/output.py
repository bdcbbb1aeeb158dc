"""The thread that writes to the terminal, which nobody has to wait for.

Textual's own waits in the event loop once thirty texts are queued: a terminal that is stopped
(ctrl+s, a frozen SSH connection) then stops everything, signals too, and one that is gone does so
for ever. Here what a stopped terminal cannot take is dropped, it gets a whole picture once it goes
on, and one that is gone ends the program.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Full
from typing import IO

from textual.drivers._writer_thread import WriterThread

PATIENCE = 0.5
"""Seconds that a text may wait for room."""

GOODBYE = 0.3
"""Seconds for the last words, and for the thread."""


class Output(WriterThread):
    """`caught_up` is called once a terminal took the last of what it was behind with, `gone` when
    it cannot be written to any more; both in any thread."""

    def __init__(
        self, caught_up: Callable[[], None], gone: Callable[[], None], file: IO[str]
    ) -> None:
        super().__init__(file)
        self._caught_up, self._tell_gone = caught_up, gone
        self._behind = self._gone = False

    def write(self, text: str) -> None:
        """Queue a text; it is dropped while the terminal is behind, or gone."""
        if self._gone or (self._behind and not self._queue.empty()):
            return
        if self._behind:
            self._go_on()
        try:
            self._queue.put(text, timeout=PATIENCE)
        except Full:
            self._behind = True

    def run(self) -> None:
        """Write until the end, or until it cannot be."""
        try:
            self._write_all()
        except (OSError, ValueError):  # ValueError: the file was closed
            self._gone = True
            self._tell_gone()
            while self._queue.get() is not None:
                continue

    def stop(self) -> None:
        """End the thread; one that hangs in a write is left behind."""
        with suppress(Full):
            self._queue.put(None, timeout=GOODBYE)
        self.join(GOODBYE)

    def _write_all(self) -> None:
        while (text := self._queue.get()) is not None:
            self._file.write(text)
            if self._queue.empty():
                self._file.flush()
                if self._behind:
                    self._go_on()
        self._file.flush()

    def _go_on(self) -> None:
        self._behind = False
        self._caught_up()

"""What a program wants to be called with, each in a thread of its own.

A callback that raises is logged and called again with the next value; one that does not return is
named in the log and waited for, and neither ever holds up the monitor or another callback.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

HANGS = 30.0
"""Seconds after which a call that has not returned is named in the log."""

T = TypeVar("T")
Fetch = Callable[[], Iterable[T]]
"""Waits a moment for the next values; nothing when none came."""

_log = logging.getLogger("rms_tui.api")


class Callback(Generic[T]):
    """One callable and its thread."""

    def __init__(
        self, call: Callable[[T], object], fetch: Fetch[T], stopping: Callable[[], bool]
    ) -> None:
        self.call = call
        self.name = getattr(call, "__qualname__", None) or type(call).__qualname__
        self._fetch = fetch
        self._stopping = stopping
        self._began: float | None = None
        self._complained = False
        self._failed = ""
        self._left = False
        self._thread = threading.Thread(
            target=self._run, name=f"rms-callback-{self.name}"[:60], daemon=True
        )

    def start(self) -> None:
        """Begin to call; returns at once."""
        self._thread.start()

    def leave(self) -> None:
        """Call no more; a call that runs may end."""
        self._left = True

    def join(self, timeout: float) -> None:
        """Wait for a call that runs; not for itself."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def watch(self, hangs: float) -> None:
        """Say once that a call has not returned for `hangs` seconds."""
        began = self._began
        if began is None or self._complained or time.monotonic() - began < hangs:
            return
        self._complained = True
        _log.error(
            "callback %s has not returned for %g s; the monitor goes on without it",
            self.name,
            hangs,
        )

    def _run(self) -> None:
        while not (self._left or self._stopping()):
            for value in self._fetch():
                if self._left:
                    return
                self._call(value)

    def _call(self, value: T) -> None:
        self._complained, self._began = False, time.monotonic()
        try:
            self.call(value)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a program's own code may fail
            text = f"{type(error).__name__}: {error}"
            if text != self._failed:
                _log.exception("callback %s failed; it is called again", self.name)
            self._failed = text
        else:
            self._failed = ""
        finally:
            self._began = None


class Callbacks:
    """All callbacks of a monitor, and the thread that notices one that hangs."""

    def __init__(self, hangs: float = HANGS) -> None:
        self._hangs = hangs
        self._all: list[Callback[object]] = []
        self._lock = threading.Lock()
        self._running = False
        self._stopped = threading.Event()

    def add(self, call: Callable[[T], object], fetch: Fetch[T]) -> None:
        """Call this with everything `fetch` gives, from `start` on."""
        made = Callback(call, fetch, self._stopped.is_set)
        with self._lock:
            self._all.append(made)  # type: ignore[arg-type]  # each keeps its own kind of value
            if self._running:
                made.start()

    def remove(self, call: Callable[..., object]) -> bool:
        """Call this no more; False when it was not registered."""
        with self._lock:
            found = [one for one in self._all if one.call == call]
            self._all = [one for one in self._all if one.call != call]
        for one in found:
            one.leave()
        return bool(found)

    def start(self) -> None:
        """Begin to call."""
        with self._lock:
            self._running = True
            for one in self._all:
                one.start()
        threading.Thread(target=self._watch, name="rms-callbacks", daemon=True).start()

    def stop(self, timeout: float) -> None:
        """Begin no further call, and wait up to `timeout` for those that run."""
        self._stopped.set()
        deadline = time.monotonic() + timeout
        with self._lock:
            running = list(self._all) if self._running else []
            self._running = False
        for one in running:
            one.join(max(0.0, deadline - time.monotonic()))

    def _watch(self) -> None:
        while not self._stopped.wait(min(1.0, self._hangs / 2)):
            with self._lock:
                everyone = list(self._all)
            for one in everyone:
                one.watch(self._hangs)

"""The thread that follows the change stream for a supervisor, so that it never waits for it."""

from __future__ import annotations

import logging
import threading

from rms_tui.store.database import connect, in_words, let_go
from rms_tui.store.embedded import Server
from rms_tui.store.errors import StoreError
from rms_tui.store.fleet_watch import Change, FleetWatch
from rms_tui.store.renamed import Name

LONGEST_PAUSE = 2.0

_log = logging.getLogger("rms_tui.fleet")


class Follower:
    """Collects changes and wakes who waits for them."""

    def __init__(self, server: Server, name: Name, host: str, wake: threading.Event) -> None:
        self._server = server
        self._name = name
        self._host = host
        self._wake = wake
        self._changes: dict[tuple[str, object], Change] = {}
        self._anew = False
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rms-fleet-watch", daemon=True)

    def start(self) -> None:
        """Begin to follow; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Keep the place in the stream, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def taken(self) -> tuple[list[Change], bool]:
        """What changed since the last call, each document once; and whether that may not be all."""
        with self._lock:
            changes, self._changes = list(self._changes.values()), {}
            anew, self._anew = self._anew, False
        return changes, anew

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                uri = self._server.uri(self._stopping)
                database = connect(uri, self._name, prepared=True)
            except (StoreError, OSError) as error:
                failures = self._paused(failures, error)
                continue
            try:
                with in_words(uri):
                    watch = FleetWatch(database, self._host)
                    self._note(None)
                    failures = 0
                    self._follow(watch)
            except StoreError as error:
                failures = self._paused(failures, error)
            finally:
                let_go(database)

    def _follow(self, watch: FleetWatch) -> None:
        try:
            while not self._stopping.is_set():
                change = watch.next()
                if watch.anew:
                    watch.anew = False
                    self._note(None)
                if change is not None:
                    self._note(change)
            watch.save()
        finally:
            watch.close()

    def _note(self, change: Change | None) -> None:
        """Collect a change; None says that some may have been missed."""
        with self._lock:
            if change is None:
                self._anew = True
            else:
                key = (change.collection, repr(change.id))
                before = self._changes.get(key)
                if before is not None and before.fields and change.fields:
                    change = Change(change.collection, change.id, before.fields | change.fields)
                elif before is not None:
                    change = Change(change.collection, change.id)
                self._changes[key] = change
        self._wake.set()

    def _paused(self, failures: int, error: Exception) -> int:
        if failures == 0:
            _log.warning("the change stream ended, it is opened again: %s", error)
        self._stopping.wait(min(LONGEST_PAUSE, 0.1 * 2**failures))
        return min(failures + 1, 8)

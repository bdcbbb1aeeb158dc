"""The writer's way to its database: connected, lost, and how it is, for the header and `doctor`.

It knows nothing of what is written and read over it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

import pymongo

from rms_tui.latest import Latest
from rms_tui.store import left_open
from rms_tui.store.database import Rms, connect, in_words
from rms_tui.store.embedded import Server
from rms_tui.store.errors import StoreError, redacted
from rms_tui.store.renamed import Name

ANSWER_S = 5.0
"""Seconds that a question of another thread may take."""

HOUR = 3600.0

State: TypeAlias = Literal["starting", "connected", "down"]
T = TypeVar("T")

_log = logging.getLogger("rms_tui.store")


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the database is, for the header and `doctor`. Times are UTC seconds.

    `waiting` facts are not written yet; `refused` ones MongoDB would not have (they are in the
    log); `latency` is how long the last write took; `uri` has no password in it.
    """

    state: State
    text: str
    since: float
    waiting: int = 0
    refused: int = 0
    last_write: float | None = None
    latency: float | None = None
    uri: str | None = None


class Link:
    """One process's; for the store's thread, but for `ask`."""

    def __init__(
        self,
        server: Server,
        name: Name,
        status: Latest[StoreStatus],
        counts: Callable[[], tuple[int, int]],
        clock: Callable[[], float],
    ) -> None:
        """`counts` says how many facts wait, and how many were refused."""
        self.database: Rms | None = None
        self.failures = 0
        self.text = "connecting to MongoDB"
        self._server = server
        self._name = name
        self._status = status
        self._counts = counts
        self._clock = clock
        self._uri: str | None = None
        self._left: Sequence[Mapping[str, Any]] = ()
        self._last_write: float | None = None
        self._latency: float | None = None
        self._state: State = "starting"
        self._since = clock()
        self._tended = time.monotonic()
        self.publish()

    @property
    def uri(self) -> str:
        """Where it leads, with the password; nothing before it led anywhere."""
        return self._uri or ""

    def connect(self, stopping: threading.Event) -> Rms:
        """A new connection, in place of one that was lost. Raises StoreError and OSError."""
        uri = self._server.uri(stopping)
        self._uri = uri
        database = connect(uri, self._name)
        left_open.end(database.client, self._left)
        self._left = ()
        self.database = database
        self.failures = 0
        return database

    def ready(self) -> None:
        """Say that it can be used."""
        self._turn("connected", "connected")

    def lost(self, error: Exception) -> None:
        """Let go of it and say why."""
        self.failures = min(self.failures + 1, 8)
        if isinstance(error, StoreError | OSError):
            text = str(error)
        else:
            _log.exception("the store thread failed")
            text = f"{type(error).__name__}: {error}"
        self.disconnect()
        self._turn("down", text)

    def disconnect(self) -> None:
        """Let go of it; what it left open in the server is ended by the next one."""
        database, self.database = self.database, None
        if database is not None:
            self._left = (*self._left, *left_open.left_open(database.client))
            with pymongo.timeout(0.3):  # it says goodbye, perhaps to nobody
                database.client.close()

    def tend(self) -> None:
        """Once an hour: what the server needs of who started it."""
        if time.monotonic() - self._tended > HOUR:
            self._tended = time.monotonic()
            self._server.tend()

    def ask(self, question: Callable[[Rms], T], what: str) -> T:
        """The answer to a question, from any thread. Raises StoreError, also while it is down."""
        database = self.database
        if database is None:
            raise StoreError(f"no {what} now: {self.text}")
        with in_words(self.uri), pymongo.timeout(ANSWER_S):
            return question(database)

    def wrote(self, began: float) -> None:
        """Note a write that began then (monotonic seconds)."""
        self._latency = time.monotonic() - began
        self._last_write = self._clock()

    def publish(self) -> None:
        """Say how it is, where that is another than before."""
        waiting, refused = self._counts()
        now = StoreStatus(
            self._state,
            self.text,
            self._since,
            waiting,
            refused,
            self._last_write,
            self._latency,
            None if self._uri is None else redacted(self._uri),
        )
        if now != self._status.value:
            self._status.put(now)

    def _turn(self, state: Literal["connected", "down"], text: str) -> None:
        if state != self._state:
            self._since = self._clock()
            if state == "connected":
                _log.info("MongoDB connected")
            else:
                _log.warning("MongoDB down: %s", text)
        self._state, self.text = state, text
        self.publish()

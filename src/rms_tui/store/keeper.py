"""Which part this process plays for a book: thread `rms-lease` takes, keeps and watches the lease.

A desk without its database must go on watching: without MongoDB's word a process polls alone, and
writes nothing that a lease would have to allow. The word decides again as soon as it is there.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import pymongo
from pymongo.errors import PyMongoError

from rms_tui.feed import Selection
from rms_tui.store import elements, leases
from rms_tui.store.alive import is_dead, this_process
from rms_tui.store.database import Rms, connect, in_words
from rms_tui.store.embedded import Server
from rms_tui.store.errors import StoreError
from rms_tui.store.leases import Door, Lease, LeaseLost
from rms_tui.store.renamed import Name

_log = logging.getLogger("rms_tui.lease")

RENEW_S, LOOK_S = 2.5, 1.0
ANSWER_S = 5.0
TTL_S = 8.0
"""A holder that died is followed by another within this, a look, and the source's first Book."""

FIRST_S = 3.0
"""Seconds a start waits for MongoDB's word before it polls alone."""


@dataclass(frozen=True, slots=True)
class Alone:
    """Poll, without a lease: MongoDB does not answer."""

    why: str


@dataclass(frozen=True, slots=True)
class Holding:
    """Poll, write and serve: the lease is ours."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Following:
    """Another process polls. `lease` is the one it holds."""

    lease: Lease


T = TypeVar("T")
Part: TypeAlias = Alone | Holding | Following


class Keeper:
    """Tells which part to play. `on_part` is called in its thread and may take its time."""

    def __init__(
        self,
        server: Server,
        name: Name,
        book: str,
        host: str,
        *,
        on_part: Callable[[Part], object],
        door: Callable[[], Door],
        followed: Callable[[], bool],
        ttl: float = TTL_S,
        first: float = FIRST_S,
    ) -> None:
        """`door` is where this process serves now, `followed` whether the holder's stream still
        comes."""
        self.holder = f"{host}/{uuid.uuid4().hex[:12]}"
        self._server = server
        self._name = name
        self._book = book
        self._host = host
        self._on_part = on_part
        self._door = door
        self._followed = followed
        self._ttl = ttl
        self._first = first
        self._part: Part | None = None
        self._database: Rms | None = None
        self._uri = ""
        self._unheard = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rms-lease", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 0.5) -> None:
        """Give the lease back, so that a follower takes over at once, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._server.release(0.2)

    def asked(self, question: Callable[[Rms], T]) -> T:
        """An answer of the database; from any thread. Raises StoreError, also without one."""
        database = self._database
        if database is None:
            raise StoreError("no answer from MongoDB now")
        with in_words(self._uri), pymongo.timeout(ANSWER_S):
            return question(database)

    def selection(self, server: str, given: Selection) -> Selection:
        """Whom a desk of that server watches; `given` where the database does not say."""
        try:
            return self.asked(
                lambda found: elements.selection(found, server, everything=given.everything)
            )
        except StoreError as error:
            _log.warning("whom to watch is not known from MongoDB: %s", error)
            return given

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step(self._connected())
                self._unheard = time.monotonic()
            except LeaseLost as lost:
                _log.warning("%s", lost)
                self._part = None
                continue
            except (StoreError, PyMongoError, OSError) as error:
                self._without(error)
            pause = RENEW_S if isinstance(self._part, Holding) else LOOK_S
            self._stopping.wait(min(pause, self._ttl / 3))
        self._released()

    def _step(self, database: Rms) -> None:
        """One look. Raises LeaseLost, StoreError, PyMongoError."""
        with in_words(self._uri), pymongo.timeout(max(1.0, self._ttl / 2)):
            if isinstance(self._part, Holding):
                leases.renew(database, self._part.lease, door=self._door(), ttl=self._ttl)
                return
            theirs = leases.held(database, self._book)
            mine = leases.take(
                database,
                self._book,
                self.holder,
                host=self._host,
                door=self._door(),
                owner=this_process(),
                dead=theirs if theirs is not None and is_dead(theirs.owner) else None,
                ttl=self._ttl,
            )
        if mine is not None:
            self._become(Holding(mine))
        elif theirs is not None and not self._is_followed(theirs):
            self._become(Following(theirs))

    def _is_followed(self, theirs: Lease) -> bool:
        now = self._part
        return isinstance(now, Following) and now.lease.place == theirs.place

    def _without(self, error: Exception) -> None:
        """MongoDB does not answer: whoever polls goes on; a book that nobody polls is polled."""
        self._disconnect()
        silent = time.monotonic() - self._unheard
        final = isinstance(error, StoreError) and error.final
        waited = final or silent > (self._first if self._part is None else self._ttl)
        polled = isinstance(self._part, Alone | Holding) or (
            isinstance(self._part, Following) and self._followed()
        )
        if waited and not polled:
            self._become(Alone(str(error)))

    def _become(self, part: Part) -> None:
        self._part = part
        match part:
            case Alone(why):
                _log.warning("polling without a lease: %s", why)
            case Holding(lease):
                _log.info("holding %s, term %d", lease.book, lease.term)
            case Following(lease):
                _log.info("%s holds %s; following %s", lease.holder, lease.book, lease.door.address)
        try:
            self._on_part(part)
        except Exception:  # noqa: BLE001  the lease must be kept, whatever fails of the part
            _log.exception("a part could not be played")

    def _connected(self) -> Rms:
        if self._database is None:
            self._uri = self._server.uri(self._stopping)
            self._database = connect(self._uri, self._name)
        return self._database

    def _disconnect(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with pymongo.timeout(0.3):
                database.client.close()

    def _released(self) -> None:
        part, database = self._part, self._database
        if isinstance(part, Holding) and database is not None:
            try:
                with pymongo.timeout(0.4):
                    leases.release(database, part.lease)
            except PyMongoError as error:
                _log.info("the lease runs out by itself: %s", error)
        self._disconnect()

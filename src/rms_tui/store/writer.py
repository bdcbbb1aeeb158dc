"""The thread that keeps MongoDB up to date: newest status coalesced, facts in order.

It never holds anybody up: it reads the newest frame and takes facts from the outbox, and drops a
fact only when a majority has written it. A server that dies is waited for (and, where it is the
embedded one, started again); everything is idempotent, so that what was written before a lost
answer is not written twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal, TypeVar

import numpy as np
import pymongo

from rms_tui.alerts import Alert, AlertEvent, Handling
from rms_tui.alerts.asked import Asked
from rms_tui.allocator import LARGE, give_back_freed
from rms_tui.book import Ints
from rms_tui.changes import Change
from rms_tui.facts import (
    AccountChange,
    BaseEntry,
    Entry,
    Fact,
    OwnProfile,
    PeakEntry,
    ProfileChange,
)
from rms_tui.feed import Selection
from rms_tui.frame import Frame
from rms_tui.latest import Latest
from rms_tui.outbox import Outbox
from rms_tui.risk.memory import Memory
from rms_tui.store import audit, elements, entries, left_open, profiles
from rms_tui.store import memory as memories
from rms_tui.store.alert_query import history
from rms_tui.store.alert_writer import AlertWriter
from rms_tui.store.database import Guard, Rms, connect, in_words
from rms_tui.store.elements import SelectionWatch, Source
from rms_tui.store.embedded import Server
from rms_tui.store.entries import EntryWatch
from rms_tui.store.errors import StoreError, redacted
from rms_tui.store.memory import MemoryWriter
from rms_tui.store.renamed import Name
from rms_tui.store.status import StatusWriter
from rms_tui.store.unwritable import in_parts

LOOK = 1.0
"""Seconds between looks for a changed selection and for the server's health."""

HEAR = 0.25
"""Seconds between looks for what operators did in other processes: they see it within a second."""

HISTORY_S = 5.0
RECALLED = 20_000
"""Accounts whose memory is read back at once: as documents each takes some kilobytes."""

LONGEST_PAUSE = 2.0
FACTS = 1_000
HOUR = 3600.0

T = TypeVar("T")

_log = logging.getLogger("rms_tui.store")


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the database is, for the header and `doctor`. Times are UTC seconds.

    `waiting` facts are not written yet; `refused` ones MongoDB would not have (they are in the
    log); `latency` is how long the last write took; `uri` has no password in it.
    """

    state: Literal["starting", "connected", "down"]
    text: str
    since: float
    waiting: int = 0
    refused: int = 0
    last_write: float | None = None
    latency: float | None = None
    uri: str | None = None


class Writer:
    """One process's writer. `on_selection` is called in its thread."""

    def __init__(
        self,
        frames: Latest[Frame],
        outbox: Outbox[Fact],
        server: Server,
        *,
        source: Source,
        database: Name = "rms",
        selection: Selection | None = None,
        on_selection: Callable[[Selection], None] | None = None,
        on_alerts: Callable[[Sequence[Alert]], None] | None = None,
        on_handled: Callable[[Sequence[Handling]], None] | None = None,
        on_memory: Callable[[Memory], int] | None = None,
        on_entries: Callable[[Sequence[Entry]], None] | None = None,
        on_profiles: Callable[[Mapping[int, OwnProfile]], None] | None = None,
        on_told: Callable[[], None] | None = None,
        status: Latest[StoreStatus] | None = None,
        guard: Guard | None = None,
        period: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`selection` is the one the monitor starts with.

        `on_selection` hears of the selection that the database (and facts on their way to it)
        come to, whenever that differs from the last one told. `on_alerts` gets the alerts to go on
        with (at the start, after a lost connection, and where another process had raised one
        first), `on_handled` what operators did in other processes. `on_memory` gets what was
        remembered of accounts before, and says when that is in the frames; without it memory is
        neither read nor written. `on_entries` gets the bases and peaks operators entered,
        `on_profiles` the profiles that stand on elements. `on_told` is called once, when all of
        them have heard what was stored. Statuses, memory and alerts are written
        where `guard` lets them; what operators did always is.
        """
        self.status: Latest[StoreStatus] = Latest() if status is None else status
        self._frames = frames
        self._outbox = outbox
        self._server = server
        self._source: Source = source
        self._name = database
        self._given = selection or Selection()
        self._selected = self._given
        self._on_selection = on_selection
        self._alerts = AlertWriter(on_alerts, on_handled, guard)
        self._period = period
        self._clock = clock
        self._statuses = StatusWriter(source, guard)
        self._memories = MemoryWriter(guard)
        self._recalled = np.zeros(0, dtype=np.int64)
        self._recalled_login: Ints | None = None
        self._recalls = 0
        self._entries = EntryWatch()
        self._on_memory = on_memory
        self._on_entries = on_entries
        self._on_profiles = on_profiles
        self._on_told = on_told
        self._looked = False
        self._own: Mapping[int, OwnProfile] | None = None
        self._database: Rms | None = None
        self._watch: SelectionWatch | None = None
        self._uri: str | None = None
        self._left: Sequence[Mapping[str, Any]] = ()
        self._stopping = threading.Event()
        self._deadline = 0.0
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._refused = 0
        self._last_write: float | None = None
        self._latency: float | None = None
        self._state: Literal["starting", "connected", "down"] = "starting"
        self._text, self._since = "connecting to MongoDB", clock()
        self._tended = time.monotonic()
        self._publish()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Connect and write until `stop`; returns at once."""
        self._thread = threading.Thread(target=self._run, name="rms-store", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Write what can be written within `timeout`, let go of the server and return."""
        self._deadline = time.monotonic() + timeout
        self._stopping.set()
        self._outbox.came.set()
        if self._thread is not None:
            self._thread.join(timeout)
        self._server.release(max(0.1, self._deadline - time.monotonic()))

    def history(self, asked: Asked) -> list[Alert]:
        """Alerts of the database, the newest first; from any thread, within some seconds.

        Raises StoreError, also while there is no connection.
        """
        return self._asked(lambda database: history(database, asked), "alert history")

    def changes(self, login: int) -> list[Change]:
        """Who changed what about an account, the newest first. As `history` otherwise."""
        server = self._server_name()
        if server is None:
            raise StoreError("the source has not named its server yet")
        return self._asked(lambda database: audit.changes(database, server, login), "audit rows")

    def _asked(self, question: Callable[[Rms], T], what: str) -> T:
        database = self._database
        if database is None:
            raise StoreError(f"no {what} now: {self._text}")
        with in_words(self._uri or ""), pymongo.timeout(HISTORY_S):
            return question(database)

    def _run(self) -> None:
        next_status = next_look = next_hear = 0.0
        while not self._stopping.is_set():
            try:
                database = self._connected()
                with in_words(self._uri or ""):
                    if not self._alerts.restored:  # before our own: a stored episode goes on
                        self._alerts.hear(database, self._server_name(), self._clock())
                    self._write_facts(database)
                    if time.monotonic() >= next_hear:
                        next_hear = time.monotonic() + HEAR
                        self._alerts.hear(database, self._server_name(), self._clock())
                    self._recall(database)
                    if time.monotonic() >= next_status:
                        next_status = time.monotonic() + self._period
                        self._write_status(database)
                        self._write_memory(database)
                    named = self._server_name() is not None
                    if (named and not self._looked) or time.monotonic() >= next_look:
                        next_look = time.monotonic() + LOOK
                        self._look(database)
                        self._looked |= named
                    self._say_told()
                self._publish()
            except Exception as error:  # noqa: BLE001  the thread's boundary: it must not end
                self._lost(error)
                self._stopping.wait(min(LONGEST_PAUSE, 0.1 * 2**self._failures))
            else:
                self._rest(min(next_status, next_look, next_hear) - time.monotonic())
        self._finish()

    def _rest(self, seconds: float) -> None:
        if seconds <= 0 or self._stopping.is_set():
            return
        stuck = len(self._outbox) > 0  # facts that wait for the server's name
        (self._stopping if stuck else self._outbox.came).wait(
            min(seconds, 0.25) if stuck else seconds
        )

    def _connected(self) -> Rms:
        if self._database is not None:
            return self._database
        uri = self._server.uri(self._stopping)
        self._uri = uri
        database = connect(uri, self._name)
        left_open.end(database.client, self._left)
        self._left = ()
        self._statuses.reconnected()
        self._database = database
        self._failures = 0
        self._turn("connected", "connected")
        return database

    def _write_facts(self, database: Rms) -> None:
        while facts := self._outbox.oldest(FACTS):
            began = time.monotonic()
            for kind, run in groupby(facts, type):
                written = self._write_run(database, kind, list(run))
                if not written:
                    return
                self._outbox.drop(written)
            self._wrote(began)
            if self._stopping.is_set() and time.monotonic() > self._deadline:
                return

    def _write_run(self, database: Rms, kind: type, run: Sequence[Fact]) -> int:
        """Write facts of one kind; how many are done with, 0 when they have to wait."""
        if kind is AccountChange:
            server = self._server_name()
            changes = [self._named(fact, server) for fact in run if isinstance(fact, AccountChange)]
            if any(change.server is None for change in changes):
                return 0
            self._in_parts(changes, lambda part: elements.apply(database, part, self._source))
            self._statuses.forget([change.login for change in changes])
        elif kind is not AlertEvent:
            name = self._server_name()
            if name is None:
                return 0
            for fact in run:
                if isinstance(fact, ProfileChange):
                    self._in_parts([fact], lambda part: self._assign(database, part))
                elif isinstance(fact, BaseEntry | PeakEntry):
                    self._in_parts([fact], lambda part: self._enter(database, name, part))
        else:
            edges = [fact for fact in run if isinstance(fact, AlertEvent)]
            self._alerts.write(database, edges, self._in_parts)
        return len(run)

    def _in_parts(self, facts: Sequence[T], write: Callable[[Sequence[T]], object]) -> None:
        self._refused += in_parts(facts, write)

    def _assign(self, database: Rms, changes: Sequence[ProfileChange]) -> None:
        for change in changes:
            profiles.assign(database, change, self._source)

    def _enter(self, database: Rms, server: str, made: Sequence[Entry]) -> None:
        for entry in made:
            entries.enter(database, server, entry)

    def _named(self, change: AccountChange, server: str | None) -> AccountChange:
        return change if change.server is not None else replace(change, server=server)

    def _server_name(self) -> str | None:
        frame = self._frames.value
        return None if frame is None or frame.book is None else frame.book.server

    def _write_status(self, database: Rms) -> None:
        began = time.monotonic()
        written = self._statuses.write(database, self._frames.value, self._clock())
        if written:
            self._wrote(began)
        if written >= LARGE:
            give_back_freed()

    def _recall(self, database: Rms) -> None:
        """Read back the memory of accounts that were not watched here before, once each."""
        frame, server = self._frames.value, self._server_name()
        if self._on_memory is None or frame is None or frame.memory is None or server is None:
            return
        logins = frame.memory.login
        if logins is self._recalled_login:
            return
        new = np.setdiff1d(logins, self._recalled)
        for part in (new[start : start + RECALLED] for start in range(0, len(new), RECALLED)):
            stored, made = memories.read(database, server, part.tolist())
            if stored is not None:
                self._recalls = self._on_memory(stored)
            if made and self._on_entries is not None:
                self._on_entries(made)
            self._recalled = np.union1d(self._recalled, part)
        self._recalled_login = logins

    def _hear_entries(self, database: Rms, server: str) -> None:
        """Bases and peaks that operators entered in any process."""
        if self._on_entries is None:
            return
        heard = self._entries.poll(database, server)
        if heard:
            self._on_entries(heard)

    def _hear_profiles(self, database: Rms, server: str) -> None:
        if self._on_profiles is None:
            return
        stored = elements.own_profiles(database, server)
        on_their_way = self._outbox.oldest(len(self._outbox))
        own = profiles.with_changes(
            stored, [fact for fact in on_their_way if isinstance(fact, ProfileChange)]
        )
        if own != self._own:
            self._own = own
            self._on_profiles(own)

    def _write_memory(self, database: Rms) -> None:
        """Only once what was stored is in the frame: it must not be overwritten by less."""
        frame = self._frames.value
        if self._on_memory is None or frame is None or frame.memory is None:
            return
        if frame.recalls >= self._recalls and frame.memory.login is self._recalled_login:
            self._memories.write(database, frame, self._statuses.figures_at)

    def _look(self, database: Rms) -> None:
        if time.monotonic() - self._tended > HOUR:
            self._tended = time.monotonic()
            self._server.tend()
        server = self._server_name()
        if server is None:
            database.client.admin.command("ping")
            return
        self._hear_entries(database, server)
        self._hear_profiles(database, server)
        if self._watch is None:
            self._watch = SelectionWatch(database, server, everything=self._given.everything)
        stored = self._watch.poll()
        if stored is None:
            return
        self._statuses.forget(elements.pending(database, server))
        selected = self._effective(stored)
        if selected != self._selected:
            self._selected = selected
            if self._on_selection is not None:
                self._on_selection(selected)

    def _say_told(self) -> None:
        """Once, when alerts, memory, profiles and selection were read."""
        read = self._on_memory is None or self._recalled_login is not None
        if self._on_told is not None and self._alerts.restored and self._looked and read:
            self._on_told()
            self._on_told = None

    def _effective(self, stored: Selection) -> Selection:
        """What is stored, what the monitor was given beyond it, and facts on their way there."""
        given = self._given
        base = Selection(
            given.everything,
            stored.added | (given.added - stored.without),
            stored.without | (given.without - stored.added),
        )
        on_their_way = self._outbox.oldest(len(self._outbox))
        return elements.with_changes(
            base, [fact for fact in on_their_way if isinstance(fact, AccountChange)]
        )

    def _wrote(self, began: float) -> None:
        self._latency = time.monotonic() - began
        self._last_write = self._clock()

    def _lost(self, error: Exception) -> None:
        self._failures = min(self._failures + 1, 8)
        if isinstance(error, StoreError | OSError):
            text = str(error)
        else:
            _log.exception("the store thread failed")
            text = f"{type(error).__name__}: {error}"
        self._disconnect()
        self._turn("down", text)

    def _disconnect(self) -> None:
        database = self._database
        self._database = self._watch = None
        self._alerts.disconnected()
        if database is not None:
            self._left = (*self._left, *left_open.left_open(database.client))
            with pymongo.timeout(0.3):  # it says goodbye, perhaps to nobody
                database.client.close()

    def _finish(self) -> None:
        """The last write, within what is left of `stop`'s timeout."""
        left, why = self._deadline - time.monotonic() - 0.1, self._text
        if self._database is not None and left > 0.05:
            try:
                with in_words(self._uri or ""), pymongo.timeout(left):
                    self._write_facts(self._database)
                    self._write_status(self._database)
            except StoreError as error:
                why = str(error)
        if lost := len(self._outbox):
            _log.error("%d facts not written: %s", lost, why)
        self._disconnect()
        self._server.release(0.3)
        self._publish()

    def _turn(self, state: Literal["connected", "down"], text: str) -> None:
        if state != self._state:
            self._since = self._clock()
            if state == "connected":
                _log.info("MongoDB connected")
            else:
                _log.warning("MongoDB down: %s", text)
        self._state, self._text = state, text
        self._publish()

    def _publish(self) -> None:
        now = StoreStatus(
            self._state,
            self._text,
            self._since,
            len(self._outbox),
            self._refused + self._outbox.refused,
            self._last_write,
            self._latency,
            None if self._uri is None else redacted(self._uri),
        )
        if now != self.status.value:
            self.status.put(now)

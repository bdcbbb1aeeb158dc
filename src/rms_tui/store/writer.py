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

import pymongo

from rms_tui.alerts import Alert, Handling
from rms_tui.alerts.asked import Asked
from rms_tui.allocator import LARGE, give_back_freed
from rms_tui.changes import Change
from rms_tui.facts import Entry, Fact, OwnProfile
from rms_tui.feed import Selection
from rms_tui.frame import Frame
from rms_tui.latest import Latest
from rms_tui.outbox import Outbox
from rms_tui.plural import counted
from rms_tui.risk.memory import Memory
from rms_tui.store import audit
from rms_tui.store.alert_query import history
from rms_tui.store.alert_writer import AlertWriter
from rms_tui.store.database import Guard, Rms, in_words
from rms_tui.store.elements import Source
from rms_tui.store.embedded import Server
from rms_tui.store.errors import StoreError
from rms_tui.store.fact_writer import FactWriter
from rms_tui.store.hearing import Hearing, Listeners
from rms_tui.store.link import Link, StoreStatus
from rms_tui.store.memory import MemoryWriter
from rms_tui.store.renamed import Name
from rms_tui.store.status import StatusWriter

__all__ = ["StoreStatus", "Writer"]

LOOK = 1.0
"""Seconds between looks for a changed selection and for the server's health."""

HEAR = 0.25
"""Seconds between looks for what operators did in other processes: they see it within a second."""

LONGEST_PAUSE = 2.0

_log = logging.getLogger("rms_tui.store")


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
        self._period = period
        self._clock = clock
        self._alerts = AlertWriter(on_alerts, on_handled, guard)
        self._statuses = StatusWriter(source, guard)
        self._memories = MemoryWriter(guard)
        self._facts = FactWriter(outbox, source, self._alerts, self._statuses, self._server_name)
        self._hearing = Hearing(
            outbox,
            self._statuses,
            selection or Selection(),
            Listeners(on_selection, on_memory, on_entries, on_profiles, on_told),
        )
        self._link = Link(server, database, self.status, self._counts, clock)
        self._stopping = threading.Event()
        self._deadline = 0.0
        self._thread: threading.Thread | None = None

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
        return self._link.ask(lambda database: history(database, asked), "alert history")

    def changes(self, login: int) -> list[Change]:
        """Who changed what about an account, the newest first. As `history` otherwise."""
        server = self._server_name()
        if server is None:
            raise StoreError("the source has not named its server yet")
        return self._link.ask(lambda database: audit.changes(database, server, login), "audit rows")

    def _run(self) -> None:
        next_status = next_look = next_hear = 0.0
        while not self._stopping.is_set():
            try:
                database = self._connected()
                with in_words(self._link.uri):
                    if not self._alerts.restored:  # before our own: a stored episode goes on
                        self._alerts.hear(database, self._server_name(), self._clock())
                    self._write_facts(database)
                    if time.monotonic() >= next_hear:
                        next_hear = time.monotonic() + HEAR
                        self._alerts.hear(database, self._server_name(), self._clock())
                    self._hearing.recall(database, self._frames.value, self._server_name())
                    if time.monotonic() >= next_status:
                        next_status = time.monotonic() + self._period
                        self._write_status(database)
                        self._write_memory(database)
                    named = self._server_name() is not None
                    if (named and not self._hearing.looked) or time.monotonic() >= next_look:
                        next_look = time.monotonic() + LOOK
                        self._look(database)
                    self._hearing.say_told(alerts_restored=self._alerts.restored)
                self._link.publish()
            except Exception as error:  # noqa: BLE001  the thread's boundary: it must not end
                self._forget_connection()
                self._link.lost(error)
                self._stopping.wait(min(LONGEST_PAUSE, 0.1 * 2**self._link.failures))
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
        if self._link.database is not None:
            return self._link.database
        database = self._link.connect(self._stopping)
        self._statuses.reconnected()
        self._link.ready()
        return database

    def _forget_connection(self) -> None:
        """What was heard over a connection is asked anew over the next one."""
        self._hearing.disconnected()
        self._alerts.disconnected()

    def _server_name(self) -> str | None:
        frame = self._frames.value
        return None if frame is None or frame.book is None else frame.book.server

    def _counts(self) -> tuple[int, int]:
        return len(self._outbox), self._facts.refused + self._outbox.refused

    def _write_facts(self, database: Rms) -> None:
        self._facts.write(database, self._link.wrote, self._is_over)

    def _is_over(self) -> bool:
        return self._stopping.is_set() and time.monotonic() > self._deadline

    def _write_status(self, database: Rms) -> None:
        began = time.monotonic()
        written = self._statuses.write(database, self._frames.value, self._clock())
        if written:
            self._link.wrote(began)
        if written >= LARGE:
            give_back_freed()

    def _write_memory(self, database: Rms) -> None:
        """Only once what was stored is in the frame: it must not be overwritten by less."""
        frame = self._frames.value
        if frame is not None and self._hearing.has_recalled(frame):
            self._memories.write(database, frame, self._statuses.figures_at)

    def _look(self, database: Rms) -> None:
        self._link.tend()
        server = self._server_name()
        if server is None:
            database.client.admin.command("ping")
        else:
            self._hearing.look(database, server)

    def _finish(self) -> None:
        """The last write, within what is left of `stop`'s timeout."""
        left, why = self._deadline - time.monotonic() - 0.1, self._link.text
        if self._link.database is not None and left > 0.05:
            try:
                with in_words(self._link.uri), pymongo.timeout(left):
                    self._write_facts(self._link.database)
                    self._write_status(self._link.database)
            except StoreError as error:
                why = str(error)
        if lost := len(self._outbox):
            _log.error("%s not written: %s", counted(lost, "fact"), why)
        self._forget_connection()
        self._link.disconnect()
        self._server.release(0.3)
        self._link.publish()

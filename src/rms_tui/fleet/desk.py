"""A console over a fleet: thread `rms-fleet-view` reads MongoDB and publishes Frames.

The workers judge, this shows: the monitor is driven here, with the workers' verdicts and the
database's alerts, and polls nothing by itself. What operators do is written by the same thread, and
the workers hear of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from rms_tui.account_keys import AccountKeys
from rms_tui.alerts import Alert, AlertEvent
from rms_tui.alerts.asked import Asked
from rms_tui.changes import Change
from rms_tui.facts import AccountChange, BaseEntry, Fact, PeakEntry, ProfileChange
from rms_tui.fleet.shown_feed import ShownFeed
from rms_tui.fleet_state import FleetState
from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.risk.profile import Plan
from rms_tui.store import alerts, audit, elements, entries, profiles
from rms_tui.store import memory as memories
from rms_tui.store.alert_query import history
from rms_tui.store.database import Rms, connect, in_words, let_go, within
from rms_tui.store.embedded import Server
from rms_tui.store.errors import StoreError
from rms_tui.store.fleet_book import fleet_desk, fleet_rows, fleet_state
from rms_tui.store.fleet_view import FleetDocuments, FleetView
from rms_tui.store.renamed import Name

LOOK = 0.5
"""Longest time in seconds until what an operator did is on its way."""

ASKED_S = 5.0
FACTS = 500
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 5.0

T = TypeVar("T")

_log = logging.getLogger("rms_tui.fleet")


@dataclass(frozen=True, slots=True)
class Link:
    """How the connection to MongoDB is, for the heading."""

    state: Literal["starting", "connected", "down"]
    text: str
    waiting: int = 0


class FleetDesk:
    """Shows one database. `monitor` is what screens look at, `state` what is beside accounts."""

    def __init__(
        self,
        server: Server,
        database: Name,
        plan: Plan,
        *,
        interval: float,
        ping: float,
        report_currency: str = "USD",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A worker that has not pinged for three times `ping` seconds is silent."""
        self.feed = ShownFeed(f"Fleet {database}")
        self.monitor = Monitor(
            self.feed, plan, interval=interval, report_currency=report_currency, clock=clock
        )
        self.state: Latest[FleetState] = Latest()
        self.store: Latest[Link] = Latest()
        self.keys = AccountKeys()
        self._server = server
        self._name = database
        self._silent = 3.0 * ping
        self._clock = clock
        self._known = FleetDocuments()
        self._database: Rms | None = None
        self._uri = ""
        self._recalled: set[int] = set()
        self._shown_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rms-fleet-view", daemon=True)

    def start(self) -> None:
        """Connect and show until `stop`; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Write what is left, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._server.release(0.3)

    def asked(self, question: Callable[[Rms], T]) -> T:
        """Ask the database, from any thread. Raises StoreError, also while it is away, and the
        question's own ValueError."""
        database = self._database
        if database is None:
            link = self.store.value
            raise StoreError("MongoDB is being connected" if link is None else link.text)
        with in_words(self._uri), within(ASKED_S):
            try:
                return question(database)
            except ValueError as error:  # about what was asked, not about the connection
                refused = error
        raise refused

    def history(self, asked: Asked) -> Sequence[Alert]:
        """The newest such alerts; from any thread. Raises StoreError."""
        name = None if asked.login is None else self.keys.name(asked.login)
        if name is not None:
            asked = replace(asked, login=name[0], server=name[1])
        return [self._inward(alert) for alert in self.asked(lambda at: history(at, asked))]

    def changes(self, key: int) -> Sequence[Change]:
        """Who changed what about an account; from any thread. Raises StoreError."""
        name = self.keys.name(key)
        if name is None:
            return []
        return self.asked(lambda database: audit.changes(database, name[1], name[0]))

    def _inward(self, alert: Alert) -> Alert:
        key = self.keys.key(alert.login, alert.server)
        return alert if key is None else replace(alert, login=key, group=alert.server)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            if self.store.value is None:
                self._tell("starting", "connecting to MongoDB")
            try:
                self._uri = self._server.uri(self._stopping)
                self._database = connect(self._uri, self._name)
                with in_words(self._uri):
                    self._follow(self._database)
                pause = FIRST_PAUSE
            except (StoreError, OSError) as error:
                pause = FIRST_PAUSE if self.feed.status.phase == "live" else pause
                self._lost(str(error), pause)
                self._stopping.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 1.6)
            except Exception as error:  # noqa: BLE001  the thread's boundary: it must not end unseen
                _log.exception("the fleet cannot be shown")
                self._lost(f"{type(error).__name__}: {error}", LONGEST_PAUSE)
                self._stopping.wait(LONGEST_PAUSE)
            finally:
                self._disconnect()

    def _follow(self, database: Rms) -> None:
        view = FleetView(database, self._known)
        try:
            self._tell("connected")
            self._show(database)
            while not self._stopping.is_set():
                changed = view.wait(min(LOOK, self.monitor.interval))
                wrote = self._write_facts(database)
                due = time.monotonic() - self._shown_at >= self.monitor.interval
                if changed or wrote or due:
                    self._show(database)
        finally:
            view.close()
        with within(0.5):
            self._write_facts(database)

    def _show(self, database: Rms) -> None:
        """Publish how the documents stand."""
        known, monitor, now = self._known, self.monitor, self._clock()
        before = None if monitor.frames.value is None else monitor.frames.value.book
        rows = fleet_rows(known, self.keys, now, self._silent, before)
        monitor.set_own_profiles(rows.own)
        monitor.lay_over(rows.laid_over)
        monitor.go_on_from(None, fleet_desk(known, self.keys))
        self._recall(database, rows.book.accounts.login.tolist())
        self.feed.made(rows.book)
        state = fleet_state(known, self.keys, self._silent)
        if state != self.state.value:
            self.state.put(state)
        monitor.step(0.0)
        self._shown_at = time.monotonic()

    def _recall(self, database: Rms, present: Sequence[int]) -> None:
        """What workers remember of accounts that are new here, for details to show bases of."""
        new: dict[str, list[int]] = {}
        for key in present:
            name = self.keys.name(key)
            if key not in self._recalled and name is not None and name[0] == key:
                new.setdefault(name[1], []).append(key)
        for server, logins in new.items():
            stored, _ = memories.read(database, server, logins, own_watch=True)
            if stored is not None:
                self.monitor.recall(stored)
                self._recalled |= set(stored.login.tolist())

    def _write_facts(self, database: Rms) -> bool:
        wrote = False
        while facts := self.monitor.outbox.oldest(FACTS):
            for fact in facts:
                try:
                    self._write(database, fact)
                except ValueError as error:
                    _log.error("cannot be written: %s", error)
                self.monitor.outbox.drop(1)
            wrote = True
        return wrote

    def _write(self, database: Rms, fact: Fact) -> None:
        key = fact.alert.login if isinstance(fact, AlertEvent) else fact.login
        name = self.keys.name(key)
        if name is None:
            raise ValueError(f"account {key} is not in the fleet")
        login, server = name
        match fact:
            case AlertEvent():
                alert = replace(fact.alert, login=login)
                alerts.apply(database, [replace(fact, alert=alert, evidence=None)])
                self._known.alerts[alert.id] = alert
            case ProfileChange():
                profiles.assign(database, replace(fact, login=login, server=server), "terminal")
            case AccountChange():
                change = replace(fact, login=login, server=server)
                elements.apply(database, [change], "terminal")
            case BaseEntry() | PeakEntry():
                entries.enter(database, server, replace(fact, login=login))

    def _lost(self, why: str, pause: float) -> None:
        if self.feed.status.phase != "down":
            _log.warning("MongoDB is away, nothing newer is shown: %s", why)
        now = self._clock()
        self.feed.lost(why, now, now + pause)
        frame = self.monitor.frames.value
        self.monitor.go_on_from(None, None if frame is None else frame.desk)
        self.monitor.step(0.0)
        self._tell("down", why)
        old = self.state.value or FleetState()
        if old.problem != why:
            self.state.put(replace(old, problem=why))

    def _tell(self, state: Literal["starting", "connected", "down"], text: str = "") -> None:
        now = Link(state, text or state, len(self.monitor.outbox))
        if now != self.store.value:
            self.store.put(now)

    def _disconnect(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            let_go(database)

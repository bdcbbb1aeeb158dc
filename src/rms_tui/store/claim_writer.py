"""The thread that writes for one claim: figures, holdings, alerts, memory, pings.

As `writer` for a whole server, with one difference: every write is fenced by the claim's term, and
once one was refused for that, nothing is ever written again. While MongoDB is away monitoring goes
on and facts wait; only a term says that the claim is lost, never a clock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from rms_tui.alerts import TIMES, Alert, AlertEvent, Handling
from rms_tui.alerts.life import closed
from rms_tui.book import Positions
from rms_tui.facts import Entry, Fact
from rms_tui.frame import FeedState, Frame
from rms_tui.latest import Latest
from rms_tui.outbox import Outbox
from rms_tui.risk.memory import Memory
from rms_tui.store import claims, left_open
from rms_tui.store import memory as memories
from rms_tui.store.alert_query import going_on
from rms_tui.store.alert_watch import handling_from
from rms_tui.store.alert_writer import AlertWriter
from rms_tui.store.alerts import ACTIONS
from rms_tui.store.claims import Claim, Ending, Fenced, Patience
from rms_tui.store.content import Written, content, documents, told_from
from rms_tui.store.database import Document, Rms, connect, in_words, let_go, within
from rms_tui.store.embedded import Server
from rms_tui.store.entries import entries_of
from rms_tui.store.errors import StoreError
from rms_tui.store.holdings import account_more, holdings
from rms_tui.store.memory import MemoryWriter
from rms_tui.store.own_feed import OwnFeed
from rms_tui.store.renamed import Name
from rms_tui.store.risk_rules import rules_document
from rms_tui.store.schema import Status
from rms_tui.store.unwritable import in_parts
from rms_tui.store.values import instant

SHORTEST, HEAR = 0.1, 1.0
"""Seconds: between two writes of figures, between two looks for what operators did."""

LONGEST_PAUSE = 2.0
FACTS = 1_000

State: TypeAlias = Literal["holding", "fenced", "ended"]

_log = logging.getLogger("rms_tui.fleet")


@dataclass(frozen=True, slots=True)
class Told:
    """Who hears what the database says; all are called in the writer's thread."""

    on_element: Callable[[Document], None]
    on_alerts: Callable[[Sequence[Alert]], None]
    on_handled: Callable[[Sequence[Handling]], None]
    on_memory: Callable[[Memory], int]
    on_entries: Callable[[Sequence[Entry]], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between pings, without a good Book until INACTIVE, well until failures are past."""

    ping: float = 10.0
    silent: float = 300.0
    settled: float = 30.0


class ClaimWriter:
    """Writes for one claim until it is stopped or fenced."""

    def __init__(
        self,
        frames: Latest[Frame],
        outbox: Outbox[Fact],
        server: Server,
        name: Name,
        held: Claim,
        element: Document,
        told: Told,
        *,
        patience: Patience,
        pace: Pace,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`element` is what `claims.begin` gave; `name` is the database's."""
        self.state: State = "holding"
        self.changed = threading.Event()
        """Set when `state` is another."""
        self._frames = frames
        self._outbox = outbox
        self._server = server
        self._name = name
        self._held = held
        self._hear = told
        self._patience = patience
        self._pace = pace
        self._clock = clock
        self._told = told_from([element])
        self._written = Written()
        self._status = str(element.get("status"))
        self._error = element.get("error")
        self._positions: Positions | None = None
        self._element = _watched(element)
        self._database: Rms | None = None
        self._left: Sequence[Mapping[str, Any]] = ()
        self._uri = ""
        self._alerts: AlertWriter | None = None
        self._memories: MemoryWriter | None = None
        self._recalled = False
        self._recalls = 0
        self._entries: frozenset[Entry] = frozenset()
        self._handled: set[Any] = set()
        self._feed = OwnFeed(held.login)
        self._live_since: float | None = None
        self._settled = False
        self._looked = threading.Event()
        self._last: Frame | None = None
        self._frozen = False
        self._stopping = threading.Event()
        self._ending: tuple[Ending, str | None] = (Ending.RELEASED, None)
        self._deadline = 0.0
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="rms-store", daemon=True)

    def start(self, database: Rms | None = None, uri: str = "") -> None:
        """Write until `stop`; returns at once. `database` is a connection that it may have."""
        self._database, self._uri = database, uri
        self._thread.start()

    def look(self) -> None:
        """Ping at once, and read the element anew: someone says that it changed."""
        self._looked.set()

    def freeze(self) -> None:
        """Take the newest frame as the last one: what its source says while it is being closed is
        nothing about the account."""
        self._last = self._frames.value
        self._frozen = True

    def _newest(self) -> Frame | None:
        return self._last if self._frozen else self._frames.value

    def stop(self, ending: Ending, error: str | None, timeout: float) -> bool:
        """Write what is left within `timeout`, end the claim; True when that is written."""
        self._ending = (ending, error)
        self._deadline = time.monotonic() + timeout
        self._stopping.set()
        self._thread.join(timeout + 1.0)
        return self.state != "holding"

    def _run(self) -> None:
        next_ping = next_hear = 0.0
        seen = 0
        while not self._stopping.is_set():
            try:
                database = self._connected()
                with in_words(self._uri):
                    self._restore(database)
                    frame = self._newest()
                    seen = self._frames.count
                    self._write_facts(database)
                    if frame is not None:
                        self._write_figures(database, frame)
                    if self._looked.is_set() or time.monotonic() >= next_ping:
                        self._looked.clear()
                        next_ping = time.monotonic() + self._pace.ping
                        self._ping(database)
                    if time.monotonic() >= next_hear:
                        next_hear = time.monotonic() + HEAR
                        self._hear_operators(database, frame)
                self._failures = 0
            except Fenced:
                self._turn("fenced")
                return
            except StoreError as error:
                self._lost(error.text)
                self._stopping.wait(min(LONGEST_PAUSE, self._pace.ping, 0.1 * 2**self._failures))
            except OSError as error:
                self._lost(str(error))
                self._stopping.wait(LONGEST_PAUSE)
            except Exception as error:  # noqa: BLE001  the thread's boundary: it must not end unseen
                _log.exception("writing for the claim failed")
                self._lost(f"{type(error).__name__}: {error}")
                self._stopping.wait(LONGEST_PAUSE)
            else:
                self._rest(seen, next_ping)
        self._finish()

    def _rest(self, seen: int, next_ping: float) -> None:
        """Until there is a newer frame, a fact, a ping to make, or a reason to stop."""
        self._stopping.wait(SHORTEST)
        while not self._stopping.is_set() and not self._looked.is_set():
            left = next_ping - time.monotonic()
            if left <= 0 or len(self._outbox) or self._frames.newer(seen, min(left, 0.1)):
                return

    def _connected(self) -> Rms:
        if self._database is None:
            self._uri = self._server.uri(self._stopping)
            self._database = connect(self._uri, self._name)
            left_open.end(self._database.client, self._left)
            self._left = ()
            _log.info("MongoDB is back")
        if self._alerts is None:
            guard = claims.guard(self._database, self._held)
            self._alerts = AlertWriter(self._restored, None, guard)
            self._memories = MemoryWriter(guard, watch=False)
        return self._database

    def _restore(self, database: Rms) -> None:
        """Go on with what was remembered of the account: before any figure of ours is written."""
        if self._recalled:
            return
        login, server = self._held.login, self._held.server
        stored, entries = memories.read(database, server, [login], own_watch=True)
        if stored is not None:
            self._recalls = self._hear.on_memory(stored)
        if entries:
            self._entries = frozenset(entries)
            self._hear.on_entries(entries)
        found = going_on(database, server, self._clock() - TIMES.close, login)
        if found:
            self._restored(found)
        self._recalled = True

    def _write_facts(self, database: Rms) -> None:
        while facts := self._outbox.oldest(FACTS):
            self._write_edges(database, [one for one in facts if isinstance(one, AlertEvent)])
            self._outbox.drop(len(facts))

    def _write_edges(self, database: Rms, edges: Sequence[AlertEvent]) -> None:
        assert self._alerts is not None
        self._alerts.write(database, [self._feed.outward_edge(one) for one in edges], _in_parts)

    def _restored(self, alerts: Sequence[Alert]) -> None:
        self._hear.on_alerts([self._feed.inward(alert) for alert in alerts])

    def _close_alerts(self, database: Rms, frame: Frame) -> None:
        """An account that is watched no more has no open alerts."""
        now = self._clock()
        ended = [AlertEvent("closed", closed(alert, now), now) for alert in frame.alerts]
        self._write_edges(database, ended)

    def _write_figures(self, database: Rms, frame: Frame) -> None:
        book, assessment = frame.book, frame.assessment
        error = _error_of(frame)
        if book is None or assessment is None or len(book.accounts) != 1:
            if error is not None and error != self._error:
                self._heard(
                    claims.write_element(database, self._held, {"error": error}, restated=False)
                )
                self._error = error
            return
        self._note_life(frame)
        silent = self._clock() - book.taken_at > self._pace.silent
        made = content(book, assessment, frame, self._told, silent=silent)
        self._told = made.told
        rows = self._written.differing(made)
        held = None if book.positions is self._positions else holdings(book)
        if not len(rows) and held is None and error == self._error:
            return
        rows = np.zeros(1, dtype=np.int64)
        restated = bool(self._written.restated(made, rows)[0])
        fields = {**documents(made, rows)[0], "error": error}
        fields["account"] |= account_more(book.accounts, 0)
        fields["risk"] |= rules_document(assessment, 0)
        status = str(fields["status"] if restated else fields.pop("status"))
        if held is not None:
            held |= {"login": self._held.login, "server": self._held.server}
            held["term"] = self._held.term
        found = claims.write_element(
            database, self._held, fields, restated=restated, positions=held
        )
        self._written.note(made, rows)
        self._positions, self._error, self._status = book.positions, error, status
        self._heard(found)

    def _note_life(self, frame: Frame) -> None:
        """How long the source has been well; failures are past when that is long enough."""
        if frame.health.state is not FeedState.LIVE:
            self._live_since = None
        elif self._live_since is None:
            self._live_since = time.monotonic()

    def _ping(self, database: Rms) -> None:
        frame = self._newest()
        since = self._live_since
        settled = since is not None and time.monotonic() - since >= self._pace.settled
        fields: Document = {}
        book = None if frame is None else frame.book
        if book is not None and book.connected and self._positions is not None:
            fields["account.time"] = instant(book.taken_at)
        found = claims.ping(database, self._held, fields, settled=settled and not self._settled)
        self._settled = settled
        self._write_memory(database, frame)
        self._heard(found)

    def _write_memory(self, database: Rms, frame: Frame | None) -> None:
        """Only once what was stored is in the frame: it must not be overwritten by less."""
        if frame is None or frame.memory is None or frame.recalls < self._recalls:
            return
        assert self._memories is not None
        self._memories.write(database, frame)

    def _hear_operators(self, database: Rms, frame: Frame | None) -> None:
        """Follow what was done about this account's alerts, and bases that were entered."""
        key = f"{self._held.server}/{self._held.login}"
        entered = {"_id": key, "entered_at": {"$ne": None}}
        found = database.memory.find_one(entered)
        fresh = set(entries_of(found) if found else ()) - self._entries
        if fresh:
            self._entries |= fresh
            self._hear.on_entries(list(fresh))
        if frame is None or not frame.alerts:
            return
        asked = {
            "login": self._held.login,
            "server": self._held.server,
            "action": {"$in": list(ACTIONS.values())},
            "alert": {"$in": [self._feed.outward(alert).id for alert in frame.alerts]},
        }
        rows = [row for row in database.audit.find(asked) if row["_id"] not in self._handled]
        self._handled |= {row["_id"] for row in rows}
        heard = [one for one in map(handling_from, rows) if one is not None]
        if heard:
            self._hear.on_handled([self._feed.inward_doing(one) for one in heard])

    def _heard(self, element: Document) -> None:
        """Tell of an element that someone else wrote; put right a status that is not ours."""
        status = str(element.get("status"))
        if status != self._status and status not in (Status.REMOVED, Status.ERROR):
            self._written.forget([self._held.login])
            self._status = status
        now = _watched(element)
        if now != self._element:
            self._element = now
            self._hear.on_element(element)

    def _lost(self, text: str) -> None:
        if self._failures == 0:
            _log.warning("MongoDB is away, monitoring goes on: %s", text)
        self._failures = min(self._failures + 1, 8)
        if self._failures > 2:
            self._disconnect()

    def _disconnect(self) -> None:
        database, self._database = self._database, None
        self._alerts = self._memories = None
        if database is not None:
            self._left = (*self._left, *left_open.left_open(database.client))
            let_go(database)

    def _finish(self) -> None:
        """The last writes and the end of the claim, tried again until the time is over."""
        ending, error = self._ending
        while (left := self._deadline - time.monotonic()) > 0:
            try:
                database = self._connected()
                with in_words(self._uri), within(left):
                    frame = self._newest()
                    self._write_facts(database)
                    if frame is not None and self._recalled:
                        self._write_figures(database, frame)
                        self._write_memory(database, frame)
                        if self._element["status"] == Status.REMOVED:
                            self._close_alerts(database, frame)
                    claims.give_back(database, self._held, ending, self._patience, error)
                self._turn("ended")
                break
            except Fenced:
                self._turn("fenced")
                break
            except (StoreError, OSError) as failure:
                self._lost(str(failure))
                threading.Event().wait(min(0.2, max(left, 0.0)))
        self._disconnect()
        self._server.release(0.3)

    def _turn(self, state: State) -> None:
        self.state = state
        self.changed.set()


def _in_parts(edges: Sequence[AlertEvent], write: Callable[[Sequence[AlertEvent]], object]) -> None:
    in_parts(edges, write)


def _error_of(frame: Frame) -> str | None:
    """What is wrong with the source, or with the element's own limits; not that it is starting."""
    health = frame.health
    if frame.book is None and health.feed.phase != "down":
        return None
    return health.error


WATCHED = (
    "status", "login", "server", "password", "password_at", "investor", "profile", "source",
)  # fmt: skip


def _watched(element: Mapping[str, Any]) -> Document:
    """What of an element others may change under a running worker; our own statuses are none."""
    found = {name: element.get(name) for name in WATCHED}
    if found["status"] not in (Status.REMOVED, Status.ERROR):
        found["status"] = None
    return found

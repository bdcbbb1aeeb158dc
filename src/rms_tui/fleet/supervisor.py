"""The supervisor of one host: gives waiting elements its free instances, and watches the workers.

Everything it knows stands in MongoDB or is its own child process, so that any number of them may
run, be killed and started again. It wakes up by the change stream and looks by itself all the
same: a missed event loses nothing. It never touches a process it did not start.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]  # no types

from rms_tui.fleet.exits import Exit, ending_of, in_words
from rms_tui.fleet.follow import Follower
from rms_tui.fleet.launch import LOOK, STOP, Child, Launch
from rms_tui.fleet.tempo import Tempo
from rms_tui.plural import counted
from rms_tui.store import claims, listing, upkeep
from rms_tui.store.claims import Claim, Ending
from rms_tui.store.database import Rms, connect, let_go, within
from rms_tui.store.database import in_words as store_errors
from rms_tui.store.embedded import Server
from rms_tui.store.errors import StoreError
from rms_tui.store.named import id_text, key_of
from rms_tui.store.renamed import Name
from rms_tui.store.schema import Status
from rms_tui.store.strangers import all_strangers, in_a_line

LONGEST_PAUSE = 2.0
_SAME_BIRTH = 3.0
"""Creation times within this many seconds are one process: the host's boot time is estimated."""

_log = logging.getLogger("rms_tui.fleet")
PRINTED = "rms_tui.fleet.events"
"""The logger of what `say` is told as well."""

_events = logging.getLogger(PRINTED)

Say = Callable[[str, Mapping[str, Any]], None]
"""Told of everything that happens: what, and its particulars."""


def _silence(what: str, particulars: Mapping[str, Any]) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class _Running:
    """A worker of ours, since when (monotonic), and whether it has taken up its claim."""

    held: Claim
    child: Child
    since: float
    begun: bool = False


@dataclass(slots=True)
class Counts:
    """What a supervisor did since its start."""

    claims: int = 0
    restarts: int = 0
    fenced: int = 0
    swept: int = 0
    recovered: int = 0
    exits: dict[str, int] = field(default_factory=dict)


class Supervisor:
    """One host's supervisor."""

    def __init__(
        self,
        server: Server,
        database: Name,
        host: str,
        launch: Launch,
        *,
        tempo: Tempo | None = None,
        say: Say = _silence,
    ) -> None:
        self.id = uuid.uuid4().hex[:12]
        self._me = {
            "id": self.id,
            "pid": os.getpid(),
            "born": psutil.Process().create_time(),
        }
        self.counts = Counts()
        self._server = server
        self._name = database
        self._host = host
        self._launch = launch
        self._tempo = Tempo() if tempo is None else tempo
        self._say = say
        self._wake = threading.Event()
        self._follower = Follower(server, database, host, self._wake)
        self._running: dict[tuple[Any, int], _Running] = {}
        self._strange = ""
        self._owed: list[tuple[Claim, Ending, str | None]] = []
        self._database: Rms | None = None
        self._uri = ""
        self._failures = 0
        self._reconcile = True
        self._next_sweep = 0.0
        self._next_look = 0.0

    def run(self, stopping: threading.Event) -> None:
        """Supervise until `stopping`; then have the workers release, and return.

        Raises StoreError when MongoDB can never be used with these settings.
        """
        self._follower.start()
        try:
            while not stopping.is_set():
                self._reap()
                try:
                    self._step()
                    self._failures = 0
                except (StoreError, OSError) as error:
                    self._lost(error)
                    stopping.wait(min(LONGEST_PAUSE, 0.1 * 2**self._failures))
                self._wait(stopping)
        finally:
            self._follower.stop()
            self._release_all()
            self._disconnect()
            self._server.release(0.5)

    def _wait(self, stopping: threading.Event) -> None:
        """Until something wakes us, at most a tick; `stopping` is looked at in between."""
        if not stopping.is_set():
            self._wake.wait(self._tempo.tick)
            self._wake.clear()

    def _step(self) -> None:
        database = self._connected()
        with store_errors(self._uri):
            self._settle(database)
            self._hear(database)
            if time.monotonic() >= self._next_look or self._reconcile:
                self._next_look = time.monotonic() + max(1.0, self._tempo.tick)
                self._keep(database)
                self._recover(database)
            self._claim_waiting(database)
            if time.monotonic() >= self._next_sweep:
                self._next_sweep = time.monotonic() + self._tempo.sweep
                self._sweep(database)

    def _connected(self) -> Rms:
        if self._database is None:
            self._uri = self._server.uri(threading.Event())
            self._database = connect(self._uri, self._name)
            # Whoever was away as long as we were must have the time to ping first.
            grace = max(self._tempo.sweep, 3 * self._tempo.ping)
            self._next_sweep = time.monotonic() + grace
            self._reconcile = True
            self._say("connected", {"host": self._host, "supervisor": self.id})
        return self._database

    def _lost(self, error: Exception) -> None:
        if isinstance(error, StoreError) and error.final:
            raise error
        if self._failures == 0:
            _events.warning("MongoDB is away, the workers go on: %s", error)
            self._say("away", {"error": str(error)})
        self._failures = min(self._failures + 1, 8)
        self._disconnect()

    def _disconnect(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            let_go(database)

    def _reap(self) -> None:
        """Take note of workers that ended; what that means for their claims is written next."""
        for key, one in list(self._running.items()):
            status = one.child.poll()
            if status is None:
                continue
            del self._running[key]
            self._note_exit(one, status)
            self._owed.append((one.held, ending_of(status), _why(status)))

    def _note_exit(self, one: _Running, status: int) -> None:
        words = in_words(status)
        self.counts.exits[words] = self.counts.exits.get(words, 0) + 1
        if status == Exit.FENCED:
            self.counts.fenced += 1
        if status not in (Exit.RELEASED, Exit.FENCED):
            self.counts.restarts += 1
        level = logging.INFO if status == Exit.RELEASED else logging.WARNING
        _events.log(level, "worker %s of %s ended: %s", one.child.pid, one.held.login, words)
        self._say("ended", {**_named(one.held), "pid": one.child.pid, "exit": words})

    def _settle(self, database: Rms) -> None:
        """Give back claims of workers that ended without doing it, or whose doing is unknown."""
        while self._owed:
            held, ending, why = self._owed[0]
            claims.give_back(database, held, ending, self._tempo.patience, why)
            self._owed.pop(0)

    def _hear(self, database: Rms) -> None:
        """What changed by the stream: tell of it, and have the worker it concerns look."""
        changes, anew = self._follower.taken()
        if anew or self._reconcile:
            self._reconcile = False
            upkeep.fill_in(database)
            upkeep.revive(database)
            upkeep.forget_passwords(database)
            self._tell_strangers(database)
            self._say("elements", {"elements": listing.elements(database)})
        if not changes:
            return
        if any(change.collection == "elements" and not change.fields for change in changes):
            upkeep.fill_in(database)
        edited = {key_of(one.id): one.id for one in changes if one.collection == "elements"}
        if any(change.fields - {"status", "instance", "error"} for change in changes):
            upkeep.revive(database)
        for one in self._running.values():
            if key_of(one.held.element) in edited:
                one.child.order(LOOK)
        for element in edited.values():
            self._say("element", {"element": listing.element(database, element)})

    def _keep(self, database: Rms) -> None:
        """Ping for workers that are being started: on a busy host that takes its time."""
        now = time.monotonic()
        for one in self._running.values():
            if not one.begun and now - one.since < self._tempo.silent:
                one.begun = not claims.keep(database, one.held)

    def _recover(self, database: Rms) -> None:
        """Claims of this host without a worker: ours whose answer was lost, those of the dead."""
        known = set(self._running)
        quiet = min(2 * self._tempo.ping, self._tempo.silent)
        for held, instance in upkeep.claimed_here(database, self._host, self.id, known, quiet):
            own = (instance.get("supervisor") or {}).get("id") == self.id
            if not own and _lives(instance):
                continue
            why = "the worker was not started" if own else "the worker's process is gone"
            if claims.give_back(database, held, Ending.CRASHED, self._tempo.patience, why):
                self.counts.recovered += 1
                _events.warning("%s gives back %s: %s", *reversed(_where(held)), why)
                self._say("recovered", {**_named(held), "why": why})

    def _claim_waiting(self, database: Rms) -> None:
        """Give waiting elements free instances, as many at a time as may start together."""
        room = self._tempo.launches - self._starting(database)
        if room <= 0 or upkeep.free_instances(database, self._host) == 0:
            return
        for element in upkeep.waiting(database, room):
            held = claims.claim(database, element, self._host, self._me)
            if held is None:
                if upkeep.free_instances(database, self._host) == 0:
                    return
                continue
            self.counts.claims += 1
            self._start(held)

    def _starting(self, database: Rms) -> int:
        """Workers of ours that have not shown a figure yet, of the last half minute."""
        now = time.monotonic()
        young = [one.held.element for one in self._running.values() if now - one.since < 30.0]
        if not young:
            return 0
        asked = {"_id": {"$in": young}, "status": Status.PENDING.value}
        return database.elements.count_documents(asked)

    def _start(self, held: Claim) -> None:
        try:
            child = self._launch(held)
        except (OSError, ValueError) as error:  # a NUL in an id or a path
            _log.error("a worker cannot be started: %s", error)
            self._owed.append((held, Ending.CRASHED, f"a worker cannot be started: {error}"))
            return
        self._running[held.key] = _Running(held, child, time.monotonic())
        _events.info("worker %s of %s started, %s, term %d", child.pid, *_where(held), held.term)
        self._say("claimed", {**_named(held), "pid": child.pid})

    def _sweep(self, database: Rms) -> None:
        upkeep.fill_in(database)
        upkeep.revive(database)
        upkeep.forget_passwords(database)
        self._tell_strangers(database)
        swept = upkeep.sweep(database, self._tempo.silent, self._tempo.patience)
        self.counts.swept += len(swept.ended)
        for held in swept.ended:
            _events.warning("instance %s fell silent", held.instance)
            self._say("silent", _named(held))

    def _tell_strangers(self, database: Rms) -> None:
        """Of documents that nobody can watch or use, once."""
        strange = in_a_line(all_strangers(database))
        if strange not in ("", self._strange):
            _events.warning("left alone: %s", strange)
            self._say("left alone", {"documents": strange})
        self._strange = strange

    def _release_all(self) -> None:
        """Have every worker give its claim back; who does not in time is ended."""
        for one in self._running.values():
            one.child.order(STOP)
        deadline = time.monotonic() + self._tempo.stop + 2.0
        pause = threading.Event()
        while self._running and time.monotonic() < deadline:
            self._reap()
            pause.wait(0.05)
        for one in self._running.values():
            one.child.kill()
        self._reap()
        try:
            database = self._connected()
            with store_errors(self._uri), within(self._tempo.stop):
                self._settle(database)
        except (StoreError, OSError) as error:
            owed = counted(len(self._owed), "claim")
            _log.error("%s not given back yet, the next sweep does it: %s", owed, error)


def _named(held: Claim) -> dict[str, Any]:
    return {
        "element": id_text(held.element),
        "login": held.login,
        "server": held.server,
        "instance": id_text(held.instance),
        "term": held.term,
    }


def _where(held: Claim) -> tuple[str, str]:
    """The account and the instance of a claim, for a log."""
    account = f"{held.login} on {held.server}" if held.server else f"element {held.element}"
    return account, f"instance {id_text(held.instance)}"


def _why(status: int) -> str | None:
    """What to say of a worker that ended without saying it."""
    return (
        None if status in (Exit.RELEASED, Exit.FENCED) else f"the worker ended: {in_words(status)}"
    )


def _lives(instance: Mapping[str, Any]) -> bool:
    """Whether a process of this host is still behind the claim: its worker, or before that has
    begun, who launches it."""
    begun = instance.get("pid") is not None
    who = instance if begun else (instance.get("supervisor") or {})
    pid, born = who.get("pid"), who.get("born")
    if not isinstance(pid, int) or not isinstance(born, float):
        return True  # nobody can say: the sweep will
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return bool(alive and abs(process.create_time() - born) < _SAME_BIRTH)
    except (psutil.NoSuchProcess, ValueError, OverflowError):  # no process has such a number
        return False
    except psutil.AccessDenied:
        return True

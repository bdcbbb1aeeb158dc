"""Two hundred elements at once on fifty instances of two hosts: each gets its turn, none two.

The supervisors, claims, pings, sweeps and MongoDB are real. The workers are threads here: two
hundred starts of Python take a small machine many minutes, and what is tried is who gets what, not
what a worker does with it. `test_many_processes` has fifty of them as processes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
from tests.faults.fleet import (
    FIRST,
    SERVER,
    TOTALS,
    Fleet,
    assert_consistent,
    assert_never_two,
    until,
)

from rms_tui.fleet.exits import Exit
from rms_tui.fleet.supervisor import Supervisor
from rms_tui.fleet.tempo import Tempo
from rms_tui.store import claims
from rms_tui.store.claims import Claim, Ending, Fenced, Patience
from rms_tui.store.database import Rms
from rms_tui.store.embedded import Remote

ELEMENTS, INSTANCES = 200, 50
PATIENCE = Patience(first=0.2, longest=1.0, refused=0.3)
TEMPO = Tempo(ping=0.5, silent=20.0, sweep=1.0, launches=8, patience=PATIENCE)


class ThreadWorker:
    """A worker that claims, pings and releases as a process does, and does nothing else."""

    pid = os.getpid()

    def __init__(self, database: Rms, held: Claim) -> None:
        self._database = database
        self._held = held
        self._told = threading.Event()
        self._status: int | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def poll(self) -> int | None:
        return self._status

    def order(self, word: str) -> None:
        if word == "stop":
            self._told.set()

    def kill(self) -> None:
        self._told.set()

    def _run(self) -> None:
        held, database = self._held, self._database
        try:
            claims.begin(database, held, self.pid, psutil.Process().create_time())
            active = {"status": "ACTIVE", "account": {"equity": float(held.login)}}
            claims.write_element(database, held, active, restated=True)
            while not self._told.wait(TEMPO.ping):
                if claims.ping(database, held, {"worker": self.pid})["status"] == "REMOVED":
                    break
            claims.give_back(database, held, Ending.RELEASED, PATIENCE)
            self._status = Exit.RELEASED
        except Fenced:
            self._status = Exit.FENCED


def test_two_hundred_elements_share_fifty_instances_and_none_is_lost(fleet: Fleet) -> None:
    fleet.instances(INSTANCES // 2, "one")
    fleet.instances(INSTANCES // 2, "two")
    stopping = threading.Event()
    supervisors = [_supervisor(fleet, host) for host in ("one", "two", "one")]
    threads = [threading.Thread(target=s.run, args=(stopping,)) for s in supervisors]
    for thread in threads:
        thread.start()
    try:
        logins = list(range(FIRST, FIRST + ELEMENTS))
        began = time.monotonic()
        fleet.database.elements.insert_many({"login": at, "server": SERVER} for at in logins)
        until(_statuses(fleet, ACTIVE=INSTANCES, PENDING=ELEMENTS - INSTANCES), 60)
        print(f"{INSTANCES} of {ELEMENTS} claimed in {time.monotonic() - began:.1f} s")
        assert fleet.database.instances.count_documents({"status": "OCCUPIED"}) == INSTANCES
        while fleet.database.elements.count_documents({"status": "PENDING"}):
            _remove_active(fleet)
            left = fleet.database.elements.count_documents({"status": {"$ne": "REMOVED"}})
            until(_statuses(fleet, ACTIVE=min(INSTANCES, left)), 60)
        print(f"all {ELEMENTS} had their turn in {time.monotonic() - began:.1f} s")
        served = fleet.database.claims.distinct("login", {"event": "claimed"})
        assert sorted(served) == logins
        assert_consistent(fleet.database)
        assert_never_two(fleet.database)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(30)
    assert fleet.database.instances.count_documents({"status": "FREE"}) == INSTANCES
    TOTALS["claims of 200 elements"] += sum(s.counts.claims for s in supervisors)
    assert sum(s.counts.claims for s in supervisors) == fleet.database.claims.count_documents(
        {"event": "claimed"}
    )


def _supervisor(fleet: Fleet, host: str) -> Supervisor:
    def launch(held: Claim) -> ThreadWorker:
        return ThreadWorker(fleet.database, held)

    return Supervisor(Remote(fleet.uri), fleet.database.name, host, launch, tempo=TEMPO)


def _remove_active(fleet: Fleet) -> None:
    """An operator removes all that are watched now."""
    fleet.database.elements.update_many({"status": "ACTIVE"}, {"$set": {"status": "REMOVED"}})


def _statuses(fleet: Fleet, **wanted: int) -> Callable[[], Any]:
    def so() -> bool:
        found = {
            status: fleet.database.elements.count_documents({"status": status}) for status in wanted
        }
        return found == wanted

    return so

"""Two hundred elements at once on fifty instances of two hosts, all of it processes.

Each worker is a real one, with the process of its terminal: a hundred of them at one time. That all
two hundred get their turn takes more starts than a small machine has time for; that is in
`test_many`, with threads. Here the queue moves on by ten.
"""

from __future__ import annotations

import time
from collections import Counter
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

ELEMENTS, INSTANCES, MOVE_ON = 200, 50, 10
LOGINS = range(FIRST, FIRST + ELEMENTS)
BALANCE = 10_000.0

UNHURRIED: dict[str, str] = {
    "RMS_UPDATE_INTERVAL": "5",
    "RMS_FLEET_PING": "10",
    "RMS_FLEET_SILENT": "300",
    "RMS_FLEET_LAUNCHES": "1",
    "RMS_FLEET_STOP": "25",
    "RMS_FLEET_TERMINAL_SILENCE": "60",
    "RMS_FLEET_TERMINAL_START": "120",
}
"""As a fleet runs by default, and no terminal is given up for being slow: a hundred processes share
the machine with whatever else runs on it. Three supervisors start three workers at one time."""

PATIENT = 400.0
"""Seconds that fifty starts may take on a machine that does other things."""


def test_fifty_workers_run_two_hundred_elements_wait_in_line_and_none_is_lost(fleet: Fleet) -> None:
    fleet.settings |= UNHURRIED
    fleet.instances(INSTANCES // 2, "one")
    fleet.instances(INSTANCES // 2, "two")
    for login in LOGINS:
        fleet.world.account(login, balance=BALANCE, equity=_equity(login))
    fleet.world.push()
    supervisors = [fleet.supervise(host) for host in ("one", "two", "one")]
    for supervisor in supervisors:
        until(lambda of=supervisor: of.events(), 60, "a supervisor is connected")

    began = time.monotonic()
    fleet.database.elements.insert_many({"login": at, "server": SERVER} for at in LOGINS)
    _until_watched(fleet, INSTANCES, PENDING=ELEMENTS - INSTANCES)
    took = time.monotonic() - began
    print(f"{INSTANCES} of {ELEMENTS} watched by processes in {took:.1f} s")
    first = _workers(fleet)
    assert len(first) == INSTANCES
    assert sorted(_watched(fleet)) == sorted(LOGINS[:INSTANCES]), "first come, first served"
    assert_consistent(fleet.database)
    assert_never_two(fleet.database)

    gone = sorted(_watched(fleet))[:MOVE_ON]
    ended = [psutil.Process(first[login]) for login in gone]
    removed = {"$set": {"status": "REMOVED"}}
    fleet.database.elements.update_many({"login": {"$in": gone}}, removed)
    _until_watched(
        fleet, INSTANCES, PENDING=ELEMENTS - INSTANCES - MOVE_ON, REMOVED=MOVE_ON, over=ended
    )
    took = time.monotonic() - began
    print(f"{MOVE_ON} more in the place of {MOVE_ON} removed, {took:.1f} s after the beginning")
    second = _workers(fleet)
    assert sorted(second) == sorted(LOGINS[MOVE_ON : INSTANCES + MOVE_ON])
    kept = set(first) & set(second)
    assert len(kept) == INSTANCES - MOVE_ON
    assert {at: second[at] for at in kept} == {at: first[at] for at in kept}, "left undisturbed"
    assert_consistent(fleet.database)

    claimed = [row["login"] for row in fleet.log() if row["event"] == "claimed"]
    assert sorted(claimed) == list(LOGINS[: INSTANCES + MOVE_ON]), "one claim each"

    fleet.stop()
    assert not any(psutil.pid_exists(pid) for pid in second.values())
    assert _statuses(fleet) == {"PENDING": ELEMENTS - MOVE_ON, "REMOVED": MOVE_ON}
    assert fleet.database.instances.count_documents({"status": "FREE"}) == INSTANCES
    ends = Counter(row["why"] for row in fleet.log() if row["event"] == "ended")
    assert set(ends) == {"released"}
    TOTALS["claims of 200 elements by processes"] += len(claimed)


def _equity(login: int) -> float:
    """Another one for each account, so that nobody's figures pass for another's."""
    return BALANCE + (login - FIRST) / 100


def _until_watched(
    fleet: Fleet, watched: int, *, over: list[psutil.Process] | None = None, **others: int
) -> None:
    """Wait until so many elements are ACTIVE with figures and the others stand as said."""
    wanted = {"ACTIVE": watched, **others}
    until(
        lambda: (
            _statuses(fleet) == wanted
            and len(_watched(fleet)) == watched
            and not any(process.is_running() for process in over or ())
        ),
        PATIENT,
        f"{wanted}",
    )


def _statuses(fleet: Fleet) -> dict[str, int]:
    grouped = [{"$group": {"_id": "$status", "count": {"$sum": 1}}}]
    return {str(row["_id"]): row["count"] for row in fleet.database.elements.aggregate(grouped)}


def _watched(fleet: Fleet) -> list[int]:
    asked = {"status": "ACTIVE", "account.equity": {"$ne": None}}
    return [found["login"] for found in fleet.database.elements.find(asked, {"login": 1})]


def _workers(fleet: Fleet) -> dict[int, int]:
    """The worker's process of each login, after a look at every one of them.

    Exactly the workers that run under the supervisors are those in MongoDB, each with its own
    element, instance, terminal and figures; what waits has none of it.
    """
    running = {
        child.pid: child.cmdline()
        for supervisor in fleet.supervisors
        for child in psutil.Process(supervisor.pid).children()
    }
    of_login: dict[int, int] = {}
    instances = {one["_id"]: one for one in fleet.database.instances.find()}
    for element in fleet.database.elements.find():
        if element["status"] != "ACTIVE":
            assert _has_nothing(element), element
            continue
        assert element["account"]["equity"] == _equity(element["login"])
        instance = instances[element["instance"]]
        assert (instance["status"], instance["element"]) == ("OCCUPIED", element["_id"])
        said = _options(running[instance["pid"]])
        assert said["--element-id"] == str(element["_id"])
        assert (said["--instance"], said["--pathway"]) == (instance["_id"], instance["path"])
        assert (said["--host"], int(said["--term"])) == (instance["host"], element["term"])
        of_login[element["login"]] = instance["pid"]
    assert sorted(of_login.values()) == sorted(running), "no worker that nobody knows"
    return of_login


def _has_nothing(element: dict[str, Any]) -> bool:
    if element["status"] == "PENDING":
        return element.get("instance") is None and element.get("account") is None
    return element["status"] == "REMOVED" and element.get("instance") is None


def _options(command: list[str]) -> dict[str, str]:
    given = command[command.index("worker") + 1 :]
    return dict(zip(given[::2], given[1::2], strict=True))

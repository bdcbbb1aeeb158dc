"""MongoDB that dies, changes its primary or is cut off: monitoring goes on, nobody writes twice."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.fleet import FIRST, Fleet, World, assert_consistent, assert_never_two, until
from tests.faults.proxy import cable
from tests.faults.servers import killable, step_down, three_nodes

from rms_tui.store.database import Rms, connect

SECOND = FIRST + 1
DOWN = 7.0
"""Seconds that mongod is away: longer than a claim lives without a ping."""


@contextmanager
def fleet_at(uri: str, folder: Path) -> Iterator[Fleet]:
    """A fleet on a server of its own; the test itself waits longer for it than the fleet does."""
    patient = uri.replace("serverSelectionTimeoutMS=500", "serverSelectionTimeoutMS=15000")
    database = connect(patient, f"rms_{uuid.uuid4().hex[:12]}")
    made = Fleet(folder, uri, database, World(folder))
    try:
        yield made
        made.end()
        assert_never_two(database)
    finally:
        for supervisor in made.supervisors:
            if supervisor.process.poll() is None:
                supervisor.kill()
        database.client.close()


def test_a_mongod_that_is_killed_and_comes_back_finds_everything_going_on(
    mongod_path: Path, tmp_path: Path
) -> None:
    with (
        killable(mongod_path, tmp_path / "server") as server,
        fleet_at(server.uri, tmp_path) as fleet,
    ):
        fleet.instances(2)
        fleet.supervise()
        fleet.element(FIRST, profile={"max_daily_loss": 500})
        fleet.element(SECOND)
        fleet.active(FIRST, SECOND)
        workers = {fleet.worker_of(FIRST).pid, fleet.worker_of(SECOND).pid}
        terms = {login: fleet.read(login)["term"] for login in (FIRST, SECOND)}
        server.kill()
        fleet.world.equity(FIRST, 9_400.0)
        _for(DOWN / 2)
        fleet.world.equity(FIRST, 9_900.0)  # over before anybody could write it
        _for(DOWN / 2)
        server.start()
        until(lambda: fleet.database.alerts.find_one({"login": FIRST, "severity": "breach"}))
        until(lambda: fleet.read(FIRST)["account"]["equity"] == 9_900.0)
        until(lambda: fleet.database.alerts.find_one({"login": FIRST, "stage": "recovered"}))
        _for(2.0)  # sweeps that must find nothing
        assert {fleet.worker_of(FIRST).pid, fleet.worker_of(SECOND).pid} == workers
        assert {login: fleet.read(login)["term"] for login in terms} == terms
        assert_consistent(fleet.database)
        fleet.element(SECOND + 1)
        fleet.instances(1)
        fleet.active(SECOND + 1)


def test_a_primary_that_steps_down_costs_nothing(mongod_path: Path, tmp_path: Path) -> None:
    with (
        three_nodes(mongod_path, tmp_path / "nodes") as uri,
        fleet_at(uri, tmp_path) as fleet,
    ):
        fleet.instances(2)
        fleet.supervise()
        fleet.element(FIRST)
        fleet.active(FIRST)
        worker, term = fleet.worker_of(FIRST).pid, fleet.read(FIRST)["term"]
        step_down(uri)
        fleet.element(SECOND)
        fleet.world.equity(FIRST, 10_250.0)
        until(lambda: fleet.read(FIRST)["account"]["equity"] == 10_250.0, 60)
        fleet.active(SECOND)
        assert (fleet.worker_of(FIRST).pid, fleet.read(FIRST)["term"]) == (worker, term)
        assert_consistent(fleet.database)


def test_a_worker_that_was_cut_off_changes_nothing_once_another_has_its_element(
    fleet_uri: str, tmp_path: Path
) -> None:
    port = int(fleet_uri.partition("?")[0].rstrip("/").rpartition(":")[2])
    with cable(port) as line:
        cut = (
            f"mongodb://127.0.0.1:{line.port}/?directConnection=true"
            "&serverSelectionTimeoutMS=500&socketTimeoutMS=1000"
        )
        with fleet_at(fleet_uri, tmp_path) as fleet:
            fleet.instances(1, "one")
            fleet.supervise("one", RMS_MONGODB_URI=cut)
            fleet.element(FIRST, profile={"max_daily_loss": 500})
            fleet.active(FIRST)
            first, path = fleet.worker_of(), "C:\\MT5\\one\\0".lower()
            line.cut()
            fleet.world.terminal["terminals"][path] = {
                "account": {"equity": 6_666.0, "profit": -3_334.0, "margin_free": 6_666.0}
            }
            fleet.world.push()
            fleet.instances(1, "two")
            fleet.supervise("two")
            until(lambda: any(row["why"] == "silent" for row in fleet.log()), 60)
            until(lambda: fleet.read()["instance"] == "two-1", 60)
            with changes(fleet.database) as seen:
                fleet.active(FIRST)
                second, term = fleet.worker_of(), fleet.read()["term"]
                assert first.is_running()
                line.mend()
                until(lambda: not first.is_running(), 60)
                _for(1.0)
                assert fleet.read()["term"] == term
                assert fleet.worker_of().pid == second.pid
                assert fleet.read()["status"] == "ACTIVE"
                assert not [event for event in seen() if "6666" in repr(event)]
            assert fleet.database.alerts.count_documents({}) == 0
            events = fleet.supervisors[0].events()
            assert [e["exit"] for e in events if e["event"] == "ended"] == ["fenced"]


def test_a_worker_that_was_cut_off_changes_nothing_once_another_has_its_instance(
    fleet_uri: str, tmp_path: Path
) -> None:
    port = int(fleet_uri.partition("?")[0].rstrip("/").rpartition(":")[2])
    with cable(port) as line:
        cut = (
            f"mongodb://127.0.0.1:{line.port}/?directConnection=true"
            "&serverSelectionTimeoutMS=500&socketTimeoutMS=1000"
        )
        with fleet_at(fleet_uri, tmp_path) as fleet:
            fleet.instances(1)
            fleet.supervise("one", RMS_MONGODB_URI=cut)
            fleet.element(FIRST, profile={"max_daily_loss": 500})
            fleet.active(FIRST)
            first, term = fleet.worker_of(), fleet.read()["term"]
            line.cut()
            fleet.world.equity(FIRST, 6_666.0)  # a breach that it sees and cannot write
            _for(2.0)
            fleet.world.equity(FIRST, 10_000.0)
            fleet.database.elements.update_one({"login": FIRST}, {"$set": {"status": "REMOVED"}})
            fleet.element(SECOND)
            fleet.supervise("one")
            fleet.active(SECOND, seconds=40)
            assert first.is_running()
            held = fleet.database.instances.find_one({})
            assert held is not None
            assert held["element"] == fleet.read(SECOND)["_id"]
            assert held["term"] > term
            with changes(fleet.database) as seen:
                line.mend()
                until(lambda: not first.is_running(), 60)
                _for(1.0)
                assert not [event for event in seen() if "6666" in repr(event)]
            assert fleet.worker_of(SECOND).pid == held["pid"]
            assert fleet.read(FIRST)["status"] == "REMOVED"
            assert fleet.database.alerts.count_documents({}) == 0
            events = fleet.supervisors[0].events()
            assert [e["exit"] for e in events if e["event"] == "ended"] == ["fenced"]


def test_a_lost_resume_token_loses_no_element(fleet: Fleet) -> None:
    fleet.instances(2)
    first = fleet.supervise()
    fleet.element(FIRST)
    fleet.active(FIRST)
    first.stop()
    with fleet.database.elements.watch(max_await_time_ms=500) as stream:
        fleet.database.elements.update_one({"login": FIRST}, {"$set": {"created_by": "ann"}})
        event: Any = until(stream.try_next)
    of_event = str(event["_id"]["_data"])
    past = of_event[:10] + "7FFFFFFF" + of_event[18:]  # of that second, and never in the oplog
    fleet.database.streams.update_one(
        {"_id": "supervisor/one"}, {"$set": {"token": {"_data": past}}}, upsert=True
    )
    fleet.element(SECOND)
    second = fleet.supervise()
    fleet.active(FIRST, SECOND)
    until(
        lambda: fleet.database.streams.find_one(
            {"_id": "supervisor/one", "token._data": {"$ne": past}}
        )
    )
    assert "is lost, everything is read again" in (fleet.folder / "data/rms.log").read_text("utf-8")
    fleet.element(SECOND + 1)
    until(lambda: any(_inserted(event, SECOND + 1) for event in second.events()))


def test_a_token_that_is_none_is_as_good_as_lost(fleet: Fleet) -> None:
    fleet.database.streams.insert_one({"_id": "supervisor/one", "token": {"_data": "no token"}})
    fleet.instances(1)
    fleet.supervise()
    fleet.element()
    fleet.active(FIRST)


def test_a_resumed_stream_tells_what_happened_meanwhile(fleet: Fleet) -> None:
    fleet.instances(1)
    first = fleet.supervise()
    fleet.element(FIRST)
    fleet.active(FIRST)
    until(lambda: fleet.database.streams.find_one({"_id": "supervisor/one"}))
    first.stop()
    fleet.element(SECOND)
    second = fleet.supervise()
    until(lambda: any(_inserted(event, SECOND) for event in second.events()))


@contextmanager
def changes(database: Rms) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Everything that is written to the database meanwhile."""
    found: list[dict[str, Any]] = []
    with database.watch(max_await_time_ms=50) as stream:

        def seen() -> list[dict[str, Any]]:
            while (event := stream.try_next()) is not None:
                found.append(dict(event))
            return found

        yield seen


def _inserted(event: dict[str, Any], login: int) -> bool:
    element = event.get("element")
    return event["event"] == "element" and isinstance(element, dict) and element["login"] == login


def _for(seconds: float) -> None:
    """Time during which something must not happen."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        threading.Event().wait(left)

"""Workers and supervisors that die, in any way: the element is watched again, by one of them."""

from __future__ import annotations

import time

import psutil
from tests.faults.fleet import FIRST, SERVER, Fleet, assert_consistent, assert_never_two, until

SECOND = FIRST + 1


def test_a_killed_worker_is_replaced_at_once(fleet: Fleet) -> None:
    fleet.instances(1)
    fleet.supervise()
    fleet.element()
    fleet.active(FIRST)
    before = fleet.read()
    killed = fleet.worker_of()
    children = killed.children()
    killed.kill()
    until(lambda: fleet.read()["term"] > before["term"])
    fleet.active(FIRST)
    until(lambda: fleet.worker_of().pid != killed.pid)
    until(lambda: not any(child.is_running() for child in children))
    instance = fleet.database.instances.find_one({})
    assert instance is not None
    assert instance["restarts"] == 1
    assert [row["why"] for row in fleet.log() if row["event"] == "ended"] == ["crashed"]
    assert_consistent(fleet.database)


def test_logs_say_which_account_was_where_and_what_was_killed(fleet: Fleet) -> None:
    fleet.instances(1)
    fleet.supervise()
    fleet.element()
    fleet.active(FIRST)
    worker = fleet.worker_of()
    terminal = worker.children()[0]
    terminal.kill()

    def said(pattern: str, text: str) -> bool:
        found = fleet.folder.rglob(pattern)
        return any(text in file.read_text("utf-8") for file in found)

    until(lambda: said("worker-*.log", f"process {terminal.pid} was ended by SIGKILL"))
    assert said("worker-*.log", f"account {FIRST} on {SERVER}, through C:\\MT5\\one\\0")
    started = f"worker {worker.pid} of {FIRST} on {SERVER} started, instance one-0, term 1"
    assert said("rms.log", started)


def test_workers_of_a_killed_supervisor_release_and_the_next_one_takes_over(fleet: Fleet) -> None:
    fleet.instances(2)
    first = fleet.supervise()
    fleet.element(FIRST)
    fleet.element(SECOND)
    fleet.active(FIRST, SECOND)
    workers = [fleet.worker_of(FIRST), fleet.worker_of(SECOND)]
    first.kill()
    began = time.monotonic()
    until(lambda: not any(worker.is_running() for worker in workers), 60)
    assert time.monotonic() - began < 10
    assert {one["status"] for one in fleet.database.elements.find()} == {"PENDING"}
    assert {one["status"] for one in fleet.database.instances.find()} == {"FREE"}
    fleet.supervise()
    fleet.active(FIRST, SECOND)
    assert_consistent(fleet.database)


def test_a_supervisor_killed_with_all_its_workers_leaves_nothing_for_long(fleet: Fleet) -> None:
    fleet.settings["RMS_FLEET_SILENT"] = "60"  # the sweep comes far too late to help
    fleet.instances(1)
    first = fleet.supervise()
    fleet.element()
    fleet.active(FIRST)
    worker = fleet.worker_of()
    worker.suspend()
    first.kill()
    worker.kill()
    fleet.supervise()
    until(lambda: any(row["why"] == "crashed" for row in fleet.log()), 60)
    fleet.active(FIRST)
    assert fleet.worker_of().pid != worker.pid


def test_two_supervisors_of_one_host_share_its_instances(fleet: Fleet) -> None:
    fleet.instances(3)
    both = [fleet.supervise(), fleet.supervise()]
    logins = range(FIRST, FIRST + 6)
    for login in logins:
        fleet.element(login)
    until(lambda: fleet.database.instances.count_documents({"status": "FREE"}) == 0)
    until(lambda: fleet.database.elements.count_documents({"status": "ACTIVE"}) == 3, 60)
    parents = {psutil.Process(one["pid"]).ppid() for one in fleet.database.instances.find()}
    assert parents <= {supervisor.pid for supervisor in both}
    assert fleet.database.elements.count_documents({"status": "PENDING"}) == 3
    assert_never_two(fleet.database)
    both[0].kill()
    until(lambda: fleet.database.elements.count_documents({"status": "ACTIVE"}) == 3, 60)
    until(
        lambda: (
            {
                psutil.Process(one["pid"]).ppid()
                for one in fleet.database.instances.find({"pid": {"$ne": None}})
                if psutil.pid_exists(one["pid"])
            }
            == {both[1].pid}
        )
    )


def test_sigterm_has_the_workers_give_everything_back_in_order(fleet: Fleet) -> None:
    fleet.instances(2)
    supervisor = fleet.supervise()
    fleet.element(FIRST)
    fleet.element(SECOND)
    fleet.active(FIRST, SECOND)
    workers = [fleet.worker_of(FIRST), fleet.worker_of(SECOND)]
    assert supervisor.stop() == 0
    assert not any(worker.is_running() for worker in workers)
    assert {one["status"] for one in fleet.database.elements.find()} == {"PENDING"}
    assert {one["status"] for one in fleet.database.instances.find()} == {"FREE"}
    ended = [event for event in supervisor.events() if event["event"] == "ended"]
    assert [event["exit"] for event in ended] == ["released", "released"]


def test_a_worker_that_stands_still_is_fenced_when_it_wakes_up(fleet: Fleet) -> None:
    fleet.instances(1, "one")
    fleet.instances(1, "two")
    fleet.supervise("one")
    fleet.element()
    fleet.active(FIRST)
    first = fleet.worker_of()
    instance = fleet.read()["instance"]
    fleet.supervise("two")
    first.suspend()
    until(lambda: any(row["why"] == "silent" for row in fleet.log()), 60)
    fleet.active(FIRST)
    second = fleet.worker_of()
    assert second.pid != first.pid
    term = fleet.read()["term"]
    first.resume()
    until(lambda: not first.is_running())
    assert fleet.read()["term"] == term
    assert fleet.worker_of().pid == second.pid
    ends = [e for s in fleet.supervisors for e in s.events() if e["event"] == "ended"]
    assert ends[0]["exit"] == "fenced", (instance, ends)

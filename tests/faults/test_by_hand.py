"""A worker that a person starts, as users of the older scripts did; its exit statuses."""

from __future__ import annotations

import signal

from tests.faults.fleet import FIRST, Fleet, assert_consistent, until

PATH = "C:\\MT5\\one\\0"


def test_a_worker_by_hand_claims_watches_and_gives_back_on_sigterm(fleet: Fleet) -> None:
    fleet.instances(1)
    element = fleet.element(status="PENDING", source="terminal")
    worker = fleet.work(element, PATH, "one-0")
    fleet.active(FIRST)
    assert_consistent(fleet.database)
    again = fleet.work(element, PATH, "one-0")
    assert again.wait(30) == 2
    assert again.stderr is not None
    assert "instance one-0 is OCCUPIED" in again.stderr.read()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert fleet.read()["status"] == "PENDING"
    assert fleet.database.instances.count_documents({"status": "FREE"}) == 1


def test_what_cannot_be_is_said_in_a_line_with_status_2(fleet: Fleet) -> None:
    fleet.instances(1)
    element = fleet.element(status="PENDING", source="terminal")
    tried = [
        fleet.work("nobody", PATH, "one-0"),
        fleet.work(element, PATH, "one-9"),
        fleet.work(element, "D:\\elsewhere", "one-0"),
    ]
    said = []
    for worker in tried:
        assert worker.wait(60) == 2
        assert worker.stderr is not None
        said.append(worker.stderr.read().splitlines()[-1])
    assert "no such element" in said[0]
    assert "no such instance" in said[1]
    assert "instance one-0 is C:\\MT5\\one\\0" in said[2]
    assert fleet.log() == []


def test_a_refused_login_is_status_4_a_dead_terminal_5_no_mongodb_6(fleet: Fleet) -> None:
    fleet.settings["RMS_FLEET_FAILURES"] = "1"
    fleet.instances(1)
    fleet.world.account(FIRST)
    fleet.world.terminal["accounts"][str(FIRST)]["initialize"] = [-6, "Authorization failed"]
    fleet.world.push()
    element = fleet.element(status="PENDING", source="terminal")
    assert fleet.work(element, PATH, "one-0").wait(60) == 4
    assert fleet.read()["status"] == "ERROR"
    fleet.world.terminal["accounts"][str(FIRST)]["initialize"] = [-10003, "no terminal"]
    fleet.world.push()
    fleet.database.elements.update_one({}, {"$set": {"status": "PENDING", "retry_at": None}})
    assert fleet.work(element, PATH, "one-0").wait(60) == 5
    assert fleet.database.instances.count_documents({"status": "FAULTY"}) == 1
    nowhere = "mongodb://127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=200"
    lost = fleet.work(element, PATH, "one-0", RMS_MONGODB_URI=nowhere)
    assert lost.wait(60) == 6


def test_a_worker_whose_claim_is_taken_ends_with_status_3(fleet: Fleet) -> None:
    fleet.instances(1)
    element = fleet.element(status="PENDING", source="terminal")
    worker = fleet.work(element, PATH, "one-0")
    fleet.active(FIRST)
    fleet.database.elements.update_one({}, {"$inc": {"term": 1}})
    assert worker.wait(30) == 3
    until(lambda: fleet.read()["term"] == 2)
    # As an operator's `instance reset --force` leaves it:
    fleet.database.instances.update_many({}, {"$set": {"status": "FREE", "element": None}})
    fleet.database.elements.update_many({}, {"$set": {"instance": None}})
    fleet.database.claims.delete_many({})

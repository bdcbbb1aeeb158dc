"""An element that a person inserts is watched in a moment, and its status says what is so."""

from __future__ import annotations

import time

from tests.faults.fleet import FIRST, SERVER, Fleet, assert_consistent, slowness, until

from rms_tui.store.database import connect
from rms_tui.store.renamed import Names


def test_an_inserted_element_is_watched_within_three_seconds(fleet: Fleet) -> None:
    fleet.instances(2)
    fleet.world.account(FIRST)
    fleet.world.push()
    supervisor = fleet.supervise()
    until(lambda: any(event["event"] == "elements" for event in supervisor.events()))
    slow = slowness()
    began = time.monotonic()
    fleet.database.elements.insert_one({"login": FIRST, "server": SERVER})
    fleet.active(FIRST, seconds=10)
    took = time.monotonic() - began
    slow = max(slow, slowness())
    print(f"from insert to ACTIVE with figures: {took:.2f} s ({slow:.1f} times an idle machine)")
    element = fleet.read()
    instance = fleet.database.instances.find_one({"element": element["_id"]})
    assert instance is not None
    assert (instance["status"], instance["term"]) == ("OCCUPIED", element["term"])
    assert fleet.worker_of().is_running()
    assert (element["status"], element["source"]) == ("ACTIVE", "terminal")
    assert element["account"]["equity"] == 10_000.0
    assert_consistent(fleet.database)
    assert took < 3.0 * slow


def test_no_document_of_others_stops_the_fleet_of_a_host(fleet: Fleet) -> None:
    """Ids that are documents, a path that no process can have, and what is no element at all."""
    stranger = {"login": "70001", "server": SERVER}
    fleet.database.elements.insert_one(stranger, bypass_document_validation=True)
    fleet.database.instances.insert_one(
        {"_id": {"a": 1}, "host": "one", "path": "C:\\MT5\\\0", "status": "FREE"}
    )
    fleet.database.instances.insert_one(
        {
            "host": "one",
            "path": "C:\\8",
            "status": "OCCUPIED",
            "pid": -5,
            "born": 1.0,
            "supervisor": {},
        }
    )
    fleet.instances(1)
    supervisor = fleet.supervise()
    fleet.element(_id={"number": 5})
    fleet.active(FIRST)
    assert fleet.read()["instance"] == "one-2"
    fleet.database.elements.update_one({"login": FIRST}, {"$set": {"created_by": "ann"}})
    told = until(lambda: [e for e in supervisor.events() if e["event"] == "left alone"])
    assert "login wrong or missing" in told[0]["documents"]
    assert supervisor.stop() == 0
    fleet.database.claims.delete_many({"element": None})  # of the one that nobody had claimed


def test_a_worker_that_is_stopped_while_its_terminal_starts_leaves_no_error(fleet: Fleet) -> None:
    fleet.instances(1)
    fleet.world.account(FIRST)
    fleet.world.terminal["accounts"][str(FIRST)]["initialize_seconds"] = 3
    fleet.world.push()
    supervisor = fleet.supervise()
    fleet.element()
    worker = fleet.worker_of()
    until(worker.children, what="a process for the terminal")
    assert supervisor.stop() == 0
    assert (fleet.read()["status"], fleet.read().get("error")) == ("PENDING", None)


def test_collections_of_other_names_are_used_by_supervisor_and_worker(fleet: Fleet) -> None:
    names = {"elements": "accounts", "instances": "mt5.terminals", "positions": "held"}
    theirs = fleet.database
    fleet.settings["RMS_MONGODB_COLLECTIONS"] = ",".join(f"{k}={v}" for k, v in names.items())
    fleet.database = connect(fleet.uri, Names(theirs.name, names))
    fleet.instances(1)
    fleet.supervise()
    fleet.element()
    fleet.active(FIRST)
    assert theirs["accounts"].count_documents({"status": "ACTIVE"}) == 1
    assert theirs["mt5.terminals"].count_documents({"status": "OCCUPIED"}) == 1
    assert theirs["held"].count_documents({}) == 1
    assert theirs["elements"].count_documents({}) == theirs["instances"].count_documents({}) == 0
    assert theirs["positions"].count_documents({}) == 0
    fleet.end()
    fleet.database.client.close()
    fleet.database = theirs

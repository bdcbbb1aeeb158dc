"""An element that a person inserts is watched in a moment, and its status says what is so."""

from __future__ import annotations

import time

from tests.faults.fleet import FIRST, SERVER, Fleet, assert_consistent, slowness, until


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

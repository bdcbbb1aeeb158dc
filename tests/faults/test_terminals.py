"""Terminals that hang, lie or refuse; hosts whose clock is wrong."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from bson import Binary
from tests.faults.fleet import FIRST, Fleet, assert_consistent, slowness, until

from rms_tui.store.master_key import write_new
from rms_tui.store.secrets import open_vault

SECOND = FIRST + 1
SECRET = "hunter2-Pa55"


def path_of(instance: str) -> str:
    host, _, number = instance.partition("-")
    return f"C:\\MT5\\{host}\\{number}".lower()


def vault_of(fleet: Fleet) -> Any:
    (fleet.folder / "data").mkdir(exist_ok=True)
    key = fleet.folder / "data" / "master.key"
    write_new(key)
    vault = open_vault(fleet.database, key)
    vault.create_key(1, vault.masters[0])
    return vault


def test_a_terminal_that_hangs_in_a_call_is_left_and_its_element_goes_elsewhere(
    fleet: Fleet,
) -> None:
    fleet.settings |= {"RMS_FLEET_FAILURES": "2", "RMS_FEED_ALERT_AFTER": "1"}
    fleet.instances(2)
    fleet.supervise()
    fleet.element()
    fleet.active(FIRST)
    first = fleet.read()["instance"]
    fleet.world.terminal["terminals"][path_of(first)] = {"hang": 600}
    fleet.world.push()
    until(lambda: fleet.read()["risk"]["state"] == "unknown", 60)
    assert fleet.read()["instance"] == first
    until(lambda: fleet.read().get("instance") not in (None, first), 60)
    fleet.active(FIRST)
    until(lambda: fleet.read()["risk"]["state"] != "unknown")
    silence = {"login": FIRST, "rule": "feed"}
    until(lambda: fleet.database.alerts.find_one({**silence, "stage": "recovered"}), 60)
    assert fleet.database.alerts.count_documents({"login": {"$ne": FIRST}}) == 0
    instance = fleet.database.instances.find_one({"_id": first})
    assert instance is not None
    assert (instance["status"], instance["failures"]) == ("FREE", 1)
    assert "no sign of life" in instance["error"]
    assert "terminal" in [row["why"] for row in fleet.log()]


def test_a_terminal_that_never_works_is_faulty_and_said_to_be(fleet: Fleet) -> None:
    fleet.settings["RMS_FLEET_FAILURES"] = "2"
    fleet.instances(1)
    fleet.world.terminal["terminals"][path_of("one-0")] = {"initialize": [-10003, "no such file"]}
    fleet.supervise()
    fleet.element()
    until(lambda: fleet.database.instances.find_one({"status": "FAULTY"}), 60)
    instance = fleet.database.instances.find_one({})
    assert instance is not None
    assert "no such file" in instance["error"]
    element = fleet.read()
    assert (element["status"], element["instance"]) == ("PENDING", None)
    assert "no such file" in element["error"]
    fleet.instances(1)
    fleet.active(FIRST)
    assert fleet.read()["error"] is None


def test_another_account_in_the_terminal_is_never_published(fleet: Fleet) -> None:
    fleet.settings["RMS_FLEET_FAILURES"] = "1"
    fleet.instances(2)
    fleet.supervise()
    fleet.element(FIRST, profile={"max_daily_loss": 500})
    fleet.active(FIRST)
    first = fleet.read()["instance"]
    fleet.world.terminal["terminals"][path_of(first)] = {
        "account": {"login": 99, "equity": 6_666.0, "profit": -3_334.0}
    }
    with fleet.database.watch(max_await_time_ms=50) as stream:
        fleet.world.push()
        until(lambda: fleet.read().get("instance") not in (None, first), 60)
        fleet.active(FIRST)
        written = []
        while (event := stream.try_next()) is not None:
            written.append(repr(event))
    assert written
    assert not [event for event in written if "6666" in event]
    instance = fleet.database.instances.find_one({"_id": first})
    assert instance is not None
    assert instance["status"] == "FAULTY"
    assert "logged in to 99@" in instance["error"]
    assert fleet.database.alerts.count_documents({}) == 0


def test_a_refused_login_is_tried_a_few_times_and_then_left_until_edited(fleet: Fleet) -> None:
    vault = vault_of(fleet)
    fleet.instances(1)
    fleet.world.account(FIRST)
    fleet.world.terminal["accounts"][str(FIRST)]["password"] = SECRET
    fleet.world.push()
    fleet.supervise()
    fleet.element(password=vault.encrypt("wrong"))
    until(lambda: fleet.read().get("status") == "ERROR", 90)
    element = fleet.read()
    assert element["refused"] == 3
    assert "Authorization failed" in element["error"]
    assert element["instance"] is None
    instance = fleet.database.instances.find_one({})
    assert instance is not None
    assert instance["status"] == "FREE"
    claimed = len(fleet.log())
    fleet.database.elements.update_one({"login": FIRST}, {"$set": {"created_by": "ann"}})
    fleet.element(SECOND)
    fleet.active(SECOND)
    assert fleet.read(FIRST)["status"] == "ERROR"
    assert len([r for r in fleet.log() if r["login"] == FIRST]) == claimed
    fleet.database.elements.update_one({"login": SECOND}, {"$set": {"status": "REMOVED"}})
    right = {"$set": {"password": vault.encrypt(SECRET)}}
    fleet.database.elements.update_one({"login": FIRST}, right)
    fleet.active(FIRST)
    assert fleet.read()["error"] is None


def test_an_encrypted_password_reaches_the_terminal_within_three_seconds_and_nothing_else(
    fleet: Fleet,
) -> None:
    vault = vault_of(fleet)
    fleet.instances(1)
    fleet.world.account(FIRST)
    fleet.world.terminal["accounts"][str(FIRST)]["password"] = SECRET
    fleet.world.push()
    supervisor = fleet.supervise()
    until(lambda: any(event["event"] == "elements" for event in supervisor.events()))
    encrypted = vault.encrypt(SECRET)
    slow = slowness()
    began = time.monotonic()
    fleet.element(password=encrypted)
    fleet.active(FIRST)
    took = time.monotonic() - began
    slow = max(slow, slowness())
    print(f"from insert with a password to ACTIVE: {took:.2f} s ({slow:.1f} times an idle machine)")
    assert took < 3.0 * slow
    worker = fleet.worker_of()
    family = [worker, *worker.children(), worker.parent()]
    for process in family:
        assert process is not None
        assert SECRET not in repr(process.cmdline())
        assert SECRET not in repr(process.environ())
    assert "mongodb://" not in repr(worker.environ())
    assert "mongodb://" not in repr(worker.cmdline())
    for name in fleet.database.list_collection_names():
        for document in fleet.database[name].find():
            assert SECRET not in repr(document)
            assert SECRET.encode() not in _bytes(document)
    for log in (fleet.folder / "data").glob("*.log"):
        assert SECRET not in log.read_text("utf-8")


def test_elements_wait_for_a_host_that_has_the_key_and_none_is_in_error(fleet: Fleet) -> None:
    vault = vault_of(fleet)
    key = fleet.folder / "data" / "master.key"
    copied = fleet.folder / "two.key"
    fleet.instances(1, "two")
    fleet.world.account(FIRST)
    fleet.world.terminal["accounts"][str(FIRST)]["password"] = SECRET
    fleet.world.push()
    fleet.supervise("two", RMS_MASTER_KEY_FILE=str(copied))
    fleet.element(password=vault.encrypt(SECRET))
    until(lambda: [row["why"] for row in fleet.log()].count("key") > 3, 60)
    element = fleet.read()
    assert (element["status"], element.get("refused")) == ("PENDING", None)
    assert "no master key at" in element["error"]
    instance = fleet.database.instances.find_one({})
    assert instance is not None
    assert instance["status"] != "FAULTY"
    assert "no master key at" in instance["error"]
    copied.write_bytes(key.read_bytes())
    copied.chmod(0o600)
    fleet.active(FIRST)
    until(lambda: fleet.read()["error"] is None)


def _bytes(document: dict[str, Any]) -> bytes:
    return b"".join(bytes(v) for v in document.values() if isinstance(v, bytes | Binary))


@pytest.mark.parametrize("hours", [1, -1])
def test_a_host_with_a_wrong_clock_keeps_its_claim_and_times_stay_true(
    fleet: Fleet, tmp_path: Path, hours: int
) -> None:
    shifted = tmp_path / "clock"
    shifted.mkdir()
    (shifted / "sitecustomize.py").write_text(
        "import time\n_real = time.time\n"
        f"time.time = lambda: _real() + {hours} * 3600\n"
        f"time.time_ns = lambda: int((_real() + {hours} * 3600) * 1e9)\n",
        encoding="utf-8",
    )
    path = f"{shifted}:{fleet.environment()['PYTHONPATH']}"
    fleet.instances(1, "wrong")
    fleet.instances(1, "right")
    fleet.supervise("wrong", PYTHONPATH=path)
    fleet.element()
    fleet.active(FIRST)
    assert fleet.read()["instance"] == "wrong-0"
    other = fleet.supervise("right", PYTHONPATH=fleet.environment()["PYTHONPATH"])
    until(lambda: any(event["event"] == "elements" for event in other.events()))
    worker, term = fleet.worker_of(), fleet.read()["term"]
    until(lambda: _age(fleet, at_least=8.0), 30)  # longer than a silent claim lives
    assert (fleet.worker_of().pid, fleet.read()["term"]) == (worker.pid, term)
    assert _ping_age(fleet) < 3.0
    assert fleet.read()["status"] == "ACTIVE"
    assert abs(_host_ahead(fleet) - hours * 3600) < 60  # the host's clock is really wrong
    worker.kill()
    until(lambda: fleet.read()["term"] > term)
    fleet.active(FIRST)
    assert_consistent(fleet.database)


def _ping_age(fleet: Fleet) -> float:
    """Seconds since the element's last ping, by the server's clock."""
    since = {"$divide": [{"$subtract": ["$$NOW", "$last_ping"]}, 1000]}
    found = fleet.database.elements.aggregate([{"$project": {"age": since}}])
    return float(next(iter(found))["age"])


def _host_ahead(fleet: Fleet) -> float:
    """Seconds that the host's clock is ahead of the server's, by when the figures were taken."""
    since = {"$divide": [{"$subtract": ["$account.time", "$last_ping"]}, 1000]}
    found = fleet.database.elements.aggregate([{"$project": {"ahead": since}}])
    return float(next(iter(found))["ahead"])


def _age(fleet: Fleet, at_least: float) -> bool:
    """Whether the only claim is that old, by the server's clock."""
    since = {"$divide": [{"$subtract": ["$$NOW", "$at"]}, 1000]}
    found = list(fleet.database.claims.aggregate([{"$project": {"age": since, "event": 1}}]))
    assert [row["event"] for row in found] == ["claimed"]
    return bool(found[0]["age"] >= at_least)

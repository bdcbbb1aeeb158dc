"""Elements that are edited, removed and judged while a worker has them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.faults.fleet import FIRST, SERVER, Fleet, assert_consistent, slowness, until

from rms_tui.store import elements

SECOND = FIRST + 1


def test_other_limits_hold_at_once_and_the_same_worker_goes_on(fleet: Fleet) -> None:
    fleet.instances(1)
    fleet.supervise()
    fleet.element(profile={"max_daily_loss": 2_000})
    fleet.active(FIRST)
    worker = fleet.worker_of().pid
    fleet.world.equity(FIRST, 9_000.0)
    until(lambda: fleet.read()["account"]["equity"] == 9_000.0)
    assert fleet.read()["status"] == "ACTIVE"
    edit = {"$set": {"profile.max_daily_loss": 800}}
    fleet.database.elements.update_one({"login": FIRST}, edit)
    until(lambda: fleet.read()["status"] == "BREACHED")
    assert fleet.read()["risk"]["limit"] == 9_200.0
    assert fleet.worker_of().pid == worker


def test_limits_that_cannot_be_used_decide_nothing_and_no_others_do_instead(fleet: Fleet) -> None:
    """Written by plain pymongo, past every check: by the usual limits this account is breached."""
    fleet.instances(1)
    fleet.supervise()
    fleet.world.account(FIRST, balance=10_000.0, equity=8_000.0, profit=-2_000.0)
    fleet.world.push()
    fleet.element(profile="no-such-profile")
    fleet.active(FIRST)
    worker = fleet.worker_of().pid
    found = fleet.read()
    assert (found["status"], found["account"]["equity"]) == ("ACTIVE", 8_000.0)
    assert (found["risk"]["state"], found["risk"]["reason"]) == ("unknown", "limits_refused")
    assert (found["risk"]["rule"], found["risk"]["rules"]) == (None, [])
    assert found["error"] == (f"account {FIRST}: no profile 'no-such-profile', and no such preset")
    _edit(fleet, {"max_daily_loss": -500})
    until(lambda: "amount" in str(fleet.read()["error"]))
    assert fleet.read()["risk"]["state"] == "unknown"
    _edit(fleet, {"rules": [{"rule": "max_loss", "amount": -500}]})
    until(lambda: fleet.read()["status"] == "BREACHED")
    assert (fleet.read()["error"], fleet.read()["risk"]["limit"]) == (None, -500.0)
    _edit(fleet, {"max_loss": -500})
    until(lambda: fleet.read()["risk"]["reason"] == "limits_refused")
    assert fleet.worker_of().pid == worker


def _edit(fleet: Fleet, profile: dict[str, Any]) -> None:
    fleet.database.elements.update_one({"login": FIRST}, {"$set": {"profile": profile}})


def test_a_removed_element_frees_its_instance_and_stays_removed(fleet: Fleet) -> None:
    fleet.instances(1)
    fleet.supervise()
    fleet.world.account(FIRST, equity=9_000.0, profit=-1_000.0)
    fleet.world.push()
    fleet.element(FIRST, profile={"max_daily_loss": 500})
    until(lambda: fleet.read().get("status") == "BREACHED")
    fleet.element(SECOND)
    elements.remove(fleet.database, FIRST, SERVER, "terminal", "ann@desk")
    fleet.active(SECOND)
    element = fleet.read(FIRST)
    assert (element["status"], element["instance"]) == ("REMOVED", None)
    assert [one["stage"] for one in fleet.database.alerts.find()] == ["closed"]
    assert_consistent(fleet.database)
    fleet.world.equity(FIRST, 10_000.0)
    elements.add(fleet.database, FIRST, SERVER, "terminal", "ann@desk")
    fleet.instances(1)
    fleet.active(FIRST, SECOND)


def test_a_deleted_element_frees_its_instance(fleet: Fleet) -> None:
    fleet.instances(1)
    fleet.supervise()
    fleet.element(FIRST)
    fleet.active(FIRST)
    fleet.database.elements.delete_one({"login": FIRST})
    fleet.element(SECOND)
    fleet.active(SECOND)
    assert_consistent(fleet.database)


def test_another_login_needs_another_worker(fleet: Fleet) -> None:
    fleet.instances(1)
    fleet.supervise()
    fleet.element(FIRST)
    fleet.active(FIRST)
    worker = fleet.worker_of().pid
    fleet.world.account(SECOND, balance=5_000.0, equity=5_000.0, margin_free=5_000.0)
    fleet.world.push()
    fleet.database.elements.update_one({"login": FIRST}, {"$set": {"login": SECOND}})
    until(lambda: (fleet.read(SECOND).get("account") or {}).get("equity") == 5_000.0)
    assert fleet.worker_of(SECOND).pid != worker
    assert_consistent(fleet.database)


LIMITS = [
    ({"max_daily_loss": 500}, 9_400.0, "BREACHED", ("daily_loss", 9_400.0, 9_500.0)),
    ({"max_profit": 750}, 10_800.0, "TARGET_REACHED", ("max_profit", 800.0, 750.0)),
]


@pytest.mark.parametrize(("profile", "equity", "status", "risk"), LIMITS)
def test_equity_beyond_a_limit_is_a_status_within_two_polls(
    fleet: Fleet,
    profile: dict[str, float],
    equity: float,
    status: str,
    risk: tuple[str, float, float],
) -> None:
    interval = 0.5
    fleet.settings["RMS_UPDATE_INTERVAL"] = str(interval)
    fleet.instances(1)
    fleet.supervise()
    fleet.element(profile=profile)
    fleet.active(FIRST)
    fleet.world.equity(FIRST, equity)
    began = time.monotonic()
    until(lambda: fleet.read()["status"] == status, 60)
    took = time.monotonic() - began
    found = fleet.read()["risk"]
    print(f"{status} after {took:.2f} s at an interval of {interval} s: {found}")
    assert (found["rule"], found["value"], found["limit"]) == risk
    assert took < 2 * interval + 0.5 * slowness()  # two polls, and the writing


def test_a_position_that_risks_too_much_is_a_breach(fleet: Fleet) -> None:
    fleet.instances(1)
    fleet.supervise()
    fleet.element(profile={"max_position_risk": 100})
    fleet.active(FIRST)
    fleet.world.terminal["positions"] = [
        {"ticket": 1, "time": 1, "type": 0, "volume": 1.0, "symbol": "EURUSD",
         "price_open": 1.0850, "price_current": 1.0850, "sl": 1.0800, "tp": 0.0, "swap": 0.0,
         "profit": 0.0}
    ]  # fmt: skip
    fleet.world.push()
    until(lambda: fleet.read()["status"] == "BREACHED", 60)
    risk = fleet.read()["risk"]
    assert (risk["rule"], abs(risk["limit"])) == ("position_risk", 100.0)
    assert abs(risk["value"]) == pytest.approx(500.0, rel=0.05)
    held = fleet.database.positions.find_one({"_id": fleet.read()["_id"]})
    assert held is not None
    assert [one["ticket"] for one in held["positions"]] == [1]
    assert held["term"] == fleet.read()["term"]

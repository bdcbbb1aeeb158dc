"""Claims over a real MongoDB: never two of anything, and nothing written by who has lost his."""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rms_tui.store import claims, elements, upkeep
from rms_tui.store.claims import Claim, Ending, Fenced, Patience
from rms_tui.store.database import Document, Rms, in_transaction

HOST = "desk-1"
NOT_YET = datetime(2999, 1, 1, tzinfo=UTC)
"""Of fields that are made when the tests are collected, which may be hours before they run."""

PATIENCE = Patience(failures=3, first=60.0, longest=300.0, refused=120.0)
HASTE = Patience(failures=3, first=0.0, longest=0.0, refused=0.0)


def element(database: Rms, number: int = 1, **fields: Any) -> Any:
    made = {"_id": f"e{number}", "login": 1000 + number, "server": "S", "source": "terminal",
            "status": "PENDING", **fields}  # fmt: skip
    database.elements.insert_one(made)
    return made["_id"]


def instance(database: Rms, number: int = 1, **fields: Any) -> Any:
    made = {"_id": f"i{number}", "host": HOST, "path": f"C:\\{number}", "status": "FREE", **fields}
    database.instances.insert_one(made)
    return made["_id"]


def both(database: Rms, held: Claim) -> tuple[Document, Document]:
    one = database.elements.find_one({"_id": held.element})
    other = database.instances.find_one({"_id": held.instance})
    assert one is not None
    assert other is not None
    return one, other


def taken(database: Rms, element: Any = "e1") -> Claim:
    held = claims.claim(database, element, HOST)
    assert held is not None
    return held


def test_a_claim_joins_both_under_one_higher_term(database: Rms) -> None:
    element(database, term=4)
    instance(database, term=9)
    held = taken(database)
    one, other = both(database, held)
    assert held.term == one["term"] == other["term"] == 10
    assert (one["instance"], one["status"]) == ("i1", "PENDING")
    assert (other["element"], other["status"]) == ("e1", "OCCUPIED")
    assert (held.login, held.path) == (1001, "C:\\1")


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "ACTIVE"},
        {"status": "ERROR"},
        {"status": "REMOVED"},
        {"source": "manager"},
        {"instance": "i7"},
        {"retry_at": NOT_YET},
    ],
)
def test_only_a_pending_element_of_a_terminal_that_is_due_is_claimed(
    database: Rms, fields: Document
) -> None:
    element(database, **fields)
    instance(database)
    assert claims.claim(database, "e1", HOST) is None
    assert database.instances.count_documents({"status": "FREE", "term": {"$exists": False}}) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "OCCUPIED"},
        {"status": "FAULTY"},
        {"host": "desk-2"},
        {"retry_at": NOT_YET},
    ],
)
def test_only_a_free_instance_of_this_host_that_is_due_is_claimed(
    database: Rms, fields: Document
) -> None:
    element(database)
    instance(database, **fields)
    assert claims.claim(database, "e1", HOST) is None
    one = database.elements.find_one({})
    assert one is not None
    assert "term" not in one


def test_many_who_claim_at_once_get_one_each(database: Rms) -> None:
    for number in range(6):
        element(database, number)
        instance(database, number)
    got: list[Claim] = []
    start = threading.Barrier(8)

    def race() -> None:
        start.wait()
        for number in range(6):
            held = claims.claim(database, f"e{number}", HOST)
            if held is not None:
                got.append(held)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held.element for held in got) == [f"e{number}" for number in range(6)]
    assert len({held.instance for held in got}) == 6


def test_every_write_of_a_lost_claim_is_refused(database: Rms) -> None:
    element(database)
    instance(database)
    lost = taken(database)
    assert claims.give_back(database, lost, Ending.SILENT, HASTE)
    held = taken(database)
    before = both(database, held)
    with pytest.raises(Fenced):
        claims.begin(database, lost, 1, 1.0)
    with pytest.raises(Fenced):
        claims.ping(database, lost)
    with pytest.raises(Fenced):
        claims.write_element(database, lost, {"error": "mine"}, restated=False)
    with pytest.raises(Fenced):
        claims.write_element(database, lost, {"status": "ACTIVE"}, restated=True)
    fields = {"positions": [], "time": None}
    with pytest.raises(Fenced):
        claims.write_element(database, lost, {}, restated=False, positions=fields)
    with pytest.raises(Fenced):
        in_transaction(
            database,
            lambda session: database.audit.insert_one(
                {"_id": "a", "action": "x", "operator": "y", "at": datetime.now(UTC)},
                session=session,
            ),
            claims.guard(database, lost),
        )
    assert not claims.keep(database, lost)
    assert not claims.give_back(database, lost, Ending.RELEASED, HASTE)
    assert both(database, held) == before
    assert database.audit.count_documents({}) == database.positions.count_documents({}) == 0


def test_a_status_is_never_put_over_a_removal(database: Rms) -> None:
    element(database)
    instance(database)
    held = taken(database)
    database.elements.update_one({"_id": "e1"}, {"$set": {"status": "REMOVED"}})
    fields = {"status": "ACTIVE", "risk": {"state": "ok"}, "error": "$text"}
    found = claims.write_element(database, held, fields, restated=True)
    assert found["status"] == "REMOVED"
    assert claims.give_back(database, held, Ending.RELEASED, HASTE)
    one, other = both(database, held)
    assert (one["status"], one["instance"], one["error"]) == ("REMOVED", None, "$text")
    assert other["status"] == "FREE"


def test_a_crash_waits_longer_each_time(database: Rms) -> None:
    element(database)
    instance(database)
    claims.give_back(database, taken(database), Ending.CRASHED, HASTE)
    held = taken(database)
    claims.give_back(database, held, Ending.CRASHED, PATIENCE, "killed")
    one, other = both(database, held)
    assert one["failures"] == 2
    assert one["error"] == "killed"
    pause = (one["retry_at"] - one["updated_at"]).total_seconds()
    assert pause == pytest.approx(120.0, abs=1)
    assert (other["status"], other["restarts"]) == ("FREE", 2)
    assert claims.claim(database, "e1", HOST) is None


def test_the_third_refused_login_is_an_error_until_it_is_edited(database: Rms) -> None:
    element(database, password=b"one")
    instance(database)
    for _ in range(3):
        claims.give_back(database, taken(database), Ending.AUTHORISATION, HASTE, "no such login")
    one = database.elements.find_one({})
    assert one is not None
    assert (one["status"], one["refused"], one["error"]) == ("ERROR", 3, "no such login")
    assert database.instances.count_documents({"status": "FREE"}) == 1
    assert upkeep.revive(database) == 0
    database.elements.update_one({}, {"$set": {"profile": "other"}})
    assert upkeep.revive(database) == 0
    database.elements.update_one({}, {"$set": {"password": b"two"}})
    assert upkeep.revive(database) == 1
    one = database.elements.find_one({})
    assert one is not None
    assert (one["status"], one["refused"], one["error"]) == ("PENDING", 0, None)


def test_a_refused_login_that_is_edited_does_not_wait_for_its_next_attempt(database: Rms) -> None:
    element(database, password=b"one")
    instance(database)
    claims.give_back(database, taken(database), Ending.AUTHORISATION, PATIENCE, "no such login")
    assert upkeep.revive(database) == 0
    assert claims.claim(database, "e1", HOST) is None
    database.elements.update_one({}, {"$set": {"password": b"two"}})
    assert upkeep.revive(database) == 1
    assert claims.claim(database, "e1", HOST) is not None


def test_a_host_without_the_key_blames_neither_element_nor_terminal(database: Rms) -> None:
    element(database, password=b"one")
    instance(database, 1)
    instance(database, 2)
    for _ in range(5):
        database.instances.update_many({}, {"$set": {"retry_at": None}})
        claims.give_back(database, taken(database), Ending.KEY, PATIENCE, "no master key")
    one = database.elements.find_one({})
    assert one is not None
    assert (one["status"], one["error"], one.get("refused")) == ("PENDING", "no master key", None)
    assert one["retry_at"] is None
    resting = list(database.instances.find({"retry_at": {"$ne": None}}))
    assert [(i["status"], i["error"]) for i in resting] == [("FREE", "no master key")]
    assert taken(database).instance != resting[0]["_id"]


def test_a_rotation_of_keys_is_no_edit() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    before = {"login": 1, "server": "S", "password": b"one", "password_at": at}
    assert claims.tried(before) == claims.tried({**before, "password": b"two"})
    later = at + timedelta(seconds=1)
    assert claims.tried(before) != claims.tried({**before, "password_at": later})


def test_the_third_failure_of_a_terminal_is_faulty(database: Rms) -> None:
    instance(database)
    for number in range(3):
        element(database, number)
        claims.give_back(
            database, taken(database, f"e{number}"), Ending.TERMINAL, HASTE, "does not start"
        )
    other = database.instances.find_one({})
    assert other is not None
    assert (other["status"], other["failures"], other["error"]) == ("FAULTY", 3, "does not start")
    assert database.elements.count_documents({"status": "PENDING"}) == 3


def test_one_bad_element_does_not_make_every_instance_faulty(database: Rms) -> None:
    element(database)
    for number in range(3):
        instance(database, number)
    used = []
    for _ in range(12):
        held = taken(database)
        used.append(held.instance)
        claims.give_back(database, held, Ending.TERMINAL, HASTE, "wrong server")
    assert database.instances.count_documents({"status": "FREE"}) == 3
    assert all(one != following for one, following in pairwise(used))


def test_a_settled_worker_has_its_failures_behind_it(database: Rms) -> None:
    element(database, failures=2, refused=2, failed_on="i9")
    instance(database, failures=2, error="before")
    held = taken(database)
    claims.ping(database, held, settled=True)
    one, other = both(database, held)
    assert (one["failures"], one["refused"], one["failed_on"]) == (0, 0, None)
    assert (other["failures"], other["error"]) == (0, None)


def test_what_a_person_inserts_is_filled_in(database: Rms) -> None:
    database.elements.insert_one({"login": 5, "server": "S"})
    database.elements.insert_one(
        {"login": 6, "server": "S", "status": "ACTIVE", "source": "manager"}
    )
    assert upkeep.fill_in(database) == 1
    assert upkeep.fill_in(database) == 0
    one = database.elements.find_one({"login": 5})
    assert one is not None
    assert (one["status"], one["source"]) == ("PENDING", "terminal")
    assert upkeep.waiting(database, 5) == [one["_id"]]


def test_who_came_first_waits_first_whichever_supervisor_filled_it_in(database: Rms) -> None:
    ids = [ObjectId() for _ in range(4)]
    for some in (ids[2:], ids[:2]):
        database.elements.insert_many(
            {"_id": one, "login": at, "server": str(one)} for at, one in enumerate(some)
        )
        upkeep.fill_in(database)
    assert upkeep.waiting(database, 9) == ids


@pytest.mark.parametrize("wrong", [-3600, 3600])
def test_a_wrong_clock_moves_nobody_more_than_a_minute_up_the_line(
    database: Rms, wrong: int
) -> None:
    now = database.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
    one = ObjectId.from_datetime(now + timedelta(seconds=wrong))
    database.elements.insert_one({"_id": one, "login": 5, "server": "S"})
    upkeep.fill_in(database)
    made = database.elements.find_one({"_id": one})
    assert made is not None
    assert timedelta(seconds=-61) < made["updated_at"] - now < timedelta(seconds=60)


def test_a_removed_element_keeps_no_password_whoever_removed_it(database: Rms) -> None:
    given = {"server": "S", "source": "terminal", "password": b"x", "password_at": None}
    database.elements.insert_many(
        {"login": login, "status": "PENDING", **given} for login in (1, 2, 3)
    )
    elements.remove(database, 1, "S", "terminal", "ann@desk")
    database.elements.update_one({"login": 2}, {"$set": {"status": "REMOVED"}})
    assert upkeep.forget_passwords(database) == 1, "the first had none left"
    left = [one["login"] for one in database.elements.find({"password": {"$exists": True}})]
    assert left == [3]
    assert upkeep.forget_passwords(database) == 0


def test_the_sweep_ends_silent_claims_and_no_others(database: Rms) -> None:
    for number in (1, 2):
        element(database, number)
        instance(database, number)
    silent, live = taken(database, "e1"), taken(database, "e2")
    past = datetime.now(UTC) - timedelta(hours=1)
    database.instances.update_one({"_id": silent.instance}, {"$set": {"last_ping": past}})
    swept = upkeep.sweep(database, 300.0, PATIENCE)
    assert [held.instance for held in swept.ended] == [silent.instance]
    one, other = both(database, silent)
    assert (one["status"], one["instance"], other["status"]) == ("PENDING", None, "FREE")
    assert one["term"] > silent.term
    assert both(database, live)[1]["status"] == "OCCUPIED"
    assert not upkeep.sweep(database, 300.0, PATIENCE).ended


def test_a_ping_in_the_nick_of_time_keeps_the_claim(database: Rms) -> None:
    element(database)
    instance(database)
    held = taken(database)
    silent = {"$expr": {"$lt": ["$last_ping", {"$subtract": ["$$NOW", 300_000]}]}}
    assert not claims.give_back(database, held, Ending.SILENT, PATIENCE, while_true=silent)
    assert both(database, held)[1]["status"] == "OCCUPIED"


def test_an_element_of_an_instance_that_is_gone_wants_another(database: Rms) -> None:
    element(database)
    instance(database)
    held = taken(database)
    database.instances.delete_one({})
    past = datetime.now(UTC) - timedelta(hours=1)
    database.elements.update_one({}, {"$set": {"last_ping": past, "status": "ACTIVE"}})
    assert upkeep.sweep(database, 300.0, PATIENCE).orphaned == 1
    one = database.elements.find_one({})
    assert one is not None
    assert (one["status"], one["instance"]) == ("PENDING", None)
    with pytest.raises(Fenced):
        claims.write_element(database, held, {"error": None}, restated=False)


def test_an_element_whose_desk_fell_silent_is_inactive(database: Rms) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    element(database, 1, source="manager", status="BREACHED", last_ping=past)
    element(database, 2, source="manager", status="ACTIVE", last_ping=datetime.now(UTC))
    assert upkeep.sweep(database, 300.0, PATIENCE).inactive == 1
    assert [one["status"] for one in database.elements.find().sort("_id")] == ["INACTIVE", "ACTIVE"]


def test_an_instance_that_a_person_left_occupied_is_freed(database: Rms) -> None:
    instance(database, status="OCCUPIED")
    assert len(upkeep.sweep(database, 300.0, PATIENCE).ended) == 1
    other = database.instances.find_one({})
    assert other is not None
    assert other["status"] == "FREE"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "ping", "write", *[e.value for e in Ending], "wake"]),
        st.integers(0, 2),
    ),
    max_size=25,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_whatever_happens_no_two_claims_hold_and_terms_only_rise(
    database: Rms, steps: list[tuple[str, int]]
) -> None:
    """Workers claim, write, end and wake up again with any of their former claims."""
    for name in ("elements", "instances", "claims"):
        database[name].delete_many({})
    for number in range(3):
        element(database, number)
    for number in range(2):
        instance(database, number)
    ever: dict[int, list[Claim]] = defaultdict(list)
    for step, number in steps:
        held = ever[number][-1] if ever[number] else None
        if step == "claim":
            fresh = claims.claim(database, f"e{number}", HOST)
            ever[number] += [] if fresh is None else [fresh]
        elif held is not None and step in ("ping", "write"):
            _try(database, held, step)
        elif step == "wake":
            for old in ever[number][:-1]:
                assert not _try(database, old, "write")
        elif held is not None:
            claims.give_back(database, held, Ending(step), HASTE, step)
        _consistent(database)
    for made in ever.values():
        terms = [held.term for held in made]
        assert terms == sorted(set(terms))


def _try(database: Rms, held: Claim, step: str) -> bool:
    try:
        if step == "ping":
            claims.ping(database, held, {"error": "ping"})
        else:
            claims.write_element(database, held, {"error": str(held.term)}, restated=False)
    except Fenced:
        return False
    return True


def _consistent(database: Rms) -> None:
    elements = {one["_id"]: one for one in database.elements.find()}
    for other in database.instances.find({"status": "OCCUPIED"}):
        one = elements[other["element"]]
        assert (one["instance"], one["term"]) == (other["_id"], other["term"])
    occupied = database.instances.count_documents({"status": "OCCUPIED"})
    assert occupied == sum(one.get("instance") is not None for one in elements.values())

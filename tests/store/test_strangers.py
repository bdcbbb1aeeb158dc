"""Documents of other programs among the fleet's: left alone, named, and in nobody's way."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Binary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError
from shell import Run

from rms_tui.account_keys import AccountKeys
from rms_tui.store import claims, elements, listing, upkeep
from rms_tui.store.claims import Ending, Patience
from rms_tui.store.database import Rms, connect
from rms_tui.store.diagnosis import of_server
from rms_tui.store.fleet_book import fleet_rows, fleet_state
from rms_tui.store.fleet_view import FleetDocuments, FleetView
from rms_tui.store.strangers import Stranger, all_strangers, strangers

HASTE = Patience(failures=3, first=0.0, longest=0.0, refused=0.0)

ELEMENTS: list[dict[str, Any]] = [
    {"_id": "old", "account_number": 70003, "status": "active", "last_ping": None},
    {"_id": "text", "login": "70004", "server": "S", "status": "PENDING", "source": "terminal"},
    {"_id": "plain", "login": 70005, "server": "S", "password": "as it was typed"},
    {"_id": "silent", "login": 1.5, "server": "S", "status": "ACTIVE", "instance": "gone"},
    {
        "_id": "last",
        "login": 2,
        "server": "S",
        "status": "PENDING",
        "source": "terminal",
        "term": 2**63 - 1,
    },
    {"_id": "mine", "login": "x", "server": "S", "created_by": "ann", "profile": "strict"},
]
INSTANCES: list[dict[str, Any]] = [
    {"_id": "adm", "path": "C:\\MT5\\1\\terminal64.exe", "status": "FREE"},
    {"_id": "busy", "path": "C:\\MT5\\2\\terminal64.exe", "status": "OCCUPIED"},
    {"_id": "whose", "host": "one", "path": "C:\\7", "status": "OCCUPIED", "supervisor": "me"},
    {"_id": "bare", "host": "one", "status": "FREE"},
]


def plant(database: Rms, kind: str, documents: list[dict[str, Any]]) -> None:
    """As if they had been there before any rms-tui had MongoDB check them."""
    database[kind].insert_many([dict(one) for one in documents], bypass_document_validation=True)


def keep_house(database: Rms) -> None:
    """All that a supervisor does about documents."""
    upkeep.fill_in(database)
    upkeep.revive(database)
    upkeep.sweep(database, 0.0, HASTE)
    upkeep.claimed_here(database, "one", "me", set(), 0.0)
    for element in upkeep.waiting(database, 10):
        claims.claim(database, element, "one")


def test_an_element_is_served_whatever_stands_beside_it(database: Rms) -> None:
    plant(database, "elements", ELEMENTS)
    plant(database, "instances", INSTANCES)
    database.elements.insert_one({"_id": "good", "login": 70001, "server": "S"})
    database.instances.insert_one({"_id": "free", "host": "one", "path": "C:\\9", "status": "FREE"})
    keep_house(database)
    found = database.elements.find_one({"_id": "good"})
    assert found is not None
    assert (found["status"], found["instance"]) == ("PENDING", "free")
    for kind, documents in (("elements", ELEMENTS), ("instances", INSTANCES)):
        for one in documents:
            assert database[kind].find_one({"_id": one["_id"]}) == one
    assert elements.own_profiles(database, "S") == {}
    assert elements.selection(database, "S", everything=False).added == frozenset()
    assert elements.pending(database, "S") == {70001}


def test_each_is_named_with_the_fields_that_are_wrong(database: Rms) -> None:
    plant(database, "elements", ELEMENTS)
    plant(database, "instances", INSTANCES)
    database.elements.insert_one({"login": 70001, "server": "S"})
    assert strangers(database, "elements") == [
        Stranger("elements", "last", ("term",)),
        Stranger("elements", "mine", ("login",)),
        Stranger("elements", "old", ("login", "server", "status")),
        Stranger("elements", "plain", ("password",)),
        Stranger("elements", "silent", ("login",)),
        Stranger("elements", "text", ("login",)),
    ]
    assert strangers(database, "instances") == [
        Stranger("instances", "adm", ("host",)),
        Stranger("instances", "bare", ("path",)),
        Stranger("instances", "busy", ("host",)),
        Stranger("instances", "whose", ("supervisor",)),
    ]
    errors = {one["_id"]: one["error"] for one in listing.elements(database) if "error" in one}
    assert errors["plain"] == "no element, left alone: password wrong or missing"
    assert len(errors) == len(ELEMENTS)


def test_doctor_names_them(database: Rms, server_uri: str) -> None:
    plant(database, "elements", ELEMENTS[:1])
    found = list(of_server(server_uri, database.name, "MongoDB", ""))
    assert [(one.grade, one.what) for one in found] == [("WARN", "documents"), ("OK", "MongoDB")]
    assert "elements old: login, server, status wrong or missing" in found[0].found


@pytest.mark.parametrize(
    "words",
    [
        ("element", "remove", "old"),
        ("element", "edit", "old", "--max-profit", "5"),
        ("instance", "remove", "adm"),
        ("instance", "reset", "bare"),
    ],
)
def test_a_verb_that_is_given_one_says_what_it_is(
    rms: Run, database: Rms, words: tuple[str, ...]
) -> None:
    plant(database, "elements", ELEMENTS)
    plant(database, "instances", INSTANCES)
    done = rms(*words)
    assert (done.status, done.out) == (2, "")
    assert f"{words[2]} is no {words[0]}, `rms-tui {words[0]} list` says why" in done.err
    assert len(done.err.splitlines()) == 1


def test_the_console_shows_the_others(database: Rms) -> None:
    plant(database, "elements", ELEMENTS)
    plant(database, "instances", INSTANCES)
    odd = {"number": 5}
    figures = {"balance": 1.0, "equity": 1.0}
    database.elements.insert_one(
        {"_id": odd, "login": 7, "server": "S", "account": figures, "instance": 1}
    )
    database.instances.insert_one(
        {"_id": {"a": 1}, "host": "one", "path": "C:\\1", "status": "OCCUPIED", "element": odd}
    )
    known = FleetDocuments()
    view = FleetView(database, known)
    database.elements.update_one({"_id": odd}, {"$set": {"account.equity": 2.0}})
    assert view.wait(5.0)
    view.close()
    rows = fleet_rows(known, AccountKeys(), 0.0, 30.0, None)
    assert rows.book.accounts.equity.tolist() == [2.0]
    assert [row.login for row in fleet_state(known, AccountKeys(), 30.0).rows] == [7]


def test_an_id_that_is_a_document_is_claimed_as_any_other(database: Rms) -> None:
    database.elements.insert_one({"_id": {"number": 5}, "login": 7, "server": "S"})
    database.instances.insert_one(
        {"_id": {"a": 1}, "host": "one", "path": "C:\\1", "status": "FREE"}
    )
    keep_house(database)
    (held, _), *others = upkeep.claimed_here(database, "one", "me", set(), -1.0)
    assert (held.element, held.instance, others) == ({"number": 5}, {"a": 1}, [])
    assert upkeep.claimed_here(database, "one", "me", {held.key}, -1.0) == []
    assert claims.give_back(database, held, Ending.RELEASED, HASTE)


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=8),
    st.binary(max_size=4).map(Binary), st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
    st.sampled_from(["PENDING", "ACTIVE", "ERROR", "FREE", "OCCUPIED", "terminal", "one"]),
)  # fmt: skip
FIELDS = (
    "login", "server", "source", "status", "password", "profile", "instance", "term", "host",
    "path", "element", "supervisor", "retry_at", "last_ping", "tried", "failures", "failed_on",
)  # fmt: skip
IDS = (0, "one", {"a": 1}, 2.5, True, Binary(b"x"))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=10), max_size=6))
def test_no_document_whatever_ends_a_supervisors_round(
    database: Rms, documents: list[dict[str, Any]]
) -> None:
    made = [{**one, "_id": IDS[number]} for number, one in enumerate(documents)]
    for kind in ("elements", "instances"):
        database[kind].drop_indexes()  # of several without login all but one would be refused
        database[kind].delete_many({})
        if made:
            plant(database, kind, made)
    keep_house(database)
    all_strangers(database)
    listing.elements(database)
    listing.instances(database)
    known = FleetDocuments()
    FleetView(database, known).close()
    fleet_rows(known, AccountKeys(), 0.0, 30.0, None)
    fleet_state(known, AccountKeys(), 30.0)


def test_documents_without_what_makes_them_one_keep_nobody_from_starting(
    server_uri: str, database: Rms
) -> None:
    """As an older program left them, any number alike, before rms-tui ever looked."""
    database.client.drop_database(database.name)
    old = [
        {"_id": "a", "account_number": 70001, "server": "S"},
        {"_id": "b", "account_number": 70002, "server": "S"},
        {"_id": "c", "login": None, "server": "S"},
        {"_id": "d", "login": 7},
        {"_id": "e", "login": 7},
    ]
    terminals = [{"_id": "x", "status": "FREE"}, {"_id": "y", "status": "FREE", "path": None}]
    database.elements.insert_many(old)
    database.instances.insert_many(terminals)
    connect(server_uri, database.name).client.close()
    assert list(database.elements.find(sort=["_id"])) == old, "nothing is lost, nothing changed"
    assert list(database.instances.find(sort=["_id"])) == terminals
    named = {str(one.id) for one in all_strangers(database)}
    assert named == {"a", "b", "c", "d", "e", "x", "y"}
    database.elements.insert_one({"login": 7, "server": "S"})
    with pytest.raises(DuplicateKeyError):
        database.elements.insert_one({"login": 7, "server": "S"})
    database.instances.insert_one({"host": "one", "path": "C:\\1", "status": "FREE"})
    with pytest.raises(DuplicateKeyError):
        database.instances.insert_one({"host": "one", "path": "C:\\1", "status": "FREE"})


def test_an_account_is_found_by_an_index(database: Rms) -> None:
    for asked in ({"login": 7, "server": "S"}, {"login": 7}, {"login": {"$in": [7, 8]}}):
        plan = database.elements.find(asked).explain()["queryPlanner"]["winningPlan"]
        assert "COLLSCAN" not in str(plan), asked

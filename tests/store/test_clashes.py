"""Documents that must be one and stand twice, from before any rms-tui looked: named, never lost."""

from __future__ import annotations

import pytest
from bson import ObjectId
from shell import Run

from rms_tui.store.clashes import Clash, all_clashes
from rms_tui.store.database import Rms, connect
from rms_tui.store.diagnosis import of_server
from rms_tui.store.errors import StoreError
from rms_tui.store.renamed import Names

FIRST, SECOND = ObjectId("6b0a0159fbb2d2aae0c815a6"), ObjectId("6b0a0159fbb2d2aae0c815a7")
TWINS = [
    {"_id": FIRST, "login": 70123, "server": "Broker-Live", "note": "older"},
    {"_id": SECOND, "login": 70123, "server": "Broker-Live", "note": "newer"},
]
SAID = f"elements {FIRST}, {SECOND} all have login 70123, server 'Broker-Live'"


def plant(database: Rms) -> None:
    """As another program left them, with one that is in nobody's way."""
    database.client.drop_database(database.name)
    database.elements.insert_many([*TWINS, {"login": 70124, "server": "Broker-Live"}])


def test_two_elements_of_one_account_are_named_by_whatever_starts(
    server_uri: str, database: Rms, rms: Run
) -> None:
    plant(database)
    with pytest.raises(StoreError) as refused:
        connect(server_uri, database.name)
    assert refused.value.final, "trying again cannot help"
    assert SAID in refused.value.text
    for words in (("element", "list"), ("supervise",), ("alerts",), ("secrets", "status")):
        done = rms(*words)
        assert done.status == 6
        assert SAID in done.err
        assert "deleteOne" in done.err
        assert "Index build" not in done.err
    assert list(database.elements.find({"login": 70123}, sort=["_id"])) == TWINS


def test_doctor_fails_and_says_what_to_do(server_uri: str, database: Rms) -> None:
    plant(database)
    found = [
        one for one in of_server(server_uri, database.name, "MongoDB", "") if one.grade != "OK"
    ]
    assert [(one.grade, one.what, one.found) for one in found] == [("FAIL", "documents", SAID)]
    assert f'getSiblingDB("{database.name}")' in found[0].mend


def test_all_is_well_once_one_is_deleted(database: Rms, rms: Run) -> None:
    plant(database)
    assert rms("element", "list").status == 6
    database.elements.delete_one({"_id": SECOND})
    done = rms("element", "list", "--json")
    assert done.status == 0
    assert all_clashes(database) == []
    assert database.elements.find_one({"_id": FIRST}) == TWINS[0]


def test_many_alike_are_counted_and_their_words_are_no_control_characters(
    database: Rms,
) -> None:
    database.client.drop_database(database.name)
    database.elements.insert_many(
        {"_id": f"e{number}\x1b", "login": 7, "server": "S\x1b[2J"} for number in range(9)
    )
    (clash,) = all_clashes(database)
    assert (clash.count, len(clash.ids)) == (9, 4)
    assert str(clash).startswith("elements e0\\x1b, e1\\x1b, e2\\x1b, e3\\x1b and 5 more all have")
    assert str(clash).isprintable()


def test_terminals_and_renamed_collections_are_named_as_they_stand_there(
    server_uri: str, database: Rms
) -> None:
    database.client.drop_database(database.name)
    database["mt5"].insert_many(
        {"_id": name, "host": "one", "path": "C:\\1", "status": "FREE"} for name in ("a", "b")
    )
    with pytest.raises(StoreError, match="mt5 a, b all have host 'one', path"):
        connect(server_uri, Names(database.name, {"instances": "mt5"}))


def test_what_is_no_element_clashes_with_nothing(database: Rms) -> None:
    database.client.drop_database(database.name)
    database.elements.insert_many([{"server": "S"}, {"server": "S"}, {"login": 7}, {"login": 7}])
    assert all_clashes(database) == []
    assert str(Clash("elements", (1, 2), 2, (("login", 7),))) == "elements 1, 2 all have login 7"

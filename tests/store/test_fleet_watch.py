"""The fleet's change stream: what a person does is heard, what workers write all day is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId
from desk import until
from hypothesis import given
from hypothesis import strategies as st

from rms_tui.store import claims
from rms_tui.store.database import Rms
from rms_tui.store.fleet_watch import Change, FleetWatch
from rms_tui.store.named import id_text, ids_of


@pytest.fixture
def watch(database: Rms) -> Iterator[FleetWatch]:
    made = FleetWatch(database, "desk-1")
    yield made
    made.close()


def heard(watch: FleetWatch, database: Rms) -> list[Change]:
    """Everything up to a mark that is made now."""
    mark = ObjectId()
    database.instances.insert_one({"_id": mark, "host": "h", "path": str(mark), "status": "FREE"})
    found: list[Change] = []

    def until_mark() -> bool:
        change = watch.next()
        if change is not None:
            found.append(change)
        return change is not None and change.id == mark

    until(until_mark)
    return found[:-1]


def test_an_insert_an_edit_and_a_delete_are_heard(watch: FleetWatch, database: Rms) -> None:
    elements = database.elements
    elements.insert_one({"_id": 1, "login": 1, "server": "S", "profile": {"max_profit": 1}})
    elements.update_one({"_id": 1}, {"$set": {"profile.max_profit": 2, "last_ping": None}})
    elements.update_one({"_id": 1}, {"$unset": {"profile": ""}})
    elements.update_one({"_id": 1}, {"$set": {"status": "REMOVED"}})
    elements.delete_one({"_id": 1})
    fields = [change.fields for change in heard(watch, database)]
    assert fields == [set(), {"profile", "last_ping"}, {"profile"}, {"status"}, set()]


def test_figures_pings_and_terms_are_not(watch: FleetWatch, database: Rms) -> None:
    database.elements.insert_one(
        {"_id": 1, "login": 1, "server": "S", "source": "terminal", "status": "PENDING"}
    )
    database.instances.insert_one({"_id": 1, "host": "h", "path": "p", "status": "FREE"})
    held = claims.claim(database, 1, "h")
    assert held is not None
    heard(watch, database)
    claims.begin(database, held, 1, 1.0)
    claims.ping(database, held, {"account.time": None})
    figures: dict[str, Any] = {"account": {"equity": 1.0}, "risk": {"state": "ok"}}
    claims.write_element(database, held, figures, restated=False)
    database.elements.update_one({"_id": 1}, {"$set": {"account.equity": 2.0}})
    assert heard(watch, database) == []


def test_the_place_is_kept_for_the_next_start(database: Rms) -> None:
    first = FleetWatch(database, "desk-1")
    heard(first, database)
    first.save()
    first.close()
    database.elements.insert_one({"_id": 7, "login": 7, "server": "S"})
    second = FleetWatch(database, "desk-1")
    assert [change.id for change in heard(second, database)] == [7]
    assert not second.anew
    second.close()


@pytest.mark.parametrize("token", [{"_data": "no token"}, {"_data": ""}, {}, "text", 5, None])
def test_a_place_that_is_none_begins_anew_and_says_so(database: Rms, token: object) -> None:
    database.command("collMod", "streams", validator={})
    database.streams.insert_one({"_id": "supervisor/desk-1", "token": token})
    watch = FleetWatch(database, "desk-1")
    database.elements.insert_one({"_id": 7, "login": 7, "server": "S"})
    assert [change.id for change in heard(watch, database)] == [7]
    assert watch.anew == isinstance(token, dict)
    watch.close()


IDS = st.one_of(
    st.text(min_size=1, max_size=30),
    st.integers(-(2**63), 2**63 - 1),
    st.builds(ObjectId, st.binary(min_size=12, max_size=12)),
    st.uuids().map(str),
)


@given(IDS)
def test_an_id_comes_back_from_a_command_line(value: Any) -> None:
    assert value in ids_of(id_text(value))

"""Elements: additions and removals are facts, written once however often they are sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk import NOW, SERVER, until
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rms_tui.feed import Selection
from rms_tui.monitor import AccountChange
from rms_tui.store import elements
from rms_tui.store.database import Rms
from rms_tui.store.elements import SelectionWatch, add, remove, selection
from rms_tui.store.schema import Status
from rms_tui.store.values import text

ADDED = AccountChange(1001, SERVER, "add", "ann", NOW)


def test_an_added_account_is_pending_and_its_audit_row_says_who(database: Rms) -> None:
    assert add(database, 1001, SERVER, "manager", "ann", at=NOW)
    (element,) = elements.elements(database)
    assert (element.login, element.server, element.source) == (1001, SERVER, "manager")
    assert (element.status, element.created_by) == (Status.PENDING, "ann")
    assert element.updated_at is not None
    row = database.audit.find_one({})
    assert row is not None
    assert (row["action"], row["login"], row["operator"]) == ("add", 1001, "ann")
    assert row["at"].timestamp() == NOW


def test_the_same_fact_sent_again_changes_nothing(database: Rms) -> None:
    assert elements.apply(database, [ADDED], "manager") == 1
    remove(database, 1001, SERVER, "manager", "bob", at=NOW + 1)
    assert elements.apply(database, [ADDED, ADDED], "manager") == 0
    assert database.audit.count_documents({}) == 2
    assert elements.elements(database)[0].status is Status.REMOVED


def test_removing_keeps_the_element_and_adding_again_revives_it(database: Rms) -> None:
    add(database, 1001, SERVER, "manager", "ann", at=NOW)
    remove(database, 1001, SERVER, "manager", "bob", at=NOW + 1)
    assert elements.elements(database, SERVER)[0].status is Status.REMOVED
    add(database, 1001, SERVER, "manager", "cid", at=NOW + 2)
    (element,) = elements.elements(database, SERVER)
    assert (element.status, element.created_by) == (Status.PENDING, "cid")


def test_adding_a_watched_account_does_not_take_its_status_away(database: Rms) -> None:
    add(database, 1001, SERVER, "manager", "ann", at=NOW)
    database.elements.update_one({"login": 1001}, {"$set": {"status": "BREACHED"}})
    add(database, 1001, SERVER, "manager", "bob", at=NOW + 1)
    assert elements.elements(database)[0].status is Status.BREACHED


def test_either_the_element_and_its_audit_row_are_written_or_neither(database: Rms) -> None:
    wrong = replace(ADDED, login=1002)
    database.command("collMod", "elements", validator={"login": {"$ne": 1002}})
    with pytest.raises(Exception, match="validation"):
        elements.apply(database, [ADDED, wrong], "manager")
    assert database.audit.count_documents({}) == 0
    assert database.elements.count_documents({}) == 0


def test_a_login_or_server_that_cannot_be_one_is_refused(database: Rms) -> None:
    for wrong in (replace(ADDED, login=-1), replace(ADDED, login=2**63), replace(ADDED, server="")):
        with pytest.raises(ValueError, match=f"login {wrong.login}: expected"):
            elements.apply(database, [wrong], "manager")


def test_a_console_starts_with_what_was_added_and_removed_on_its_server(database: Rms) -> None:
    add(database, 1001, SERVER, "manager", "ann")
    add(database, 1002, SERVER, "manager", "ann")
    add(database, 1009, "Elsewhere", "manager", "ann")
    remove(database, 1002, SERVER, "manager", "ann")
    remove(database, 1003, SERVER, "manager", "ann")
    stored = selection(database, SERVER, everything=True)
    assert stored == Selection(True, frozenset({1001}), frozenset({1002, 1003}))


def test_an_addition_from_another_shell_is_seen_by_the_watch(database: Rms) -> None:
    watch = SelectionWatch(database, SERVER, everything=False)
    assert watch.poll() == Selection(False)
    assert watch.poll() is None
    add(database, 1001, SERVER, "manager", "ann")
    seen: list[Selection] = []
    until(lambda: seen.append(found) or True if (found := watch.poll()) else False, 3)
    assert seen == [Selection(False, frozenset({1001}))]
    watch.close()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(), min_size=1))
@example("$set")
@example("a.b.$c")
@example("nul\x00nul")
@example("\ud800 lone")
@example("\U0001f600")
def test_any_text_comes_back_as_it_was_written(database: Rms, name: str) -> None:
    database.elements.delete_many({})
    database.audit.delete_many({})
    add(database, 1001, name, "manager", name, at=NOW)
    (element,) = elements.elements(database, name)
    assert element.server == element.created_by == text(name)
    lone = any(0xD800 <= ord(letter) <= 0xDFFF for letter in name)
    assert (text(name) == name) is not lone


def test_fields_of_a_newer_writer_are_read_along(database: Rms) -> None:
    add(database, 1001, SERVER, "manager", "ann")
    database.elements.update_one({}, {"$set": {"desk": "London"}})
    (element,) = elements.elements(database)
    assert element.model_extra == {"desk": "London"}

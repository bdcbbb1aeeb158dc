"""One process at a time polls a book, by MongoDB's clock; a process thought dead writes nothing."""

from __future__ import annotations

import subprocess
import sys
import threading

import psutil
import pytest
from pymongo.errors import WriteError

from rms_tui.store.alive import is_dead, this_process
from rms_tui.store.database import in_transaction
from rms_tui.store.leases import SHUT, Door, LeaseLost, Owner, guard, held, release, renew, take

BOOK = "manager/prod-1:443"


def taken(database, who="one", ttl=30.0):
    return take(database, BOOK, who, host=f"host-{who}", door=Door(f"ws://{who}", "t"), ttl=ttl)


def run_out(database):
    """As when nobody renewed it."""
    database.leases.update_one({"_id": BOOK}, [{"$set": {"expires": "$$NOW"}}])


def test_the_first_takes_it_and_the_second_sees_who_holds_it(database):
    assert held(database, BOOK) is None
    mine = taken(database)
    assert taken(database, "two") is None
    found = held(database, BOOK)
    assert (found.holder, found.term, found.host, found.door.address) == (
        "one", mine.term, "host-one", "ws://one",
    )  # fmt: skip
    assert 0 < found.left <= 30


def test_of_many_who_ask_at_once_one_gets_it(database):
    begin, got = threading.Barrier(8), []

    def ask(who):
        begin.wait(10)
        got.append(taken(database, str(who)))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(got) == 8
    assert sum(lease is not None for lease in got) == 1


def test_a_lease_that_ran_out_is_taken_with_the_next_term_and_the_old_holder_hears_of_it(database):
    old = taken(database)
    run_out(database)
    assert held(database, BOOK) is None
    new = taken(database, "two")
    assert new.term == old.term + 1
    with pytest.raises(LeaseLost):
        renew(database, old, door=SHUT)
    assert release(database, old) is False
    assert held(database, BOOK).holder == "two"


def test_a_lease_that_ran_out_and_nobody_took_is_renewed(database):
    mine = taken(database)
    run_out(database)
    assert renew(database, mine, door=Door("ws://moved"), ttl=30).term == mine.term
    assert held(database, BOOK).door.address == "ws://moved"


def test_a_released_lease_is_free_at_once(database):
    mine = taken(database)
    assert release(database, mine) is True
    assert taken(database, "two").term == mine.term + 1


def test_a_holder_that_lost_its_lease_writes_nothing(database):
    old = taken(database)
    wrote = []

    def write(session):
        database.audit.insert_one(
            {"_id": "x", "action": "a", "operator": "o", "at": None}, session=session
        )
        wrote.append(1)

    run_out(database)
    taken(database, "two")
    with pytest.raises(LeaseLost):
        in_transaction(database, write, guard(database.name, old))
    assert wrote == []
    assert database.audit.count_documents({}) == 0


def test_a_takeover_waits_for_a_write_under_way_and_the_next_one_is_refused(database):
    old = taken(database)
    begun, done = threading.Event(), threading.Event()

    def take_over():
        begun.wait(10)
        run_out(database)
        taken(database, "two")
        done.set()

    thread = threading.Thread(target=take_over)
    thread.start()
    database.leases.insert_one({"_id": "other", "term": 1})

    def write(session):
        begun.set()
        database.leases.update_one({"_id": "other"}, {"$set": {"term": 2}}, session=session)

    in_transaction(database, write, guard(database.name, old))
    thread.join(30)
    assert done.is_set()
    assert database.leases.find_one({"_id": "other"})["term"] == 2  # committed before the takeover
    with pytest.raises(LeaseLost):
        in_transaction(database, write, guard(database.name, old))


@pytest.mark.parametrize("name", ["$$NOW", "$holder", 'a"b', "{$gt: ''}"])
def test_names_from_outside_are_text_and_never_an_expression(database, name):
    lease = take(database, name, name, host=name, door=Door(name, name), ttl=30)
    found = held(database, name)
    assert (found.book, found.holder, found.host, found.door.address) == (name,) * 4
    assert take(database, name, "other", host="h", door=SHUT) is None
    assert release(database, lease)


def test_a_lease_of_a_process_that_died_here_is_taken_at_once_and_of_no_other(database):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = psutil.Process(child.pid).create_time()
    here = Owner(this_process().machine, child.pid, born)
    assert not is_dead(here)
    assert not is_dead(None)
    assert is_dead(Owner(here.machine, child.pid, born - 60)), "its number was used again"
    child.kill()
    child.communicate()
    assert is_dead(here)
    assert not is_dead(Owner("another machine", here.pid, here.born))
    old = take(database, BOOK, "one", host="h", door=SHUT, owner=here, ttl=60)
    found = held(database, BOOK)
    assert found.owner == here
    assert take(database, BOOK, "two", host="h", door=SHUT) is None
    assert take(database, BOOK, "two", host="h", door=SHUT, dead=found).term == old.term + 1
    assert take(database, BOOK, "three", host="h", door=SHUT, dead=found) is None


def test_a_token_is_shown_by_no_repr(database):
    lease = take(database, BOOK, "one", host="h", door=Door("ws://x", "s3cret-token"), ttl=30)
    assert "s3cret" not in repr(lease)
    assert held(database, BOOK).door.token == "s3cret-token"
    release(database, lease)
    assert "s3cret" not in str(database.leases.find_one({"_id": BOOK}))


def test_a_lease_without_a_term_is_refused_by_the_database(database):
    with pytest.raises(WriteError):
        database.leases.insert_one({"_id": "x", "holder": "me"})

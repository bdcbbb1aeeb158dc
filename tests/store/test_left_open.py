"""A server that froze in the midst of a transaction must not keep its documents from everybody."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from desk import PLAN, HandFeed, book, until
from pymongo.client_session import ClientSession
from pymongo.errors import ConnectionFailure, PyMongoError
from tests.faults.servers import KillableServer, killable

from rms_tui.monitor import Monitor
from rms_tui.store import left_open
from rms_tui.store.database import Rms, connect, in_transaction
from rms_tui.store.embedded import Remote
from rms_tui.store.writer import Writer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP is POSIX's")

HASTY = "&socketTimeoutMS=400&connectTimeoutMS=400"


@pytest.fixture
def frozen(mongod_path: Path, tmp_path: Path) -> Iterator[KillableServer]:
    """A server that keeps open transactions as long as one of a firm does."""
    with killable(mongod_path, tmp_path / "mongod") as server:
        with closing(connect(server.uri, "rms").client) as client:
            client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=60)
        yield server


def interrupted(server: KillableServer, database: Rms) -> None:
    """A transaction in the midst of which the server freezes for longer than anybody waits."""

    def write(session: ClientSession) -> None:
        database.leases.update_one({"_id": "b"}, {"$inc": {"writes": 1}}, session=session)
        server.send(signal.SIGSTOP)
        database.audit.find_one({}, session=session)

    try:
        with pytest.raises(ConnectionFailure):
            in_transaction(database, write)
    finally:
        server.send(signal.SIGCONT)


def renewed(database: Rms) -> bool:
    try:
        database.leases.update_one({"_id": "b"}, {"$inc": {"renewed": 1}})
    except PyMongoError:
        return False
    return True


def test_a_transaction_that_was_left_open_is_ended_by_who_comes_back(
    frozen: KillableServer,
) -> None:
    database = connect(frozen.uri + HASTY, "rms")
    database.leases.insert_one({"_id": "b", "term": 1, "holder": "h"})
    interrupted(frozen, database)
    left = left_open.left_open(database.client)
    database.client.close()
    assert len(left) == 1
    again = connect(frozen.uri + HASTY, "rms")
    assert not renewed(again), "the server still holds the document"
    left_open.end(again.client, left)
    until(lambda: renewed(again), 10)
    again.client.close()


def test_alerts_that_waited_for_a_server_that_froze_are_written_when_it_is_back(
    frozen: KillableServer,
) -> None:
    with closing(connect(frozen.uri, "rms").client) as client:
        client.rms.leases.insert_one({"_id": "b", "term": 1, "holder": "h"})
        froze: list[bool] = []

        def guard(session: ClientSession) -> None:
            session.client.rms.leases.update_one(
                {"_id": "b"}, {"$inc": {"writes": 1}}, session=session
            )
            if not froze:
                frozen.send(signal.SIGSTOP)
            froze.append(True)

        monitor = Monitor(HandFeed(book((0.0, -1200.0), at=time.time())), PLAN, interval=1.0)
        writer = Writer(
            monitor.frames, monitor.outbox, Remote(frozen.uri + HASTY), source="simulator",
            guard=guard, period=0.05,
        )  # fmt: skip
        writer.start()
        monitor.step()
        monitor.step()
        try:
            until(lambda: writer.status.value is not None and writer.status.value.state == "down")
        finally:
            frozen.send(signal.SIGCONT)
        until(lambda: client.rms.alerts.count_documents({}) == 1, 20)
        writer.stop()


def test_what_is_over_is_ended_without_a_word(database: Rms) -> None:
    with database.client.start_session() as session:
        left_open.end(database.client, [session.session_id])
    assert left_open.left_open(database.client) == ()


def test_a_private_server_lets_go_of_what_a_dead_process_left_before_a_lease_runs_out_twice(
    server_uri: str,
) -> None:
    with closing(connect(server_uri, "rms").client) as client:
        name = "transactionLifetimeLimitSeconds"
        assert client.admin.command("getParameter", 1, **{name: 1})[name] == 5

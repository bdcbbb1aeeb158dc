"""The writer: nothing lost, nothing doubled, nobody held up, whatever happens to mongod."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from desk import ALERT, NOW, PLAN, SERVER, HandFeed, book, raised, until

from rms_tui.alerts import AlertEvent
from rms_tui.feed import Selection
from rms_tui.monitor import AccountChange, Monitor
from rms_tui.store import elements, mongod
from rms_tui.store.database import Rms, connect
from rms_tui.store.embedded import Embedded, Remote
from rms_tui.store.writer import StoreStatus, Writer


class Desk:
    """A monitor stepped by hand at the instant of its making, and a writer behind it."""

    def __init__(self, server: Embedded | Remote, database: str, *floating: float) -> None:
        self.now = time.time()
        self.feed = HandFeed(book(floating or (0.0, -1200.0), at=self.now))
        self.monitor = Monitor(self.feed, PLAN, interval=1.0, clock=lambda: self.now)
        self.selections: list[Selection] = []
        self.writer = Writer(
            self.monitor.frames,
            self.monitor.outbox,
            server,
            source="simulator",
            database=database,
            on_selection=self.selections.append,
            period=0.05,
        )

    def poll(self, *floating: float) -> None:
        self.feed.newest = book(floating, at=self.now)
        self.monitor.step()

    @property
    def status(self) -> StoreStatus:
        found = self.writer.status.value
        assert found is not None
        return found


@pytest.fixture
def desk(server_uri: str, database: Rms) -> Iterator[Desk]:
    made = Desk(Remote(server_uri), database.name)
    made.writer.start()
    yield made
    made.writer.stop()
    assert not made.writer.running


@pytest.fixture
def private(mongod_path: Path, tmp_path: Path) -> Iterator[Desk]:
    """A desk with a mongod of its own, which the test may kill."""
    made = Desk(Embedded(tmp_path, str(mongod_path)), "rms")
    made.writer.start()
    until(lambda: made.status.state == "connected")
    yield made
    made.writer.stop()
    until(lambda: mongod.running_on(tmp_path / "mongodb", None) is None)


def mongod_of(folder: Path) -> psutil.Process:
    found = mongod.running_on(folder / "mongodb", None)
    assert found is not None
    return found


def test_status_and_figures_of_every_watched_account_reach_the_database(
    desk: Desk, database: Rms
) -> None:
    desk.poll(12.346, -1200.0)
    desk.poll(12.346, -1200.0)
    until(lambda: database.elements.count_documents({"status": "BREACHED"}) == 1)
    calm, breached = elements.elements(database, SERVER)
    assert (calm.login, calm.status, calm.created_by) == (1001, "ACTIVE", None)
    assert calm.account is not None
    assert (calm.account["equity"], calm.account["margin_level"]) == (10_012.35, None)
    assert breached.risk is not None
    assert (breached.risk.rule, breached.risk.value, breached.risk.limit) == (
        "max_loss",
        -1200.0,
        -1000.0,
    )
    assert breached.last_ping is not None
    until(lambda: desk.status.last_write is not None)


def test_the_newest_figures_win_and_unchanged_accounts_are_left_alone(
    desk: Desk, database: Rms
) -> None:
    desk.poll(1.0, 2.0)
    until(lambda: database.elements.count_documents({"account.profit": 2.0}) == 1)
    before = {e.login: e.last_ping for e in elements.elements(database)}
    for profit in range(3, 30):
        desk.poll(1.0, float(profit))
    until(lambda: database.elements.count_documents({"account.profit": 29.0}) == 1)
    after = {e.login: e.last_ping for e in elements.elements(database)}
    assert after[1001] == before[1001]
    assert after[1002] != before[1002]


def test_alerts_and_acknowledgements_arrive_in_order(desk: Desk, database: Rms) -> None:
    desk.poll(0.0, -1200.0)
    desk.poll(0.0, -1200.0)
    frame = desk.monitor.frames.value
    assert frame is not None
    (alert,) = frame.alerts
    desk.monitor.acknowledge(alert.id, "ann", "on the phone")
    desk.poll(0.0, -1200.0)
    until(lambda: database.alerts.count_documents({"stage": "acknowledged"}) == 1)
    until(lambda: database.audit.count_documents({"action": "acknowledge"}) == 1)
    until(lambda: desk.status.waiting == 0)


def test_accounts_removed_here_are_not_brought_back_by_their_status(
    desk: Desk, database: Rms
) -> None:
    desk.poll(0.0, 0.0)
    until(lambda: database.elements.count_documents({"status": "ACTIVE"}) == 2)
    desk.monitor.remove([1002], "ann")
    until(lambda: database.elements.count_documents({"status": "REMOVED"}) == 1)
    desk.poll(5.0, 5.0)  # a Book from before the removal
    until(lambda: database.elements.count_documents({"login": 1001, "account.profit": 5.0}) == 1)
    assert database.elements.count_documents({"status": "REMOVED"}) == 1
    desk.monitor.add([1002], "ann")
    until(lambda: database.elements.count_documents({"status": "ACTIVE"}) == 2)


def test_an_addition_from_another_shell_reaches_the_running_console(
    desk: Desk, database: Rms
) -> None:
    desk.poll(0.0, 0.0)
    until(lambda: database.elements.count_documents({}) == 2)
    elements.remove(database, 1002, SERVER, "simulator", "bob")
    until(lambda: desk.selections != [])
    assert desk.selections[-1] == Selection(True, frozenset(), frozenset({1002}))
    elements.add(database, 1002, SERVER, "simulator", "bob")
    until(lambda: desk.selections[-1] == Selection(True, frozenset({1002}), frozenset()), 3)
    until(lambda: database.elements.count_documents({"status": "ACTIVE"}) == 2)


def test_facts_wait_until_the_server_has_a_name(desk: Desk, database: Rms) -> None:
    desk.monitor.outbox.put(AccountChange(1001, None, "add", "ann", NOW))
    until(lambda: desk.status.state == "connected")
    until(lambda: desk.status.waiting == 1)
    desk.poll(0.0)
    until(lambda: desk.status.waiting == 0)
    (element,) = elements.elements(database)
    assert (element.server, element.created_by) == (SERVER, "ann")


def test_a_fact_the_database_will_never_have_does_not_block_the_others(
    desk: Desk, database: Rms, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = desk.monitor.outbox
    outbox.put(raised(1))
    outbox.put(AlertEvent("raised", replace(ALERT, id="wrong", login=-5), NOW))
    outbox.put(raised(2))
    until(lambda: database.alerts.count_documents({}) == 2)
    until(lambda: desk.status.refused == 1)
    assert desk.status.waiting == 0
    assert "wrong" in caplog.text, "what is not in the database is in the log"


def test_facts_put_while_mongod_is_killed_again_and_again_all_land_once(
    private: Desk, tmp_path: Path
) -> None:
    private.poll(0.0, 0.0)
    outbox = private.monitor.outbox
    for number in range(800):
        outbox.put(raised(number))
        outbox.put(AccountChange(5000 + number, SERVER, "add", "ann", NOW))
        if number % 400 == 200:
            mongod_of(tmp_path).kill()
        if number % 400 == 399:
            until(lambda: len(outbox) == 0, 20)
    until(lambda: private.status.waiting == 0)
    database = connect(private.status.uri or "", "rms")
    assert database.alerts.count_documents({}) == 800
    assert database.audit.count_documents({"action": "add"}) == 800
    assert database.elements.count_documents({"created_by": "ann"}) == 800
    assert private.status.refused == 0
    database.client.close()


def test_a_killed_mongod_is_said_to_be_down_and_comes_back_with_the_newest_status(
    private: Desk, tmp_path: Path
) -> None:
    private.poll(1.0, 1.0)
    states: list[str] = []
    done = threading.Event()

    def follow() -> None:
        at = 0
        while not done.is_set():
            if newer := private.writer.status.newer(at, 0.05):
                at = newer[0]
                states.append(newer[1].state)

    follower = threading.Thread(target=follow)
    follower.start()
    mongod_of(tmp_path).kill()
    private.poll(2.0, 2.0)
    until(lambda: "down" in states)
    until(lambda: private.status.state == "connected")
    done.set()
    follower.join()
    database = connect(private.status.uri or "", "rms")
    until(lambda: database.elements.count_documents({"account.profit": 2.0}) == 2)
    assert database.elements.count_documents({}) == 2
    database.client.close()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP is POSIX's")
def test_quitting_while_mongod_hangs_takes_no_longer_than_it_may_and_says_what_is_lost(
    private: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    private.poll(0.0)
    server = mongod_of(tmp_path)
    os.kill(server.pid, signal.SIGSTOP)
    private.monitor.outbox.put(raised(1))
    began = time.monotonic()
    private.writer.stop(timeout=1.0)
    assert time.monotonic() - began < 1.4
    assert "1 fact not written" in caplog.text
    server.send_signal(signal.SIGCONT)
    server.terminate()


def test_what_was_put_just_before_the_quit_is_written(server_uri: str, database: Rms) -> None:
    desk = Desk(Remote(server_uri), database.name)
    desk.writer.start()
    until(lambda: desk.status.state == "connected")
    desk.poll(7.0)
    for number in range(300):
        desk.monitor.outbox.put(raised(number))
    desk.writer.stop()
    assert database.alerts.count_documents({}) == 300
    assert database.elements.count_documents({"account.profit": 7.0}) == 1


def test_an_unreachable_server_is_down_with_a_reason_and_without_the_password() -> None:
    desk = Desk(Remote("mongodb://ann:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=50"), "rms")
    desk.monitor.outbox.put(raised(1))
    desk.writer.start()
    until(lambda: desk.status.state == "down")
    assert "no MongoDB answers at mongodb://ann:***@127.0.0.1:1/" in desk.status.text
    assert desk.status.waiting == 1
    assert "hunter2" not in repr(desk.status)
    desk.writer.stop()


def test_all_that_was_stored_is_heard_before_it_is_said_to_be_told_and_that_is_said_once(
    desk: Desk, server_uri: str, database: Rms
) -> None:
    desk.poll(0.0, -1200.0, 0.0)
    desk.poll(0.0, -1200.0, 0.0)
    until(lambda: database.alerts.count_documents({"open": True}) == 1)
    until(lambda: database.elements.count_documents({"status": "ACTIVE"}) == 2)
    elements.remove(database, 1003, SERVER, "simulator", "bob")
    own = {"$set": {"profile": {"max_profit": 900.0}}}
    database.elements.update_one({"login": 1001}, own)
    desk.writer.stop()
    heard: list[str] = []

    def recalled(_: object) -> int:
        heard.append("memory")
        return 0

    monitor = Monitor(desk.feed, PLAN, interval=1.0)
    server = Remote(server_uri)
    keeps = memory_writer(monitor, server, database.name)
    keeps.start()
    monitor.step()
    until(lambda: database.memory.count_documents({}) > 0)
    keeps.stop()

    after = Monitor(desk.feed, PLAN, interval=1.0)
    writer = Writer(
        after.frames, after.outbox, server, source="simulator", database=database.name,
        period=0.05, on_alerts=lambda _: heard.append("alerts"),
        on_selection=lambda _: heard.append("selection"), on_memory=recalled,
        on_entries=lambda _: heard.append("entries"),
        on_profiles=lambda _: heard.append("profiles"), on_told=lambda: heard.append("told"),
    )  # fmt: skip
    writer.start()
    until(lambda: writer.status.value is not None and writer.status.value.state == "connected")
    assert heard == [], "whose accounts they are is not known before the first Book"
    after.step()
    until(lambda: "told" in heard)
    assert set(heard[: heard.index("told")]) >= {"alerts", "selection", "memory", "profiles"}
    heard.append("later")
    database.elements.update_one({"login": 1001}, {"$unset": {"profile": ""}})
    until(lambda: "profiles" in heard[heard.index("later") :])
    writer.stop()
    assert heard.count("told") == 1


def memory_writer(monitor: Monitor, server: Remote, database: str) -> Writer:
    """A writer that keeps memory."""
    return Writer(
        monitor.frames, monitor.outbox, server, source="simulator", database=database,
        period=0.05, on_memory=monitor.recall,
    )  # fmt: skip

"""Several processes on one real mongod: one truth about alerts, also through kill -9."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk import ALERT, NOW, PLAN, SERVER, HandFeed, book, until

from rms_tui.alerts import AlertEvent, Severity, Stage
from rms_tui.alerts.asked import Asked
from rms_tui.monitor import Monitor
from rms_tui.store import alert_query, alerts
from rms_tui.store.alert_query import history
from rms_tui.store.alert_watch import AlertWatch
from rms_tui.store.database import Rms
from rms_tui.store.embedded import Remote
from rms_tui.store.errors import StoreError
from rms_tui.store.writer import Writer

PROGRAM = Path(__file__).with_name("alert_console.py")


class Console:
    """One such process, and the newest it said."""

    def __init__(self, uri: str, database: str, who: str, *floating: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), uri, database, who, *map(str, floating)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said: list[dict[str, Any]] = []
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return self.said[-1]["alerts"] if self.said else []

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def quit(self) -> None:
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait(10)


Open = Callable[..., Console]


@pytest.fixture
def console(server_uri: str, database: Rms) -> Iterator[Open]:
    opened: list[Console] = []

    def start(who: str, *floating: float) -> Console:
        opened.append(Console(server_uri, database.name, who, *floating))
        return opened[-1]

    yield start
    for one in opened:
        one.quit()


def test_acknowledged_in_one_process_is_shown_in_the_other_within_a_second(
    console: Open, database: Rms
) -> None:
    ann, bob = console("ann@one", -1200.0, 0.0), console("bob@two", -1200.0, 0.0)
    until(lambda: ann.alerts and bob.alerts, 20)
    until(lambda: ann.alerts[0]["id"] == bob.alerts[0]["id"], 5)
    assert database.alerts.count_documents({}) == 1, "two consoles made two of one episode"
    alert_id = ann.alerts[0]["id"]
    told = time.time()
    ann.tell(f"ack {alert_id} on the phone [/red] $where")
    until(lambda: bob.alerts[0]["stage"] == "acknowledged", 5)
    assert bob.said[-1]["at"] - told < 1.0
    assert (bob.alerts[0]["by"], bob.alerts[0]["note"]) == (
        "ann@one", "on the phone [/red] $where",
    )  # fmt: skip
    bob.tell(f"ack {alert_id} too late")
    bob.tell("see 0 -1300")
    until(lambda: [a["login"] for a in bob.alerts] == [1002], 10)
    assert database.audit.count_documents({"action": "acknowledge"}) == 1
    ann.tell("see 0 -1300")
    until(lambda: [a["login"] for a in ann.alerts] == [1002], 10)
    until(lambda: ann.alerts[0]["id"] == bob.alerts[0]["id"], 5)
    until(lambda: database.alerts.count_documents({"stage": "recovered"}) == 1)
    assert database.alerts.count_documents({}) == 2
    told = time.time()
    bob.tell(f"snooze {bob.alerts[0]['id']} 300")
    until(lambda: ann.alerts[0]["stage"] == "snoozed", 5)
    assert ann.said[-1]["at"] - told < 1.0


def test_after_kill_9_the_same_alerts_are_open_and_nothing_rings_again(
    console: Open, database: Rms
) -> None:
    first = console("ann@one", -1200.0, -980.0, 0.0)
    until(lambda: len(first.alerts) == 2, 20)
    first.tell(f"ack {first.alerts[0]['id']} mine")
    until(lambda: database.alerts.count_documents({"stage": "acknowledged"}) == 1)
    until(lambda: database.evidence.count_documents({}) == 2)
    before = first.alerts
    documents = list(database.alerts.find({}))
    first.kill()

    second = console("ann@one", -1200.0, -980.0, 0.0)
    until(lambda: len(second.alerts) == 2, 20)
    second.tell("see -1200 -980 -1500")
    until(lambda: len(second.alerts) == 3, 10)
    now = second.alerts[:2]
    for ours, theirs in zip(before, now, strict=True):
        assert {**ours, "rung_at": 0, "first_seen": 0} == {**theirs, "rung_at": 0, "first_seen": 0}
        assert theirs["rung_at"] == pytest.approx(ours["rung_at"], abs=0.002), "a second bell"
    until(lambda: database.alerts.count_documents({}) == 3)
    assert list(database.alerts.find({"login": {"$lt": 1003}})) == documents
    assert database.audit.count_documents({}) == 1

    second.kill()
    third = console("ann@one", 0.0, -980.0, -1500.0)
    until(lambda: [a["login"] for a in third.alerts] == [1002, 1003], 20)
    until(lambda: database.alerts.count_documents({"stage": "recovered"}) == 1)
    assert database.alerts.count_documents({}) == 3


RAISED = AlertEvent("raised", ALERT, NOW + 1)


def acked(by: str, at: float, note: str | None = None, **more: Any) -> AlertEvent:
    alert = replace(
        ALERT, stage=Stage.ACKNOWLEDGED, operator=by, note=note, acknowledged_at=at, **more
    )
    return AlertEvent("acknowledged", alert, at)


def snoozed(by: str, at: float, seconds: float) -> AlertEvent:
    alert = replace(
        ALERT, stage=Stage.SNOOZED, snoozed_by=by, snoozed_at=at, snoozed_until=at + seconds
    )
    return AlertEvent("snoozed", alert, at)


def test_of_two_acknowledgements_the_first_in_time_is_kept_whoever_writes_first(
    database: Rms,
) -> None:
    alerts.apply(database, [RAISED, acked("late", NOW + 9)])
    alerts.apply(database, [acked("early", NOW + 5), acked("later", NOW + 12)])
    found = alert_query.by_id(database, ALERT.id)
    assert found is not None
    assert (found.operator, found.acknowledged_at) == ("early", NOW + 5)
    assert database.audit.count_documents({}) == 3


@pytest.mark.parametrize("there", ["ann", "ann (10.0.0.7)"])
def test_what_the_holder_did_for_a_follower_before_it_died_is_not_done_again_by_the_follower(
    database: Rms, there: str
) -> None:
    alerts.apply(database, [RAISED, acked(there, NOW + 9.02, "mine")])
    alerts.apply(database, [acked("ann", NOW + 9, "mine")])
    (row,) = database.audit.find({})
    assert row["operator"] == there
    found = alert_query.by_id(database, ALERT.id)
    assert found is not None
    assert (found.operator, found.acknowledged_at) == (there, NOW + 9.02)


def test_a_snooze_that_the_holder_did_for_a_follower_is_not_done_again_by_the_follower(
    database: Rms,
) -> None:
    alerts.apply(database, [RAISED, snoozed("ann (10.0.0.7)", NOW + 9.02, 60.0)])
    alerts.apply(database, [snoozed("ann", NOW + 9, 60.0)])
    assert database.audit.count_documents({}) == 1
    alerts.apply(database, [snoozed("ann", NOW + 9.01, 300.0)])
    assert database.audit.count_documents({}) == 2, "another time is another doing"


def test_an_operator_who_answers_again_after_a_snooze_is_audited_again(database: Rms) -> None:
    alerts.apply(database, [RAISED, acked("ann", NOW + 9), snoozed("ann", NOW + 12, 60.0)])
    alerts.apply(database, [acked("ann", NOW + 15)])
    assert database.audit.count_documents({}) == 3


def test_an_acknowledgement_of_a_warning_does_not_cover_the_breach_it_became(
    database: Rms,
) -> None:
    warned = replace(ALERT, severity=Severity.WARNING)
    alerts.apply(database, [replace(RAISED, alert=warned), AlertEvent("risen", ALERT, NOW + 3)])
    alerts.apply(database, [acked("ann", NOW + 4, severity=Severity.WARNING)])
    found = alert_query.by_id(database, ALERT.id)
    assert found is not None
    assert (found.stage, found.operator) == (Stage.RAISED, None)


def test_a_second_process_that_raises_the_same_episode_gets_the_first_ones_alert(
    database: Rms,
) -> None:
    alerts.apply(database, [RAISED, acked("ann", NOW + 2)])
    other = replace(ALERT, id="other", first_seen=NOW + 1, raised_at=NOW + 2)
    won = alerts.apply(
        database,
        [
            AlertEvent("raised", other, NOW + 2),
            AlertEvent("recovered", replace(other, stage=Stage.RECOVERED), NOW + 8),
            AlertEvent("raised", replace(other, id="next", raised_at=NOW + 9), NOW + 9),
        ],
    )
    assert {mine: theirs.id for mine, theirs in won.items()} == {"other": ALERT.id}
    found = {one["_id"]: one["stage"] for one in database.alerts.find({})}
    assert found == {ALERT.id: "recovered", "next": "raised"}


def test_processes_that_raise_at_the_very_same_time_make_one_alert(database: Rms) -> None:
    events = [
        [AlertEvent("raised", replace(ALERT, id=f"{i}-{login}", login=login), NOW)
         for login in range(20)]
        for i in range(4)
    ]  # fmt: skip
    gate = threading.Barrier(4)

    def write(mine: list[AlertEvent]) -> None:
        gate.wait()
        for event in mine:
            alerts.apply(database, [event])

    threads = [threading.Thread(target=write, args=(mine,)) for mine in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.alerts.count_documents({}) == 20


def test_the_watch_tells_of_one_server_and_hears_hostile_notes(database: Rms) -> None:
    watch = AlertWatch(database, SERVER)
    elsewhere = replace(RAISED, alert=replace(ALERT, id="x", server="Other"))
    note = "[/red]\x00 $where \ud800 ‮"
    alerts.apply(database, [RAISED, elsewhere, acked("ann", NOW + 2, note)])
    alerts.apply(database, [acked("bob", NOW + 3, id="x", server="Other")])
    heard: list[Any] = []
    until(lambda: heard.extend(watch.poll()) or heard, 5)
    (one,) = heard
    assert (one.alert_id, one.operator, one.at) == (ALERT.id, "ann", NOW + 2)
    assert one.note == note.replace("\ud800", "�")
    watch.close()


def test_history_is_asked_by_login_rule_operator_and_time(database: Rms) -> None:
    for i in range(6):
        alert = replace(
            ALERT,
            id=f"a{i}",
            login=1001 + i,
            raised_at=NOW + 100 * i,
            rule="max_loss" if i % 2 else "margin_level",
        )
        alerts.apply(database, [AlertEvent("raised", alert, alert.raised_at)])
    seen = acked("ann@desk", NOW + 600, id="a5", login=1006)
    alerts.apply(database, [seen])
    over = replace(ALERT, id="a0", stage=Stage.RECOVERED, recovered_at=NOW + 9)
    alerts.apply(database, [AlertEvent("recovered", over, NOW + 9)])

    def ids(**asked: Any) -> list[str]:
        return [alert.id for alert in history(database, Asked(**asked))]

    assert ids() == ["a5", "a4", "a3", "a2", "a1", "a0"]
    assert ids(open_only=True) == ["a5", "a4", "a3", "a2", "a1"]
    assert ids(login=1003) == ["a2"]
    assert ids(rule="max_loss") == ["a5", "a3", "a1"]
    assert ids(operator="ANN") == ids(operator="ann@desk") == ["a5"]
    assert ids(operator="an") == ids(operator=".*") == []
    assert ids(since=NOW + 300) == ["a5", "a4", "a3"]
    assert ids(most=2) == ["a5", "a4"]


def test_a_running_writer_answers_for_history_and_says_when_it_cannot(
    server_uri: str, database: Rms
) -> None:
    monitor = Monitor(HandFeed(book((0.0,))), PLAN)
    writer = Writer(
        monitor.frames,
        monitor.outbox,
        Remote(server_uri),
        source="simulator",
        database=database.name,
    )
    with pytest.raises(StoreError, match="no alert history now: connecting"):
        writer.history(Asked())
    alerts.apply(database, [RAISED])
    writer.start()
    until(lambda: writer.status.value is not None and writer.status.value.state == "connected")
    assert [alert.id for alert in writer.history(Asked(open_only=True))] == [ALERT.id]
    writer.stop()
    with pytest.raises(StoreError):
        writer.history(Asked())

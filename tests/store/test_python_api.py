"""Monitor with a database: what it watches is written there, and not a word without one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rms_tui import Frame, Monitor
from rms_tui.alerts import AlertEvent
from rms_tui.store.database import Rms

PATIENCE = 20.0


def test_a_monitor_with_mongodb_writes_status_and_alerts(
    database: Rms, server_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMS_MONGODB_DATABASE", database.name)
    raised = threading.Event()
    with Monitor(
        demo=True, accounts=20, seed=3, interval=0.2, mongodb=server_uri, operator="bot@desk"
    ) as monitor:

        @monitor.on_alert
        def rings(event: AlertEvent) -> None:
            if event.change == "acknowledged":
                raised.set()
            elif event.change == "raised":
                monitor.acknowledge(event.alert.id, "seen")

        assert raised.wait(PATIENCE)
        logins = sorted(monitor.snapshots())
        first = logins[0]
        assert monitor.remove(first) == {first: "removed"}
    assert sorted(one["login"] for one in database.elements.find({}, {"login": 1})) == logins
    assert database.alerts.count_documents({"operator": "bot@desk"}) > 0
    row = database.audit.find_one({"login": first})
    assert row is not None
    assert row["operator"] == "bot@desk"


def test_a_mongodb_that_is_not_there_does_not_stop_a_monitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nowhere = "mongodb://127.0.0.1:9/?directConnection=true"
    with Monitor(demo=True, accounts=5, interval=0.2, mongodb=nowhere) as monitor:
        assert len(monitor.snapshots()) == 5


def test_of_two_monitors_on_one_mongodb_one_polls_and_the_other_follows(
    database: Rms, server_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMS_MONGODB_DATABASE", database.name)
    given = {"demo": True, "accounts": 12, "seed": 3, "interval": 0.2, "mongodb": server_uri}
    first, second = Monitor(**given), Monitor(**given)  # type: ignore[arg-type]
    with first:
        theirs = first.wait(PATIENCE)
        with second:
            frame = second.wait(PATIENCE)
            assert frame.health.state == "FOLLOWING"
            assert sorted(second.snapshots()) == sorted(first.snapshots())
            login = min(first.snapshots())
            assert second.remove(login) == {login: "removed"}
            assert login not in second.snapshots()
            gone = threading.Event()

            @first.on_frame
            def left(newest: Frame) -> None:
                if newest.book is not None and login not in newest.book.accounts.login:
                    gone.set()

            assert gone.wait(PATIENCE)
    assert theirs.book is not None

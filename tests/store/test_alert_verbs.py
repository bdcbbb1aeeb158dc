"""`alerts`, `ack`, `snooze`, `evidence` against a real mongod, in this process for speed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bson import CodecOptions
from desk import ALERT, NOW, PLAN, HandFeed, book
from shell import Run

from rms_tui import moments
from rms_tui.alerts import AlertEvent, Handling, Severity, Stage
from rms_tui.cli.alerts import _written
from rms_tui.monitor import Monitor
from rms_tui.store import alerts, evidence
from rms_tui.store.alert_query import by_id
from rms_tui.store.database import Rms


def put(database: Rms, **more: Any) -> str:
    alert = replace(ALERT, **more)
    alerts.apply(database, [AlertEvent("raised", alert, alert.raised_at)])
    return alert.id


def test_an_empty_history_says_so(rms: Run) -> None:
    assert (rms("alerts").out, rms("alerts", "--open").out) == ("no alerts\n", "no open alerts\n")
    asked = rms("alerts", "--login", "7", "--rule", "max_loss")
    assert asked.out == "no alerts match login 7, rule max_loss\n"
    assert rms("alerts", "--json").json == []


def test_alerts_are_listed_newest_first_and_programs_get_everything(
    rms: Run, database: Rms
) -> None:
    put(database)
    put(database, id="newer", login=1002, raised_at=NOW + 60, name="[/red]\x1b[31m", note="a\nb")
    put(database, id="over", login=1003, stage=Stage.RECOVERED, recovered_at=NOW + 5)
    listed = rms("alerts").out
    assert listed.index("newer") < listed.index("a1b2c3")
    assert "\x1b" not in listed
    assert "over" not in rms("alerts", "--open").out
    (first, second) = rms("alerts", "--open", "--json").json
    assert (first["id"], first["note"], second["severity"]) == ("newer", "a\nb", "breach")
    assert {"server", "stage", "raised_at", "operator", "used", "snoozed_until"} <= first.keys()
    assert [a["id"] for a in rms("alerts", "--since", "2026-03-02T14:04", "--json").json] == [
        "newer"
    ]
    assert rms("alerts", "--since", "2h").out.startswith("no alerts match since ")


def test_ack_is_audited_in_my_name_and_the_first_one_stays(rms: Run, database: Rms) -> None:
    put(database)
    done = rms("ack", "a1b2c3", "--note", "called [/red]")
    assert done.status == 0
    assert done.out.startswith("a1b2c3  acknowledged by ")
    again = rms("ack", "a1b2c3", "--note", "me too")
    assert (again.status, "already acknowledged by" in again.out) == (0, True)
    found = rms("alerts", "--json").json[0]
    assert (found["stage"], found["note"]) == ("acknowledged", "called [/red]")
    (row,) = database.audit.find({})
    assert (row["action"], row["operator"]) == ("acknowledge", found["operator"])
    assert rms("alerts", "--operator", found["operator"].split("@")[0], "--json").json == [found]


def test_snooze_lasts_as_long_as_was_said(rms: Run, database: Rms) -> None:
    put(database)
    done = rms("snooze", "a1b2c3", "30m", "--json")
    assert (done.status, done.json["stage"]) == (0, "snoozed")
    found = by_id(database, "a1b2c3")
    assert found is not None
    assert found.snoozed_until is not None
    assert found.snoozed_at is not None
    assert found.snoozed_until - found.snoozed_at == pytest.approx(1800, abs=0.01)
    assert "snoozed until" in rms("alerts").out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("ack", "nobody"), 2, "no alert nobody"),
        (("snooze", "nobody", "30m"), 2, "no alert nobody"),
        (("evidence", "no\x1bbody"), 2, "no alert no"),
        (("snooze", "a1b2c3", "30"), 2, "expected a time such as"),
        (("snooze", "a1b2c3", "0m"), 2, "at most 7 days"),
        (("snooze", "a1b2c3", "8d"), 2, "at most 7 days"),
        (("alerts", "--since", "soon"), 2, "expected how long ago"),
        (("ack", "over"), 1, "recovered at 2026-03-02 14:03:31 UTC: nothing to acknowledge"),
        (("snooze", "over", "5m"), 1, "nothing to snooze"),
        (("evidence", "a1b2c3"), 1, "no evidence of alert a1b2c3 was kept"),
    ],
)
def test_a_mistake_is_one_line_with_its_status(
    rms: Run, database: Rms, words: tuple[str, ...], status: int, said: str
) -> None:
    put(database)
    put(database, id="over", login=1003, stage=Stage.RECOVERED, changed_at=NOW + 9)
    done = rms(*words)
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "\x1b" not in done.err


def test_evidence_is_decided_again_and_forgery_shows(rms: Run, database: Rms) -> None:
    monitor = Monitor(HandFeed(book((0.0, -1200.0))), PLAN, clock=lambda: NOW)
    for _ in range(2):
        monitor.step()
    (event,) = monitor.outbox.oldest(9)
    assert isinstance(event, AlertEvent)
    for _ in range(2):  # written twice after a lost answer
        alerts.apply(database, [event])
        evidence.apply(database, [event])
    done = rms("evidence", event.alert.id)
    assert (done.status, "the same verdict" in done.out) == (0, True)
    shape = rms("evidence", event.alert.id, "--json").json
    (edge,) = shape["edges"]
    assert (shape["equal"], edge["stored"]) == (True, edge["recomputed"])
    assert edge["book"]["accounts"]["login"] == [1002]
    forged = {"$set": {"book.accounts.floating": [-1300.0], "book.accounts.equity": [8700.0]}}
    database.get_collection("evidence", CodecOptions()).update_one({}, forged)
    done = rms("evidence", event.alert.id)
    assert (done.status, "NOT the same verdict" in done.out) == (1, True)
    database.evidence.update_one({}, {"$unset": {"memory": 1}})
    done = rms("evidence", event.alert.id)
    assert (done.status, "expected the fields of a Memory" in done.out) == (1, True)
    for broken in ({"$unset": {"at": 1, "severity": 1}}, {"$set": {"verdict": [], "book": 7}}):
        database.evidence.update_one({}, broken, bypass_document_validation=True)
        done = rms("evidence", event.alert.id)
        assert (done.status, done.err, "NOT the same verdict" in done.out) == (1, "", True)
    assert event.alert.severity is Severity.BREACH


def test_an_answer_to_what_got_worse_meanwhile_is_no_answer(
    database: Rms, capsys: pytest.CaptureFixture[str]
) -> None:
    put(database, severity=Severity.WARNING)
    seen = by_id(database, "a1b2c3")
    assert seen is not None
    worse = replace(seen, severity=Severity.BREACH)
    alerts.apply(database, [AlertEvent("risen", worse, NOW + 5)])
    for change in ("acknowledged", "snoozed"):
        by = Handling(seen.id, change, "eva", NOW + 6, seen.severity, until=NOW + 99)
        with pytest.raises(SystemExit) as ended:
            _written(database, seen, by)
        assert ended.value.code == 1
        said = "is breach and raised now: it changed while you answered"
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), (" 2 h", 7200), ("1.5d", 129_600)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert moments.duration(text) == seconds
    assert moments.since(text, NOW) == NOW - seconds


@pytest.mark.parametrize("text", ["2026-03-02T15:03:22+01:00", "2026-03-02 14:03:22"])
def test_instants_are_utc_unless_they_say_otherwise(text: str) -> None:
    assert moments.since(text, 0.0) == NOW

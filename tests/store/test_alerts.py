"""Alert documents: one for each episode, whatever is sent twice."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import pytest
from desk import ALERT, NOW

from rms_tui.alerts import AlertEvent, Handling, Severity, Stage
from rms_tui.alerts.life import handled
from rms_tui.risk.verdict import Reason
from rms_tui.store import alerts
from rms_tui.store.alert_query import alert_of
from rms_tui.store.database import Rms

RISEN = replace(ALERT, severity=Severity.BREACH, changed_at=NOW + 5, value=-1500.0)
SEEN = replace(
    RISEN, stage=Stage.ACKNOWLEDGED, operator="ann", note="called $him", acknowledged_at=NOW + 9
)
LIFE = [
    AlertEvent("raised", replace(ALERT, severity=Severity.WARNING), NOW + 1),
    AlertEvent("risen", RISEN, NOW + 5),
    AlertEvent("acknowledged", SEEN, NOW + 9),
    AlertEvent("recovered", replace(SEEN, stage=Stage.RECOVERED, recovered_at=NOW + 20), NOW + 20),
]


def test_the_edges_of_an_alert_come_to_one_document_in_its_newest_state(database: Rms) -> None:
    alerts.apply(database, LIFE[:2])
    alerts.apply(database, LIFE[2:])
    (found,) = database.alerts.find({})
    assert (found["_id"], found["stage"], found["severity"]) == ("a1b2c3", "recovered", "breach")
    assert (found["value"], found["operator"], found["note"]) == (-1500.0, "ann", "called $him")
    assert found["raised_at"].timestamp() == NOW + 1
    assert found["recovered_at"].timestamp() == NOW + 20


def test_an_acknowledgement_is_audited_once_however_often_it_is_sent(database: Rms) -> None:
    alerts.apply(database, LIFE)
    alerts.apply(database, LIFE)
    (row,) = database.audit.find({})
    assert (row["action"], row["operator"], row["alert"]) == ("acknowledge", "ann", "a1b2c3")
    assert database.alerts.count_documents({}) == 1


def test_unlimited_and_unknown_numbers_are_null_with_their_reason(database: Rms) -> None:
    bare = replace(
        ALERT, value=math.inf, used=math.inf, distance=math.nan, reason=Reason.NO_STOP_LOSS
    )
    alerts.apply(database, [AlertEvent("raised", bare, NOW)])
    (found,) = database.alerts.find({})
    assert found["value"] is found["used"] is found["distance"] is None
    assert (found["limit"], found["reason"]) == (-1000.0, "no_stop_loss")


ACKS = [
    Handling("", "acknowledged", who, NOW + at, Severity.BREACH)
    for who, at in (("ann", 10), ("bob", 20))
]
SNOOZES = [
    Handling("", "snoozed", who, NOW + at, Severity.BREACH, until=NOW + 900)
    for who, at in (("zoe", 15), ("kim", 30))
]


@pytest.mark.parametrize("order", list(permutations([*ACKS, *SNOOZES])))
def test_what_operators_did_comes_to_the_same_document_in_whatever_order_it_is_written(
    database: Rms, order: tuple[Handling, ...]
) -> None:
    alerts.apply(database, [AlertEvent("raised", ALERT, NOW + 1)])
    known = ALERT
    for one in order:
        after = handled(ALERT, one)
        assert after is not None
        alerts.apply(database, [AlertEvent(one.change, after, one.at)])
        known = handled(known, one) or known
    found = alert_of(database.alerts.find_one({}) or {})
    assert (
        (found.stage, found.snoozed_by) == (Stage.SNOOZED, "kim") == (known.stage, known.snoozed_by)
    )


def test_an_acknowledgement_written_late_does_not_end_a_later_snooze(database: Rms) -> None:
    alerts.apply(database, [AlertEvent("raised", ALERT, NOW + 1)])
    for one in (SNOOZES[1], ACKS[0]):
        after = handled(ALERT, one)
        assert after is not None
        alerts.apply(database, [AlertEvent(one.change, after, one.at)])
    assert (database.alerts.find_one({}) or {})["stage"] == "snoozed"


def test_a_snooze_written_late_does_not_end_a_later_acknowledgement(database: Rms) -> None:
    alerts.apply(database, [AlertEvent("raised", ALERT, NOW + 1)])
    for one in (ACKS[1], SNOOZES[0]):
        after = handled(ALERT, one)
        assert after is not None
        alerts.apply(database, [AlertEvent(one.change, after, one.at)])
    assert (database.alerts.find_one({}) or {})["stage"] == "acknowledged"


def test_a_rise_written_late_does_not_lower_what_is_worse_by_now(database: Rms) -> None:
    first = replace(ALERT, severity=Severity.WARNING)
    alerts.apply(database, [AlertEvent("raised", first, NOW + 1), AlertEvent("risen", RISEN, NOW)])
    less = replace(ALERT, severity=Severity.CRITICAL, value=-960.0)
    alerts.apply(database, [AlertEvent("risen", less, NOW + 6)])
    found = database.alerts.find_one({}) or {}
    assert (found["severity"], found["value"]) == ("breach", -1500.0)


def test_a_recovery_written_again_after_the_end_opens_nothing(database: Rms) -> None:
    over = replace(ALERT, stage=Stage.RECOVERED, recovered_at=NOW + 20)
    closed = replace(over, stage=Stage.CLOSED, closed_at=NOW + 320)
    recovered = AlertEvent("recovered", over, NOW + 20)
    alerts.apply(database, [AlertEvent("raised", ALERT, NOW + 1), recovered])
    alerts.apply(database, [AlertEvent("closed", closed, NOW + 320), recovered])
    assert (database.alerts.find_one({}) or {})["stage"] == "closed"


def test_an_alert_that_is_told_of_when_it_is_over_takes_no_later_one_of_its_episode(
    database: Rms,
) -> None:
    over = replace(SEEN, stage=Stage.RECOVERED, recovered_at=NOW + 20)
    again = replace(ALERT, id="later", first_seen=NOW + 30, raised_at=NOW + 31)
    alerts.apply(
        database, [AlertEvent("raised", over, NOW + 1), AlertEvent("raised", again, NOW + 31)]
    )
    stages = {one["_id"]: one["stage"] for one in database.alerts.find()}
    assert stages == {ALERT.id: "recovered", "later": "raised"}

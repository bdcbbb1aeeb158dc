"""What is asked of the alert history: typed, refused with what was expected, and kept to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms_tui.alerts import Alert, Severity, Stage
from rms_tui.alerts.asked import Asked, parsed, rule_names
from rms_tui.risk.verdict import Reason

NOW = 1_772_460_202.0
ALERT = Alert(
    id="a", login=70_101, server="s", name="Anna", group="real", currency="USD", profile="desk",
    rule="daily_loss", key="desk/0:daily_loss", severity=Severity.BREACH, stage=Stage.RECOVERED,
    first_seen=NOW - 3600, raised_at=NOW - 3600, changed_at=NOW, value=0.0, limit=0.0, used=1.0,
    distance=0.0, reason=Reason.BEYOND, operator="Jane@desk-1",
)  # fmt: skip


def test_every_condition_is_read() -> None:
    assert parsed("since:2h until:30m login:70101 rule:daily-loss operator:jane", NOW) == Asked(
        since=NOW - 7200, until=NOW - 1800, login=70_101, rule="daily_loss", operator="jane"
    )
    assert parsed("rule:daily", NOW).rule == "daily_loss"
    assert parsed("", NOW) == Asked()
    assert parsed(" 70101 ", NOW) == Asked(login=70_101)
    assert parsed("since:2026-03-02T14:00", NOW).since == 1_772_460_000.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("login:", "expected since: until: login: rule: operator:"),
        ("who:jane", "who:jane: expected since:"),
        ("jane", "jane: expected since:"),
        ("rule:bail", "rule:bail: expected one of margin_level"),
        ("rule:max", "rule:max: expected one of max_loss, max_profit$"),
        ("login:abc", "expected the number of an account"),
        ("login:99999999999999999999", "expected the number of an account"),
        ("since:soon", "expected how long ago"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parsed(text, NOW)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str) -> None:
    try:
        parsed(text, NOW)
    except ValueError as error:
        said = str(error)
    else:
        said = "read"
    assert said


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (Asked(), True),
        (Asked(login=70_101, rule="daily_loss", operator="JANE"), True),
        (Asked(operator="jane@desk-1"), True),
        (Asked(operator="jan"), False),
        (Asked(since=NOW - 3600, until=NOW - 3600), True),
        (Asked(since=NOW - 3599), False),
        (Asked(until=NOW - 3601), False),
        (Asked(login=70_102), False),
        (Asked(rule="max_loss"), False),
        (Asked(open_only=True), False),
        (Asked(server="other"), False),
    ],
)
def test_alerts_of_this_process_are_held_to_the_same_conditions(asked: Asked, wanted: bool) -> None:
    assert asked.wants(ALERT) is wanted


def test_who_snoozed_counts_as_who_handled() -> None:
    snoozed = replace(ALERT, operator=None, snoozed_by="eva@desk")
    assert Asked(operator="eva").wants(snoozed)
    assert not Asked(operator="eva").wants(replace(snoozed, snoozed_by=None))


def test_every_rule_there_is_can_be_asked_for() -> None:
    assert {"daily_loss", "trailing_drawdown", "stop_loss_required", "feed"} <= set(rule_names())

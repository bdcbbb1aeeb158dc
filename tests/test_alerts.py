"""One alert an episode: confirmed, only rising, frozen while undecided, recovered once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.desk import Chain, book, plan

from rms_tui import alerts
from rms_tui.alerts import Severity, Stage
from rms_tui.alerts.desk import Changes

LOSS = {"rule": "max_loss", "amount": -1000}


class Shift:
    """Books of one or more accounts through the chain and the alerts, a second apart."""

    def __init__(self, *rules, **profile):
        self.chain = Chain(plan(*(rules or (LOSS,)), **profile))
        self.desk = alerts.EMPTY
        self.now = 1_772_460_000.0

    def see(self, *floatings, stale=False):
        self.now += 1
        rows = [{"balance": 9000, "equity": 9000 + f, "floating": f} for f in floatings]
        seen = book(rows, at=self.now)
        assessed = self.chain.see(seen, stale=stale)
        self.desk, events = alerts.step(self.desk, self.chain.book, assessed, self.now)
        return [(event.change, event.alert.login, event.alert.severity) for event in events]

    @property
    def open(self):
        return alerts.worst_first(self.desk.alerts)


def test_a_breach_raises_after_two_good_polls_and_says_when_it_was_first_seen():
    shift = Shift()
    assert shift.see(-2000) == []
    first = shift.now
    assert shift.see(-2000) == [("raised", 1001, Severity.BREACH)]
    assert shift.open[0].first_seen == first
    assert shift.see(-2000) == []


def test_a_one_poll_phantom_raises_nothing():
    shift = Shift()
    assert [shift.see(f) for f in (0, -9000, 0, 0, -9000, 0)] == [[]] * 6
    assert shift.open == ()


def test_a_phantom_breach_within_a_warning_does_not_raise_its_severity():
    shift = Shift()
    for floating in (-850, -850, -5000, -850, -850):
        shift.see(floating)
    assert [alert.severity for alert in shift.open] == [Severity.WARNING]


def test_severity_only_rises_within_an_episode():
    shift = Shift()
    for floating in (-850, -850):
        shift.see(floating)
    assert shift.see(-1200) == []
    assert shift.see(-1200) == [("risen", 1001, Severity.BREACH)]
    for _ in range(5):
        assert shift.see(-850) == []
    assert shift.open[0].severity is Severity.BREACH


def test_recovery_is_confirmed_too_and_ends_the_episode():
    shift = Shift()
    for _ in range(2):
        shift.see(-2000)
    assert shift.see(0) == []
    assert shift.see(0) == [("recovered", 1001, Severity.BREACH)]
    assert shift.open == ()
    shift.see(-2000)
    assert shift.see(-2000) == [("raised", 1001, Severity.BREACH)]


def test_rows_without_a_decision_neither_raise_nor_recover():
    shift = Shift()
    shift.see(-2000)
    assert shift.see(-2000, stale=True) == []
    assert shift.see(np.nan) == []
    assert shift.see(-2000) == [("raised", 1001, Severity.BREACH)]
    for _ in range(5):
        assert shift.see(0, stale=True) == []
    assert shift.open[0].stage is Stage.RAISED


def test_seconds_of_confirmation_are_waited_for():
    shift = Shift({**LOSS, "confirm": "3s"})
    assert [bool(shift.see(-2000)) for _ in range(5)] == [False, False, False, True, False]


def test_an_acknowledged_alert_that_gets_worse_is_raised_again():
    shift = Shift()
    for _ in range(2):
        shift.see(-850)
    alert = shift.open[0]
    shift.desk, event = alerts.acknowledge(shift.desk, alert.id, "eva@desk", "called", shift.now)
    assert (event.change, event.alert.operator, event.alert.note) == (
        "acknowledged", "eva@desk", "called",
    )  # fmt: skip
    assert alerts.acknowledge(shift.desk, alert.id, "bob", None, shift.now)[1] is None
    for _ in range(2):
        shift.see(-2000)
    assert shift.open[0].stage is Stage.RAISED


def test_an_account_that_is_watched_no_more_has_its_alert_closed():
    shift = Shift()
    for _ in range(2):
        shift.see(0, -2000)
    assert shift.see(0) == [("closed", 1002, Severity.BREACH)]


def test_the_same_episode_has_the_same_id_in_every_process():
    def identity():
        shift = Shift()
        for _ in range(2):
            shift.see(-2000)
        return shift.open[0].id

    assert identity() == identity()


def test_alerts_stand_worst_and_unhandled_first():
    shift = Shift()
    for _ in range(2):
        shift.see(-850, -2000, -960)
    assert [a.severity for a in shift.open] == [
        Severity.BREACH, Severity.CRITICAL, Severity.WARNING,
    ]  # fmt: skip
    worst = shift.open[0]
    shift.desk, _ = alerts.acknowledge(shift.desk, worst.id, "eva", None, shift.now)
    assert shift.open[-1].id == worst.id


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, -850.0, -960.0, -1500.0]), min_size=12, max_size=12),
                min_size=2, max_size=12), st.integers(0, 11))  # fmt: skip
def test_alerts_stand_in_the_same_order_whatever_order_they_stood_in_before(polls, answered):
    shift, stood = Shift(), ()
    for at, poll in enumerate(polls):
        shift.see(*poll)
        if at % 2 and shift.open:
            alert = shift.open[answered % len(shift.open)]
            shift.desk, _ = alerts.acknowledge(shift.desk, alert.id, "eva", None, shift.now)
        stood = alerts.worst_first(shift.desk.alerts, stood)
        assert stood == alerts.worst_first(shift.desk.alerts)
        assert alerts.worst_first(shift.desk.alerts, stood) == stood


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, -850.0, -960.0, -1500.0]), min_size=3, max_size=40))
def test_nothing_is_due_before_the_desk_says_so(path):
    shift, times = Shift(), alerts.Times()
    for floating in path:
        shift.see(floating, -floating - 1500.0)
        assert shift.desk.due <= Changes.of(shift.desk).next_due(times)


def test_a_value_that_hovers_for_a_thousand_polls_makes_one_alert():
    shift = Shift()
    raised = [event for i in range(1000) for event in shift.see(-1000 if i % 2 else -999.9)]
    assert [change for change, _, _ in raised if change == "raised"] == ["raised"]


paths = st.lists(st.sampled_from([0.0, -850.0, -960.0, -1500.0, np.nan]), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(paths)
def test_events_of_an_account_always_make_sense(path):
    """Raised before risen or recovered, never twice, severity rising, and never on a NaN."""
    shift, level = Shift(), 0
    for floating in path:
        for change, _, severity in shift.see(floating):
            assert not np.isnan(floating)
            if change == "raised":
                assert level == 0
            elif change == "risen":
                assert 0 < level < severity
            else:
                assert (change, level > 0) == ("recovered", True)
                severity = 0
            level = int(severity)
    assert len(shift.open) == (level > 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, -850.0, -1500.0]), min_size=3, max_size=3),
                min_size=2, max_size=12))  # fmt: skip
def test_one_account_never_changes_what_happens_to_another(polls):
    together = Shift()
    alone = [Shift() for _ in range(3)]
    for poll in polls:
        events = together.see(*poll)
        for i, shift in enumerate(alone):
            mine = [(c, s) for c, login, s in events if login == 1001 + i]
            assert mine == [(c, s) for c, _, s in shift.see(poll[i])]


def test_the_monitors_alerts_need_a_rule_that_applies():
    shift = Shift({"rule": "open_positions", "count": 5})
    assert shift.see(-9999) == []


@pytest.mark.parametrize("confirm", [0, "x", True, {"polls": 0}])
def test_a_confirmation_that_cannot_be_is_refused(confirm):
    with pytest.raises(ValueError, match="confirm"):
        plan({**LOSS, "confirm": confirm})

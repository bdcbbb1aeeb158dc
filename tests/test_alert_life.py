"""What happens to an alert after it was raised: handled, silent, escalated, restored, over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.desk import Chain, book, plan

from rms_tui import alerts
from rms_tui.alerts import FEED_RULE, AlertEvent, Handling, Severity, Stage, Times
from rms_tui.risk.verdict import Reason
from rms_tui.store.alert_query import alert_of
from rms_tui.store.alert_watch import handling_from
from rms_tui.store.alerts import audit_row, document

LOSS = {"rule": "max_loss", "amount": -1000}
AWARE = CodecOptions(tz_aware=True)


class Shift:
    """Books a second apart through the chain and the alerts, with an operator at hand."""

    def __init__(self, *rules, confirm=2, **times):
        self.chain = Chain(plan(*(rules or ({**LOSS, "confirm": confirm},))))
        self.desk = alerts.EMPTY
        self.now = 1_772_460_000.0
        self.times = Times(**times)

    def see(self, *floatings, stale=False, after=1.0, left=False):
        self.now += after
        rows = [{"balance": 9000, "equity": 9000 + f, "floating": f} for f in floatings]
        assessed = self.chain.see(book(rows, at=self.now), stale=stale)
        self.desk, events = alerts.step(
            self.desk, self.chain.book, assessed, self.now, self.times, left=lambda _: left
        )
        return [event.change for event in events]

    def raised(self, floating=-2000):
        for _ in range(2):
            self.see(floating)
        return self.alert

    def snooze(self, seconds, alert=None, by="eva"):
        alert = alert or self.alert
        self.desk, event = alerts.snooze(self.desk, alert.id, by, seconds, self.now, self.times)
        return event

    def acknowledge(self, by="eva", note=None):
        self.desk, event = alerts.acknowledge(
            self.desk, self.alert.id, by, note, self.now, self.times
        )
        return event

    @property
    def alert(self):
        return next(iter(self.desk.alerts.values()))

    def restart(self):
        """Forget everything but what stands in the database."""
        documents = [stored(alert) for alert in self.desk.alerts.values()]
        documents += [stored(alert) for alert in self.desk.recovered.values()]
        self.chain = Chain(self.chain.plan, memory=self.chain.memory)
        self.desk, events = alerts.restored(
            alerts.EMPTY, [alert_of(one) for one in documents], self.now, self.times
        )
        return events


def stored(alert):
    """Its document as MongoDB gives it back."""
    made = {"_id": alert.id, **document(AlertEvent("raised", alert, alert.raised_at))}
    return bson.decode(bson.encode(made), AWARE)


# Pending


def test_what_is_not_confirmed_yet_is_pending_n_of_n():
    shift = Shift(confirm=3)
    shift.see(0, -2000)
    shift.see(0, -2000)
    (one,) = shift.desk.pending
    assert (one.login, one.rule, one.severity) == (1002, "max_loss", Severity.BREACH)
    assert (one.polls, one.confirm.polls, one.first_seen) == (2, 3, shift.now - 1)
    shift.see(0, -2000)
    assert shift.desk.pending == ()


def test_a_raised_alert_that_gets_worse_is_pending_again_until_that_is_confirmed():
    shift = Shift()
    shift.raised(-850)
    shift.see(-2000)
    assert [p.severity for p in shift.desk.pending] == [Severity.BREACH]


# Snoozed


@pytest.mark.parametrize("seconds", [300, 1800, 7200, 86_400])
def test_a_snooze_is_silent_until_it_ends_and_then_rings_if_it_is_still_bad(seconds):
    shift = Shift()
    shift.raised()
    event = shift.snooze(seconds)
    assert (event.change, event.alert.stage, event.alert.snoozed_by) == (
        "snoozed", Stage.SNOOZED, "eva",
    )  # fmt: skip
    until = shift.alert.snoozed_until
    rung = shift.alert.rung_at
    assert shift.see(-2000, after=seconds - 1) == []
    assert shift.alert.rung_at == rung
    assert shift.see(-2000) == ["woken"]
    assert (shift.alert.stage, shift.alert.rung_at) == (Stage.RAISED, shift.now)
    assert until == shift.now
    assert shift.see(-2000) == []


def test_worse_severity_ends_a_snooze():
    shift = Shift()
    shift.raised(-850)
    shift.snooze(3600)
    shift.see(-2000)
    assert shift.see(-2000) == ["risen"]
    assert (shift.alert.stage, shift.alert.snoozed_until) == (Stage.RAISED, None)


def test_what_recovers_during_a_snooze_does_not_ring_when_it_ends():
    shift = Shift(confirm=3)
    for _ in range(3):
        shift.see(-2000)
    shift.snooze(2)
    assert [shift.see(0) for _ in range(4)] == [[], [], ["recovered"], []]


def test_a_snooze_is_bounded():
    shift = Shift()
    shift.raised()
    for seconds in (0, -1, float("nan"), 8 * 86_400):
        with pytest.raises(ValueError, match="at most 7 days"):
            shift.snooze(seconds)


# Escalated


def test_an_urgent_alert_that_nobody_answers_escalates_once():
    shift = Shift(escalate=300)
    shift.raised(-970)
    assert shift.alert.severity is Severity.CRITICAL
    assert shift.see(-970, after=299) == []
    assert shift.see(-970) == ["escalated"]
    assert shift.alert.rung_at == shift.now
    for _ in range(5):
        assert shift.see(-970, after=400) == []


def test_neither_a_warning_nor_an_answered_alert_escalates():
    shift = Shift(escalate=300)
    shift.raised(-850)
    assert shift.see(-850, after=1000) == []
    shift.see(-2000)
    shift.see(-2000)
    shift.acknowledge()
    assert shift.see(-2000, after=1000) == []


def test_a_critical_alert_that_becomes_a_breach_escalates_by_its_first_bell():
    shift = Shift(escalate=300)
    shift.raised(-970)
    began = shift.now
    shift.see(-2000, after=200)
    assert shift.see(-2000) == ["risen"]
    assert shift.see(-2000, after=began + 300 - shift.now) == ["escalated"]


def test_one_that_got_worse_after_an_answer_may_escalate_again():
    shift = Shift(escalate=300)
    shift.raised(-970)
    assert shift.see(-970, after=301) == ["escalated"]
    shift.acknowledge()
    shift.see(-2000)
    assert shift.see(-2000) == ["risen"]
    assert shift.see(-2000, after=299) == []
    assert shift.see(-2000) == ["escalated"]


# Acknowledged


def test_acknowledging_twice_keeps_the_first():
    shift = Shift()
    shift.raised()
    shift.acknowledge("eva", "called")
    first = shift.alert
    shift.now += 5
    assert shift.acknowledge("bob", "me too") is None
    assert shift.alert == first


@given(st.floats(0, 1), st.sampled_from(["acknowledged", "snoozed"]))
def test_what_was_done_here_is_no_news_when_the_database_says_it_again(fraction, change):
    shift = Shift()
    shift.raised()
    shift.now += fraction
    event = shift.acknowledge() if change == "acknowledged" else shift.snooze(60.0)
    written = bson.decode(bson.encode(audit_row(event)), AWARE)
    assert alerts.heard(shift.desk, [handling_from(written)]) is shift.desk


def test_an_earlier_acknowledgement_heard_late_is_the_one_that_is_kept():
    shift = Shift()
    alert = shift.raised()
    shift.now += 10
    shift.acknowledge("eva")
    earlier = Handling(alert.id, "acknowledged", "bob", shift.now - 3, Severity.BREACH, "mine")
    later = replace(earlier, operator="zoe", at=shift.now + 3)
    shift.desk = alerts.heard(shift.desk, [later, earlier, later, earlier])
    assert (shift.alert.operator, shift.alert.note) == ("bob", "mine")


def test_what_was_acknowledged_elsewhere_as_a_warning_is_no_answer_to_a_breach():
    shift = Shift()
    alert = shift.raised(-850)
    said = Handling(alert.id, "acknowledged", "bob", shift.now, Severity.WARNING)
    shift.see(-2000)
    shift.see(-2000)
    assert alerts.heard(shift.desk, [said]) is shift.desk


def test_a_handling_of_an_unknown_alert_changes_nothing():
    shift = Shift()
    shift.raised()
    said = Handling("nobody", "snoozed", "bob", shift.now, Severity.BREACH, until=shift.now + 9)
    assert alerts.heard(shift.desk, [said]) is shift.desk


def test_a_clock_that_was_set_back_keeps_nobody_from_answering():
    shift = Shift()
    shift.raised()
    shift.snooze(3600)
    shift.now -= 600
    assert shift.snooze(60).alert.snoozed_until == shift.now + 60
    assert shift.acknowledge(by="bob").alert.operator == "bob"
    shift.now -= 600
    assert shift.snooze(60).alert.stage is Stage.SNOOZED
    assert shift.acknowledge(by="eva").alert.stage is Stage.ACKNOWLEDGED
    assert shift.acknowledge(by="zoe") is None


handlings = st.permutations(
    [
        Handling("", "acknowledged", "eva", 10.0, Severity.BREACH, "a"),
        Handling("", "acknowledged", "bob", 20.0, Severity.BREACH, "b"),
        Handling("", "snoozed", "zoe", 15.0, Severity.BREACH, until=9e9),
        Handling("", "snoozed", "kim", 30.0, Severity.BREACH, until=9e9),
    ]
)


@given(handlings)
def test_every_process_comes_to_the_same_alert_in_whatever_order_it_hears(order):
    shift = Shift()
    alert = shift.raised()
    told = [replace(one, alert_id=alert.id, at=shift.now + one.at) for one in order]
    shift.desk = alerts.heard(shift.desk, [*told, *told])
    assert (shift.alert.stage, shift.alert.snoozed_by) == (Stage.SNOOZED, "kim")


# Hysteresis


@pytest.mark.parametrize(
    ("rule", "bad", "near", "clear"),
    [
        ({**LOSS}, -805, -790, -775),
        ({**LOSS, "hysteresis": 0.1}, -805, -710, -695),
        ({**LOSS, "caution": 0.5, "critical": 0.6}, -505, -490, -475),
        ({"rule": "max_profit", "amount": 1000, "period": "total"}, 1005, 990, 975),
    ],
)
def test_recovery_needs_to_be_clear_of_the_band_by_the_hysteresis(rule, bad, near, clear):
    shift = Shift(rule)
    chain = shift.chain
    chain.plan = plan(rule, initial_balance=9000)
    shift.raised(bad)
    for _ in range(10):
        assert shift.see(near) == []
    assert [shift.see(clear) for _ in range(2)] == [[], ["recovered"]]


def test_without_hysteresis_the_band_itself_is_the_edge():
    shift = Shift({**LOSS, "hysteresis": 0})
    shift.raised(-805)
    assert [shift.see(-799) for _ in range(2)] == [[], ["recovered"]]


@pytest.mark.parametrize(
    ("around", "hold"), [(-800, 2), (-800, 7), (-950, 1), (-1000, 1), (-1000, 3)]
)
def test_a_value_that_hovers_around_a_band_for_a_thousand_polls_makes_one_alert(around, hold):
    shift = Shift()
    seen = [
        change for i in range(1000) for change in shift.see(around + (9 if (i // hold) % 2 else -9))
    ]
    assert [c for c in seen if c not in ("risen", "escalated")] == ["raised"]
    assert seen.count("risen") <= 2


def test_a_margin_level_recovers_clear_of_its_warning():
    rule = {"rule": "margin_level", "warning": 150, "critical": 100}
    shift = Shift(rule)

    def level(percent):
        shift.now += 1
        seen = book([{"balance": 10_000, "equity": 10_000, "margin": 1e6 / percent}], at=shift.now)
        assessed = shift.chain.see(seen)
        shift.desk, events = alerts.step(shift.desk, shift.chain.book, assessed, shift.now)
        return [event.change for event in events]

    assert [level(p) for p in (149, 149, 151, 152, 151, 149, 160, 160)] == [
        [], ["raised"], [], [], [], [], [], ["recovered"],
    ]  # fmt: skip


# Over


def test_a_recovered_alert_is_shown_a_while_and_then_closed():
    shift = Shift(close=60)
    shift.raised()
    shift.see(0)
    assert shift.see(0) == ["recovered"]
    (over,) = shift.desk.recovered.values()
    assert (over.stage, over.recovered_at) == (Stage.RECOVERED, shift.now)
    assert shift.see(0, after=59) == []
    assert shift.see(0) == ["closed"]
    assert not shift.desk.recovered


# The feed


def test_a_feed_without_decisions_raises_one_alert_of_its_own_and_recovers():
    shift = Shift(feed=60)
    shift.see(0, 0)
    assert shift.see(0, 0, stale=True) == []
    assert shift.see(0, 0, stale=True, after=59) == []
    assert shift.see(0, 0, stale=True) == ["raised"]
    alert = shift.alert
    assert (alert.rule, alert.key, alert.login, alert.severity) == (
        FEED_RULE, FEED_RULE, 0, Severity.WARNING,
    )  # fmt: skip
    assert (alert.name, alert.reason, alert.value) == ("whole book", Reason.STALE, 2.0)
    assert shift.see(0, 0, stale=True, after=600) == []
    assert [shift.see(0, 0) for _ in range(2)] == [[], ["recovered"]]


def test_a_single_poll_without_decisions_is_no_lost_feed():
    shift = Shift(feed=0)
    assert [shift.see(0, stale=True), shift.see(0), shift.see(0, stale=True)] == [[], [], []]
    assert shift.see(0, stale=True) == ["raised"]


def test_many_undecided_rows_count_as_a_lost_feed_and_a_few_do_not():
    nan = float("nan")
    shift = Shift(feed=10)
    few = [nan] + [0] * 19
    for _ in range(30):
        assert shift.see(*few) == []
    many = [nan] * 2 + [0] * 18
    events = [change for _ in range(30) for change in shift.see(*many)]
    assert events == ["raised"]
    assert shift.alert.name == "2 of 20 accounts"


def test_the_feeds_alert_can_be_handled_and_outlives_a_restart():
    shift = Shift(feed=10)
    for _ in range(20):
        shift.see(0, stale=True)
    assert shift.acknowledge("eva") is not None
    shift.restart()
    for _ in range(20):
        assert shift.see(0, stale=True) == []
    assert shift.alert.stage is Stage.ACKNOWLEDGED
    assert [shift.see(0) for _ in range(2)] == [[], ["recovered"]]


# Restored


def test_a_restart_raises_nothing_again_and_keeps_what_was_done():
    shift = Shift()
    shift.raised()
    shift.acknowledge("eva", "[/red] $where \x00")
    before = shift.alert
    assert list(shift.restart()) == []
    for _ in range(10):
        assert shift.see(-2000) == []
    assert replace(shift.alert, rung_at=None) == replace(before, rung_at=None)


def test_what_recovered_while_nobody_watched_recovers_by_the_usual_confirmation():
    shift = Shift()
    shift.raised()
    shift.restart()
    assert [shift.see(0) for _ in range(3)] == [[], ["recovered"], []]


def test_what_got_worse_while_nobody_watched_rises():
    shift = Shift()
    shift.raised(-850)
    shift.restart()
    assert [shift.see(-2000) for _ in range(3)] == [[], ["risen"], []]


def test_a_restored_alert_whose_rule_is_gone_is_closed():
    shift = Shift()
    shift.raised()
    shift.restart()
    shift.chain = Chain(plan({"rule": "open_positions", "count": 5}))
    assert shift.see(-2000) == ["closed"]


def test_an_alert_goes_on_when_another_rule_is_taken_out_of_its_profile():
    shift = Shift({"rule": "open_positions", "count": 5}, {**LOSS, "confirm": 2})
    before = shift.raised()
    shift.acknowledge()
    shift.chain.plan = plan({**LOSS, "amount": -1500, "confirm": 2})
    assert [shift.see(-2000) for _ in range(3)] == [[], [], []]
    assert (shift.alert.id, shift.alert.stage) == (before.id, Stage.ACKNOWLEDGED)


def test_an_alert_whose_own_rule_is_taken_out_is_closed_and_a_second_of_its_kind_is_not():
    shift = Shift({**LOSS, "confirm": 2}, {"rule": "total_loss", "amount": 500, "confirm": 2})
    shift.chain.plan = plan(*shift.chain.plan.profiles[0].rules, initial_balance=9000)
    shift.see(-2000)
    assert shift.see(-2000) == ["raised", "raised"]
    shift.chain.plan = plan({"rule": "total_loss", "amount": 500}, initial_balance=9000)
    assert shift.see(-2000) == ["closed"]
    assert [alert.rule for alert in shift.desk.alerts.values()] == ["total_loss"]


def test_an_episode_raised_before_the_database_answered_takes_the_stored_ones_place():
    stored_one = Shift()
    stored_one.raised()
    stored_one.acknowledge("eva", "called")
    theirs = stored_one.alert
    mine = Shift()
    mine.now += 500
    mine.raised()
    ours = mine.alert
    assert ours.id != theirs.id
    mine.desk, events = alerts.restored(mine.desk, [theirs], mine.now)
    assert list(events) == []
    assert len(mine.desk.alerts) == 1
    assert (mine.alert.id, mine.alert.first_seen, mine.alert.operator) == (
        theirs.id, theirs.first_seen, "eva",
    )  # fmt: skip
    assert mine.see(-2000) == []


def test_an_episode_that_began_and_recovered_before_the_database_answered_ends_the_stored_one():
    before = Shift()
    stored_one = before.raised()
    shift = Shift()
    shift.now = before.now + 5
    ours = shift.raised()
    shift.see(0)
    assert shift.see(0) == ["recovered"]
    shift.desk, events = alerts.restored(shift.desk, [stored_one], shift.now, shift.times)
    assert dict(shift.desk.alerts) == {}
    (ended,) = shift.desk.recovered.values()
    assert [(one.change, one.alert) for one in events] == [("recovered", ended)]
    assert (ended.id, ended.recovered_at, ended.raised_at) == (
        stored_one.id, shift.now, stored_one.raised_at,
    )  # fmt: skip
    assert ours.id != stored_one.id
    shift.see(-2000)
    assert shift.see(-2000) == ["raised"]


def test_what_would_get_worse_while_its_account_leaves_recovers_all_the_same_if_it_stays():
    shift = Shift()
    shift.raised(-850)
    assert [shift.see(-2000, left=True) for _ in range(3)] == [[], [], []]
    assert shift.alert.severity is Severity.WARNING
    shift.see(0)
    assert shift.see(0) == ["recovered"]


def test_ours_that_is_worse_than_the_stored_episode_is_a_rise_of_that():
    stored_one = Shift()
    stored_one.raised(-850)
    mine = Shift()
    mine.now += 500
    mine.raised()
    mine.desk, (event,) = alerts.restored(mine.desk, [stored_one.alert], mine.now)
    assert (event.change, event.alert.id) == ("risen", stored_one.alert.id)
    assert event.alert.severity is Severity.BREACH
    theirs = stored_one.alert
    assert (event.alert.first_seen, event.alert.raised_at) == (theirs.first_seen, theirs.raised_at)


def test_what_the_database_says_again_of_a_recovered_alert_does_not_open_it():
    shift = Shift(close=600)
    before = shift.raised()
    for _ in range(2):
        shift.see(0)
    shift.desk, (event,) = alerts.restored(shift.desk, [before], shift.now)
    assert dict(shift.desk.alerts) == {}
    assert (event.change, event.alert.id) == ("recovered", before.id), "the database has to hear it"


def test_documents_of_older_writers_are_read():
    shift = Shift()
    alert = shift.raised()
    old = stored(alert)
    for name in ("snoozed_at", "snoozed_until", "rung_at", "unanswered_since", "open", "key"):
        del old[name]
    read = alert_of(old)
    assert (read.id, read.stage, read.key) == (alert.id, Stage.RAISED, "max_loss")
    assert isinstance(old["raised_at"], datetime)


polls = st.lists(
    st.tuples(
        st.sampled_from([0.0, -770.0, -790.0, -850.0, -970.0, -1500.0, float("nan")]),
        st.sampled_from(["", "", "", "ack", "snooze"]),
        st.sampled_from([1.0, 1.0, 40.0, 200.0]),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


def lived(path, *, restarts):
    """Every edge of a path with its time, with or without restarts where nothing is pending."""
    shift = Shift(escalate=100, close=120, feed=1e6)
    edges = []
    for floating, deed, after, restart in path:
        edges += [(shift.now + after, change) for change in shift.see(floating, after=after)]
        if shift.desk.alerts and deed == "ack":
            edges += [(shift.now, "ack")] if shift.acknowledge() else []
        elif shift.desk.alerts and deed == "snooze":
            edges += [(shift.now, "snooze")] if shift.snooze(50) else []
        settled = not shift.desk.pending and not any(
            track.is_calm(1001) for track in shift.desk.tracks.values()
        )
        if restarts and restart and settled:
            assert list(shift.restart()) == []
    return edges, dict(shift.desk.alerts), dict(shift.desk.recovered)


@settings(max_examples=60, deadline=None)
@given(polls)
def test_splitting_a_life_by_restarts_changes_nothing(path):
    straight, split = lived(path, restarts=False), lived(path, restarts=True)
    assert straight[0] == split[0]
    for ours, theirs in zip(straight[1:], split[1:], strict=True):
        assert [stored(a) for a in ours.values()] == [stored(a) for a in theirs.values()]


@settings(max_examples=60, deadline=None)
@given(polls)
def test_a_life_always_makes_sense(path):
    """Raised first, over once; escalated only while raised; woken only out of a snooze."""
    edges, open_ones, _ = lived(path, restarts=False)
    stage = None
    for _, change in edges:
        match change:
            case "raised":
                assert stage is None
                stage = "raised"
            case "risen":
                assert stage in ("raised", "ack", "snooze")
                stage = "raised"
            case "ack":
                assert stage in ("raised", "snooze")
                stage = "ack"
            case "snooze":
                assert stage in ("raised", "ack", "snooze")
                stage = "snooze"
            case "woken":
                assert stage == "snooze"
                stage = "raised"
            case "escalated":
                assert stage == "raised"
            case "recovered":
                assert stage is not None
                stage = None
            case "closed":
                pass
    assert bool(open_ones) == (stage is not None)

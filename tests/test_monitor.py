"""The monitor over feeds that answer, are silent, go stale and come back."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest
from tests.feeds import NOW, PLAN, FakeFeed, book

from rms_tui.alerts import Handling, evidence
from rms_tui.book import narrowed
from rms_tui.feed import FeedError, FeedStatus, Selection
from rms_tui.frame import FeedState
from rms_tui.monitor import AccountChange, Monitor
from rms_tui.monitor.polling import Polling
from rms_tui.risk.profile import OpenPositions, Plan, RiskProfile
from rms_tui.risk.verdict import Reason


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


def made(feed=None, **more):
    clock = Clock()
    monitor = Monitor(feed or FakeFeed(book()), PLAN, interval=5.0, clock=clock, **more)
    return monitor, clock


def test_a_good_poll_makes_a_frame_with_everything():
    monitor, _ = made()
    frame = monitor.step()
    assert (frame.seq, frame.health.state, frame.health.polls) == (1, FeedState.LIVE, 1)
    assert frame.book is not None
    assert frame.assessment is not None
    assert frame.exposure is not None
    assert monitor.frames.value is frame


def test_before_the_first_book_the_frame_says_what_the_feed_does():
    monitor, _ = made(FakeFeed())
    frame = monitor.step()
    assert (frame.book, frame.health.state) == (None, FeedState.STARTING)
    assert frame.health.feed.doing == "syncing accounts"


def test_a_source_that_is_down_leaves_the_last_book_stale_and_decides_nothing():
    feed = FakeFeed(book())
    monitor, clock = made(feed)
    monitor.step()
    good = monitor.step()
    feed.error = FeedError("connection", "server unreachable")
    feed.status = FeedStatus("down", "waiting", NOW, error="server unreachable")
    clock.now += 20
    frame = monitor.step()
    assert frame.health.state is FeedState.DISCONNECTED
    assert frame.health.error == "server unreachable"
    assert frame.book is good.book
    assert frame.health.undecided == {Reason.STALE: len(good.book.accounts)}
    assert [alert.id for alert in frame.alerts] == [alert.id for alert in good.alerts]
    assert frame.health.age(clock.now) == 20


def test_one_late_poll_is_not_stale_yet():
    feed = FakeFeed(book())
    monitor, clock = made(feed)
    good = monitor.step()
    feed.error = FeedError("hung", "no answer within 5 s")
    clock.now += 6
    frame = monitor.step()
    assert (frame.health.state, frame.health.errors) == (FeedState.LIVE, 1)
    assert frame.assessment is good.assessment


def test_a_book_that_is_old_on_arrival_is_stale():
    monitor, clock = made()
    clock.now += 16
    assert monitor.step().health.state is FeedState.STALE


def test_a_source_without_its_server_is_disconnected():
    monitor, _ = made(FakeFeed(replace(book(), connected=False)))
    assert monitor.step().health.state is FeedState.DISCONNECTED


def test_a_recordings_time_is_its_books_own():
    old = replace(book(at=NOW - 9e8))
    feed = FakeFeed(old)
    monitor = Monitor(feed, PLAN, clock=None, live=FeedState.REPLAY)
    frame = monitor.step()
    assert (frame.health.state, frame.at) == (FeedState.REPLAY, old.taken_at)


def test_alerts_are_facts_in_the_outbox_in_order():
    feed = FakeFeed(book(shock=5000.0))
    monitor, _ = made(feed)
    monitor.step()
    assert len(monitor.outbox) == 0
    frame = monitor.step()
    assert len(frame.alerts) > 0
    assert [fact.change for fact in monitor.outbox.oldest(1000)] == ["raised"] * len(frame.alerts)


def test_an_acknowledgement_shows_at_once_and_is_a_fact():
    monitor, _ = made(FakeFeed(book(shock=5000.0)))
    monitor.step()
    alert = monitor.step().alerts[0]
    monitor.acknowledge(alert.id, "eva@desk", "called")
    frame = monitor.step()
    shown = next(a for a in frame.alerts if a.id == alert.id)
    shown = next(a for a in monitor.frames.value.alerts if a.id == alert.id)
    assert (shown.stage, shown.operator, shown.note) == ("acknowledged", "eva@desk", "called")
    assert monitor.outbox.oldest(1000)[-1].change == "acknowledged"


def test_adding_says_what_happened_to_each_login():
    feed = FakeFeed(book())
    monitor, clock = made(feed, selection=Selection(everything=False, added=frozenset({70_101})))
    monitor.step()
    outcomes = monitor.add([70_101, 70_105, 5], "eva@desk")
    assert outcomes == [
        (70_101, "already watched"), (70_105, "added"), (5, "not on the server"),
    ]  # fmt: skip
    assert feed.selection.added == {70_101, 70_105}
    assert monitor.outbox.oldest(9) == [
        AccountChange(70_105, "Broker-Live", "add", "eva@desk", clock.now)
    ]


def test_removing_where_all_are_watched_stops_watching_one_and_adding_brings_it_back():
    feed = FakeFeed(book())
    monitor, _ = made(feed)
    monitor.step()
    assert monitor.remove([70_103, 70_103 + 1], "eva") == [(70_103, "removed"), (70_104, "removed")]
    assert monitor.remove([70_103], "eva") == [(70_103, "not watched")]
    assert feed.selection.without == {70_103, 70_104}
    assert monitor.add([70_103], "eva") == [(70_103, "added")]
    assert feed.selection.without == {70_104}


def test_adding_while_the_source_is_silent_changes_nothing():
    feed = FakeFeed(book(), error=FeedError("connection", "unreachable"))
    monitor, _ = made(feed)
    with pytest.raises(FeedError, match="unreachable"):
        monitor.add([70_103], "eva")
    assert len(monitor.outbox) == 0


@pytest.mark.parametrize("seconds", [0, -1, 4000, float("nan")])
def test_an_interval_that_cannot_be_is_refused(seconds):
    monitor, _ = made()
    with pytest.raises(ValueError, match="expected"):
        monitor.set_interval(seconds)


def test_the_thread_polls_and_stops():
    monitor, _ = made()
    monitor.start()
    got = monitor.frames.newer(0, timeout=5)
    monitor.stop()
    assert got is not None
    assert not monitor.running
    assert monitor.feed.closed


def test_a_poll_that_breaks_is_told_and_the_next_one_comes(monkeypatch):
    feed = FakeFeed(book())
    monitor = Monitor(feed, PLAN, interval=0.05, clock=Clock())
    good = monitor.step()
    whole = Polling.step
    breaking = [ZeroDivisionError("division by zero")]
    monkeypatch.setattr(
        Polling, "step", lambda polling: _raised(breaking) if breaking else whole(polling)
    )
    monitor.start()
    try:
        seen, told = monitor.frames.newer(1, timeout=10)
        _, after = monitor.frames.newer(seen, timeout=10)
    finally:
        monitor.stop()
    assert told.health.state is FeedState.STALE
    assert told.health.error == "this poll broke: ZeroDivisionError: division by zero"
    assert (told.health.errors, told.book) == (1, good.book)
    assert (after.health.state, after.health.error) == (FeedState.LIVE, None)


def _raised(errors):
    raise errors.pop()


def test_what_breaks_every_poll_in_the_same_way_is_logged_once(monkeypatch, caplog):
    monitor = Monitor(FakeFeed(book()), PLAN, interval=0.01, clock=Clock())
    monkeypatch.setattr(Polling, "step", lambda _: _raised([ZeroDivisionError("the same")]))
    monitor.start()
    try:
        seen = 0
        for _ in range(3):
            seen, told = monitor.frames.newer(seen, timeout=10)
    finally:
        monitor.stop()
    assert told.health.errors >= 3
    logged = [one for one in caplog.records if one.name == "rms_tui.monitor.pace"]
    assert [one.getMessage() for one in logged] == ["a poll broke"]


def test_a_snooze_shows_at_once_and_is_a_fact():
    monitor, clock = made(FakeFeed(book(shock=5000.0)))
    monitor.step()
    alert = monitor.step().alerts[0]
    assert monitor.snooze(alert.id, 1800, "eva@desk") is True
    shown = next(a for a in monitor.frames.value.alerts if a.id == alert.id)
    assert (shown.stage, shown.snoozed_by, shown.snoozed_until) == (
        "snoozed", "eva@desk", clock.now + 1800,
    )  # fmt: skip
    assert monitor.outbox.oldest(1000)[-1].change == "snoozed"
    assert monitor.snooze("nobody", 60, "eva") is False
    with pytest.raises(ValueError, match="7 days"):
        monitor.snooze(alert.id, 0, "eva")


def test_a_handling_heard_from_elsewhere_shows_at_once_and_is_no_fact():
    monitor, clock = made(FakeFeed(book(shock=5000.0)))
    monitor.step()
    alert = monitor.step().alerts[0]
    facts = len(monitor.outbox)
    seq = monitor.frames.value.seq
    said = Handling(alert.id, "acknowledged", "bob", clock.now, alert.severity, "mine")
    monitor.heard([said])
    monitor.heard([said])
    frame = monitor.frames.value
    shown = next(a for a in frame.alerts if a.id == alert.id)
    assert (shown.stage, shown.operator, frame.seq) == ("acknowledged", "bob", seq + 1)
    assert len(monitor.outbox) == facts


def test_pending_states_are_in_the_frame_before_they_are_alerts():
    monitor, _ = made(FakeFeed(book(shock=5000.0)))
    first = monitor.step()
    assert (first.alerts, len(first.pending) > 0) == ((), True)
    second = monitor.step()
    raised = {(a.login, a.key) for a in second.alerts}
    assert {(p.login, p.key) for p in first.pending} == raised
    assert second.pending == ()


def stored_alerts():
    monitor, _ = made(FakeFeed(book(shock=5000.0)))
    monitor.step()
    return monitor.step().alerts


def test_alerts_from_the_database_go_on_and_nothing_is_raised_again():
    stored = stored_alerts()
    monitor, _ = made(FakeFeed(book(shock=5000.0)))
    monitor.restore(stored)
    for _ in range(3):
        frame = monitor.step()
    assert {a.id for a in frame.alerts} == {a.id for a in stored}
    assert {a.rung_at for a in frame.alerts} == {a.rung_at for a in stored}
    assert len(monitor.outbox) == 0


def test_alerts_that_come_late_take_the_place_of_those_raised_meanwhile():
    stored = [replace(a, id=f"old {a.id}", first_seen=NOW - 900) for a in stored_alerts()]
    monitor, _ = made(FakeFeed(book(shock=5000.0)))
    monitor.step()
    monitor.step()
    facts = len(monitor.outbox)
    monitor.restore(stored)
    monitor.restore(stored)
    frame = monitor.frames.value
    assert {a.id for a in frame.alerts} == {a.id for a in stored}
    monitor.step()
    assert len(monitor.outbox) == facts


def test_a_restored_alert_waits_for_its_account_and_is_closed_if_that_stays_away():
    stored = stored_alerts()
    everyone = book(shock=5000.0)
    feed = FakeFeed(narrowed(everyone, everyone.accounts.login == 70_100))
    monitor, clock = made(feed)
    monitor.step()
    monitor.restore(stored)
    feed.newest = everyone
    assert {a.id for a in monitor.step().alerts} == {a.id for a in stored}
    gone = replace(stored[0], id="gone", login=5, key=stored[0].key)
    monitor.restore([gone])
    assert "gone" not in {a.id for a in monitor.step().alerts}
    clock.now += 61
    feed.newest = book(shock=5000.0, at=clock.now)
    monitor.step()
    closed = [f for f in monitor.outbox.oldest(10_000) if f.change == "closed"]
    assert [f.alert.id for f in closed] == ["gone"]


def test_a_monitor_of_a_few_accounts_leaves_the_alerts_of_others_alone():
    stored = stored_alerts()
    own = frozenset({stored[0].login})
    monitor, clock = made(
        FakeFeed(book(shock=5000.0)), selection=Selection(everything=False, added=own)
    )
    monitor.restore(stored)
    clock.now += 100
    assert {a.login for a in monitor.step().alerts} <= own
    assert not [f for f in monitor.outbox.oldest(10_000) if f.change == "closed"]


def test_a_feed_that_is_down_for_a_minute_is_an_alert_of_its_own():
    feed = FakeFeed(book())
    monitor, clock = made(feed)
    monitor.step()
    feed.error = FeedError("connection", "server unreachable")
    feed.status = FeedStatus("down", "waiting", NOW, error="server unreachable")
    for _ in range(13):
        clock.now += 5
        frame = monitor.step()
    alert = next(a for a in frame.alerts if a.rule == "feed")
    assert (alert.name, alert.login, alert.reason) == ("whole book", 0, Reason.STALE)
    feed.error, feed.status = None, FeedStatus("live", "polling", NOW)
    for _ in range(2):
        clock.now += 5
        feed.newest = book(at=clock.now)
        frame = monitor.step()
    assert "feed" not in {a.rule for a in frame.alerts}
    assert [a.rule for a in frame.recovered] == ["feed"]


def test_raises_carry_their_evidence_to_the_outbox():
    monitor, _ = made(FakeFeed(book(shock=5000.0)))
    monitor.step()
    monitor.step()
    facts = monitor.outbox.oldest(10_000)
    assert len({id(fact.evidence) for fact in facts}) == 1, "one narrowed Book a poll"
    for fact in facts[:20]:
        made_of = evidence.document(fact)
        assert evidence.stored(made_of).same_as(evidence.replayed(made_of))


def test_a_frame_and_its_book_are_gone_when_the_next_ones_are_there():
    feed = FakeFeed(book())
    monitor, clock = made(feed)
    frames, columns = [], []
    gc.disable()
    try:
        for poll in range(5):
            clock.now = NOW + 5.0 * poll
            feed.newest = book(seed=poll, at=clock.now, shock=400.0 * poll)
            frame = monitor.step()
            frames.append(weakref.ref(frame))
            columns.append(weakref.ref(frame.book.positions.profit))
            columns.append(weakref.ref(frame.assessment.state))
            feed.newest = frame = None
            monitor.outbox.drop(len(monitor.outbox))
    finally:
        gc.enable()
    assert [frame() is not None for frame in frames] == [False] * 4 + [True]
    assert [column() is not None for column in columns] == [False] * 8 + [True] * 2


def test_edges_waiting_to_be_written_hold_their_own_accounts_and_no_whole_book():
    feed = FakeFeed(book(400))
    monitor, clock = made(feed)
    monitor.step()
    for poll in (1, 2, 3):
        clock.now = NOW + 5.0 * poll
        shocked = book(400, at=clock.now)
        equity = shocked.accounts.equity.copy()
        balance = shocked.accounts.balance.copy()
        equity[:3] -= 0.5 * balance[:3]
        balance[:3] *= 0.5
        accounts = replace(shocked.accounts, equity=equity, balance=balance)
        feed.newest = replace(shocked, accounts=accounts)
        monitor.step()
    seen = {id(fact.evidence): fact.evidence for fact in monitor.outbox.oldest(10_000)}
    books = [one.book for one in seen.values() if isinstance(one, evidence.Evidence)]
    assert books
    raising = {fact.alert.login for fact in monitor.outbox.oldest(10_000)}
    for one in books:
        assert set(one.accounts.login.tolist()) <= raising
        assert len(one.accounts) <= evidence.MOST_ACCOUNTS
        for column in (one.accounts.equity, one.positions.profit):
            whole = column if column.base is None else column.base
            assert whole.nbytes == column.nbytes, "a view would keep the Book's whole column"


def edges(monitor):
    """Every edge so far, as who follows them hears it."""
    found, complete = monitor.edges.between(0, monitor.edges.count)
    assert complete
    return found


def test_an_alert_that_is_read_back_is_restated_and_not_raised_again():
    stored = stored_alerts()
    monitor, _ = made(FakeFeed(book(shock=5000.0)))
    monitor.step()
    monitor.restore(stored)
    monitor.restore(stored)
    monitor.step()
    told = edges(monitor)
    assert sorted(one.alert.id for one in told) == sorted(alert.id for alert in stored)
    assert {one.change for one in told} == {"restated"}


def test_until_the_database_has_spoken_polls_count_and_nothing_begins():
    monitor, clock = made(FakeFeed(book(shock=5000.0)))
    monitor.hold_alerts(10.0)
    first = monitor.step()
    assert len(first.pending) > 0
    clock.now += 5
    assert (monitor.step().alerts, edges(monitor)) == ((), [])
    monitor.release_alerts()
    raised = monitor.step().alerts
    assert {(a.login, a.key) for a in raised} == {(p.login, p.key) for p in first.pending}
    assert {a.first_seen for a in raised} == {NOW}
    assert {one.change for one in edges(monitor)} == {"raised"}


def test_a_database_that_says_nothing_is_waited_for_no_longer_than_was_said():
    monitor, clock = made(FakeFeed(book(shock=5000.0)))
    monitor.hold_alerts(10.0)
    for _ in range(2):
        assert monitor.step().alerts == ()
        clock.now += 4.9
    clock.now += 0.3
    assert monitor.step().alerts != ()


EASY = RiskProfile(name="easy", rules=(OpenPositions(rule="open_positions", count=1),))
LENIENT = dict.fromkeys(range(70_100, 70_160), "easy")


def with_own_limits():
    """A plan, a clock and the alerts that a desk raised by accounts' own limits."""
    plan, clock = Plan(profiles=(*PLAN.profiles, EASY), default=PLAN.default), Clock()
    before = Monitor(FakeFeed(book(shock=5000.0)), plan, interval=5.0, clock=clock)
    before.set_own_profiles(LENIENT)
    for _ in range(3):
        stored = before.step().alerts
    return plan, clock, stored


def test_limits_that_are_read_back_after_some_polls_have_begun_and_ended_nothing():
    plan, clock, stored = with_own_limits()
    assert {alert.profile for alert in stored} == {"easy"}

    monitor = Monitor(FakeFeed(book(shock=5000.0)), plan, interval=5.0, clock=clock)
    monitor.hold_alerts(10.0)
    monitor.step()
    monitor.restore(stored)
    for _ in range(3):
        monitor.step()
    monitor.set_own_profiles(LENIENT)
    monitor.release_alerts()
    for _ in range(3):
        frame = monitor.step()
    assert {alert.id for alert in frame.alerts} == {alert.id for alert in stored}
    assert len(monitor.outbox) == 0


def test_an_account_that_a_source_shows_once_more_after_it_was_removed_gets_no_alert():
    feed = FakeFeed(book(shock=5000.0))
    monitor, _ = made(feed)
    monitor.step()
    monitor.remove([70_100], "eva")
    frame = monitor.step()
    assert 70_100 in frame.book.accounts.login
    assert 70_100 not in {alert.login for alert in frame.alerts}
    monitor.add([70_100], "eva")
    assert 70_100 in {alert.login for alert in monitor.step().alerts}


def test_what_is_done_elsewhere_about_an_alert_that_waits_for_its_account_is_heard():
    alert = next(one for one in stored_alerts() if one.login == 70_101)
    everyone = book(shock=5000.0)
    feed = FakeFeed(narrowed(everyone, everyone.accounts.login == 70_100))
    monitor, _ = made(feed)
    monitor.step()
    monitor.restore([alert])
    monitor.heard([Handling(alert.id, "acknowledged", "bob", NOW, alert.severity, "mine")])
    feed.newest = everyone
    found = next(one for one in monitor.step().alerts if one.id == alert.id)
    assert (found.stage, found.operator) == ("acknowledged", "bob")


def test_what_was_closed_here_is_not_opened_by_a_database_that_does_not_know_it_yet():
    stored = stored_alerts()
    feed = FakeFeed(book(shock=5000.0))
    monitor, _ = made(feed)
    monitor.restore(stored)
    monitor.step()
    monitor.remove([70_100], "eva")
    everyone = book(shock=5000.0)
    feed.newest = narrowed(everyone, everyone.accounts.login != 70_100)
    monitor.step()
    closed = {one.alert.id for one in edges(monitor) if one.change == "closed"}
    assert closed == {alert.id for alert in stored if alert.login == 70_100}
    monitor.restore(stored)
    count = monitor.edges.count
    assert not closed & {alert.id for alert in monitor.step().alerts}
    assert monitor.edges.count == count


def test_a_desk_that_goes_on_without_its_database_says_what_it_does_not_know():
    monitor, clock = made(FakeFeed(book(shock=5000.0)))
    monitor.hold_alerts(10.0)
    assert monitor.step().health.limits_error is None
    clock.now += 11
    frame = monitor.step()
    assert frame.alerts != ()
    assert "MongoDB" in str(frame.health.limits_error)
    monitor.release_alerts()
    assert monitor.step().health.limits_error is None


@pytest.mark.parametrize("longest", [0.0, 10.0])
def test_alerts_that_are_read_back_late_wait_for_the_limits_that_they_were_raised_by(longest):
    plan, clock, stored = with_own_limits()
    monitor = Monitor(FakeFeed(book(shock=5000.0)), plan, interval=5.0, clock=clock)
    monitor.hold_alerts(longest, 10.0)
    for _ in range(3):
        monitor.step()
        clock.now += longest
    assert {alert.profile for alert in monitor.step().alerts} != {"easy"}, "by the plan meanwhile"
    monitor.restore(stored)
    for _ in range(3):
        monitor.step()
    monitor.set_own_profiles(LENIENT)
    monitor.release_alerts()
    for _ in range(3):
        frame = monitor.step()
    assert {alert.id for alert in frame.alerts} == {alert.id for alert in stored}
    ended = [one for one in edges(monitor) if one.change in ("closed", "recovered")]
    assert not {one.alert.id for one in ended} & {alert.id for alert in stored}


def test_who_takes_over_writes_down_what_the_holder_showed_and_could_not_write_any_more():
    holder, _ = made(FakeFeed(book(shock=5000.0)))
    for _ in range(2):
        shown = holder.step().alerts
    assert holder.acknowledge(shown[0].id, "eva", "mine")
    assert holder.snooze(shown[1].id, 60.0, "bob")
    follower, _ = made(FakeFeed(book(shock=5000.0)))
    follower.go_on_from(None, holder.frames.value.desk)
    follower.step()
    assert len(follower.outbox) == 0
    follower.go_on_alone(remember=True)
    put = [(one.change, one.alert.id) for one in follower.outbox.oldest(10_000)]
    assert {found for change, found in put if change == "raised"} == {one.id for one in shown}
    done = [one for one in put if one[0] != "raised"]
    assert sorted(done) == [("acknowledged", shown[0].id), ("snoozed", shown[1].id)]
    told = {(one.change, one.alert.id, one.at) for one in holder.outbox.oldest(10_000)}
    for one in follower.outbox.oldest(10_000):
        assert (one.change, one.alert.id, one.at) in told, "the same edge, not another one"

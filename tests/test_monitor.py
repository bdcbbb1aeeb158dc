"""The monitor over feeds that answer, are silent, go stale and come back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.feeds import NOW, PLAN, FakeFeed, book

from rms_tui.feed import FeedError, FeedStatus, Selection
from rms_tui.frame import FeedState
from rms_tui.monitor import AccountChange, Monitor
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

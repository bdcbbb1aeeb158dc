"""What was recorded is replayed to the same frames: verdicts, alerts, bases, errors, in order."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from tests.recording.taped import NOON, TIGHT, Demo, differences, written

from rms_tui.alerts import Handling
from rms_tui.facts import BaseEntry
from rms_tui.feed import FeedError, FeedStatus, Selection
from rms_tui.frame import FeedState
from rms_tui.recording.entries import Gap
from rms_tui.recording.player import Player
from rms_tui.recording.reader import open_recording
from rms_tui.recording.recorder import MOST_WAITING
from rms_tui.recording.replayed import Replayed
from rms_tui.risk.profile import Plan


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.rec"


def assert_same(live, replayed):
    assert len(live) == len(replayed)
    for one, other in zip(live, replayed, strict=True):
        assert differences(one, other) == [], f"frame {one.seq}"


def recorded(demo, path, run, **more):
    recorder = demo.recorder(path, **more)
    recorder.start()
    demo.monitor.frames.follow(lambda _frame: written(recorder))  # the disk is as slow as it is
    run()
    recorder.stop()
    assert recorder.view.value.skipped == 0
    return open_recording(path)


def test_a_minute_of_the_demo_replayed_at_ten_times_the_speed_is_the_same_frame_for_frame(path):
    demo = Demo()
    recording = recorded(demo, path, lambda: demo.run(60))
    clock = [0.0]

    def wait(_condition, seconds):
        clock[0] += seconds

    player = Player(recording, speed=10, monotonic=lambda: clock[0], wait=wait)
    frames, ended = [], threading.Event()
    player.monitor.frames.follow(frames.append)
    player.changes.follow(lambda view: ended.set() if view.state == "ended" else None)
    player.start()
    assert ended.wait(60)
    player.stop()
    assert_same(demo.frames, frames)
    assert clock[0] == pytest.approx(59 / 10, abs=0.05)
    assert {frame.health.state for frame in frames} == {FeedState.REPLAY}
    assert max(len(frame.alerts) for frame in frames) > 10


def test_recording_that_begins_in_the_middle_goes_on_from_the_memory_and_alerts_of_then(path):
    demo = Demo()
    demo.run(20)
    first = demo.frames[-1].alerts[0]
    demo.monitor.acknowledge(first.id, "eva@desk", "called")
    before = len(demo.frames)
    recording = recorded(demo, path, lambda: demo.run(20))
    assert_same(demo.frames[before:], list(Replayed(recording).frames()))


def test_what_operators_do_is_replayed_where_they_did_it(path):
    demo = Demo()

    def run():
        demo.run(5)
        alerts = demo.frames[-1].alerts
        demo.monitor.acknowledge(alerts[0].id, "eva@desk", "[red]called[/red]")
        demo.monitor.snooze(alerts[1].id, 3.0, "eva@desk")
        demo.run(2)
        said = Handling(alerts[2].id, "acknowledged", "bob", demo.now, alerts[2].severity, None)
        demo.monitor.heard([said])
        demo.run(5)

    recording = recorded(demo, path, run)
    assert len(demo.frames) == 15
    assert_same(demo.frames, list(Replayed(recording).frames()))


def test_polls_without_a_book_and_stale_ones_are_replayed_too(path):
    demo = Demo()

    def run():
        demo.run(3)
        demo.feed.error = FeedError("hung", "no answer within 5 s")
        demo.run(2)
        demo.feed.status = FeedStatus("down", "waiting", demo.now, "unreachable", "connection")
        demo.run(70)
        demo.feed.error, demo.feed.status = None, FeedStatus("live", "reading", demo.now)
        demo.run(3)

    recording = recorded(demo, path, run)
    frames = list(Replayed(recording).frames())
    assert_same(demo.frames, frames)
    assert "feed" in {alert.rule for alert in frames[70].alerts}
    assert frames[10].health.state is FeedState.DISCONNECTED


def test_limits_and_intervals_that_change_are_replayed_as_they_changed(path):
    demo = Demo()
    calm = Plan(profiles=(TIGHT.profiles[0].model_copy(update={"name": "calm"}),), default="calm")

    def run():
        demo.run(4)
        demo.monitor.set_plan(None, "limits kept as they were: rms.toml: rule: unknown")
        demo.run(1)
        demo.monitor.set_plan(calm)
        demo.monitor.set_interval(2.0)
        demo.run(4, each=2.0)
        demo.monitor.select(Selection(without=frozenset({demo.frames[0].alerts[0].login}))
                            if demo.frames[0].alerts else Selection())  # fmt: skip
        demo.run(4, each=2.0)

    recording = recorded(demo, path, run)
    assert_same(demo.frames, list(Replayed(recording).frames()))


def test_accounts_that_come_and_go_are_replayed(path):
    demo = Demo()

    def run():
        demo.run(4)
        leaving = [int(login) for login in demo.frames[-1].book.accounts.login[5:9]]
        demo.monitor.remove(leaving, "eva@desk")
        demo.run(4)
        demo.monitor.add(leaving[:2], "eva@desk")
        demo.run(4)

    recording = recorded(demo, path, run)
    assert_same(demo.frames, list(Replayed(recording).frames()))
    sizes = {len(frame.book.accounts) for frame in demo.frames}
    assert sizes == {40, 36, 38}


def test_what_a_store_and_an_operator_brought_in_is_replayed(path):
    other = Demo()
    other.run(10)
    kept = other.frames[-1]
    demo = Demo()

    def run():
        demo.run(3)
        demo.monitor.recall(kept.memory)
        demo.monitor.restore([replace(alert, id=f"old {alert.id}") for alert in kept.alerts])
        demo.run(3)
        memory = demo.frames[-1].memory
        login = int(memory.login[0])
        start = next(iter(memory.days.values())).at
        demo.monitor.enter([BaseEntry(login, start, 9000.0, 9000.0, "eva", demo.now)])
        demo.run(4)

    recording = recorded(demo, path, run)
    assert demo.frames[-1].outside > 0
    assert_same(demo.frames, list(Replayed(recording).frames()))


def test_reading_may_begin_at_any_time_and_comes_to_the_same(path):
    demo = Demo()
    recording = recorded(demo, path, lambda: demo.run(400, each=2.0))
    starts = recording.parts[0].found.starts
    assert len(starts) == 3
    for at in (starts[1].at, starts[1].at + 77.0, recording.ended):
        frames = list(Replayed(recording, start=at).frames())
        assert frames[0].at <= at
        live = [frame for frame in demo.frames if frame.at >= frames[0].at]
        assert_same(live, frames)


def test_whole_polls_on_the_way_say_what_replay_has_come_to_by_itself(path):
    demo = Demo()
    recording = recorded(demo, path, lambda: demo.run(310, each=1.0))
    replayed = Replayed(recording)
    for entry in recording.entries():
        frame = replayed.play(entry)
        if frame is not None and getattr(entry, "memory", None) is not None:
            for rollover, day in entry.memory.days.items():
                mine = frame.memory.days[rollover]
                assert np.array_equal(day.equity, mine.equity, equal_nan=True)
                assert np.array_equal(day.start, mine.start, equal_nan=True)


def test_closed_deals_that_were_read_are_there_again(path):
    demo = Demo()

    def run():
        demo.run(2)
        login = int(demo.frames[-1].book.accounts.login[0])
        demo.monitor.history([login])
        demo.run(2)

    recording = recorded(demo, path, run)
    replayed = Replayed(recording)
    frames = list(replayed.frames())
    login = int(frames[-1].book.accounts.login[0])
    live = demo.feed.history([login], 1.0)
    again = replayed.monitor.history([login])
    assert again.ticket.tolist() == live.ticket.tolist()
    other = int(frames[-1].book.accounts.login[1])
    assert set(replayed.monitor.history([other]).login.tolist()) <= {other}


def test_a_disk_that_is_too_slow_makes_a_gap_that_is_said_and_replay_goes_on_behind_it(path):
    demo = Demo()
    free, slow = threading.Event(), threading.Event()
    free.set()

    def monotonic():
        if not free.is_set():
            slow.set()
            free.wait(30)
        return demo.now

    recorder = demo.recorder(path, monotonic=monotonic)
    recorder.start()
    demo.run(3)
    written(recorder)
    free.clear()
    demo.run(1)
    assert slow.wait(30)
    demo.run(MOST_WAITING + 9, wait=False)
    free.set()
    written(recorder)
    demo.run(5)
    recorder.stop()
    view = recorder.view.value
    assert (view.state, view.skipped) == ("gap", 9)
    recording = open_recording(path)
    gaps = [entry for entry in recording.entries() if isinstance(entry, Gap)]
    assert [(gap.polls, gap.why) for gap in gaps] == [
        (9, "9 frames skipped: the disk was too slow")
    ]
    frames = list(Replayed(recording).frames())
    assert len(frames) == len(demo.frames) - 9
    live = {frame.at: frame for frame in demo.frames}
    for frame in frames:
        assert differences(live[frame.at], frame) == []


def test_a_replay_can_be_paused_moved_about_in_and_played_again(path):
    demo = Demo()
    recording = recorded(demo, path, lambda: demo.run(30))
    clock = [0.0]
    held = threading.Event()

    def wait(condition, seconds):
        if seconds >= 3600:
            held.set()
            condition.wait(10)
        else:
            clock[0] += seconds

    player = Player(recording, start=NOON + 10, speed=4, monotonic=lambda: clock[0], wait=wait)
    player.pause()
    player.start()
    assert held.wait(30)
    assert player.view().state == "paused"
    assert player.now() == NOON + 10
    assert player.monitor.frames.value.at == NOON + 10
    ended = threading.Event()
    player.changes.follow(lambda view: ended.set() if view.state == "ended" else None)
    player.seek(NOON + 20)
    player.pause()
    assert ended.wait(30)
    assert player.monitor.frames.value.at == NOON + 30
    ended.clear()
    player.pause()
    assert ended.wait(30)
    player.stop()
    player.set_speed(99_999_999)
    assert player.view().speed == 10_000

"""Recording from the console, and a console over a recording."""

from __future__ import annotations

import threading
import time

import pytest
from tests.consoles import Bench
from tests.feeds import NOW, book

from rms_tui.frame import FeedState
from rms_tui.recording.player import Player
from rms_tui.recording.reader import open_recording
from rms_tui.recording.recorder import Recorder
from rms_tui.recording.replayed import Replayed
from rms_tui.recording.switch import RecordSwitch
from rms_tui.tui.app import RmsApp
from rms_tui.tui.messages import FrameReady

SIZE = (200, 48)


def recording_bench(path):
    bench = Bench()
    switch = RecordSwitch(lambda file: Recorder(bench.monitor, file), lambda: path)
    bench.app = RmsApp(
        bench.monitor,
        operator="dealer@desk-2",
        theme="desk-dark",
        clock=lambda: bench.now,
        recording=switch,
    )
    return bench, switch


async def until(pilot, holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        await pilot.pause(0.02)


async def test_w_records_what_is_seen_and_w_again_ends_it(tmp_path):
    path = tmp_path / "desk.rec"
    bench, switch = recording_bench(path)
    bench.step()
    async with bench.app.run_test(size=SIZE) as pilot:
        await pilot.press("w")
        await bench.errand(pilot, "record-switch")
        await until(pilot, lambda: "REC ●" in bench.text("#heading"))
        for second in range(1, 6):
            bench.now += 1
            await bench.shown(pilot, book(at=NOW + second, shock=40.0 * second))
        await pilot.press("w")
        await bench.errand(pilot, "record-switch")
        await until(pilot, lambda: "REC" not in bench.text("#heading"))
        assert not switch.running
    frames = list(Replayed(open_recording(path)).frames())
    assert [frame.book.taken_at for frame in frames] == [NOW + second for second in range(1, 6)]


async def test_a_recording_that_cannot_be_is_said_and_the_desk_goes_on(tmp_path):
    bench, _ = recording_bench(tmp_path / "no" / "such" / "desk.rec")
    bench.step()
    async with bench.app.run_test(size=SIZE) as pilot:
        await pilot.press("w")
        await bench.errand(pilot, "record-switch")
        await until(pilot, lambda: len(bench.app._notifications) > 0)
        [said] = list(bench.app._notifications)
        assert "not recording" in said.message
        assert "No such file" in said.message
        await bench.shown(pilot, book(at=NOW + 5))
        assert "REC" not in bench.text("#heading")


async def test_a_recording_that_ends_by_itself_is_told_once(tmp_path):
    bench, switch = recording_bench(tmp_path / "desk.rec")
    bench.step()
    async with bench.app.run_test(size=SIZE) as pilot:
        switch._make = lambda file: Recorder(bench.monitor, file, limit=1)
        switch.start()
        big = book(9_000, at=NOW + 1)
        bench.now += 1
        await bench.shown(pilot, big)
        await until(pilot, lambda: not switch.running)
        await bench.shown(pilot, book(9_000, at=NOW + 2))
        await bench.shown(pilot, book(9_000, at=NOW + 3))
        assert "REC ■ STOPPED" in bench.text("#heading")
        told = [one.message for one in bench.app._notifications if "recording" in one.message]
        assert len(told) == 1
        assert "too small" in told[0]


async def test_without_a_recorder_w_does_nothing():
    bench = Bench()
    bench.step()
    async with bench.app.run_test(size=SIZE) as pilot:
        await pilot.press("w")
        await pilot.pause()
        assert bench.app.check_action("record", ()) is False
        assert "REC" not in bench.text("#heading")


class Replay:
    """A console over a recording whose time only goes on when the test says so."""

    def __init__(self, path):
        bench = Bench()
        recorder = Recorder(bench.monitor, path)
        recorder.start()
        for second in range(121):
            bench.now += 1
            bench.step(book(30, at=NOW + second, shock=2.0 * second))
        recorder.stop()
        self.clock = 0.0
        self.waiting = threading.Event()
        self.player = Player(open_recording(path), monotonic=lambda: self.clock, wait=self._wait)
        self.app = RmsApp(
            self.player.monitor,
            operator="dealer@desk-2",
            theme="desk-dark",
            clock=self.player.now,
            playback=self.player,
            after_first_paint=self.player.start,
        )
        self.began = bench.now - 120

    def _wait(self, condition, _seconds):
        self.waiting.set()
        condition.wait(0.005)

    def heading(self):
        return self.app.screen.query_one("#heading").text

    async def shows(self, pilot, *words):
        def there():
            self.app.post_message(FrameReady())
            return all(word in self.heading() for word in words)

        await until(pilot, there)

    def reached(self, second):
        frame = self.player.monitor.frames.value
        return frame is not None and frame.at == pytest.approx(self.began + second, abs=0.01)


async def test_a_replay_says_so_with_its_own_time_and_its_end(tmp_path):
    replay = Replay(tmp_path / "desk.rec")
    async with replay.app.run_test(size=SIZE) as pilot:
        await replay.shows(pilot, "◆ REPLAY", "▶ 1×", "2026-03-02 14:03:23 UTC")
        replay.clock = 10.0
        await until(pilot, lambda: replay.reached(10))
        await replay.shows(pilot, "2026-03-02 14:03:33 UTC")
        replay.clock = 500.0
        await replay.shows(pilot, "END OF RECORDING", "2026-03-02 14:05:23 UTC")
        assert replay.player.monitor.frames.value.health.state is FeedState.REPLAY
        replay.player.stop()


async def test_p_pauses_a_replay_and_brackets_and_dots_move_it(tmp_path):
    replay = Replay(tmp_path / "desk.rec")
    async with replay.app.run_test(size=SIZE) as pilot:
        await replay.shows(pilot, "▶ 1×")
        await pilot.press("p")
        await replay.shows(pilot, "PAUSED")
        replay.clock = 30.0
        await pilot.pause(0.05)
        assert replay.reached(0)
        await pilot.press("full_stop")
        await until(pilot, lambda: replay.reached(60))
        await pilot.press("comma")
        await until(pilot, lambda: replay.reached(0))
        await pilot.press("right_square_bracket", "right_square_bracket", "p")
        await replay.shows(pilot, "▶ 5×")
        await pilot.press("left_square_bracket")
        await replay.shows(pilot, "▶ 2×")
        replay.clock += 20.0
        await until(pilot, lambda: replay.reached(40))
        replay.player.stop()


async def test_nothing_can_be_changed_in_a_replay(tmp_path):
    replay = Replay(tmp_path / "desk.rec")
    async with replay.app.run_test(size=SIZE) as pilot:
        await replay.shows(pilot, "▶ 1×")
        replay.clock = 60.0
        await until(pilot, lambda: replay.reached(60))
        before = replay.player.monitor.frames.value
        assert before.alerts
        await pilot.press("4", "space", "n", "a", "d", "l", "i", "w")
        await pilot.pause()
        assert replay.app.screen is replay.app.desk
        assert replay.player.monitor.frames.value is before
        titles = [command.title for command in replay.app.commands()]
        assert "Add accounts" not in titles
        assert "Replay faster" in titles
        replay.player.stop()


async def test_a_recording_that_breaks_off_says_where_and_its_name_is_only_text(tmp_path):
    path = tmp_path / "desk[red].rec"
    replay = Replay(path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    async with replay.app.run_test(size=SIZE) as pilot:
        await replay.shows(pilot, "▶ 1×")
        replay.clock += 500.0
        await replay.shows(pilot, "■ UNREADABLE", "Replay of desk[red].rec")
        told = [one.message for one in replay.app._notifications if "at byte" in one.message]
        assert len(told) == 1
        assert "desk[red].rec: at byte " in told[0].replace("\u200b", "").replace("\\", "")
        replay.player.stop()

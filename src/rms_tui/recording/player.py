"""Replay in time: a recording played at a speed, paused, moved about in, by a thread `rms-replay`.

Whoever looks reads the monitor's frames as of a live one, and `now` as its clock: the time of the
recording. A long pause between two polls, of a recorder that was off, is jumped over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rms_tui.feed import FeedError
from rms_tui.latest import Latest
from rms_tui.recording.entries import Entry, Handled, Polled
from rms_tui.recording.reader import Recording
from rms_tui.recording.replayed import Replayed

SLOWEST, FASTEST = 0.1, 10_000.0

LONGEST_PAUSE = 10.0
"""Recorded seconds without an entry, or five intervals, after which playing jumps to the next."""

State: TypeAlias = Literal["playing", "paused", "ended", "broken"]


@dataclass(frozen=True, slots=True)
class PlayView:
    """Where a replay stands, for a screen. Times are UTC seconds."""

    state: State
    at: float
    began: float
    ended: float
    speed: float
    text: str = ""


def _wait(condition: threading.Condition, seconds: float) -> None:
    condition.wait(seconds)


class Player:
    """Plays a recording. `monitor` is what screens look at, `now` their clock."""

    def __init__(
        self,
        recording: Recording,
        *,
        start: float | None = None,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Condition, float], object] = _wait,
    ) -> None:
        """`start` is where playing begins (UTC seconds; None: at the beginning). Raises Refused."""
        self._recording = recording
        begin = (
            recording.began if start is None else min(max(start, recording.began), recording.ended)
        )
        self._replayed = Replayed(recording, start=begin)
        self.monitor = self._replayed.monitor
        self._monotonic = monotonic
        self._wait = wait
        self._changed = threading.Condition()
        self._stopping = False
        self._seek: float | None = begin
        self._speed = speed
        self._state: State = "playing"
        self._text = ""
        self._clock = (begin, monotonic())
        self._next_at = begin
        self.changes: Latest[PlayView] = Latest()
        self._thread = threading.Thread(target=self._run, name="rms-replay", daemon=True)

    def start(self) -> None:
        """Begin to play; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Play no more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def now(self) -> float:
        """The time of the recording that is shown (UTC seconds)."""
        with self._changed:
            return self._at()

    def view(self) -> PlayView:
        """Where the replay stands."""
        with self._changed:
            return PlayView(
                self._state,
                self._at(),
                self._recording.began,
                self._recording.ended,
                self._speed,
                self._text,
            )

    def pause(self) -> None:
        """Pause, or play on; at the end, from the beginning again."""
        with self._changed:
            at = self._at()
            if self._state == "ended":
                self._seek = self._recording.began
            elif self._state in ("playing", "paused"):
                self._become("paused" if self._state == "playing" else "playing", at)
            self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        """Play that many recorded seconds a second, within what can be."""
        with self._changed:
            at = self._at()
            self._speed = min(max(speed, SLOWEST), FASTEST)
            self._become(self._state, at)
            self._changed.notify_all()

    def seek(self, at: float) -> None:
        """Go on at that time (UTC seconds), or at the end or beginning it is beyond."""
        with self._changed:
            self._seek = min(max(at, self._recording.began), self._recording.ended)
            self._changed.notify_all()

    def _at(self) -> float:
        at, since = self._clock
        if self._state != "playing":
            return at
        return max(at, min(self._next_at, at + (self._monotonic() - since) * self._speed))

    def _become(self, state: State, at: float, text: str = "") -> None:
        self._state, self._text = state, text
        self._clock = (at, self._monotonic())
        self.changes.put(
            PlayView(state, at, self._recording.began, self._recording.ended, self._speed, text)
        )

    def _run(self) -> None:
        while (began := self._place()) is not None:
            try:
                self._play(self._recording.entries(began), began)
            except FeedError as error:
                self._replayed.broke_off(error)
                with self._changed:
                    self._become("broken", self._at(), error.text)

    def _place(self) -> float | None:
        """Where to play from; waits at the end until somebody moves. None: play no more."""
        with self._changed:
            while self._seek is None and not self._stopping:
                self._changed.wait()
            began, self._seek = self._seek, None
            if self._stopping or began is None:
                return None
            self._replayed.jumped()
            self._next_at = began
            self._become("paused" if self._state == "paused" else "playing", began)
            return began

    def _play(self, entries: Iterator[Entry], began: float) -> None:
        for entry in entries:
            timed = isinstance(entry, (Polled, Handled))
            if timed and entry.at > began and not self._reached(entry):
                return
            self._replayed.play(entry)
        with self._changed:
            if self._seek is None and not self._stopping:
                self._become("ended", self._recording.ended)

    def _reached(self, entry: Entry) -> bool:
        """Wait until it is the entry's time; False when playing is to go on elsewhere."""
        with self._changed:
            at = self._at()
            self._next_at = entry.at
            longest = max(LONGEST_PAUSE, 5.0 * self.monitor.interval)
            if not at <= entry.at <= at + longest:
                self._become(self._state, entry.at)
            while self._seek is None and not self._stopping:
                left = entry.at - self._at()
                if self._state == "playing" and left <= 0:
                    return True
                paused = self._state != "playing"
                self._wait(self._changed, 3600.0 if paused else max(left / self._speed, 0.001))
            return False

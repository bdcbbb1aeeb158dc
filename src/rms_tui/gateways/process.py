"""Any gateway in a child process: what the monitor reads (`rms_tui.feed.Feed`).

The vendor packages block, hold the GIL and crash. So each runs in an interpreter of its own, and
this side promises that nothing it does can freeze or end the reader: every method returns or
raises in its time, a silent child is killed, a dead one is started again with growing pauses, and
what went wrong stands in `status`.

Threads: `rms-gateway` starts the child, watches it and pauses between attempts; it never blocks on
the pipe (the threads of `spawned` do).
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from rms_tui.book import Book, Deals
from rms_tui.feed import Cause, FeedError, FeedStatus, Known, Phase, Selection, Sought
from rms_tui.gateways import Spec, open_gateway, title_of
from rms_tui.gateways.mapped import Growing
from rms_tui.gateways.pipe import (
    Answer,
    Ask,
    Beat,
    Changes,
    Hello,
    Opener,
    Question,
    Refusal,
    Select,
    applied,
    kept_tables,
)
from rms_tui.gateways.spawned import Child

_log = logging.getLogger("rms_tui.gateways")


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the parent is, in seconds.

    `silence` and `connecting_silence` bound the time without a heartbeat, `connecting` the whole
    way to live, `call` one answer. After a failure the pause doubles from `retry_first` to
    `retry_longest` (`refused_*` when the source refused the login), and starts again from the
    first after the child was live for `settled`.
    """

    heartbeat: float = 1.0
    silence: float = 5.0
    connecting_silence: float = 150.0
    connecting: float = 600.0
    call: float = 30.0
    retry_first: float = 1.0
    retry_longest: float = 60.0
    refused_first: float = 60.0
    refused_longest: float = 600.0
    settled: float = 30.0


@dataclass(slots=True, eq=False)
class _Pending:
    """A question on its way: answered once, or left (its asker gave up or changed its mind)."""

    answer: object = None
    left: bool = False


class GatewayProcess:
    """A source of Books that may hang, crash or refuse without harm to who reads it."""

    def __init__(
        self,
        spec: Spec,
        *,
        limits: Limits = Limits(),
        opener: Opener = open_gateway,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`opener` must be importable by name; it runs in the child. Nothing starts yet."""
        self._hello = Hello(opener, spec, Selection(), limits.heartbeat)
        self._title = title_of(spec)
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._child: Child | None = None
        self._status = FeedStatus("down", "not started", clock())
        self._failure: FeedError | None = None
        self._failed: tuple[Cause | None, int] = (None, 0)
        self._attempt_at: float | None = None
        self._numbers = 0
        self._open: dict[int, _Pending] = {}
        self._reading: _Pending | None = None
        self._last: Book | None = None
        self._synced: Book | None = None
        self._growing = Growing()
        self._began = self._heard = self._progress = monotonic()
        self._live_since: float | None = None

    def __repr__(self) -> str:
        return f"GatewayProcess({self._title}, {self._status.phase})"

    @property
    def title(self) -> str:
        """Source in words for the header."""
        return self._title

    @property
    def status(self) -> FeedStatus:
        """Where the source stands now; one immutable value."""
        return self._status

    def start(self) -> None:
        """Begin connecting, or try again at once when down; returns at once.

        Raises RuntimeError after `close`.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("this gateway was closed")
            if self._status.phase == "down":
                self._attempt_at = self._monotonic()
                self._set("starting", "starting")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rms-gateway", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def read(self, timeout: float) -> Book:
        """Ask for a Book and wait for it.

        An answer that came after its timeout is what the next call returns. Raises FeedError at
        once while the source is down, and when there is no answer in time.
        """
        deadline = self._monotonic() + timeout
        with self._changed:
            mine = self._reading
            while mine is None or mine.left or mine.answer is None:
                self._raise_if_down()
                if self._reading is None and self._child is not None:
                    self._reading = self._ask(self._child, "read", None)
                if mine is not self._reading:
                    mine = self._reading
                    continue
                self._wait(deadline, timeout)
            if self._reading is mine:
                self._reading = None
        if isinstance(mine.answer, FeedError):
            raise mine.answer
        return cast("Book", mine.answer)

    def select(self, selection: Selection) -> None:
        """Watch these accounts from the next Book on. Returns at once; survives a restart."""
        with self._changed:
            self._hello = replace(self._hello, selection=selection)
            if self._reading is not None:
                self._reading.left, self._reading = True, None
            if self._child is not None:
                self._child.say(Select(selection))
            self._changed.notify_all()

    def known(self, sought: Sought, timeout: float) -> Known:
        """Which of these accounts the source has, watched or not. Raises FeedError."""
        plain = sought if isinstance(sought, str) else tuple(sought)
        return cast("Known", self._answer("known", plain, timeout))

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:
        """Deals of the history window of these accounts (None: all watched). Raises FeedError."""
        asked = None if logins is None else tuple(logins)
        return cast("Deals", self._answer("history", asked, timeout))

    def close(self) -> None:
        """End the source within a second, whatever it does. May be called twice."""
        with self._changed:
            self._closed = True
            child = self._child
            self._changed.notify_all()
        if child is not None:
            child.end(patience=0.8)
        if self._thread is not None:
            self._thread.join(0.15)
        with self._changed:
            self._child = None
            self._drop_questions(FeedError("configuration", f"{self._title} was closed"))
            self._set("down", "closed")
            self._changed.notify_all()

    def _answer(
        self, what: Question, asked: tuple[int, ...] | str | None, timeout: float
    ) -> object:
        deadline = self._monotonic() + timeout
        pending: _Pending | None = None
        with self._changed:
            while pending is None or pending.answer is None:
                self._raise_if_down()
                if pending is None and self._child is not None:
                    pending = self._ask(self._child, what, asked)
                self._wait(deadline, timeout)
        if isinstance(pending.answer, FeedError):
            raise pending.answer
        return pending.answer

    def _ask(self, child: Child, what: Question, asked: tuple[int, ...] | str | None) -> _Pending:
        self._numbers += 1
        if not self._open:
            self._progress = self._monotonic()
        pending = self._open[self._numbers] = _Pending()
        child.say(Ask(self._numbers, what, asked))
        return pending

    def _wait(self, deadline: float, timeout: float) -> None:
        remaining = deadline - self._monotonic()
        if remaining <= 0:
            live = self._status.phase == "live"
            text = f"{self._title} gave no answer within {timeout:g} s ({self._status.doing})"
            raise FeedError("hung" if live else "connection", text)
        self._changed.wait(remaining)

    def _raise_if_down(self) -> None:
        status = self._status
        if status.phase == "down":
            text = status.error or f"{self._title} is {status.doing}"
            final = status.next_attempt is None
            raise FeedError(status.cause or "configuration", text, final=final)

    def _set(self, phase: Phase, doing: str, pid: int | None = None) -> None:
        restarts = self._status.restarts
        self._status = FeedStatus(phase, doing, self._clock(), restarts=restarts, pid=pid)

    def _run(self) -> None:
        """The thread `rms-gateway`: attempt after attempt until closed."""
        first = True
        while self._due():
            hello = self._hello
            try:
                child = Child(hello, self._hear)
            except OSError as error:
                text = f"the gateway process cannot be started: {error}"
                self._fail(FeedError("crashed", text))
                continue
            with self._changed:
                self._child = child
                if self._hello is not hello:  # chosen while the child was being started
                    child.say(Select(self._hello.selection))
                self._synced = None
                self._failure = self._live_since = None
                self._began = self._heard = self._progress = self._monotonic()
                restarts = self._status.restarts + (0 if first else 1)
                self._set("starting", "starting the gateway process", child.process.pid)
                self._status = replace(self._status, restarts=restarts)
                first = False
                self._changed.notify_all()
                if self._closed:
                    child.process.kill()
            self._watch(child)

    def _due(self) -> bool:
        """Wait for the time of the next attempt; False when closed."""
        with self._changed:
            while not self._closed:
                if self._attempt_at is not None:
                    remaining = self._attempt_at - self._monotonic()
                    if remaining <= 0:
                        self._attempt_at = None
                        if self._status.phase == "down":
                            self._set("starting", "starting")
                        return True
                    self._changed.wait(remaining)
                else:
                    self._changed.wait()
            return False

    def _watch(self, child: Child) -> None:
        """Kill the child when it is overdue; return when it has ended and `status` says why."""
        tick = min(0.25, self._limits.silence / 8)
        last = self._monotonic()
        while not child.ended.wait(tick) and child.process.poll() is None:
            now = self._monotonic()
            overdue = None
            with self._changed:
                if now - last > tick + 1.0:  # this process itself stood still
                    self._heard = self._progress = self._began = now
                elif not self._closed and (overdue := self._overdue(now)) is not None:
                    self._failure = overdue
            if overdue is not None:
                child.process.kill()
            last = now
        code = child.reaped()
        self._fail(self._failure or FeedError("crashed", _ended(child.process.pid, code)))

    def _overdue(self, now: float) -> FeedError | None:
        """Why the child must be killed now, if it must. Holds the lock."""
        limits, doing = self._limits, self._status.doing
        live = self._status.phase == "live"
        silence = limits.silence if live else limits.connecting_silence
        if now - self._heard > silence:
            why = f"no sign of life for {silence:g} s while {doing}"
        elif not live and now - self._began > limits.connecting:
            why = f"not connected after {limits.connecting:g} s, still {doing}"
        elif live and self._open and now - self._progress > limits.call:
            why = f"no answer for {limits.call:g} s while {doing}"
        else:
            return None
        return FeedError("hung", f"{self._title}: {why}; its process was ended")

    def _fail(self, failure: FeedError) -> None:
        """Go down with this failure, and set the time of the next attempt."""
        limits, now = self._limits, self._monotonic()
        refused = failure.cause == "authorisation"
        with self._changed:
            self._child = None
            settled = self._live_since is not None and now - self._live_since >= limits.settled
            cause, times = (None, 0) if settled else self._failed
            times = times + 1 if (cause == "authorisation") == refused else 1
            self._failed = (failure.cause, times)
            first = limits.refused_first if refused else limits.retry_first
            longest = limits.refused_longest if refused else limits.retry_longest
            pause = min(longest, first * 2.0 ** min(times - 1, 30))
            if not self._closed:
                then = "until something changes" if failure.final else f"again in {pause:g} s"
                _log.info("%s is down, %s: %s", self._title, then, failure.text)
            self._attempt_at = None if failure.final else now + pause
            self._status = FeedStatus(
                "down",
                "waiting for a change" if failure.final else "waiting to try again",
                self._clock(),
                error=failure.text,
                cause=failure.cause,
                next_attempt=None if failure.final else self._clock() + pause,
                restarts=self._status.restarts,
            )
            self._drop_questions(failure)
            self._changed.notify_all()

    def _drop_questions(self, failure: FeedError) -> None:
        for pending in self._open.values():
            pending.answer = failure
        self._open.clear()
        self._reading = None

    def _hear(self, child: Child, message: object) -> None:
        """Take in one message of the child (on its thread `rms-gateway-in`)."""
        with self._changed:
            if child is not self._child:
                return
            self._heard = self._monotonic()
            match message:
                case Beat(phase, doing) if phase != self._status.phase:
                    self._set(phase, doing, child.process.pid)
                    if phase == "live":
                        self._live_since = self._progress = self._heard
                case Beat(_, doing):
                    self._status = replace(self._status, doing=doing)
                case Answer(number, Changes() as sent):
                    book = applied(sent, self._synced, self._growing)
                    if self._synced is None and self._last is not None:
                        book = kept_tables(book, self._last)
                    self._synced = self._last = book
                    self._settle(number, book)
                case Answer(number, value) | Refusal(int(number), value):
                    self._settle(number, value)
                case Refusal(None, error):
                    self._failure = error
            self._changed.notify_all()

    def _settle(self, number: int, answer: object) -> None:
        self._progress = self._heard
        pending = self._open.pop(number, None)
        if pending is not None:
            pending.answer = answer


def _ended(pid: int, code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"the gateway process {pid} was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"the gateway process {pid} was ended by signal {-code}"
    return f"the gateway process {pid} ended by itself (exit code {code})"

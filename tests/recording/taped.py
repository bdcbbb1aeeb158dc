"""A demo desk without processes: the simulated broker, the real Monitor, one injected clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rms_tui.book import Book, Deals
from rms_tui.feed import FeedError, FeedStatus, Known, Selection, Sought
from rms_tui.frame import FeedState, Frame
from rms_tui.gateways import SimulatorSpec
from rms_tui.gateways.simulator import Simulator
from rms_tui.gateways.watched import View
from rms_tui.monitor import Monitor
from rms_tui.recording.recorder import MOST_WAITING, Recorder
from rms_tui.risk.profile import Plan, RiskProfile

NOON = 1_767_607_200.0
"""2026-01-05 10:00 UTC."""

TIGHT = Plan(
    profiles=(
        RiskProfile.model_validate(
            {
                "name": "tight",
                "initial_balance": 10_000,
                "rules": [
                    {"rule": "margin_level", "warning": 900, "critical": 300},
                    {"rule": "max_loss", "amount": -200},
                    {"rule": "daily_loss", "base": "balance", "percent": 1, "of": "base"},
                    {"rule": "daily_loss", "base": "max_balance_equity", "percent": 1,
                     "of": "base", "zone": "Europe/Prague"},
                    {"rule": "trailing_drawdown", "peak": "equity", "percent": 1},
                    {"rule": "position_risk", "percent": 1, "of": "balance"},
                    {"rule": "open_positions", "count": 4},
                ],
            }
        ),
    ),
    default="tight",
)  # fmt: skip
"""Limits that some client of the demo breaches each second."""


class DemoFeed:
    """The simulated broker as a Feed in this process; `error` is raised instead while it is set."""

    def __init__(self, clock: Callable[[], float], accounts: int = 40, seed: int = 3) -> None:
        spec = SimulatorSpec(accounts=accounts, seed=seed)
        self._simulator = Simulator(spec, clock)
        self._simulator.open(lambda _: None)
        self._view = View(self._simulator, Selection())
        self._clock = clock
        self._last: Book | None = None
        self.title = "the demo"
        self.error: FeedError | None = None
        self.status = FeedStatus("live", "reading", clock())

    def start(self) -> None: ...

    def close(self) -> None: ...

    def read(self, timeout: float) -> Book:  # noqa: ARG002
        if self.error is not None:
            raise self.error
        _, self._last = self._view.advance()
        return self._last

    def select(self, selection: Selection) -> None:
        self._view.selection = selection

    def known(self, sought: Sought, timeout: float) -> Known:  # noqa: ARG002
        return self._view.known(sought)

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:  # noqa: ARG002
        return self._simulator.history(self._view.watched() if logins is None else logins)


class Demo:
    """A monitor over the demo and a clock; keeps every frame it made."""

    def __init__(self, plan: Plan = TIGHT, accounts: int = 40) -> None:
        self.now = NOON
        self.feed = DemoFeed(lambda: self.now, accounts)
        self.monitor = Monitor(
            self.feed, plan, interval=1.0, live=FeedState.DEMO, clock=lambda: self.now
        )
        self.frames: list[Frame] = []
        self._recorders: list[Recorder] = []
        self.monitor.frames.follow(self.frames.append)

    def run(self, polls: int, each: float = 1.0, *, wait: bool = True) -> None:
        """Polls without the pause between them: a recorder's disk is waited for instead, but
        where a test wants it to be too slow."""
        for _ in range(polls):
            self.now += each
            self.monitor.step()
            for recorder in self._recorders:
                if wait and recorder.running and recorder.waiting > MOST_WAITING // 2:
                    written(recorder)

    def recorder(self, path: Path, **more: object) -> Recorder:
        made = Recorder(self.monitor, path, **more)  # type: ignore[arg-type]
        self._recorders.append(made)
        return made


def written(recorder: Recorder) -> None:
    """Wait until the recorder has taken all it heard."""
    pause = threading.Event()
    deadline = time.monotonic() + 30
    while recorder.waiting:
        assert time.monotonic() < deadline, "the recorder did not write within 30 s"
        pause.wait(0.005)


def differences(live: Frame, replayed: Frame) -> list[str]:
    """What of two frames is not the same: verdicts of every account, alerts, exposure, health."""
    found = []
    if live.at != replayed.at:
        found.append(f"at {live.at} {replayed.at}")
    for name in ("interval", "error", "undecided", "feed", "polled_at", "server_offset"):
        if getattr(live.health, name) != getattr(replayed.health, name):
            found.append(f"health.{name}")
    if (live.assessment is None) != (replayed.assessment is None):
        return [*found, "assessment"]
    if live.assessment is None or replayed.assessment is None:
        return found
    assert live.book is not None
    assert replayed.book is not None
    for name in ("login", "balance", "equity", "margin_level"):
        one, other = getattr(live.book.accounts, name), getattr(replayed.book.accounts, name)
        if not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            found.append(f"book.{name}")
    ours, theirs = live.assessment, replayed.assessment
    keys = [one.key for one in ours.scope.applied]
    if keys != [one.key for one in theirs.scope.applied]:
        return [*found, "rules"]
    for key, one, other in zip(keys, ours.verdicts, theirs.verdicts, strict=True):
        for name in ("state", "value", "limit", "used", "distance", "reason"):
            a, b = getattr(one, name), getattr(other, name)
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                found.append(f"{key}.{name}")
    for name in ("state", "used", "day_profit"):
        a, b = getattr(ours, name), getattr(theirs, name)
        if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            found.append(name)
    if live.alerts != replayed.alerts and repr(live.alerts) != repr(replayed.alerts):
        found.append("alerts")
    if repr(live.recovered) != repr(replayed.recovered):
        found.append("recovered")
    if repr(live.pending) != repr(replayed.pending):
        found.append("pending")
    return found

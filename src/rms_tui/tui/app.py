"""The console's App: takes frames from the mailbox, keys from the operator; does nothing slow.

It reads the monitor and gives it commands; it never starts or stops it. Whatever may wait for the
source runs in a daemon thread, so that `q` returns the terminal whatever hangs.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.tui.bridge import Bridge
from rms_tui.tui.display import FrugalApp
from rms_tui.tui.edges import Edges
from rms_tui.tui.heading import Moment
from rms_tui.tui.messages import ErrandDone, FrameReady
from rms_tui.tui.screens.desk import Desk
from rms_tui.tui.stylesheet import stylesheet
from rms_tui.tui.theme import OWN, first_theme, next_theme
from rms_tui.tui.view import StoreView
from rms_tui.tui.words import SEVERITY_CELLS, rule_words

TICK = 1.0
"""Seconds between two looks at the clock: ages change at most that often."""

TOASTS = 3
"""More alerts than this at once share one toast."""

SIGNALS = ("SIGTERM", "SIGHUP")


class RmsApp(FrugalApp[None]):
    """The console over one monitor."""

    TITLE = "rms-tui"
    ENABLE_COMMAND_PALETTE = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "theme", "Theme", show=False, id="app.theme"),
        Binding("colon", "command_palette", "Commands", key_display=":", id="app.commands"),
        Binding("question_mark", "help", "Help", key_display="?", id="app.help"),
        Binding("q", "quit", "Quit", id="app.quit"),
    ]

    def __init__(
        self,
        monitor: Monitor,
        *,
        operator: str,
        store: Latest[StoreView] | None = None,
        theme: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(css_path=stylesheet())
        self.monitor = monitor
        self.operator = operator
        self.animation_level = "none"
        self._store = store
        self._clock = clock
        self._paused: Moment | None = None
        self._edges = Edges()
        self._bridge = Bridge(monitor.frames, lambda: self.post_message(FrameReady()))
        for own in OWN:
            self.register_theme(own)
        self.theme = theme or first_theme(self.console.color_system)
        self.desk = Desk(operator, None)

    def get_default_screen(self) -> Desk:
        """The desk."""
        return self.desk

    def on_mount(self) -> None:
        """Begin to listen: to the mailbox, the clock and the system's requests to end."""
        self._bridge.start()
        self.set_interval(TICK, self._tick)
        loop = asyncio.get_running_loop()
        for name in SIGNALS:
            if hasattr(signal, name):
                try:
                    loop.add_signal_handler(getattr(signal, name), self.exit)
                except (NotImplementedError, RuntimeError, ValueError):
                    continue  # Windows, or not the main thread: the system's default stays

    def on_unmount(self) -> None:
        """Listen no more."""
        self._bridge.stop()

    # What is shown

    @on(FrameReady)
    def _frame_ready(self) -> None:
        self._bridge.taken()
        frame = self.monitor.frames.value
        if frame is None:
            return
        self._announce()
        self._tick()

    @on(ErrandDone)
    def _errand_done(self, done: ErrandDone) -> None:
        done.deliver()

    def moment(self) -> Moment | None:
        """What is to be shown now: the newest frame, or the paused one."""
        now = self._clock()
        if self._paused is not None:
            return Moment(self._paused.frame, now, self._paused.now)
        frame = self.monitor.frames.value
        return None if frame is None else Moment(frame, now)

    def _tick(self) -> None:
        self.desk.store = None if self._store is None else self._store.value
        moment = self.moment()
        if moment is None:
            return
        for screen in reversed(self.screen_stack):
            show = getattr(screen, "show", None)
            if show is not None:
                show(moment)
            if not screen.is_modal:
                break

    def _announce(self) -> None:
        frame = self.monitor.frames.value
        news = [] if frame is None else self._edges.news(frame)
        if not news:
            return
        self.bell()
        for alert in news[:TOASTS] if len(news) <= TOASTS else news[:1]:
            word = SEVERITY_CELLS[alert.severity].text
            self.notify(
                f"{alert.login} {alert.name}: {rule_words(alert.rule)}, {alert.reason.words}",
                title=word,
                severity="error" if alert.severity > 2 else "warning",
                markup=False,
            )
        if len(news) > TOASTS:
            self.notify(f"and {len(news) - 1} more alerts", severity="warning", markup=False)

    # Keys

    def action_theme(self) -> None:
        """The next theme."""
        self.theme = next_theme(self.theme)

    def action_pause(self) -> None:
        """Hold the picture; polling and the alert bell go on."""
        self._paused = None if self._paused is not None else self.moment()
        self._tick()

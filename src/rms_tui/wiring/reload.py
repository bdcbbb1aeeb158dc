"""Limits that change while the desk runs: `rms.toml` is read again when it is written.

A thread looks at the file's time each second. A good edit is judged by from the next poll on, with
everything remembered; a bad one changes nothing and is said in the log and in Health.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from rms_tui.monitor import Monitor
from rms_tui.risk.profile import Plan
from rms_tui.settings import SettingsError
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import desk

_log = logging.getLogger("rms_tui")

LOOK = 1.0
"""Seconds between two looks at the file."""


class PlanWatch:
    """Keeps a monitor's plan in step with a file."""

    def __init__(self, path: Path, plan: Callable[[], Plan], monitor: Monitor) -> None:
        self._path = path
        self._plan = plan
        self._monitor = monitor
        self._seen = self._stamp()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rms-plan", daemon=True)

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def look(self) -> bool:
        """Read the file again if it is another than before; True if it was."""
        now = self._stamp()
        if now == self._seen:
            return False
        self._seen = now
        try:
            plan = self._plan()
        except SettingsError as error:
            _log.error("limits kept as they were: %s", error)
            self._monitor.set_plan(None, f"limits kept as they were: {error}")
            return True
        if plan != self._monitor.plan:
            self._monitor.set_plan(plan)
            _log.info("limits read again from %s", self._path)
        else:
            self._monitor.set_plan(None)
        return True

    def look_now(self) -> None:
        """Judge by the file as it is, whether it changed or not."""
        self._seen = (0, 0)
        self.look()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _run(self) -> None:
        while not self._stopped.wait(LOOK):
            self.look()


def plan_watch(shared: Given, monitor: Monitor) -> PlanWatch:
    """The watch over the working folder's rms.toml for a desk with these options, not started."""

    def plan() -> Plan:
        made = desk(shared)
        return monitor.plan if made is None else made.plan

    return PlanWatch(Path.cwd() / "rms.toml", plan, monitor)

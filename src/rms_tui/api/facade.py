"""`get_rms_instance`: the API of the older RMS scripts, name for name, thin over `Monitor`.

What goes wrong is logged and answered with False or None, as those scripts expect; `last_error`
says it in words. It writes to no database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rms_tui import snapshot
from rms_tui.api.monitor import Monitor, NotWatched
from rms_tui.feed import FeedError
from rms_tui.settings import SettingsError, load
from rms_tui.snapshot import Shape
from rms_tui.whole_file import in_words

DEFAULT_INTERVAL = 5.0

OnUpdate = TypeVar("OnUpdate", bound=Callable[[list[Shape]], object])

_log = logging.getLogger("rms_tui.api")


class Rms:
    """The monitor of a whole process. Until the first `add_account` it watches every account the
    source shows; from then on those that were added."""

    def __init__(self, update_interval: float | None = None) -> None:
        """`update_interval` is seconds; None: RMS_UPDATE_INTERVAL, or 5."""
        self.last_error: str | None = None
        self._interval = update_interval
        self._monitor: Monitor | None = None
        self._calls: list[Callable[[list[Shape]], object]] = []
        self._narrowed = False

    @property
    def monitor(self) -> Monitor:
        """The Monitor behind it. Raises RuntimeError before `initialize`."""
        if self._monitor is None:
            raise RuntimeError("nothing is connected yet: call initialize() first")
        return self._monitor

    def initialize(self) -> bool:
        """Connect to MT5 with the settings of the environment and `.env`; False where that fails.

        Once connected: nothing more happens. After `stop`: connects again.
        """
        if self._monitor is not None:
            return True
        try:
            monitor = Monitor(interval=_interval(self._interval))
            try:
                monitor.wait()
            except BaseException:
                monitor.stop()
                raise
        except (SettingsError, FeedError) as error:
            return self._failed("initialize", str(error))
        self._monitor = monitor
        self._narrowed = False
        for call in self._calls:
            monitor.on_update(call)
        return True

    def add_account(self, login: int) -> bool:
        """Watch an account; False when the source does not have it, or gives no answer."""
        monitor = self.monitor
        login = int(login)
        try:
            if login not in monitor.known(login):
                return self._failed("add_account", f"account {login} is not on the server")
            if self._narrowed:
                monitor.add(login)
            else:
                monitor.watch(login)
        except FeedError as error:
            return self._failed("add_account", error.text)
        self._narrowed = True
        return True

    def remove_account(self, login: int) -> bool:
        """Stop watching an account; False when it was not watched."""
        login = int(login)
        done = self.monitor.remove(login)[login] == "removed"
        return done or self._failed("remove_account", f"account {login} is not watched")

    def start(self) -> bool:
        """Poll every `update_interval` seconds in a thread; returns at once."""
        self.monitor.start()
        return True

    def stop(self) -> bool:
        """End polling and close the connection; callbacks are kept for the next `initialize`."""
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.stop()
        return True

    def get_account_snapshot(self, login: int) -> Shape | None:
        """`{account, positions, trades}`; None for an account that is not watched."""
        try:
            return self.monitor.snapshot(int(login))
        except (NotWatched, FeedError) as error:
            self._failed("get_account_snapshot", str(error))
            return None

    def get_all_accounts_snapshot(self) -> dict[int, Shape]:
        """`{login: {account, positions, trades}}`. Raises FeedError."""
        return self.monitor.snapshots()

    def get_positions_by_symbol(self, symbol: str) -> list[Shape]:
        """Open positions in a symbol, each with its `login_id`. Raises FeedError."""
        return self.monitor.positions(symbol=symbol)

    def get_total_exposure_by_symbol(self) -> dict[str, Shape]:
        """`{symbol: {volume, accounts, positions, ...}}`. Raises FeedError."""
        return self.monitor.exposure()

    def get_stats(self) -> Shape:
        """`{total_updates, last_update, errors, monitored_count, running, ...}`, at any time."""
        if self._monitor is None:
            interval = DEFAULT_INTERVAL if self._interval is None else self._interval
            return snapshot.stats_shape(None, running=False, interval=interval)
        return self._monitor.stats()

    def export_data(self, path: str | Path) -> bool:
        """Write `{timestamp, stats, accounts, exposure}` as JSON, in place of an older file.

        False where the file cannot be written or the source gives no answer.
        """
        try:
            self.monitor.export(path, format="json", force=True)
        except FeedError as error:
            return self._failed("export_data", error.text)
        except OSError as error:
            return self._failed("export_data", in_words(error, Path(path)))
        return True

    def add_callback(self, call: OnUpdate) -> OnUpdate:
        """Call with the list `[{account, positions, trades_summary}]` after each poll.

        In a thread of its own: one that raises or hangs is logged and harms nothing.
        """
        self._calls.append(call)
        if self._monitor is not None:
            self._monitor.on_update(call)
        return call

    def set_update_interval(self, seconds: float) -> None:
        """Poll every `seconds` from now on. Raises ValueError unless 0.05 to 3600."""
        if self._monitor is not None:
            self._monitor.interval = seconds
        self._interval = seconds

    def _failed(self, what: str, text: str) -> bool:
        self.last_error = text
        _log.error("%s: %s", what, text)
        return False


def _interval(given: float | None) -> float | None:
    """Seconds for a Monitor: 5 where neither a caller nor a setting says, the demo's too."""
    if given is None and "RMS_UPDATE_INTERVAL" not in load().origins:
        return DEFAULT_INTERVAL
    return given


class _One:
    """The instance of this process: those who call `get_rms_instance` twice expect the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: Rms | None = None

    def get(self, update_interval: float | None) -> Rms:
        with self._lock:
            if self._made is None:
                self._made = Rms(update_interval)
            elif update_interval is not None:
                self._made.set_update_interval(update_interval)
            return self._made


_ONE = _One()


def get_rms_instance(update_interval: float | None = None) -> Rms:
    """The one RMS of this process, made with the first call.

    `update_interval` is seconds between polls; None: RMS_UPDATE_INTERVAL, or 5. A later call that
    gives another one changes it.
    """
    return _ONE.get(update_interval)

"""`Monitor`: a source of MT5 accounts, watched by a program.

It looks once where it was not started, and polls in a thread of its own where it was. Without
`mongodb` it writes nothing anywhere and remembers nothing over a restart; with it, it is one more
desk of that book: of all on that MongoDB one polls and writes, the others follow.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from rms_tui import export as exports
from rms_tui import snapshot
from rms_tui.alerts import Alert, AlertEvent
from rms_tui.api import news, shapes
from rms_tui.api.callbacks import HANGS, Callbacks
from rms_tui.api.news import TICK
from rms_tui.api.watched import ANSWER, Watched, shared_book
from rms_tui.book import Deals
from rms_tui.facts import AccountChange
from rms_tui.feed import Selection
from rms_tui.frame import Frame, Health
from rms_tui.monitor import Monitor as Poller
from rms_tui.monitor import Outcome
from rms_tui.risk.own_profile import OwnProfile
from rms_tui.serve.clock import Clock
from rms_tui.settings import SettingsError
from rms_tui.snapshot import Shape
from rms_tui.whole_file import write_whole
from rms_tui.wiring.first import PATIENCE
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator as this_operator
from rms_tui.wiring.sources import clocked_monitor, desk

NO_SOURCE = (
    "no source of accounts is configured: Monitor(demo=True), or MT5_HOST, MT5_MANAGER_USER and "
    "MT5_MANAGER_PASS, or MT5_PATH, in .env or the environment"
)

OnFrame = TypeVar("OnFrame", bound=Callable[[Frame], object])
OnAlert = TypeVar("OnAlert", bound=Callable[[AlertEvent], object])
OnHealth = TypeVar("OnHealth", bound=Callable[[Health], object])
OnUpdate = TypeVar("OnUpdate", bound=Callable[[list[Shape]], object])


class NotWatched(LookupError):
    """An account that was asked for is not among those watched."""


class Monitor:
    """One source, watched. Every method may be called from any thread.

    `with Monitor(demo=True) as monitor:` polls until the block ends; so do `start` and `stop`.
    Without them each question polls once. Once stopped, it is over: make another one.
    """

    def __init__(
        self,
        source: str | None = None,
        *,
        demo: bool = False,
        logins: Iterable[int] | None = None,
        interval: float | None = None,
        accounts: int | None = None,
        seed: int | None = None,
        prices: str | Path | None = None,
        mongodb: str | None = None,
        env_file: str | Path | None = None,
        operator: str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """What is None comes from the environment, `.env` and `rms.toml` of the working folder.

        `source` is `manager`, `terminal`, `simulator` or `replay`; `demo` is the simulated one,
        with `accounts` clients made from `seed`, on recorded `prices` if a folder is given.
        `logins` are watched alone; None: all that the source shows. `interval` is seconds between
        polls. `mongodb` is a replica set's URI or `embedded`; None writes nothing, whatever the
        environment says. `operator` is who acts in audit rows (user@host). `clock` gives UTC
        seconds. Nothing is connected yet. Raises SettingsError.
        """
        given = Given(
            demo=demo or None,
            source=source,
            accounts=accounts,
            seed=seed,
            prices=None if prices is None else Path(prices),
            interval=interval,
            mongodb=mongodb,
            env_file=None if env_file is None else Path(env_file),
        )
        made = desk(given)
        if made is None:
            raise SettingsError(NO_SOURCE)
        shared = Clock(time.time if clock is None else clock)
        poller = clocked_monitor(made, shared)
        share = None if mongodb is None else partial(shared_book, given, made, poller, shared)
        self._begin(Watched(poller, share), operator, HANGS)
        if logins is not None:
            self._watch_only(frozenset(int(login) for login in logins))

    @classmethod
    def over(cls, poller: Poller, *, operator: str | None = None, hangs: float = HANGS) -> Self:
        """The same face on a poller that was put together elsewhere, and is not started.

        `hangs` is how many seconds a callback may take before the log says so.
        """
        made = cls.__new__(cls)
        made._begin(Watched(poller), operator, hangs)
        return made

    def _begin(self, watched: Watched, operator: str | None, hangs: float) -> None:
        self._watched = watched
        self._poller = watched.poller
        self.operator = this_operator() if operator is None else operator
        self._callbacks = Callbacks(hangs)

    def __repr__(self) -> str:
        stage = "stopped" if self._watched.stopped else "running" if self.running else "not started"
        return f"Monitor({self._poller.feed.title}, {stage})"

    # Beginning and end

    def start(self) -> None:
        """Connect and poll until `stop`; returns at once. Again: nothing more happens.

        Raises RuntimeError once stopped.
        """
        if self._watched.start():
            atexit.register(self.stop)
            self._callbacks.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End polling, callbacks and iterators, write what is left, close the source."""
        if self._watched.stopped:
            return
        atexit.unregister(self.stop)
        deadline = time.monotonic() + timeout
        self._watched.stop(timeout / 2)
        self._callbacks.stop(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether it was started, and not stopped yet."""
        return self._watched.running

    def wait(self, timeout: float = PATIENCE) -> Frame:
        """The newest frame, once there is one with a Book.

        Polls once where it was not started. Raises FeedError when the source says why it cannot,
        or gives no accounts within `timeout` seconds; RuntimeError once stopped.
        """
        return self._watched.wait(timeout)

    # What there is to see

    @property
    def frame(self) -> Frame | None:
        """The newest frame, None before the first poll. Never waits."""
        return self._poller.frames.value

    @property
    def health(self) -> Health | None:
        """How good the feed is, None before the first poll."""
        return None if self.frame is None else self.frame.health

    def frames(self) -> Iterator[Frame]:
        """Every newest frame until `stop`: who is slow skips, nothing is queued.

        `frame.book` is None until the first good poll. Raises RuntimeError unless started.
        """
        if not self.running:
            raise RuntimeError("frames() is for a Monitor that runs: start() it, or use `with`")
        return self._frames()

    def _frames(self) -> Iterator[Frame]:
        seen = self._watched.looked
        while self.running:
            got = self._poller.frames.newer(seen, TICK)
            if got is not None:
                seen = got[0]
                yield got[1]

    def snapshot(self, login: int) -> Shape:
        """`{account, positions, trades}` of one account. Raises NotWatched, FeedError."""
        frame = self.wait()
        assert frame.book is not None
        if login not in frame.book.accounts.login:
            raise NotWatched(
                f"account {login} is not among the {len(frame.book.accounts)} watched: add({login})"
            )
        return shapes.snapshots(frame, self._history([login]), [login])[login]

    def snapshots(self) -> dict[int, Shape]:
        """`{login: {account, positions, trades}}` of every watched account. Raises FeedError."""
        frame = self.wait()
        return shapes.snapshots(frame, self._history(None), None)

    def updates(self) -> list[Shape]:
        """`[{account, positions, trades_summary}]`: as snapshots, without a question for deals."""
        return shapes.updates(self.wait())

    def positions(self, *, login: int | None = None, symbol: str | None = None) -> list[Shape]:
        """Open positions, each with its `login_id`, of all or of one account or symbol."""
        return snapshot.positions_shape(self.wait(), login=login, symbol=symbol)

    def exposure(self, symbol: str | None = None) -> dict[str, Shape]:
        """`{symbol: {volume, accounts, positions, buy, sell, net, ...}}`; volume is gross lots."""
        return snapshot.exposure_shape(self.wait(), symbol)

    def currencies(self) -> dict[str, Shape]:
        """`{currency: {net, notional}}`: the clients' exposure netted by currency."""
        return snapshot.currency_shape(self.wait())

    def deals(self, login: int) -> list[Shape]:
        """An account's deals of the history window, the oldest first. Raises FeedError."""
        self.wait()
        found = self._history([login])
        return [snapshot.deal_shape(found, row) for row in range(len(found))]

    def alerts(self) -> tuple[Alert, ...]:
        """Open alerts, worst first. An alert takes polls to be believed: `start` first."""
        return () if self.frame is None else self.frame.alerts

    def stats(self) -> Shape:
        """Counts and the feed's health as they are now; polls nothing."""
        poller = self._poller
        return snapshot.stats_shape(self.frame, running=self.running, interval=poller.interval)

    def export(
        self,
        path: str | Path,
        *,
        format: str | None = None,
        what: str | None = None,
        force: bool = False,
    ) -> Path:
        """Write RMS's JSON, or one table as CSV, whole or not at all; returns the path.

        `format` is `json` or `csv` (None: by the file's ending), `what` is `accounts`, `positions`,
        `exposure` or `alerts` (CSV only). Raises ExportError, FileExistsError unless `force`,
        OSError, FeedError.
        """
        target = Path(path)
        asked = exports.wanted(target, format, what)
        frame = self.wait()
        made = exports.exported(
            asked,
            frame,
            stats=self.stats(),
            history=lambda: self._history(None),
            now=self._poller.now(),
        )
        write_whole(target, made.content, replace=force)
        return target

    # What there is to do

    @property
    def interval(self) -> float:
        """Seconds between polls; may be set, 0.05 to 3600 (ValueError)."""
        return self._poller.interval

    @interval.setter
    def interval(self, seconds: float) -> None:
        self._poller.set_interval(seconds)

    def known(self, *logins: int) -> frozenset[int]:
        """Those of the logins that the source has, watched or not. Raises FeedError."""
        self.wait()
        return self._poller.feed.known(logins, ANSWER).found

    def add(self, *logins: int) -> dict[int, Outcome]:
        """Watch accounts too; says what happened to each. Raises FeedError.

        While it runs, returns when the newest frame has them.
        """
        self.wait()
        outcomes = dict(self._poller.add(logins, self.operator, ANSWER))
        added = {login for login, outcome in outcomes.items() if outcome == "added"}
        self._watched.settle(added.issubset)
        return outcomes

    def remove(self, *logins: int) -> dict[int, Outcome]:
        """Stop watching accounts; says what happened to each."""
        watched = [login for login in logins if self._has(login)]
        outcomes: dict[int, Outcome] = dict.fromkeys(logins, "not watched")
        outcomes |= dict(self._poller.remove(watched, self.operator))
        removed = {login for login, outcome in outcomes.items() if outcome == "removed"}
        self._watched.settle(removed.isdisjoint)
        return outcomes

    def watch(self, *logins: int) -> None:
        """Watch exactly these accounts; those that the source does not have are left out."""
        self._poller.select(Selection(everything=False, added=frozenset(logins)))
        there = self.known(*logins)
        self._watched.settle(lambda watched: watched == there)

    def acknowledge(self, alert_id: str, note: str | None = None) -> bool:
        """Mark an alert as handled; False when it is not open or already was."""
        return self._poller.acknowledge(alert_id, self.operator, note)

    def snooze(self, alert_id: str, seconds: float) -> bool:
        """Silence an alert; False when it is not open. Raises ValueError beyond 7 days."""
        return self._poller.snooze(alert_id, seconds, self.operator)

    def assign(self, login: int, profile: OwnProfile | None) -> None:
        """Judge an account by a profile's name, a preset or limits of its own; None: as before.

        Raises ValueError for an account that is not watched or a profile that cannot be.
        """
        self.wait()
        self._poller.assign(login, profile, self.operator)

    # What calls back

    def on_frame(self, call: OnFrame) -> OnFrame:
        """Call with each newest Frame, in a thread of its own; who is slow skips. A decorator."""
        self._callbacks.add(call, news.frames(self._watched))
        return call

    def on_update(self, call: OnUpdate) -> OnUpdate:
        """Call with the list of `updates` of each newest good Frame. A decorator."""
        self._callbacks.add(call, news.updates(self._watched))
        return call

    def on_alert(self, call: OnAlert) -> OnAlert:
        """Call with every AlertEvent, in order: raised, risen, acknowledged, … A decorator."""
        self._callbacks.add(call, news.alert_events(self._watched))
        return call

    def on_health(self, call: OnHealth) -> OnHealth:
        """Call with Health when its state or its error changes. A decorator."""
        self._callbacks.add(call, news.health(self._watched))
        return call

    def off(self, call: Callable[..., object]) -> bool:
        """Call this no more; False when it was not registered."""
        return self._callbacks.remove(call)

    # Inside

    def _has(self, login: int) -> bool:
        """Whether an account is watched by name, or is among all that are there."""
        if login in self._poller.selection.added or self.frame is None or self.frame.book is None:
            return True
        return login in self.frame.book.accounts.login

    def _history(self, logins: Sequence[int] | None) -> Deals:
        return self._poller.history(logins, PATIENCE)

    def _watch_only(self, logins: frozenset[int]) -> None:
        self._poller.select(Selection(everything=False, added=logins))
        if self._watched.shares:  # as `start -a`: a removed account comes back
            for login in sorted(logins):
                now = self._poller.now()
                self._poller.outbox.put(AccountChange(login, None, "add", self.operator, now))

"""The desk of one book, whichever part it plays: it polls, writes and serves, or it follows.

One monitor for the whole life of the process, so that screens, recordings and clients of this
process go on over a takeover; what feeds it changes. All imports of drivers are made in a thread.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from rms_tui.facts import Fact
from rms_tui.feed import Selection
from rms_tui.frame import FeedState
from rms_tui.gateways import server_of
from rms_tui.gateways.process import GatewayProcess
from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.outbox import Outbox
from rms_tui.risk.own_profile import own_of
from rms_tui.wiring.notifying import notifier_of, senders
from rms_tui.wiring.operator import operator
from rms_tui.wiring.reload import PlanWatch
from rms_tui.wiring.sources import LIVE_WORD, Desk
from rms_tui.wiring.storing import REMEMBERED, database_name, server, writer_of

if TYPE_CHECKING:
    from rms_tui.alerts import Alert
    from rms_tui.alerts.asked import Asked
    from rms_tui.changes import Change
    from rms_tui.serve.access import Access
    from rms_tui.serve.clock import Clock
    from rms_tui.serve.follower import Follower
    from rms_tui.serve.notify.notifier import Notifier
    from rms_tui.serve.notify.post import Delivery
    from rms_tui.serve.websocket import Server
    from rms_tui.store.database import Rms
    from rms_tui.store.keeper import Keeper, Part
    from rms_tui.store.leases import Door
    from rms_tui.store.writer import Writer

_log = logging.getLogger("rms_tui")

LONGEST_STOP = 1.0

LONGEST_HOLD = 10.0
"""Seconds after the first Book for which alerts wait for a database that has answered before: it
knows who is watched by which limits, and which alerts are open. Then the desk does without, and
says what it does not know: judged by the plan's limits is better than by none."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unwritten:
    """The word on a MongoDB that does not answer: what is to be written waits."""

    outbox: Outbox[Fact]
    text: str
    state: Literal["down"] = "down"
    refused: int = 0
    latency: float | None = None

    @property
    def waiting(self) -> int:
        return len(self.outbox)


class BookDesk:
    """Plays the part that the book's lease gives it. `status` is the newest word on MongoDB."""

    def __init__(
        self,
        made: Desk,
        monitor: Monitor,
        clock: Clock,
        *,
        limits: Callable[[], PlanWatch],
        status: Latest[Any] | None = None,
    ) -> None:
        """`limits` makes a watch over rms.toml."""
        self.status: Latest[Any] = Latest() if status is None else status
        self.refusals: Latest[str] = Latest()
        """Why who polls refused what was done here."""
        self._made = made
        self._monitor = monitor
        self._clock = clock
        self._limits = limits
        self._served: Server | None = None
        self._served_door: Door | None = None
        self._selection = monitor.selection
        self._plan = made.plan
        self._keeper: Keeper | None = None
        self._writer: Writer | None = None
        self._watch: PlanWatch | None = None
        self._notifier: Notifier | None = None
        self._follower: Follower | None = None
        self._end_metrics: Callable[[], None] = lambda: None
        self._stopped = threading.Event()
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._begin, name="rms-part-start", daemon=True)

    def serve_at(self, server: Server, access: Access) -> None:
        """Let followers in where this server, which was asked for, listens already.

        Without one a holder opens a door of its own, for its followers alone.
        """
        from rms_tui.store.leases import Door
        from rms_tui.wiring.serving import reached_at

        self._served = server
        self._served_door = Door(reached_at(access, server.port))

    def start(self) -> None:
        """Ask MongoDB which part to play, and play it; returns at once."""
        self._thread.start()

    def prepare(self) -> None:
        """Serve metrics where the settings say so, and look at the channels of notifications.

        Raises SettingsError for a taken port, and for a channel of a service nobody knows.
        """
        from rms_tui.wiring.measuring import metrics_of

        if self._made.loaded.channels:
            senders(self._made.loaded.channels)

        self._end_metrics = metrics_of(
            self._made.settings,
            self._monitor,
            store=self.status,
            deliveries=self.deliveries,
            clients=lambda: 0 if self._served is None else self._served.clients,
        )

    def deliveries(self) -> Sequence[Delivery]:
        """How the channels of notifications stand; none while another process sends them."""
        notifier = self._notifier
        return () if notifier is None else notifier.status.value or ()

    def stop(self) -> None:
        """End whatever part this is, within a second even when everything hangs.

        What is left is written before the lease is given back.
        """
        self._stopped.set()
        ends = [
            self._end_writing,
            self._end_following,
            self._end_metrics,
            lambda: self._monitor.stop(0.3),
        ]
        if (served := self._served) is not None:
            ends.append(lambda: served.stop(0.3))
        threads = [threading.Thread(target=end, daemon=True) for end in ends]
        until = time.monotonic() + LONGEST_STOP
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _end_writing(self) -> None:
        if (writer := self._writer) is not None:
            writer.stop(0.5)
        if (keeper := self._keeper) is not None:
            keeper.stop(0.5)

    def _end_following(self) -> None:
        for one in (self._watch, self._notifier, self._follower):
            if one is not None:
                one.stop()

    def history(self, asked: Asked) -> Sequence[Alert]:
        """The newest such alerts of the database; from any thread. Raises StoreError."""
        from rms_tui.store.alert_query import history

        return self._asked(lambda database: history(database, asked))

    def changes(self, login: int) -> Sequence[Change]:
        """Who changed what about an account; from any thread. Raises StoreError."""
        from rms_tui.store import audit

        frame = self._monitor.frames.value
        book = None if frame is None else frame.book
        return self._asked(
            lambda database: [] if book is None else audit.changes(database, book.server, login)
        )

    def _asked(self, question: Callable[[Rms], T]) -> T:
        from rms_tui.store.errors import StoreError

        keeper = self._keeper
        if keeper is None:
            raise StoreError("MongoDB is being connected")
        return keeper.asked(question)

    def _begin(self) -> None:
        from rms_tui.store.keeper import Keeper
        from rms_tui.store.leases import SHUT

        host = socket.gethostname()
        keeper = Keeper(
            server(self._made.settings),
            database_name(self._made.settings),
            book_name(self._made, host),
            host,
            on_part=self._play,
            door=lambda: self._served_door or SHUT,
            followed=lambda: self._follower is not None and self._follower.connected,
        )
        if not self._stopped.is_set():
            self._keeper = keeper
            keeper.start()

    def _play(self, part: Part) -> None:
        from rms_tui.store.keeper import Alone, Following, Holding

        with self._lock:
            if self._stopped.is_set():
                return
            match part:
                case Alone(why):
                    self.status.put(Unwritten(self._monitor.outbox, why))
                    self._poll()
                case Holding(lease):
                    self._serve()
                    self._poll(LONGEST_HOLD)
                    self._write(lease)
                case Following(lease):
                    self._follow(lease.host, lease.door)

    def _poll(self, hold: float = 0.0) -> None:
        """Poll by this process, unless it does already.

        Alerts are held for `hold` seconds at most, until the database has said what it knows.
        """
        monitor, made = self._monitor, self._made
        if monitor.running:
            return
        monitor.hold_alerts(hold, LONGEST_HOLD)
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
            _log.warning("taking over: this process polls now")
            own = own_of(monitor.plan)  # what the holder judged by, until MongoDB says more
            monitor.set_plan(self._plan)
            monitor.set_own_profiles(own)
            monitor.take_feed(
                GatewayProcess(made.spec),
                live=LIVE_WORD.get(made.source, FeedState.LIVE),
                selection=self._stored_selection(),
            )
            monitor.report_in(made.settings.rms_report_currency)
            monitor.go_on_alone(remember=made.source in REMEMBERED)
        monitor.start()
        self._watch = self._limits()
        self._watch.look_now()
        self._watch.start()
        self._notifier = notifier_of(made, monitor)
        if self._notifier is not None:
            self._notifier.start()

    def _write(self, lease: Any) -> None:
        from rms_tui.store.leases import guard

        if self._writer is not None:
            self._writer.stop(0.2)
        name = database_name(self._made.settings)
        self._writer = writer_of(
            self._made, self._monitor, status=self.status, guard=guard(name, lease)
        )
        self._writer.start()

    def _follow(self, host: str, door: Door) -> None:
        from rms_tui.serve.follower import Follower

        if self._writer is not None:
            self._writer.stop(0.5)
            self._writer = None
        for one in (self._notifier, self._watch):
            if one is not None:
                one.stop()
        self._notifier = self._watch = None
        if self._follower is not None:
            self._follower.stop()
        self._monitor.stop(1.0)
        self._monitor.release_alerts()  # the holder knows
        self._monitor.set_own_profiles({})  # its plan has them
        token = self._made.settings.rms_ws_token
        own = None if token is None else token.get_secret_value()
        self._follower = Follower(
            self._monitor,
            reachable(host, door),
            self._clock,
            operator=operator(),
            token=door.token or own,
            authority=self._made.settings.ws_ca,
            store=self.status,
            refusals=self.refusals,
        )
        self._follower.start()

    def _stored_selection(self) -> Selection:
        """Whom this desk watches by itself: its own settings and what operators changed since."""
        keeper, name = self._keeper, server_of(self._made.spec)
        if keeper is None or name is None:
            return self._selection
        return keeper.selection(name, self._selection)

    def _serve(self) -> None:
        """Open a door for followers, once; without it the desk goes on and nobody follows."""
        if self._served is not None:
            return
        from rms_tui.serve.access import Access
        from rms_tui.serve.door import Unserved
        from rms_tui.store.leases import Door
        from rms_tui.wiring.serving import Served, access_of, reached_at, websocket_of

        settings = self._made.settings
        token = None
        if settings.rms_ws_token is None:
            token = secrets.token_urlsafe(24)
            access = Access(port=0, operator_token=token, reader_token=secrets.token_urlsafe(24))
        else:
            access = access_of(settings, Served())
        found = websocket_of(self._monitor, access, store=self.status, history=self.history)
        try:
            found.start()
        except Unserved as error:
            _log.warning("nobody can follow this desk: %s", error)
            return
        self._served = found
        self._served_door = Door(reached_at(access, found.port), token)


def book_name(made: Desk, host: str) -> str:
    """What the lease of a desk's book is called: the same for every desk of that book."""
    named = server_of(made.spec)
    return f"{made.source}/{named or host}"


def reachable(host: str, door: Door) -> str:
    """Where to follow a holder on that host; words instead of an address where nobody can."""
    if door.address is None:
        return f"{host} polls this book and serves nobody"
    mine = socket.gethostname()
    local = any(name in door.address for name in ("//127.", "//localhost", "//[::1]"))
    if local and host != mine:
        return f"{host} polls this book and serves only itself: give it WS_HOST and RMS_WS_TOKEN"
    return door.address

"""One element on one instance: log in, watch, judge, write, until told otherwise or fenced.

It runs the terminal in a child process of its own, the same monitor and rules as a whole desk, and
writes through the claim's writer. It never decides by itself that its claim is over: a lost MongoDB
is waited for, a lost term ends it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped, unused-ignore]  # no types
from pydantic import SecretStr

from rms_tui.feed import FeedStatus, Selection
from rms_tui.fleet.exits import Exit, ending_of
from rms_tui.fleet.orders import Orders
from rms_tui.fleet.tempo import Tempo
from rms_tui.gateways import TerminalSpec
from rms_tui.gateways.process import GatewayProcess
from rms_tui.store import claims
from rms_tui.store import named as names
from rms_tui.store.claims import Claim, Ending, Fenced
from rms_tui.store.database import Document, Rms, connect, in_words
from rms_tui.store.embedded import Server
from rms_tui.store.errors import SecretsError, StoreError
from rms_tui.store.renamed import Name
from rms_tui.store.schema import Status

if TYPE_CHECKING:  # both are heavy, and wanted only once the terminal is on its way
    from rms_tui.alerts import Times
    from rms_tui.monitor import Monitor
    from rms_tui.risk.profile import Plan
    from rms_tui.store.claim_writer import ClaimWriter

PATIENCE = 20.0
"""Seconds that a worker tries to reach MongoDB at its start."""

LOOK = 0.1

_log = logging.getLogger("rms_tui.fleet")


@dataclass(frozen=True, slots=True)
class Errand:
    """Which element on which instance; ids as text. `term` is that of a supervisor's claim."""

    element: str
    instance: str
    path: str
    host: str
    term: int | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """Everything a worker works with, as values.

    `decrypted` gives the password of an element; it raises SecretsError.
    """

    server: Server
    database: Name
    decrypted: Callable[[Rms, bytes], SecretStr]
    plan: Plan
    times: Times
    tempo: Tempo
    interval: float = 5.0
    report_currency: str = "USD"
    history_days: int = 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended, and why in words to be shown; `ending` where the status says too little."""

    exit: Exit
    text: str | None = None
    ending: Ending | None = None


def run(errand: Errand, means: Means, orders: Orders) -> Outcome:
    """Do the errand; returns when it is over. Raises nothing that a person should not see."""
    try:
        database, uri = _connected(means, orders, prepared=errand.term is not None)
        with in_words(uri):
            held = _claim(database, errand)
            element = claims.begin(database, held, os.getpid(), psutil.Process().create_time())
    except Fenced:
        return Outcome(Exit.FENCED, "the claim is another's now")
    except _Refused as refused:
        return Outcome(Exit.USAGE, str(refused))
    except StoreError as error:
        return Outcome(Exit.DATABASE, error.text)
    _log.info("account %d on %s, through %s", held.login, held.server, held.path)
    worker = Worker(held, element, means, orders)
    return worker.run(database, uri)


class Worker:
    """A claim that was taken up."""

    def __init__(self, held: Claim, element: Document, means: Means, orders: Orders) -> None:
        self._held = held
        self._element = element
        self._means = means
        self._orders = orders
        self._changed = threading.Event()
        self._monitor: Monitor | None = None

    def run(self, database: Rms, uri: str) -> Outcome:
        """Watch until the end, and give the claim back."""
        gateway: GatewayProcess | None = None
        try:
            password = self._password(database)
        except SecretsError as error:
            outcome = _without_password(error)
        else:
            outcome = Outcome(Exit.RELEASED)
            if self._element.get("status") != Status.REMOVED:
                gateway = self._gateway(password)
                gateway.start()
        return self._watch(database, uri, gateway, outcome)

    def _password(self, database: Rms) -> SecretStr | None:
        stored = self._element.get("password")
        return None if stored is None else self._means.decrypted(database, stored)

    def _gateway(self, password: SecretStr | None) -> GatewayProcess:
        spec = TerminalSpec(
            path=self._held.path,
            login=self._held.login,
            server=self._held.server,
            password=password,
            portable=self._held.portable,
            history_days=self._means.history_days,
        )
        return GatewayProcess(spec, limits=self._means.tempo.limits)

    def _watch(
        self, database: Rms, uri: str, gateway: GatewayProcess | None, outcome: Outcome
    ) -> Outcome:
        """With the terminal on its way, what is heavy is imported while it starts."""
        writer, monitor = self._parts(gateway)
        writer.start(database, uri)
        self._orders.on_look = writer.look
        if monitor is not None and gateway is not None:
            monitor.start()
            outcome = self._until_over(writer, monitor, gateway)
            writer.freeze()
            monitor.stop()
        ending = outcome.ending or ending_of(outcome.exit)
        ended = writer.stop(ending, outcome.text, self._means.tempo.stop)
        if writer.state == "fenced":
            return Outcome(Exit.FENCED, "the claim is another's now")
        if not ended and outcome.exit is Exit.RELEASED:
            return Outcome(Exit.DATABASE, "the claim could not be given back: no MongoDB")
        return outcome

    def _parts(self, gateway: GatewayProcess | None) -> tuple[ClaimWriter, Monitor | None]:
        from rms_tui.fleet.one_account import OneAccount
        from rms_tui.frame import Frame
        from rms_tui.latest import Latest
        from rms_tui.monitor import Monitor
        from rms_tui.outbox import Outbox
        from rms_tui.store.claim_writer import ClaimWriter, Pace, Told

        means, held = self._means, self._held
        monitor = None
        if gateway is not None:
            monitor = Monitor(
                OneAccount(gateway, held.login, held.server),
                means.plan,
                interval=means.interval,
                report_currency=means.report_currency,
                selection=Selection(everything=False, added=frozenset({held.login})),
                times=means.times,
            )
            self._monitor = monitor
            self._judge(self._element)
        frames: Latest[Frame] = Latest()
        writer = ClaimWriter(
            frames if monitor is None else monitor.frames,
            Outbox() if monitor is None else monitor.outbox,
            means.server,
            means.database,
            held,
            self._element,
            Told(
                self._edited,
                (lambda _: None) if monitor is None else monitor.restore,
                (lambda _: None) if monitor is None else monitor.heard,
                (lambda _: 0) if monitor is None else monitor.recall,
                (lambda _: None) if monitor is None else monitor.enter,
            ),
            patience=means.tempo.patience,
            pace=Pace(means.tempo.ping, means.tempo.silent, means.tempo.settled),
        )
        return writer, monitor

    def _judge(self, element: Document) -> None:
        """By the element's own profile, where it has one."""
        profile = element.get("profile")
        if self._monitor is not None:
            own: dict[int, Any] = {} if profile is None else {self._held.login: profile}
            self._monitor.set_own_profiles(own)

    def _edited(self, element: Document) -> None:
        """Someone else wrote the element: other limits hold at once, another login needs a new
        worker, a removed element none."""
        gone = element.get("status") in (Status.REMOVED, Status.ERROR)
        if gone or claims.tried(element) != claims.tried(self._element):
            self._changed.set()
            return
        if element.get("profile") != self._element.get("profile"):
            _log.info("element %s has other limits", self._held.element)
        self._element = {**self._element, **element}
        self._judge(element)

    def _until_over(
        self, writer: ClaimWriter, monitor: Monitor, gateway: GatewayProcess
    ) -> Outcome:
        trouble = Trouble(self._means.tempo.patience.failures)
        while True:
            if writer.changed.is_set():
                return Outcome(Exit.FENCED)
            if self._orders.stopped.wait(LOOK):
                _log.info("%s: releasing element %s", self._orders.why, self._held.element)
                return Outcome(Exit.RELEASED)
            if self._changed.is_set():
                _log.info("element %s was edited or removed", self._held.element)
                return Outcome(Exit.RELEASED)
            frame = monitor.frames.value
            found = trouble.after(gateway.status, 0 if frame is None else frame.health.polls)
            if found is not None:
                return found


class Trouble:
    """Counts how often in a row the terminal failed without a single good Book."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._polls = 0
        self._since = 0

    def after(self, status: FeedStatus, polls: int) -> Outcome | None:
        """The outcome, once it is one. A refused login is final at once: brokers lock accounts."""
        if polls > self._polls:
            self._polls, self._since = polls, status.restarts
        if status.phase != "down" or status.error is None:
            return None
        if status.cause == "authorisation":
            return Outcome(Exit.AUTHORISATION, status.error)
        failures = status.restarts - self._since + 1
        if status.next_attempt is None or failures >= self._most:
            return Outcome(Exit.TERMINAL, status.error)
        return None


def _without_password(error: SecretsError) -> Outcome:
    if error.transient:
        return Outcome(Exit.DATABASE, error.text)
    return Outcome(Exit.AUTHORISATION, error.text, Ending.KEY if error.of_host else None)


class _Refused(Exception):
    """The errand cannot be done as it was given."""


def _connected(means: Means, orders: Orders, *, prepared: bool) -> tuple[Rms, str]:
    """MongoDB, tried for a while: a worker is often started while a server changes."""
    deadline = time.monotonic() + min(PATIENCE, means.tempo.silent)
    while True:
        try:
            uri = means.server.uri(orders.stopped)
            return connect(uri, means.database, prepared=prepared), uri
        except (StoreError, OSError) as error:
            text = error.text if isinstance(error, StoreError) else str(error)
            final = isinstance(error, StoreError) and error.final
            if final or time.monotonic() > deadline or orders.stopped.wait(0.5):
                raise StoreError(text, final=final) from None


def _claim(database: Rms, errand: Errand) -> Claim:
    """The supervisor's claim, or one made now for who runs the worker by hand."""
    element, instance = names.named(database, errand.element, errand.instance)
    if element is None:
        raise _Refused(f"--element-id {errand.element}: no such element")
    if instance is None:
        raise _Refused(f"--instance {errand.instance}: no such instance")
    path = str(instance.get("path"))
    if path.casefold() != errand.path.casefold():
        raise _Refused(f"--pathway {errand.path}: instance {errand.instance} is {path}")
    if errand.term is not None:
        return Claim(
            element["_id"], instance["_id"], errand.term, str(instance["host"]), path,
            bool(instance.get("portable")), int(element["login"]), str(element["server"]),
        )  # fmt: skip
    made = claims.claim(database, element["_id"], errand.host, instance=instance["_id"])
    if made is None:
        raise _Refused(
            f"element {errand.element} is {element.get('status')} on instance"
            f" {element.get('instance')}, instance {errand.instance} is {instance.get('status')} on"
            f" {instance.get('host')}: expected a PENDING element of a terminal and a FREE instance"
            f" of {errand.host}, both due for an attempt"
        )
    return made

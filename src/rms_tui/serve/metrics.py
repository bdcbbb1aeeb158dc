"""Figures about the program itself, for Prometheus: read from the newest Frame when asked.

Nothing of a client is in them: no login, no name, no money. Off unless a port is set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rms_tui.alerts import Severity, Stage
from rms_tui.frame import FeedState, Frame
from rms_tui.latest import Latest
from rms_tui.risk.lacking import lacking
from rms_tui.risk.verdict import State
from rms_tui.serve.notify.post import Delivery


class StoreFigures(Protocol):
    """Where the database stands, as the writer says it."""

    @property
    def state(self) -> str: ...
    @property
    def waiting(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def latency(self) -> float | None: ...


class StoreBox(Protocol):
    """Where the newest of them lies."""

    @property
    def value(self) -> StoreFigures | None: ...


Deliveries = Callable[[], Sequence[Delivery]]
Clients = Callable[[], int]


class Figures(Collector):
    """What a scrape gets."""

    def __init__(
        self,
        frames: Latest[Frame],
        clock: Callable[[], float],
        *,
        store: StoreBox | None = None,
        deliveries: Deliveries = tuple,
        clients: Clients | None = None,
    ) -> None:
        """`clock` gives UTC seconds, as the monitor counts them."""
        self._frames = frames
        self._clock = clock
        self._store = store
        self._deliveries = deliveries
        self._clients = clients

    def collect(self) -> Iterator[Metric]:
        """Every metric, from the newest of everything."""
        frame = self._frames.value
        if frame is not None:
            yield from _feed(frame, self._clock())
            yield from _book(frame)
            yield from _alerts(frame)
        if self._store is not None and (store := self._store.value) is not None:
            yield from _stored(store)
        yield from _notified(self._deliveries())
        if self._clients is not None:
            yield _gauge("rms_websocket_clients", "Connected clients.", self._clients())


def serve_metrics(host: str, port: int, figures: Figures) -> Callable[[], None]:
    """Serve `/metrics` in a thread of its own; returns what ends it. Raises OSError."""
    registry = CollectorRegistry()
    registry.register(figures)
    server, thread = start_http_server(port, host, registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(0.5)

    return stop


def _feed(frame: Frame, now: float) -> Iterator[Metric]:
    health = frame.health
    yield _labelled(
        "rms_feed_state",
        "1 for the state the feed is in.",
        "state",
        ((state.value.lower(), float(state is health.state)) for state in FeedState),
    )
    age = health.age(now)
    if age is not None:
        yield _gauge("rms_book_age_seconds", "Age of the newest good figures.", age)
    yield _gauge("rms_poll_interval_seconds", "Seconds between polls.", health.interval)
    yield _gauge("rms_cycle_seconds", "Time the last cycle took.", health.cycle)
    yield _counter("rms_polls", "Good polls.", health.polls)
    yield _counter("rms_poll_errors", "Failed polls.", health.errors)
    yield _counter("rms_gateway_restarts", "Restarts of the gateway.", health.feed.restarts)
    yield _labelled(
        "rms_undecided_accounts",
        "Accounts without a decision, by reason.",
        "reason",
        ((reason.name.lower(), float(n)) for reason, n in health.undecided.items()),
    )


def _book(frame: Frame) -> Iterator[Metric]:
    if frame.book is None:
        return
    yield _gauge("rms_accounts", "Watched accounts.", len(frame.book.accounts))
    yield _gauge("rms_positions", "Open positions.", len(frame.book.positions))
    if frame.assessment is not None:
        counts = np.bincount(frame.assessment.state, minlength=max(State) + 1).tolist()
        yield _labelled(
            "rms_accounts_in_state",
            "Accounts by risk state.",
            "state",
            ((state.word, float(counts[state])) for state in State),
        )
        yield _labelled(
            "rms_lacking_accounts",
            "Accounts with a rule that cannot be judged, by what it lacks.",
            "reason",
            ((why.name.lower(), float(n)) for why, n in lacking(frame.assessment).items()),
        )


def _alerts(frame: Frame) -> Iterator[Metric]:
    severities = Counter(alert.severity for alert in frame.alerts)
    yield _labelled(
        "rms_open_alerts",
        "Open alerts by severity.",
        "severity",
        ((severity.word, float(severities[severity])) for severity in Severity),
    )
    waiting = sum(alert.stage is Stage.RAISED for alert in frame.alerts)
    yield _gauge("rms_unhandled_alerts", "Open alerts nobody handled.", waiting)


def _stored(store: StoreFigures) -> Iterator[Metric]:
    yield _gauge("rms_mongodb_up", "1 while MongoDB answers.", float(store.state == "connected"))
    yield _gauge("rms_mongodb_waiting_facts", "Facts not written yet.", store.waiting)
    yield _counter("rms_mongodb_refused_facts", "Facts MongoDB would not have.", store.refused)
    if store.latency is not None:
        yield _gauge("rms_mongodb_write_seconds", "Time the last write took.", store.latency)


def _notified(deliveries: Sequence[Delivery]) -> Iterator[Metric]:
    if not deliveries:
        return
    waiting = ((each.channel, float(each.waiting)) for each in deliveries)
    yield _labelled("rms_notices_waiting", "Notices not delivered yet.", "channel", waiting)
    for name, words, field in (
        ("rms_notices_delivered", "Notices delivered.", "delivered"),
        ("rms_notices_dropped", "Notices given up.", "dropped"),
    ):
        counter = CounterMetricFamily(name, words, labels=["channel"])
        for each in deliveries:
            counter.add_metric([each.channel], getattr(each, field))
        yield counter


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(name, words, value=value)


def _labelled(name: str, words: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for of, value in values:
        family.add_metric([of], value)
    return family

"""What callbacks hear, each from where it stands: a state by its newest, facts one by one.

Each function gives a `Fetch` that waits a moment and returns what came; none of them queues
anything, so that a callback that does not return holds nothing but itself.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from rms_tui.alerts import AlertEvent
from rms_tui.api import shapes
from rms_tui.api.callbacks import Fetch
from rms_tui.book import Book
from rms_tui.frame import FeedState, Frame, Health
from rms_tui.monitor import Monitor
from rms_tui.snapshot import Shape

TICK = 0.25
"""Seconds between two looks at whether it was stopped."""

_log = logging.getLogger("rms_tui.api")


class Polled(Protocol):
    """Whose Frames are heard: those after the first `looked`."""

    @property
    def poller(self) -> Monitor: ...

    @property
    def looked(self) -> int: ...


def frames(polled: Polled) -> Fetch[Frame]:
    """Each newest Frame since polling began."""
    seen = 0

    def fetch() -> Sequence[Frame]:
        nonlocal seen
        got = polled.poller.frames.newer(max(seen, polled.looked), TICK)
        if got is None:
            return ()
        seen = got[0]
        return (got[1],)

    return fetch


def updates(polled: Polled) -> Fetch[list[Shape]]:
    """The updates of each newest Frame with another Book than before."""
    newest = frames(polled)
    before: Book | None = None

    def fetch() -> Sequence[list[Shape]]:
        nonlocal before
        for frame in newest():
            if frame.book is not None and frame.book is not before:
                before = frame.book
                return (shapes.updates(frame),)
        return ()

    return fetch


def health(polled: Polled) -> Fetch[Health]:
    """Health, where its state or its error is another than before."""
    newest = frames(polled)
    before: tuple[FeedState, str | None] | None = None

    def fetch() -> Sequence[Health]:
        nonlocal before
        for frame in newest():
            now = (frame.health.state, frame.health.error)
            if now != before:
                before = now
                return (frame.health,)
        return ()

    return fetch


def alert_events(polled: Polled) -> Fetch[AlertEvent]:
    """Every edge of the alerts from now on, in order."""
    newest, poller = frames(polled), polled.poller
    told = poller.edges.count

    def fetch() -> Sequence[AlertEvent]:
        nonlocal told
        newest()
        upto = poller.edges.count
        events, complete = poller.edges.between(told, upto)
        if not complete:
            _log.error("a callback of alerts was too slow: the oldest of %d are lost", upto - told)
        told = upto
        return events

    return fetch

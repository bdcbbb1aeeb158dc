"""The first good poll of a monitor: what everything that looks once waits for."""

from __future__ import annotations

import time
from collections.abc import Callable

from rms_tui.feed import FeedError
from rms_tui.frame import Frame
from rms_tui.monitor import Monitor

PATIENCE = 180.0
"""Seconds to the first Book: a big server may sync for minutes."""


def first_frame(
    monitor: Monitor,
    patience: float = PATIENCE,
    saying: Callable[[str], None] = lambda _: None,
) -> Frame:
    """Poll until there is a good Book; `saying` hears what the source does meanwhile.

    For a monitor whose feed was started and whose thread was not. Raises FeedError when the source
    says why it cannot, or says nothing for `patience` seconds.
    """
    deadline = time.monotonic() + patience
    said = ""
    while True:
        frame = monitor.step(timeout=min(0.5, patience))
        if frame.book is not None and frame.health.error is None:
            return frame
        doing = failing(monitor)
        if doing != said:
            said = doing
            saying(doing)
        if time.monotonic() > deadline:
            raise silent(monitor, patience)


def failing(monitor: Monitor) -> str:
    """What the source does now, in words. Raises FeedError while it is down, saying why."""
    status = monitor.feed.status
    if status.phase == "down":
        text = status.error or f"{monitor.feed.title} is {status.doing}"
        raise FeedError(status.cause or "connection", text)
    return status.doing


def silent(monitor: Monitor, patience: float) -> FeedError:
    """The error of a source that gave no accounts in time."""
    doing = monitor.feed.status.doing
    return FeedError(
        "connection", f"{monitor.feed.title} gave no accounts within {patience:g} s: {doing}"
    )

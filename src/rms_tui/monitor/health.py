"""How good what is shown is: the word a dealer reads first, and what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from rms_tui.book import Book
from rms_tui.feed import FeedStatus
from rms_tui.frame import FeedState, Health
from rms_tui.risk.verdict import Reason

STALE_AFTER = 3.0
"""Poll intervals after which the newest Book is stale."""

UNREAD = "MongoDB not read yet: own limits of accounts and removals are not known"
"""Said while all accounts are judged by the plan for want of a better word."""


def outdated(book: Book, now: float, interval: float) -> bool:
    """Whether a Book is too old at `now` (UTC seconds) to decide anything by."""
    return now - book.taken_at > STALE_AFTER * interval


def health(
    source: str,
    status: FeedStatus,
    book: Book | None,
    now: float,
    interval: float,
    live: FeedState,
    *,
    cycle: float = 0.0,
    polls: int,
    errors: int,
    error: str | None,
    limits_error: str | None,
    undecided: Mapping[Reason, int],
) -> Health:
    """The Health of a Frame with this Book; `live` is what a good feed of this source is called.

    `error` is what is wrong with this poll; where nothing is, what the source or the limits say.
    """
    return Health(
        state=_state(status, book, now, interval, live),
        source=source,
        feed=status,
        interval=interval,
        polled_at=None if book is None else book.taken_at,
        cycle=cycle,
        polls=polls,
        errors=errors,
        error=error if error is not None else status.error or limits_error,
        limits_error=limits_error,
        server_offset=None if book is None else book.server_offset,
        undecided=undecided,
    )


def _state(
    status: FeedStatus, book: Book | None, now: float, interval: float, live: FeedState
) -> FeedState:
    down = status.phase == "down"
    if book is None:
        return FeedState.DISCONNECTED if down else FeedState.STARTING
    if down or not book.connected:
        return FeedState.DISCONNECTED
    return FeedState.STALE if outdated(book, now, interval) else live

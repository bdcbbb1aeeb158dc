"""The feed's own alert: no decision on the whole book, or on many rows, for longer than a hiccup.

Without it a console whose source says nothing usable would look calm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rms_tui.alerts.life import Alert, Severity, Stage, Times, identity
from rms_tui.book import Book, Bytes
from rms_tui.plural import counted
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.verdict import Reason

RULE = "feed"
LOGIN = 0
"""The feed's alert is about the book, not about an account."""

EPISODE = (LOGIN, RULE)
_POLLS = 2
"""Polls that confirm the feed's loss and its recovery."""


@dataclass(frozen=True, slots=True)
class FeedTrack:
    """Consecutive polls with too few decisions and since when, or consecutive good ones."""

    since: float | None = None
    lost: int = 0
    good: int = 0


def followed(
    before: FeedTrack, book: Book, assessment: Assessment, times: Times, now: float
) -> tuple[FeedTrack, Alert | None, bool]:
    """The track after a Book, the alert that is due, and whether an open one has recovered."""
    undecided = assessment.undecided
    count = len(undecided)
    lost = int(np.count_nonzero(undecided))
    if count == 0:
        return before, None, False
    if lost < count * times.feed_share or lost == 0:
        good = min(before.good + 1, _POLLS)
        track = before if before.good == good else FeedTrack(good=good)
        return track, None, good >= _POLLS
    since = now if before.since is None else before.since
    track = FeedTrack(since, before.lost + 1)
    due = track.lost >= _POLLS and now - since >= times.feed
    return track, _alert(book, undecided, since, times, now) if due else None, False


def _alert(book: Book, undecided: Bytes, since: float, times: Times, now: float) -> Alert:
    count, lost = len(undecided), int(np.count_nonzero(undecided))
    limit = math.ceil(count * times.feed_share)
    reason = int(np.bincount(undecided[undecided != 0]).argmax())
    return Alert(
        id=identity(book.server, LOGIN, RULE, since),
        login=LOGIN,
        server=book.server,
        name="whole book" if lost == count else f"{lost} of {counted(count, 'account')}",
        group="",
        currency="",
        profile="",
        rule=RULE,
        key=RULE,
        severity=Severity.WARNING,
        stage=Stage.RAISED,
        first_seen=since,
        raised_at=now,
        changed_at=now,
        value=float(lost),
        limit=float(limit),
        used=lost / count,
        distance=float(limit - lost),
        reason=Reason(reason),
        rung_at=now,
    )

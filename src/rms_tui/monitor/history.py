"""Deals that somebody asked for: told to whoever follows, so that a recording has them too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rms_tui.book import Deals
from rms_tui.latest import Latest
from rms_tui.monitor.polling import Polling


@dataclass(frozen=True, slots=True)
class Answer:
    """Deals that were read for these accounts (None: all watched). `at` is UTC seconds."""

    at: float
    logins: tuple[int, ...] | None
    deals: Deals


def history(
    polling: Polling, answers: Latest[Answer], logins: Sequence[int] | None, timeout: float
) -> Deals:
    """Deals of the history window. Raises FeedError."""
    deals = polling.feed.history(logins, timeout)
    answers.put(Answer(polling.now(), None if logins is None else tuple(logins), deals))
    return deals

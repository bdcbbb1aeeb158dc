"""Whether a source has the accounts that somebody typed: a wrong digit is soon written."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass

from rms_tui.feed import FeedError
from rms_tui.gateways.process import GatewayProcess
from rms_tui.wiring.sources import Desk

PATIENCE = 20.0
"""Seconds to an answer; a server that is being synced for the first time may take longer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The accounts that the source says it does not have, or why it could not be asked."""

    absent: frozenset[int] = frozenset()
    unasked: str | None = None


def asked(made: Desk, logins: Collection[int]) -> Answer:
    """The source's answer; nobody is asked about nothing."""
    if not logins:
        return Answer()
    feed = GatewayProcess(made.spec)
    if sys.stderr.isatty():
        print(f"rms-tui: asking {feed.title} …", file=sys.stderr)
    feed.start()
    try:
        return Answer(absent=feed.known(sorted(logins), PATIENCE).absent)
    except FeedError as error:
        return Answer(unasked=error.text)
    finally:
        feed.close()

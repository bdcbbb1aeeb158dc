"""Facts of the outbox become documents, in order; each is dropped once a majority has it.

Everything is idempotent: what was written before a lost answer is not written twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from rms_tui.alerts import AlertEvent
from rms_tui.facts import AccountChange, BaseEntry, Entry, Fact, PeakEntry, ProfileChange
from rms_tui.outbox import Outbox
from rms_tui.store import elements, entries, profiles
from rms_tui.store.alert_writer import AlertWriter
from rms_tui.store.database import Rms
from rms_tui.store.elements import Source
from rms_tui.store.status import StatusWriter
from rms_tui.store.unwritable import in_parts

AT_ONCE = 1_000
"""Facts taken from the outbox at one time."""

T = TypeVar("T")


class FactWriter:
    """Writes what an outbox holds. Used by one thread."""

    def __init__(
        self,
        outbox: Outbox[Fact],
        source: Source,
        alerts: AlertWriter,
        statuses: StatusWriter,
        server: Callable[[], str | None],
    ) -> None:
        """`server` is the trade server's name, None until the source has named it."""
        self.refused = 0
        """Facts that MongoDB would not have."""
        self._outbox = outbox
        self._source: Source = source
        self._alerts = alerts
        self._statuses = statuses
        self._server = server

    def write(
        self, database: Rms, wrote: Callable[[float], None], over: Callable[[], bool]
    ) -> None:
        """Write until the outbox is empty, what is next has to wait, or it is `over`.

        `wrote` hears when each lot began (monotonic seconds). Raises PyMongoError.
        """
        while facts := self._outbox.oldest(AT_ONCE):
            began = time.monotonic()
            for kind, run in groupby(facts, type):
                written = self._write_run(database, kind, list(run))
                if not written:
                    return
                self._outbox.drop(written)
            wrote(began)
            if over():
                return

    def _write_run(self, database: Rms, kind: type, run: Sequence[Fact]) -> int:
        """Write facts of one kind; how many are done with, 0 when they have to wait."""
        if kind is AccountChange:
            server = self._server()
            changes = [_named(fact, server) for fact in run if isinstance(fact, AccountChange)]
            if any(change.server is None for change in changes):
                return 0
            self._in_parts(changes, lambda part: elements.apply(database, part, self._source))
            self._statuses.forget([change.login for change in changes])
        elif kind is not AlertEvent:
            name = self._server()
            if name is None:
                return 0
            for fact in run:
                if isinstance(fact, ProfileChange):
                    self._in_parts([fact], lambda part: self._assign(database, part))
                elif isinstance(fact, BaseEntry | PeakEntry):
                    self._in_parts([fact], lambda part: _enter(database, name, part))
        else:
            edges = [fact for fact in run if isinstance(fact, AlertEvent)]
            self._alerts.write(database, edges, self._in_parts)
        return len(run)

    def _in_parts(self, facts: Sequence[T], write: Callable[[Sequence[T]], object]) -> None:
        self.refused += in_parts(facts, write)

    def _assign(self, database: Rms, changes: Sequence[ProfileChange]) -> None:
        for change in changes:
            profiles.assign(database, change, self._source)


def _enter(database: Rms, server: str, made: Sequence[Entry]) -> None:
    for entry in made:
        entries.enter(database, server, entry)


def _named(change: AccountChange, server: str | None) -> AccountChange:
    return change if change.server is not None else replace(change, server=server)

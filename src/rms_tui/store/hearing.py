"""What a desk hears of its database: what was remembered, and what other processes wrote there.

It only reads. Facts that are still on their way there count as if they had been read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rms_tui.book import Ints
from rms_tui.facts import AccountChange, Entry, Fact, OwnProfile, ProfileChange
from rms_tui.feed import Selection
from rms_tui.frame import Frame
from rms_tui.outbox import Outbox
from rms_tui.risk.memory import Memory
from rms_tui.store import elements, profiles
from rms_tui.store import memory as memories
from rms_tui.store.database import Rms
from rms_tui.store.elements import SelectionWatch
from rms_tui.store.entries import EntryWatch
from rms_tui.store.status import StatusWriter

RECALLED = 20_000
"""Accounts whose memory is read back at once: as documents each takes some kilobytes."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who hears of what; `Writer` says when. None where nobody does."""

    selection: Callable[[Selection], None] | None = None
    memory: Callable[[Memory], int] | None = None
    entries: Callable[[Sequence[Entry]], None] | None = None
    profiles: Callable[[Mapping[int, OwnProfile]], None] | None = None
    told: Callable[[], None] | None = None


class Hearing:
    """Reads for one desk and tells its listeners. Used by one thread."""

    def __init__(
        self,
        outbox: Outbox[Fact],
        statuses: StatusWriter,
        given: Selection,
        listeners: Listeners,
    ) -> None:
        """`given` is the selection that the monitor starts with."""
        self.looked = False
        """Whether the database of a named server was looked at once."""
        self._outbox = outbox
        self._statuses = statuses
        self._given = given
        self._selected = given
        self._listeners = listeners
        self._told = listeners.told is None
        self._recalled = np.zeros(0, dtype=np.int64)
        self._recalled_login: Ints | None = None
        self._recalls = 0
        self._entries = EntryWatch()
        self._own: Mapping[int, OwnProfile] | None = None
        self._watch: SelectionWatch | None = None

    def disconnected(self) -> None:
        """The next look is over another connection."""
        self._watch = None

    def recall(self, database: Rms, frame: Frame | None, server: str | None) -> None:
        """Read back the memory of accounts that were not watched here before, once each."""
        hears = self._listeners.memory
        if hears is None or frame is None or frame.memory is None or server is None:
            return
        logins = frame.memory.login
        if logins is self._recalled_login:
            return
        new = np.setdiff1d(logins, self._recalled)
        for part in (new[start : start + RECALLED] for start in range(0, len(new), RECALLED)):
            stored, made = memories.read(database, server, part.tolist())
            if stored is not None:
                self._recalls = hears(stored)
            if made and self._listeners.entries is not None:
                self._listeners.entries(made)
            self._recalled = np.union1d(self._recalled, part)
        self._recalled_login = logins

    def has_recalled(self, frame: Frame | None) -> bool:
        """Whether all that was stored is in the frame: only then it may be written over."""
        if self._listeners.memory is None or frame is None or frame.memory is None:
            return False
        return frame.recalls >= self._recalls and frame.memory.login is self._recalled_login

    def look(self, database: Rms, server: str) -> None:
        """Look for what operators entered, for accounts' profiles, and for whom to watch."""
        self._hear_entries(database, server)
        self._hear_profiles(database, server)
        self._hear_selection(database, server)
        self.looked = True

    def say_told(self, *, alerts_restored: bool) -> None:
        """Once, when alerts, memory, profiles and selection were read."""
        read = self._listeners.memory is None or self._recalled_login is not None
        if not self._told and alerts_restored and self.looked and read:
            assert self._listeners.told is not None
            self._listeners.told()
            self._told = True

    def _hear_entries(self, database: Rms, server: str) -> None:
        """Bases and peaks that operators entered in any process."""
        if self._listeners.entries is None:
            return
        heard = self._entries.poll(database, server)
        if heard:
            self._listeners.entries(heard)

    def _hear_profiles(self, database: Rms, server: str) -> None:
        if self._listeners.profiles is None:
            return
        stored = elements.own_profiles(database, server)
        own = profiles.with_changes(
            stored, [fact for fact in self._on_their_way() if isinstance(fact, ProfileChange)]
        )
        if own != self._own:
            self._own = own
            self._listeners.profiles(own)

    def _hear_selection(self, database: Rms, server: str) -> None:
        if self._watch is None:
            self._watch = SelectionWatch(database, server, everything=self._given.everything)
        stored = self._watch.poll()
        if stored is None:
            return
        self._statuses.forget(elements.pending(database, server))
        selected = self._effective(stored)
        if selected != self._selected:
            self._selected = selected
            if self._listeners.selection is not None:
                self._listeners.selection(selected)

    def _effective(self, stored: Selection) -> Selection:
        """What is stored, what the monitor was given beyond it, and facts on their way there."""
        given = self._given
        base = Selection(
            given.everything,
            stored.added | (given.added - stored.without),
            stored.without | (given.without - stored.added),
        )
        return elements.with_changes(
            base, [fact for fact in self._on_their_way() if isinstance(fact, AccountChange)]
        )

    def _on_their_way(self) -> Sequence[Fact]:
        return self._outbox.oldest(len(self._outbox))

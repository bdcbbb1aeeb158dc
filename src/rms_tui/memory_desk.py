"""What is brought into a running monitor's memory: read back from a store, entered by operators.

Given from any thread, joined by the monitor's own with its next Book that has a good row. What was
remembered of an account that is in no Book for a while, or was removed and is added again, is kept
here meanwhile and goes on with it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from rms_tui.book import Ints, rows_of
from rms_tui.risk import entries, recall
from rms_tui.risk.entries import BaseEntry, Entry, Outcome, PeakEntry
from rms_tui.risk.memory import Memory, aligned
from rms_tui.risk.profile import Trail

LARGEST = 1e15
"""Money beyond this is a slip of the finger; floats no longer hold its cents."""


class MemoryDesk:
    """What waits for the next Book. `recalls` counts the stored memories that are in,
    `taken` those and the entries."""

    def __init__(self) -> None:
        self.recalls = 0
        self.taken = 0
        self._lock = threading.Lock()
        self._recalled: list[Memory] = []
        self._entries: list[Entry] = []
        self._away: list[Memory] = []
        self._back: list[Memory] = []

    @property
    def waiting(self) -> int:
        """Entries that are not in yet."""
        return len(self._entries)

    def recall(self, stored: Memory) -> int:
        """Join a stored memory; the number `recalls` will have reached then."""
        with self._lock:
            self._recalled.append(stored)
            return self.recalls + len(self._recalled)

    def enter(self, made: Sequence[Entry]) -> None:
        """Use what operators entered, where nothing better is known."""
        with self._lock:
            self._entries += made

    def enter_useful(
        self, memory: Memory, made: Sequence[Entry]
    ) -> tuple[list[Entry], list[Outcome]]:
        """Use those entries that something here is decided by, with what became of all of them."""
        said = [(entry, entries.outcomes(memory, entry)) for entry in made]
        wanted = [entry for entry, found in said if any(one.used for one in found)]
        self.enter(wanted)
        return wanted, [one for _, found in said for one in found]

    def followed(self, before: Memory | None, logins: Ints) -> None:
        """Note who is not in the newest Book any more, and who is back. By the monitor's thread."""
        if before is None or before.login is logins:
            return
        away = []
        for one in self._away:
            here = rows_of(logins, one.login) >= 0
            if bool(here.any()):
                self._back.append(aligned(one, one.login[here]))
            if not bool(here.all()):
                away.append(aligned(one, one.login[~here]))
        gone = before.login[rows_of(logins, before.login) < 0]
        if len(gone):
            away.append(aligned(before, gone))
        self._away = away

    def forget(self) -> None:
        """Know nobody who is away: another source, or another process, goes on from here."""
        self._away, self._back = [], []

    def joined(
        self,
        live: Memory,
        again: Callable[[Memory], Memory],
        stored: Callable[[Memory], Memory],
        *,
        good: bool,
    ) -> Memory:
        """The memory with all that waited. `again` takes that of those who are back through the
        newest Book, `stored` one that was read back.

        Without a `good` row in that Book only those who are back go on: what comes from outside
        waits for one.
        """
        back, self._back = self._back, []
        recalled, made = self._waited() if good else ([], [])
        self.taken += len(back) + len(recalled) + len(made)
        for step, others in ((again, back), (stored, recalled)):
            for one in others:
                known = rows_of(one.login, live.login) >= 0
                live = recall.joined(step(one), live, known)
        return entries.with_entries(live, made) if made else live

    def _waited(self) -> tuple[list[Memory], list[Entry]]:
        with self._lock:
            recalled, self._recalled = self._recalled, []
            made, self._entries = self._entries, []
            self.recalls += len(recalled)
        return recalled, made


def bases_of(
    memory: Memory | None, login: int, balance: float, equity: float, operator: str, now: float
) -> list[Entry]:
    """That base for every present trading day of an account.

    Raises ValueError for an account that is not remembered or figures that cannot be.
    """
    days = _known(memory, login, balance, equity).days.values()
    starts = sorted({day.at for day in days if not math.isnan(day.at)})
    return [BaseEntry(login, at, balance, equity, operator, now) for at in starts]


def peak_of(
    memory: Memory | None, login: int, trail: Trail, value: float, operator: str, now: float
) -> list[Entry]:
    """That peak of an account as it stands now. Raises ValueError as `bases_of`, and for a peak
    that no rule follows."""
    if trail not in _known(memory, login, value).peaks:
        raise ValueError(f"no rule here follows a peak of {trail.source}")
    return [PeakEntry(login, trail, value, operator, now)]


def _known(memory: Memory | None, login: int, *figures: float) -> Memory:
    if not all(0 <= figure < LARGEST for figure in figures):  # NaN is not
        raise ValueError("expected amounts of money, 0 or more")
    if memory is None or login not in memory.login:
        raise ValueError(f"account {login} is not watched")
    return memory

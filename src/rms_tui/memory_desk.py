"""What is brought into a running monitor's memory: read back from a store, entered by operators.

Given from any thread, joined by the monitor's own with its next Book that has a good row.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from rms_tui.risk import entries, recall
from rms_tui.risk.entries import BaseEntry, Entry, Outcome, PeakEntry
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Trail


class MemoryDesk:
    """What waits for the next Book. `recalls` counts the stored memories that are in,
    `taken` those and the entries."""

    def __init__(self) -> None:
        self.recalls = 0
        self.taken = 0
        self._lock = threading.Lock()
        self._recalled: list[Memory] = []
        self._entries: list[Entry] = []

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

    def joined(self, live: Memory, step: Callable[[Memory], Memory]) -> Memory:
        """The memory with all that waited; `step` takes a stored one through the newest Book."""
        with self._lock:
            recalled, self._recalled = self._recalled, []
            made, self._entries = self._entries, []
            self.recalls += len(recalled)
            self.taken += len(recalled) + len(made)
        for stored in recalled:
            live = recall.joined(step(stored), live)
        return entries.with_entries(live, made) if made else live


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
    if not all(map(math.isfinite, figures)):
        raise ValueError("expected amounts of money")
    if memory is None or login not in memory.login:
        raise ValueError(f"account {login} is not watched")
    return memory

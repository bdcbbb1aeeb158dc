"""What is brought into a running monitor's memory: read back from a store, entered by operators.

Given from any thread, joined by the monitor's own with its next Book that has a good row.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from rms_tui.risk import entries, recall
from rms_tui.risk.entries import Entry
from rms_tui.risk.memory import Memory


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

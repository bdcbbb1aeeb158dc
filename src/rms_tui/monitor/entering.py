"""What operators enter for accounts as they stand now, where nothing better is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rms_tui.memory_desk import bases_of, peak_of
from rms_tui.monitor.polling import Polling
from rms_tui.risk.entries import Entry, Outcome
from rms_tui.risk.profile import Trail


class Entering:
    """`put` takes what is used: it is a fact. An entry that nothing would use is none."""

    def __init__(self, polling: Polling, put: Callable[[Entry], object]) -> None:
        self._polling = polling
        self._put = put

    def base(self, login: int, balance: float, equity: float, operator: str) -> list[Outcome]:
        """The base of every present trading day of an account. Raises ValueError."""
        known, now = self._polling.newest.memory, self._polling.now()
        return self._entered(bases_of(known, login, balance, equity, operator, now))

    def peak(self, login: int, trail: Trail, value: float, operator: str) -> list[Outcome]:
        """A peak of an account. Raises ValueError."""
        known, now = self._polling.newest.memory, self._polling.now()
        return self._entered(peak_of(known, login, trail, value, operator, now))

    def _entered(self, made: Sequence[Entry]) -> list[Outcome]:
        memory = self._polling.newest.memory
        assert memory is not None
        wanted, outcomes = self._polling.memories.enter_useful(memory, made)
        for entry in wanted:
            self._put(entry)
        return outcomes

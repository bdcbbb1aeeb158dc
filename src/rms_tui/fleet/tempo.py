"""How fast and how patient a fleet is: settings as values, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from rms_tui.gateways.process import Limits
from rms_tui.store.claims import Patience


@dataclass(frozen=True, slots=True)
class Tempo:
    """Times of supervisor and worker.

    A claim is pinged each `ping` and over after `silent` without one; the sweep looks each
    `sweep`. `launches` workers start at one time; one that stops has `stop` to write its last.
    """

    ping: float = 10.0
    silent: float = 300.0
    sweep: float = 60.0
    stop: float = 8.0
    launches: int = 4
    patience: Patience = field(default_factory=Patience)
    terminal_silence: float = 5.0
    terminal_start: float = 150.0

    @property
    def tick(self) -> float:
        """Between two looks of a supervisor at its workers and at what waits."""
        return min(0.25, self.ping, self.patience.first)

    @property
    def settled(self) -> float:
        """After so long without trouble earlier failures are past."""
        return 3 * self.ping

    @property
    def limits(self) -> Limits:
        """How patient a worker is with its terminal."""
        return Limits(
            heartbeat=min(1.0, self.terminal_silence / 4),
            silence=self.terminal_silence,
            connecting_silence=self.terminal_start,
            retry_first=min(1.0, self.patience.first),
            retry_longest=min(60.0, self.patience.longest),
        )

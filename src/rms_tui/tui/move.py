"""What is shocked in the stress view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rms_tui.risk.stress import Shock


@dataclass(frozen=True, slots=True)
class Move:
    """What moves against all others: one symbol's price, or one currency."""

    kind: Literal["symbol", "currency"]
    name: str

    def shock(self, percent: float) -> Shock:
        """The move by that many percent."""
        if self.kind == "symbol":
            return Shock(self.name, None, percent)
        return Shock(None, self.name, percent)

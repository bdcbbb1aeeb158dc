"""What is shocked in the stress view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rms_tui.book import Book
from rms_tui.risk.profile import Plan
from rms_tui.risk.stress import Laid, Shock, laid


@dataclass(frozen=True, slots=True)
class Move:
    """What moves against all others: a symbol's price, a currency, or what a scenario names."""

    kind: Literal["symbol", "currency", "scenario"]
    name: str

    @property
    def is_scenario(self) -> bool:
        """Whether it has percentages of its own."""
        return self.kind == "scenario"

    def laid(self, percent: float, plan: Plan, book: Book) -> Laid:
        """The move upwards by that many percent; a scenario as it is saved in the plan.

        Raises ValueError for a scenario that is not there, or moves nothing of the book.
        """
        if self.is_scenario:
            return laid(plan.scenario(self.name), book)
        symbol, currency = (self.name, None) if self.kind == "symbol" else (None, self.name)
        return Laid((Shock(symbol, currency, percent),))

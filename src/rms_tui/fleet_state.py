"""A fleet as a console shows it beside its accounts: terminals, and elements without one.

Plain values, made by whoever reads the database; times are UTC seconds of this process's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

Standing: TypeAlias = Literal["FREE", "OCCUPIED", "FAULTY", "PENDING", "ERROR", "INACTIVE"]
"""What a terminal is; the last three are elements that no terminal watches."""

STANDINGS: tuple[Standing, ...] = ("FREE", "OCCUPIED", "FAULTY", "PENDING", "ERROR", "INACTIVE")


@dataclass(frozen=True, slots=True)
class FleetRow:
    """A terminal with the element it watches, or an element that waits for one.

    `key` is the number by which the accounts of this console have the element, None where there is
    no element. Host and path are "" for an element without a terminal. `pinged_at` is the last
    ping, None where there was none.
    """

    id: str
    standing: Standing
    host: str = ""
    path: str = ""
    key: int | None = None
    login: int | None = None
    server: str = ""
    pinged_at: float | None = None
    restarts: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class FleetState:
    """All terminals and waiting elements, how many elements have which status, and whether this
    is how it stands: `problem` says why it is old, `silent` is the age (s) of a ping that is late.
    """

    rows: tuple[FleetRow, ...] = ()
    elements: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    loaded: bool = False
    problem: str | None = None
    silent: float = 30.0

    def count(self, standing: Standing) -> int:
        """How many rows stand so."""
        return sum(row.standing == standing for row in self.rows)

"""What a console over a fleet has beside its monitor: the terminals, and who adds and removes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from rms_tui.fleet_state import FleetState
from rms_tui.tui import figures
from rms_tui.tui.status_line import Piece


class StateBox(Protocol):
    """Where the newest state of the fleet lies; a `Latest` of it is one."""

    @property
    def value(self) -> FleetState | None: ...


class AddElement(Protocol):
    """Adds an account and says what became of it. Waits for the database; raises HistoryError."""

    def __call__(
        self, login: int, server: str, password: SecretStr | None, profile: str | None
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class FleetSide:
    """`remove` takes an account's number in the frame, and says what became of it."""

    state: StateBox
    add: AddElement
    remove: Callable[[int], str]

    @property
    def newest(self) -> FleetState:
        """How the fleet stands; an empty state before anything is known."""
        return self.state.value or FleetState()


_STATUSES = (
    ("ERROR", "$text-error", 0),
    ("BREACHED", "$text-error", 1),
    ("TARGET_REACHED", "$text-success", 3),
    ("PENDING", "$text-warning", 2),
    ("INACTIVE", "$text-warning", 2),
    ("ACTIVE", "$text-success", 2),
)
_TERMINALS = (
    ("FAULTY", "$text-error", 0),
    ("FREE", "", 2),
    ("OCCUPIED", "", 2),
)


def fleet_pieces(state: FleetState) -> Sequence[Piece]:
    """Elements by status, terminals free, occupied and faulty: for the line of sums."""
    if not state.loaded:
        return ()
    pieces = [
        Piece(f"{figures.count(state.elements[status])} {status}", style, rank)
        for status, style, rank in _STATUSES
        if state.elements.get(status)
    ]
    pieces += [
        Piece(f"{figures.count(number)} {word.lower()}", style, rank)
        for word, style, rank in _TERMINALS
        if (number := state.count(word)) or word == "FREE"  # type: ignore[arg-type]  # a Standing
    ]
    return pieces

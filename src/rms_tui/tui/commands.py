"""What the palette and the help need of the App: its commands, and where it can jump."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rms_tui.tui.heading import Moment


@dataclass(frozen=True, slots=True)
class Command:
    """Something to be done by its words: `Zoom`, with its key if it has one."""

    title: str
    key: str
    run: Callable[[], object]


@runtime_checkable
class Commanded(Protocol):
    """An App with commands."""

    def commands(self) -> Sequence[Command]:
        """All commands that make sense now."""
        ...

    def moment(self) -> Moment | None:
        """What is shown."""
        ...

    def go_to_account(self, login: int) -> None:
        """Put the cursor on an account."""
        ...

    def go_to_symbol(self, symbol: str) -> None:
        """Show who holds a symbol."""
        ...

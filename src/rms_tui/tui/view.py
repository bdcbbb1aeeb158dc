"""What the console is told about the store: a few words, whoever writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from rms_tui.alerts import Alert
from rms_tui.alerts.asked import Asked
from rms_tui.changes import Change


class StoreView(Protocol):
    """Where the status database stands."""

    @property
    def state(self) -> Literal["starting", "connected", "down", "unknown"]:
        """`unknown`: it is another process's, which has not said."""
        ...

    @property
    def text(self) -> str:
        """In words: what it does, or what is wrong."""
        ...

    @property
    def waiting(self) -> int:
        """Writes that are kept until it is back."""
        ...


@dataclass(frozen=True, slots=True)
class NotYet:
    """The StoreView before there is one."""

    state: Literal["starting", "connected", "down"] = "starting"
    text: str = "starting"
    waiting: int = 0


class HistoryError(Exception):
    """The alert history cannot be read now; `text` says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


AskHistory: TypeAlias = Callable[[Asked], Sequence[Alert]]
"""Asks the database for alerts, the newest first. Raises HistoryError."""

AskChanges: TypeAlias = Callable[[int], Sequence[Change]]
"""Asks the database who changed what about an account, the newest first. Raises HistoryError."""


class StoreBox(Protocol):
    """Where the newest StoreView lies; a `Latest` of any such status is one."""

    @property
    def value(self) -> StoreView | None: ...

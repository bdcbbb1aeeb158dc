"""What the console is told about the store: a few words, whoever writes them."""

from __future__ import annotations

from typing import Literal, Protocol


class StoreView(Protocol):
    """Where the status database stands."""

    @property
    def state(self) -> Literal["starting", "connected", "down"]: ...

    @property
    def text(self) -> str:
        """In words: what it does, or what is wrong."""
        ...

    @property
    def waiting(self) -> int:
        """Writes that are kept until it is back."""
        ...


class StoreBox(Protocol):
    """Where the newest StoreView lies; a `Latest` of any such status is one."""

    @property
    def value(self) -> StoreView | None: ...

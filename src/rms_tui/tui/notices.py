"""Channels of notifications that do not deliver, for the header: silence would look like calm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from rms_tui.tui.status_line import Piece


class DeliveryView(Protocol):
    """How one channel stands."""

    @property
    def channel(self) -> str: ...

    @property
    def waiting(self) -> int: ...

    @property
    def error(self) -> str | None: ...


Deliveries: TypeAlias = Callable[[], Sequence[DeliveryView]]


def pieces(deliveries: Sequence[DeliveryView]) -> list[Piece]:
    """A piece for each channel that was refused lately; none while all is well."""
    return [
        Piece(f"notify ■ {one.channel}: {one.waiting} waiting", "bold $text-error", rank=4)
        for one in deliveries
        if one.error is not None
    ]

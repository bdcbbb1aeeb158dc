"""A one-slot mailbox: the newest value wins, the writer never waits, a slow reader skips.

Level-triggered on purpose: queues between threads grow when a reader is slow; a slot cannot.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """The newest value put, with a counter so that a reader can wait for a newer one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value: T | None = None
        self._count = 0

    @property
    def value(self) -> T | None:
        """The newest value, None before the first."""
        return self._value

    @property
    def count(self) -> int:
        """How many values were put so far."""
        return self._count

    def put(self, value: T) -> None:
        """Replace the value and wake every waiting reader."""
        with self._changed:
            self._value = value
            self._count += 1
            self._changed.notify_all()

    def newer(self, than: int, timeout: float) -> tuple[int, T] | None:
        """Wait up to `timeout` seconds for a value put after number `than`.

        Returns its number and the value, or None when none came in time.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._count > than, timeout)
            if self._count <= than or self._value is None:
                return None
            return self._count, self._value

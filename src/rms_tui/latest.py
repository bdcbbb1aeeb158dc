"""A one-slot mailbox: the newest value wins, the writer never waits, a slow reader skips.

Level-triggered on purpose: queues between threads grow when a reader is slow; a slot cannot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """The newest value put, with a counter so that a reader can wait for a newer one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value: T | None = None
        self._count = 0
        self._listeners: tuple[Callable[[T], object], ...] = ()

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
            for hear in self._listeners:
                hear(value)
            self._changed.notify_all()

    def follow(self, hear: Callable[[T], object]) -> T | None:
        """Call `hear` with every value from now on, in order; the value before the first of them.

        For who may miss none. It runs in the writer's thread: it must not wait and not raise.
        """
        with self._changed:
            self._listeners = (*self._listeners, hear)
            return self._value

    def leave(self, hear: Callable[[T], object]) -> None:
        """Call it no more."""
        with self._changed:
            self._listeners = tuple(one for one in self._listeners if one != hear)

    def newer(self, than: int, timeout: float) -> tuple[int, T] | None:
        """Wait up to `timeout` seconds for a value put after number `than`.

        Returns its number and the value, or None when none came in time.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._count > than, timeout)
            if self._count <= than or self._value is None:
                return None
            return self._count, self._value

"""Facts that must not be lost, in order, on their way to whoever writes them down.

A reader looks at the oldest, writes them, and only then drops them: a failed write loses nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Outbox(Generic[T]):
    """A bounded ordered queue. A fact that finds it full is refused and counted."""

    def __init__(self, limit: int = 200_000) -> None:
        self._items: deque[T] = deque()
        self._limit = limit
        self._lock = threading.Lock()
        self.refused = 0
        self.came = threading.Event()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Append a fact; False when the box is full."""
        with self._lock:
            if len(self._items) >= self._limit:
                self.refused += 1
                return False
            self._items.append(item)
        self.came.set()
        return True

    def oldest(self, most: int) -> Sequence[T]:
        """Up to `most` oldest facts; they stay until dropped."""
        with self._lock:
            return [self._items[i] for i in range(min(most, len(self._items)))]

    def drop(self, count: int) -> None:
        """Forget the `count` oldest facts: they are written."""
        with self._lock:
            for _ in range(count):
                self._items.popleft()
            if not self._items:
                self.came.clear()

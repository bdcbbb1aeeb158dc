"""Memory for received columns, apart from the allocator's.

A Book of 100 000 accounts is 80 MB, and the next one comes while it is still shown. In the
allocator's memory each leaves holes that the others fill in part, and the process grows to twice
what is alive; a column that has pages of its own gives them back with its last reader. Deals only
arrive, so their columns have room for more: of those that are there no copy is made.
"""

from __future__ import annotations

import mmap
import sys
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

LEAST = 1 << 18
"""Bytes from which memory has pages of its own."""

SPARE = 8
"""A column that grows gets room for one more row in so many; room that is not used yet costs
nothing."""

_PRIVATE: dict[str, Any] = {}
_FILLED: dict[str, Any] = {}
if sys.platform == "linux":
    _PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}
    _FILLED = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE}


def filled(size: int) -> memoryview:
    """Writable memory of `size` bytes that will be filled at once, aligned for any column."""
    if size < LEAST:
        return np.empty(size, dtype=np.uint8).data if size else memoryview(b"")
    return memoryview(mmap.mmap(-1, size, **_FILLED))


class Growing:
    """Columns of one table that mostly grow at their end. Used by one thread."""

    def __init__(self) -> None:
        self._newest: WeakValueDictionary[str, npt.NDArray[Any]] = WeakValueDictionary()

    def longer(self, name: str, last: npt.NDArray[Any], tail: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The read-only column `last` with these rows after it; `last` stays as it is.

        Where `last` is the newest of that name its memory is shared, if it has room.
        """
        end = len(last) + len(tail)
        memory = last.base if self._newest.get(name) is last else None
        if not isinstance(memory, np.ndarray) or len(memory) < end:
            memory = _memory(end + end // SPARE, last.dtype)
            memory[: len(last)] = last
        memory[len(last) : end] = tail
        made: npt.NDArray[Any] = memory[:end]
        made.flags.writeable = False
        self._newest[name] = made
        return made


def _memory(rows: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    size = rows * dtype.itemsize
    if size < LEAST:
        return np.empty(rows, dtype=dtype)
    return np.frombuffer(mmap.mmap(-1, size, **_PRIVATE), dtype=dtype)

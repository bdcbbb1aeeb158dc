"""What the C library's allocator does with freed columns: kept during a cycle, given back after it.

Within a cycle freed memory is needed again at once, and fetching it from the kernel costs a third
of the cycle. Between polls it would only lie there: as much again as is in use. Does nothing where
the allocator is not glibc's.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache

import numpy as np

LARGE = 20_000
"""Accounts from which work on a whole book gives back what it freed; a smaller one has little."""

_LARGEST_ADAPTIVE_ALLOCATION = 4_190_000
"""Floats just under glibc's largest adaptive threshold (32 MiB)."""


_ARENAS = -8
"""`M_ARENA_MAX` of malloc.h."""


def keep_freed_columns_mapped() -> None:
    """Let the allocator keep what a cycle frees for the rest of the cycle.

    glibc hands freed columns back to the kernel and faults them in again each time. It stops after
    one allocation of this size was freed; the pages are never touched.
    """
    np.empty(_LARGEST_ADAPTIVE_ALLOCATION)


def share_one_heap() -> None:
    """Let all threads that begin later allocate from one heap.

    Columns are made by one thread and freed by another; with a heap for each thread every one of
    them grows to its own peak. Python's own lock lets one thread at a time allocate in any case.
    For a whole program to decide, so nothing but a program's start may call it.
    """
    option = _of_glibc("mallopt", ctypes.c_int, ctypes.c_int)
    if option is not None:
        option(_ARENAS, 1)


def give_back_freed() -> None:
    """Hand every free page to the kernel: some milliseconds for 100 MB, and as many again to fetch
    them with the next poll. Other threads go on meanwhile."""
    trim = _of_glibc("malloc_trim", ctypes.c_size_t)
    if trim is not None:
        trim(0)


@cache
def _of_glibc(name: str, *takes: type) -> Callable[..., object] | None:
    found = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if found is not None:
        found.argtypes, found.restype = takes, ctypes.c_int
    return found

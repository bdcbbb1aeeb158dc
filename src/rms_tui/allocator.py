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


def keep_freed_columns_mapped() -> None:
    """Let the allocator keep what a cycle frees for the rest of the cycle.

    glibc hands freed columns back to the kernel and faults them in again each time. It stops after
    one allocation of this size was freed; the pages are never touched.
    """
    np.empty(_LARGEST_ADAPTIVE_ALLOCATION)


def give_back_freed() -> None:
    """Hand every free page to the kernel: some milliseconds for 100 MB, and as many again to fetch
    them with the next poll. Other threads go on meanwhile."""
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim.argtypes, trim.restype = (ctypes.c_size_t,), ctypes.c_int
            made: Callable[[int], object] = trim
            return made
    return lambda _: None

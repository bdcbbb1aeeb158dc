"""Freed columns: given back when asked, in a process of its own so that nothing else counts."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np, psutil
from rms_tui.allocator import give_back_freed, keep_freed_columns_mapped
keep_freed_columns_mapped()
resident = lambda: psutil.Process().memory_info().rss
columns = [np.ones(100_000) for _ in range(100)]
full = resident()
last = columns[-1]
del columns
freed = resident()
give_back_freed()
print(full - freed, freed - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is meant")
def test_what_a_cycle_freed_is_kept_until_it_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    at_once, given_back = map(int, done.stdout.split())
    assert at_once < 8_000_000, "kept for the rest of the cycle"
    assert given_back > 64_000_000, "80 MB were freed"


THREADS = """
import threading
import numpy as np, psutil
from rms_tui.allocator import keep_freed_columns_mapped, share_one_heap
share_one_heap()
keep_freed_columns_mapped()
resident = lambda: psutil.Process().memory_info().rss
before = resident()
done = threading.Event()
for _ in range(5):
    made = threading.Event()
    def work():
        [np.ones(20_000) for _ in range(100)]
        made.set()
        done.wait()
    threading.Thread(target=work, daemon=True).start()
    made.wait()
print(resident() - before)
done.set()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is meant")
def test_what_one_thread_freed_is_used_by_the_next() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40_000_000, "16 MB, five times one after the other"

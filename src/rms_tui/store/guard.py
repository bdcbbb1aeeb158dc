"""One process at a time: an OS lock on a file, let go by the system when its holder dies."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rms_tui.store.errors import StoreError

if sys.platform == "win32":
    import msvcrt

    def _locked(handle: int) -> bool:
        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _locked(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def held(path: Path, timeout: float, cancelled: threading.Event) -> Iterator[None]:
    """Hold the lock while inside. Raises StoreError when it is not got in time or cancelled.

    `flock`, not `lockf`: it also keeps threads of one process apart, and closing another handle
    of the same file does not drop it.
    """
    deadline = time.monotonic() + timeout
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _locked(handle):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"another process has held {path} for {timeout:g} s: expected it to let go"
                )
            if cancelled.wait(0.02):
                raise StoreError("stopped while waiting for the shared mongod")
        try:
            yield
        finally:
            _unlock(handle)
    finally:
        os.close(handle)

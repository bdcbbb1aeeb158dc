"""Whether a process of this machine lives: to take over at once from one that was killed.

Only of this machine, and of this space of process ids: of any other nothing is known.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]  # no types

from rms_tui.store.leases import Owner

_SAME_BIRTH = 2.0
"""Seconds by which two readings of a process's birth may differ."""


@cache
def this_process() -> Owner:
    """This process, as another one of this machine may look for it."""
    return Owner(_machine(), os.getpid(), psutil.Process().create_time())


def is_dead(owner: Owner | None) -> bool:
    """True only when that process was of this machine and is no more."""
    if owner is None or owner.machine != this_process().machine:
        return False
    try:
        found = psutil.Process(owner.pid)
        zombie = found.status() == psutil.STATUS_ZOMBIE
        return bool(zombie or abs(found.create_time() - owner.born) > _SAME_BIRTH)
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _machine() -> str:
    """This start of this machine; in a container, of that container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except (OSError, UnicodeDecodeError):
        return f"{socket.gethostname()}/{int(psutil.boot_time())}"

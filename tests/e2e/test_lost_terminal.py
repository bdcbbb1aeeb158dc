"""A terminal that nobody reads any more, or that is gone, holds up no console."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")

PATIENCE = 60.0


@pytest.fixture
def console(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A demo that paints much, on a terminal that sends no SIGHUP when it goes."""
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("RMS_", "MT5_", "WS_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "rms_tui", "--demo", "--accounts", "500", "--interval", "1"],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path,
        env={**clean, "RMS_DATA_DIR": str(tmp_path / "data"), "TERM": "xterm-256color"},
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    _read_until(ours, b"DEMO")
    _read_until(ours, b"BREACHED")
    yield process, ours
    if process.poll() is None:
        process.kill()
    process.wait(PATIENCE)


def _read_until(terminal: int, wanted: bytes) -> None:
    shown, ends = b"", time.monotonic() + PATIENCE
    while wanted not in shown:
        assert time.monotonic() < ends, shown[-2000:]
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65_536)


def test_a_console_ends_when_its_terminal_is_gone(
    console: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, terminal = console
    os.close(terminal)
    process.wait(PATIENCE)


def test_a_terminal_nobody_reads_does_not_keep_a_console_from_ending(
    console: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, terminal = console
    _fill(terminal)
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    os.close(terminal)


def test_a_terminal_that_goes_on_gets_the_whole_screen(
    console: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, terminal = console
    _fill(terminal)
    select.select([], [], [], 40)  # thirty texts wait, and more are dropped
    _read_until(terminal, b"Exposure")  # a title is sent with a whole picture only
    process.send_signal(signal.SIGTERM)
    while process.poll() is None:
        if select.select([terminal], [], [], 0.1)[0]:
            with suppress(OSError):
                os.read(terminal, 65_536)
    assert process.returncode == 0
    os.close(terminal)


def _fill(terminal: int) -> None:
    """Wait until the terminal takes no more of what the console writes."""
    full, ends = 0, time.monotonic() + PATIENCE
    while full < 5:
        assert time.monotonic() < ends
        waits = _waiting(terminal)
        select.select([], [], [], 1)
        full = full + 1 if _waiting(terminal) == waits else 0


def _waiting(terminal: int) -> int:
    """Bytes that the terminal has for us."""
    import array
    import fcntl
    import termios

    count = array.array("i", [0])
    fcntl.ioctl(terminal, termios.FIONREAD, count)
    return count[0]

"""The whole console on a terminal: what it sends, what it costs, how soon it shows a change.

Every figure is from a real process on a pseudo-terminal of 160×48 that nobody draws.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEIGHT = 160, 48
PAINT = 400
"""Bytes from which a write is rows of the table and not the clock in the header."""

DEMO = [sys.executable, "-m", "rms_tui", "--demo", "--accounts", "250", "--interval", "1"]
MINIMAL = [sys.executable, "-m", "benchmarks.console_app", "minimal"]


class Screen:
    """A child process on a pseudo-terminal; `stamps` come from its feed."""

    def __init__(self, command: list[str], *, stamped: bool = False) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "SSH_CONNECTION")}
        env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._stamps, theirs = os.pipe()
        self.began = time.monotonic()
        self._child = subprocess.Popen(
            [*command, str(theirs)] if stamped else command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            cwd=Path(__file__).parents[1],
            start_new_session=True,
            pass_fds=(theirs,) if stamped else (),
        )
        os.close(slave)
        os.close(theirs)

    def close(self) -> None:
        """Ask the child to leave as an operator does; insist when it does not."""
        os.write(self._master, b"q\x11")
        end = time.monotonic() + 3
        while self._child.poll() is None and time.monotonic() < end:
            self.read(0.05)
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        os.close(self._master)
        os.close(self._stamps)

    def read(self, seconds: float) -> list[tuple[float, bytes]]:
        """What is written within so many seconds, with the time of each write."""
        end = time.monotonic() + seconds
        chunks: list[tuple[float, bytes]] = []
        while (left := end - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                try:
                    chunks.append((time.monotonic(), os.read(self._master, 1 << 20)))
                except OSError:
                    break
        return chunks

    def first(self, word: bytes, seconds: float = 30) -> float:
        """Seconds from the start until a word is on the terminal."""
        seen = b""
        while time.monotonic() < self.began + seconds:
            for at, chunk in self.read(0.02):
                seen += chunk
                if word in seen:
                    return at - self.began
        raise RuntimeError(f"no {word!r} on the terminal within {seconds} s: {seen[-300:]!r}")

    def stamps(self) -> list[float]:
        """When the feed had its Books, as far as said."""
        found: list[float] = []
        while select.select([self._stamps], [], [], 0)[0]:
            read = os.read(self._stamps, 8)
            if len(read) < 8:
                break
            found += struct.unpack("d", read)
        return found

    def resident(self) -> dict[str, int]:
        """Memory of the child itself in bytes: `VmRSS` now, `VmHWM` at most so far."""
        lines = Path(f"/proc/{self._child.pid}/status").read_text().splitlines()
        pairs = (line.split(":", 1) for line in lines if line.startswith(("VmRSS", "VmHWM")))
        return {name: int(size.split()[0]) * 1024 for name, size in pairs}

    def cpu_seconds(self) -> float:
        """Processor time of the child itself: the simulator is a process of its own."""
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def screen(command: list[str], *, stamped: bool = False) -> Iterator[Screen]:
    """A program on a terminal."""
    shown = Screen(command, stamped=stamped)
    try:
        yield shown
    finally:
        shown.close()


def demo_load(seconds: float) -> tuple[float, float]:
    """Bytes a second and percent of a core of the demo, once it is live."""
    with screen(DEMO) as shown:
        shown.first(b"DEMO")
        shown.read(8)
        before, began = shown.cpu_seconds(), time.monotonic()
        written = sum(len(chunk) for _, chunk in shown.read(seconds))
        took = time.monotonic() - began
        return written / took, (shown.cpu_seconds() - before) / took * 100


def first_paint(command: list[str], times: int = 5) -> float:
    """Median seconds from the start of a process to its first words."""
    took = []
    for _ in range(times):
        with screen(command) as shown:
            took.append(shown.first(b"RMS"))
            shown.read(0.3)
    return float(np.median(took))


def change_to_paint(kind: str, accounts: int, hz: float, seconds: float) -> list[float]:
    """Milliseconds from a Book being there to its rows on the terminal, sorted."""
    command = [sys.executable, "-m", "benchmarks.console_app", kind, str(accounts), str(hz)]
    with screen(command, stamped=True) as shown:
        shown.first(b"RMS", 60)
        shown.read(6)
        shown.stamps()
        writes = shown.read(seconds)
        stamps = shown.stamps()
    paints = [at for at, chunk in writes if len(chunk) >= PAINT]
    took = []
    for stamp in stamps:
        after = next((at for at in paints if at >= stamp), None)
        if after is not None:
            took.append((after - stamp) * 1000)
    if not took:
        raise RuntimeError(f"{kind}: nothing painted in {seconds} s ({len(stamps)} Books)")
    return sorted(took)


def measure(seconds: float = 20) -> list[dict[str, Any]]:
    """Every claim about the console, with its baseline from this run."""
    minimal, paint = first_paint(MINIMAL), first_paint(DEMO)
    sent, cpu = demo_load(seconds)
    ours = change_to_paint("live", 10_000, 4, seconds / 2)
    naive = change_to_paint("naive", 10_000, 4, seconds)
    median, worst = ours[len(ours) // 2], ours[int(len(ours) * 0.99)]
    before = naive[len(naive) // 2]
    return [
        _row("first paint against a minimal Textual app", paint / minimal, "x", 2.5, minimal),
        _row("console, 250 accounts at 1 Hz: bytes", sent, "B/s", 6_000),
        _row("console, 250 accounts at 1 Hz: processor", cpu, "%", 5),
        _row("Book to painted, 10k accounts, p99", worst, "ms", 60, before),
        {
            "name": "Book to painted, 10k accounts, against objects and DataTable",
            "value": before / median,
            "unit": "x",
            "baseline": before,
            "target": "≥ 40",
            "ok": before / median >= 40,
        },
    ]


def _row(
    name: str, value: float, unit: str, target: float, baseline: float | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "baseline": baseline,
        "target": target,
        "ok": value <= target,
    }


if __name__ == "__main__":
    for row in measure():
        print(row)

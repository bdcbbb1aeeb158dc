"""Our table against Textual's DataTable: processor time, bytes to the terminal, key to paint.

Each figure comes from a real process in a pseudo-terminal of 160×50, its baseline from the same
run. `python -m benchmarks.table [seconds]`.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 160, 50
CURSOR_ROW = re.compile(rb"\x1b\[(\d+);\d+H\x1b\[[0-9;]*48;2;(?:1;120;212|29;74;117)[;m]")
"""A cell drawn on the cursor's background (Textual's, and that of our theme), with its line."""


@dataclass(frozen=True)
class Load:
    """What one run cost: percent of a core, bytes a second."""

    cpu: float
    bytes: float


class Terminal:
    """A child process on a pseudo-terminal that nobody draws."""

    def __init__(self, kind: str, rows: int, hz: float) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "SSH_CONNECTION")}
        env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.table_app", kind, str(rows), str(hz)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            cwd=Path(__file__).parents[1],
            start_new_session=True,
        )
        os.close(slave)

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.wait()
        os.close(self._master)

    def read(self, seconds: float) -> bytes:
        """Everything written within so many seconds."""
        end = time.monotonic() + seconds
        chunks: list[bytes] = []
        while (left := end - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                chunks.append(os.read(self._master, 1 << 20))
        return b"".join(chunks)

    def until(self, line: int, seconds: float) -> float | None:
        """Seconds until the cursor is drawn on a terminal line, None if it is not in time."""
        start = time.monotonic()
        seen = b""
        while (left := start + seconds - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                break
            seen += os.read(self._master, 1 << 20)
            if any(int(found[1]) == line for found in CURSOR_ROW.finditer(seen)):
                return time.monotonic() - start
        return None

    def press(self, key: str) -> None:
        """Type a key."""
        os.write(self._master, key.encode())

    def wait_for_first_rows(self) -> None:
        """Until the cursor was drawn, and the start-up that follows is over."""
        if self.until(2, 60) is None:
            raise RuntimeError("no table on the terminal within 60 s")
        self.read(1.5)

    def cpu_seconds(self) -> float:
        """Processor time of the child so far."""
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def terminal(kind: str, rows: int, hz: float) -> Iterator[Terminal]:
    """A table on a pseudo-terminal, its rows drawn."""
    shown = Terminal(kind, rows, hz)
    try:
        shown.wait_for_first_rows()
        yield shown
    finally:
        shown.close()


def load(kind: str, rows: int, hz: float, seconds: float) -> Load:
    """Processor time and bytes of a table left alone with its changes."""
    with terminal(kind, rows, hz) as shown:
        before, start = shown.cpu_seconds(), time.monotonic()
        written = len(shown.read(seconds))
        took = time.monotonic() - start
        return Load((shown.cpu_seconds() - before) / took * 100, written / took)


def key_to_paint(kind: str, rows: int, hz: float, seconds: float) -> list[float]:
    """Milliseconds from a typed `j` to the cursor drawn one line lower, sorted."""
    took: list[float] = []
    with terminal(kind, rows, hz) as shown:
        line, end = 2, time.monotonic() + seconds
        while time.monotonic() < end or len(took) < 20:
            if line == HEIGHT - 5:
                shown.press("\x1b[H")  # home
                shown.until(2, 5)
                line = 2
            shown.read(0.037)  # no divisor of the tick: keys fall anywhere between two pictures
            line += 1
            shown.press("\x1b[B" if kind == "datatable" else "j")
            waited = shown.until(line, 5)
            took.append(5_000.0 if waited is None else waited * 1_000)
    return sorted(took)


def percentile(ordered: list[float], share: float) -> float:
    """Nearest rank."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def measure(seconds: float = 5) -> list[dict[str, Any]]:
    """Every claim about the table, with its baseline from this run."""
    stock = load("datatable", 10_000, 2, seconds)
    whole = load("whole-lines", 10_000, 2, seconds)
    live = load("live", 10_000, 2, seconds)
    many = load("live", 100_000, 10, seconds)
    idle = load("live", 10_000, 0, seconds)
    keys = key_to_paint("live", 100_000, 10, seconds)
    stock_keys = key_to_paint("datatable", 10_000, 2, seconds)
    rows: list[tuple[str, float, str, float | None, float | None]] = [
        ("table, 10k rows at 2 Hz, cpu", live.cpu, "%", stock.cpu, stock.cpu / 8),
        ("table, 10k rows at 2 Hz, bytes", live.bytes, "B/s", stock.bytes, stock.bytes / 4),
        ("same, whole lines, cpu", whole.cpu, "%", stock.cpu, stock.cpu / 8),
        ("same, whole lines, bytes", whole.bytes, "B/s", stock.bytes, None),
        ("table, 100k rows at 10 Hz, cpu", many.cpu, "%", None, 6.0),
        ("table, 100k rows at 10 Hz, bytes", many.bytes, "B/s", None, None),
        ("table idle, bytes", idle.bytes, "B/s", None, 0.0),
        ("table idle, cpu", idle.cpu, "%", None, 0.5),
        ("key to paint, median", percentile(keys, 0.5), "ms", percentile(stock_keys, 0.5), None),
        ("key to paint, p95", percentile(keys, 0.95), "ms", percentile(stock_keys, 0.95), 35.0),
    ]
    return [
        {
            "name": name,
            "value": round(value, 2),
            "unit": unit,
            "baseline": None if baseline is None else round(baseline, 2),
            "target": None if target is None else round(target, 2),
            "ok": target is None or value <= target,
        }
        for name, value, unit, baseline, target in rows
    ]


if __name__ == "__main__":
    for row in measure(*(float(word) for word in sys.argv[1:2])):
        print(
            f"{row['name']:38} {row['value']:>10} {row['unit']:4} "
            f"baseline {row['baseline']!s:>10}  target {row['target']!s:>10}  "
            f"{'ok' if row['ok'] else 'MISSED'}"
        )

"""A real terminal for end-to-end tests: tmux with one window, and what a dealer reads in it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


class Terminal:
    """A tmux server of its own, with one window."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self._socket = str(folder / "tmux")
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height))

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words],
            capture_output=True,
            text=True,
            timeout=10,
            # A shell that finds LINES and COLUMNS exports them, and a program then stays that size;
            # readline sets them behind Python, and whoever Python starts inherits them.
            env={k: v for k, v in os.environ.items() if k not in ("LINES", "COLUMNS")},
        )
        return done.stdout

    def type(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    @property
    def shell(self) -> int:
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def until(self, holds: Callable[[str], bool], seconds: float, what: str) -> str:
        """Wait for the screen, at most some seconds."""
        end = time.monotonic() + seconds
        screen = self.screen
        while not holds(screen):
            assert time.monotonic() < end, f"no {what} within {seconds} s:\n{screen}"
            time.sleep(0.1)
            screen = self.screen
        return screen

    def close(self) -> None:
        self._tmux("kill-server")


def is_live(screen: str) -> bool:
    return "DEMO" in screen and ("BREACH" in screen or "CRITICAL" in screen)


def console_of(shell: int) -> int:
    """The console's process: the shell's only child."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(shell)], capture_output=True, text=True, check=True
    )
    return int(children.stdout.split()[0])

"""The real program in a real terminal: what a dealer sees, and what is left when it is gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

COMMAND = f"{sys.executable} -m rms_tui --demo --accounts 60"


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
            env=dict(os.environ),  # without the LINES and COLUMNS that readline sets behind it
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


@pytest.fixture
def terminal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    width, height = getattr(request, "param", (160, 48))
    opened = Terminal(tmp_path, width, height)
    folder = tmp_path / "home"
    folder.mkdir()
    opened.type(
        f"cd {folder}; export HOME={folder} XDG_STATE_HOME={folder} PS1='$ '; clear", "Enter"
    )
    yield opened
    opened.close()


def is_live(screen: str) -> bool:
    return "DEMO" in screen and ("BREACH" in screen or "CRITICAL" in screen)


def console_of(shell: int) -> int:
    """The console's process: the shell's only child."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(shell)], capture_output=True, text=True, check=True
    )
    return int(children.stdout.split()[0])


@pytest.mark.parametrize("terminal", [(160, 48), (80, 24)], indirect=True)
def test_the_demo_fills_the_desk_and_q_gives_the_shell_back(terminal: Terminal) -> None:
    terminal.type(f"{COMMAND}; echo status $?", "Enter")
    terminal.until(is_live, 20, "live desk")
    terminal.type("q")
    screen = terminal.until(lambda text: "status 0" in text, 4, "exit status 0")
    assert "DEMO" not in screen
    assert "Traceback" not in screen
    terminal.type("echo still a shell", "Enter")
    terminal.until(lambda text: "\nstill a shell" in text, 4, "working shell")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_the_terminal_clean(terminal: Terminal, name: str) -> None:
    terminal.type(f"{COMMAND}; echo status $?", "Enter")
    terminal.until(is_live, 20, "live desk")
    os.kill(console_of(terminal.shell), getattr(signal, name))
    screen = terminal.until(lambda text: "status 0" in text, 4, "exit status 0")
    assert "DEMO" not in screen
    terminal.type("echo still a shell", "Enter")
    terminal.until(lambda text: "\nstill a shell" in text, 4, "working shell")


def test_it_follows_the_terminal_through_resizes(terminal: Terminal) -> None:
    terminal.type(f"{COMMAND}; echo status $?", "Enter")
    terminal.until(lambda text: is_live(text) and "3 Exposure" in text, 20, "live desk")
    terminal.resize(80, 24)
    terminal.until(
        lambda text: "2 Positions" in text and "┌─ 3 Exposure" not in text, 5, "one pane and tabs"
    )
    terminal.resize(160, 48)
    terminal.until(lambda text: "┌─ 4 Alerts" in text and "┌─ 3 Exposure" in text, 5, "four panes")
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")


def test_16_colours_and_no_colour_work(terminal: Terminal) -> None:
    terminal.type(f"NO_COLOR=1 TERM=screen {COMMAND}; echo status $?", "Enter")
    terminal.until(is_live, 20, "live desk")
    terminal.type("?")
    terminal.until(lambda text: "Keys of Accounts" in text, 5, "help")
    terminal.type("Escape")
    terminal.until(lambda text: "Keys of Accounts" not in text, 5, "desk")
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")

"""The real program in a real terminal: what a dealer sees, and what is left when it is gone."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from tests.e2e.tmux import Terminal, console_of, is_live

COMMAND = f"{sys.executable} -m rms_tui --demo --accounts 60"


@pytest.mark.parametrize("terminal", [(160, 48), (80, 24)], indirect=True)
def test_the_demo_fills_the_desk_and_q_gives_the_shell_back(terminal: Terminal) -> None:
    terminal.type(f"{COMMAND}; echo status $?", "Enter")
    terminal.until(is_live, 20, "live desk")
    terminal.type("q")
    screen = terminal.until(lambda text: "status 0" in text, 4, "exit status 0")
    assert "DEMO" not in screen
    assert "Traceback" not in screen
    terminal.type("echo still a shell", "Enter")
    terminal.until(lambda text: "\nstill a shell" in text, 20, "working shell")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_the_terminal_clean(terminal: Terminal, name: str) -> None:
    terminal.type(f"{COMMAND}; echo status $?", "Enter")
    terminal.until(is_live, 20, "live desk")
    os.kill(console_of(terminal.shell), getattr(signal, name))
    screen = terminal.until(lambda text: "status 0" in text, 4, "exit status 0")
    assert "DEMO" not in screen
    terminal.type("echo still a shell", "Enter")
    terminal.until(lambda text: "\nstill a shell" in text, 20, "working shell")


def test_it_follows_the_terminal_through_resizes(terminal: Terminal) -> None:
    terminal.type(f"{COMMAND}; echo status $?", "Enter")
    terminal.until(lambda text: is_live(text) and "3 Exposure" in text, 20, "live desk")
    terminal.resize(80, 24)
    terminal.until(
        lambda text: "2 Positions" in text and "┌─ 3 Exposure" not in text, 5, "one pane and tabs"
    )
    terminal.resize(160, 48)
    terminal.until(lambda text: "┌─ 4 Alerts" in text and "┌─ 3 Exposure" in text, 20, "four panes")
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")


def test_16_colours_and_no_colour_work(terminal: Terminal) -> None:
    terminal.type(f"NO_COLOR=1 TERM=screen {COMMAND}; echo status $?", "Enter")
    terminal.until(is_live, 20, "live desk")
    terminal.type("?")
    terminal.until(lambda text: "Keys of Accounts" in text, 20, "help")
    terminal.type("Escape")
    terminal.until(lambda text: "Keys of Accounts" not in text, 20, "desk")
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")

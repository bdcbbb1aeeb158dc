"""Two consoles on one MongoDB: one polls, the other follows, and takes over when the first dies."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.scripts import MANAGER, world
from tests.e2e.mongod import client_of, mongod_of
from tests.e2e.tmux import Terminal, console_of

COMMAND = f"{sys.executable} -m rms_tui --interval 1"
HANDLED = f"ack {getpass.getuser()}"
TAKEN_OVER = 15.0
"""Seconds within which a follower polls after a kill -9 of the holder."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture
def second(terminal: Terminal, tmp_path: Path) -> Iterator[Terminal]:
    """Another dealer's terminal. The first is there: tmux is."""
    assert terminal.shell
    folder = tmp_path / "second"
    folder.mkdir()
    opened = Terminal(folder, 160, 48)
    opened.type(f"cd {folder}; export HOME={folder} PS1='$ '; clear", "Enter")
    yield opened
    opened.close()


def opened(terminal: Terminal, tmp_path: Path, seen: str) -> None:
    """A console on the pretended manager server, with the database that both share."""
    named = {
        **MANAGER,
        "RMS_FAKE_WORLD": tmp_path / "world.json",
        "RMS_DATA_DIR": tmp_path / "data",
    }
    words = " ".join(f"{name}={value}" for name, value in named.items())
    terminal.type(f"export {words}; {COMMAND}; echo status $?", "Enter")
    terminal.until(lambda text: seen in text and "CRITICAL" in text, 40, f"{seen} desk")


def test_the_second_console_follows_handles_alerts_and_takes_over_when_the_first_is_killed(
    terminal: Terminal, second: Terminal, tmp_path: Path
) -> None:
    world(tmp_path)
    opened(terminal, tmp_path, "● LIVE")
    opened(second, tmp_path, "● FOLLOWING")
    second.type("4", "Space")
    terminal.until(lambda text: HANDLED in text, 20, "acknowledgement of the other dealer")
    client = client_of(mongod_of(tmp_path))
    try:
        handled = list(client["rms"].alerts.find({"stage": "acknowledged"}))
        assert len(handled) == 1
        before = {one["_id"] for one in client["rms"].alerts.find()}
        os.kill(console_of(terminal.shell), signal.SIGKILL)
        began = time.monotonic()
        second.until(lambda text: "● LIVE" in text, TAKEN_OVER, "second console that polls")
        print(f"taken over after {time.monotonic() - began:.1f} s")
        screen = second.until(
            lambda text: "mongo ● ok" in text and HANDLED in text, 10, "acknowledged alert"
        )
        assert "UNKNOWN" not in screen
        alerts = list(client["rms"].alerts.find())
        assert {one["_id"] for one in alerts} == before, "no alert was raised twice"
        again = client["rms"].alerts.find_one({"_id": handled[0]["_id"]})
        assert again is not None
        assert (again["stage"], again["operator"]) == ("acknowledged", handled[0]["operator"])
        statuses = {one["status"] for one in client["rms"].elements.find()}
        assert statuses == {"ACTIVE"}
    finally:
        client.close()
    second.type("q")
    second.until(lambda text: "status 0" in text, 4, "exit status 0")


def test_a_holder_that_quits_is_followed_at_once_by_the_one_who_followed_it(
    terminal: Terminal, second: Terminal, tmp_path: Path
) -> None:
    world(tmp_path)
    opened(terminal, tmp_path, "● LIVE")
    opened(second, tmp_path, "● FOLLOWING")
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")
    second.until(lambda text: "● LIVE" in text, 20, "second console that polls")
    second.type("q")
    second.until(lambda text: "status 0" in text, 4, "exit status 0")


def test_a_console_far_away_follows_by_an_address_and_says_when_it_is_gone(
    terminal: Terminal, second: Terminal, tmp_path: Path
) -> None:
    world(tmp_path)
    port = free_port()
    terminal.type(f"export WS_PORT={port}", "Enter")
    named = {
        **MANAGER,
        "RMS_FAKE_WORLD": tmp_path / "world.json",
        "RMS_DATA_DIR": tmp_path / "data",
    }
    words = " ".join(f"{name}={value}" for name, value in named.items())
    terminal.type(f"export {words}; {COMMAND} --websocket; echo status $?", "Enter")
    terminal.until(lambda text: "● LIVE" in text and "CRITICAL" in text, 40, "live desk")
    connect = f"{sys.executable} -m rms_tui --connect ws://127.0.0.1:{port}"
    second.type(f"export RMS_DATA_DIR={tmp_path / 'far'}; {connect}; echo status $?", "Enter")
    second.until(lambda text: "● FOLLOWING" in text and "CRITICAL" in text, 20, "following desk")
    assert not (tmp_path / "far" / "mongodb").exists(), "it needs no database of its own"
    second.type("4", "Space")
    terminal.until(lambda text: HANDLED in text, 20, "acknowledgement from far away")
    second.type("h")
    second.until(lambda text: "max_loss" in text or "max loss" in text, 20, "the holder's history")
    second.type("Escape")
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")
    second.until(lambda text: "DISCONNECTED" in text, 15, "word for a lost holder")
    second.type("q")
    second.until(lambda text: "status 0" in text, 4, "exit status 0")

"""What a dealer sees when a part of the program is killed, and what is left of it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from tests.e2e.mongod import client_of, mongod_of
from tests.e2e.tmux import Terminal, console_of, is_live

COMMAND = f"{sys.executable} -m rms_tui --demo --accounts 60"


@pytest.fixture
def console(terminal: Terminal, tmp_path: Path) -> psutil.Process:
    """A running demo with a database of its own in `tmp_path / data`."""
    terminal.type(f"export RMS_DATA_DIR={tmp_path / 'data'}; {COMMAND}; echo status $?", "Enter")
    terminal.until(lambda text: is_live(text) and "mongo ● ok" in text, 30, "live desk with mongo")
    return psutil.Process(console_of(terminal.shell))


def gateway_of(console: psutil.Process) -> psutil.Process:
    return next(p for p in console.children() if "gateways" in " ".join(p.cmdline()))


def test_a_killed_gateway_is_said_decides_nothing_and_comes_back(
    terminal: Terminal, console: psutil.Process
) -> None:
    gateway = gateway_of(console)
    gateway.kill()
    screen = terminal.until(lambda text: "DISCONNECTED" in text, 6, "word for a lost source")
    assert "UNKNOWN" in screen
    terminal.until(is_live, 20, "live desk again")
    assert gateway_of(console).pid != gateway.pid
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")


@pytest.mark.usefixtures("console")
def test_a_killed_mongod_is_said_and_monitoring_goes_on(terminal: Terminal, tmp_path: Path) -> None:
    mongod = mongod_of(tmp_path)
    mongod.suspend()
    screen = terminal.until(lambda text: "mongo ■ DOWN" in text, 25, "word for a lost database")
    assert "DEMO" in screen
    mongod.kill()
    terminal.until(lambda text: "mongo ● ok" in text, 30, "database again")
    assert mongod_of(tmp_path).pid != mongod.pid
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")


def test_a_killed_console_leaves_no_orphan_once_the_next_one_ends(
    terminal: Terminal, console: psutil.Process, tmp_path: Path
) -> None:
    gateway, mongod = gateway_of(console), mongod_of(tmp_path)
    os.kill(console.pid, signal.SIGKILL)
    terminal.until(lambda text: "status 137" in text, 20, "killed console")
    psutil.wait_procs([gateway], timeout=5)
    assert not gateway.is_running()
    terminal.type(f"reset; {COMMAND}; echo status $?", "Enter")
    terminal.until(lambda text: is_live(text) and "mongo ● ok" in text, 30, "live desk again")
    assert mongod_of(tmp_path).pid == mongod.pid, "the one that was left is taken over"
    client = client_of(mongod)
    terminal.until(lambda _: client["rms"].alerts.count_documents({}) > 0, 20, "alert in MongoDB")
    terminal.until(lambda _: client["rms"].elements.count_documents({}) == 60, 20, "statuses")
    written = client["rms"].elements.count_documents({"status": {"$in": ["ACTIVE", "BREACHED"]}})
    alerts = [found["_id"] for found in client["rms"].alerts.find()]
    client.close()
    assert written == 60
    assert len(alerts) == len(set(alerts)) > 0
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 4, "exit status 0")
    psutil.wait_procs([mongod], timeout=10)
    assert not mongod.is_running() or mongod.status() == psutil.STATUS_ZOMBIE

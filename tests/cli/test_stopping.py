"""SIGTERM and SIGHUP while a program is still being started."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.api.scripts import environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")

PATIENCE = 120.0

TOLD = """
import importlib.abc, os, signal, sys

class Tells(importlib.abc.MetaPathFinder):
    # Sends the signal when a module is about to be imported, once.
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            sys.meta_path.remove(self)
            print("told", file=sys.stderr)
            os.kill(os.getpid(), getattr(signal, SIGNAL))

sys.meta_path.insert(0, Tells())
from rms_tui.__main__ import main
main()
"""


def command(module: str, signal: str, *words: str) -> list[str]:
    """`rms-tui` that gets the signal just before that module is imported."""
    return [sys.executable, "-c", f"MODULE, SIGNAL = {module!r}, {signal!r}\n{TOLD}", *words]


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        cwd=folder,
        env=environment(
            RMS_DATA_DIR=str(folder / "data"),
            RMS_MONGODB_URI="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200",
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("rms_tui.cli", ("start", "--demo")),
        ("rms_tui.cli.headless", ("start", "--demo")),
        ("rms_tui.wiring.recording", ("start", "--demo")),
        ("rms_tui.cli.headless", ("websocket", "--demo", "--port", "48765")),
        ("rms_tui.cli", ("supervise",)),
        ("rms_tui.cli.supervise", ("supervise",)),
    ],
)
def test_a_service_that_is_stopped_while_it_starts_has_stopped_and_not_failed(
    tmp_path: Path, module: str, signal: str, words: tuple[str, ...]
) -> None:
    done = ran(tmp_path, module, signal, *words)
    assert "told" in done.stderr, "the signal was never sent"
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "stopped" in done.stderr


def test_a_verb_that_does_one_thing_dies_of_the_signal_and_is_not_taken_for_done(
    tmp_path: Path,
) -> None:
    done = ran(tmp_path, "rms_tui.cli", "SIGTERM", "export", "--demo", "-o", "a.csv")
    assert (done.returncode, done.stdout) == (-15, "")
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("module", ["rms_tui.cli", "rms_tui.cli.console", "rms_tui.tui.app"])
def test_a_console_that_is_stopped_while_it_starts_ends_with_status_0(
    tmp_path: Path, module: str
) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        command(module, "SIGTERM", "--demo", "--accounts", "20"),
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path,
        env=environment(RMS_DATA_DIR=str(tmp_path / "data"), TERM="xterm-256color"),
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, ends = b"", time.monotonic() + PATIENCE
    try:
        while process.poll() is None and time.monotonic() < ends:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 65_536)
                except OSError:  # the other side is closed
                    break
        assert process.wait(max(1.0, ends - time.monotonic())) == 0
    finally:
        if process.poll() is None:
            process.kill()
        os.close(ours)
    assert b"told" in shown

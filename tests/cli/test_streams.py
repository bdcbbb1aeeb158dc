"""What is printed where it cannot be: one line and a status, never a stack trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs /dev/full and POSIX signals")
RMS = [sys.executable, "-m", "rms_tui"]
CLOSING = (
    "import os, sys; [os.close(int(d)) for d in sys.argv[1]]; os.execv(sys.argv[2], sys.argv[2:])"
)

INTERRUPTED_IMPORT = """
import os, signal, sys
from rms_tui.__main__ import main
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
main()
"""


def ran(command, folder: Path, **more) -> subprocess.CompletedProcess[str]:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("RMS_", "MT5_", "WS_"))}
    return subprocess.run(
        command, cwd=folder, env=clean, text=True, timeout=60, check=False,
        **{"capture_output": True, **more},
    )  # fmt: skip


@posix
@pytest.mark.parametrize(
    "words",
    ["--version", "--help", "profiles list", "stats --demo --accounts 2 --json"],
)
def test_a_full_disk_is_one_line_and_status_1(tmp_path: Path, words: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = ran([*RMS, *words.split()], tmp_path, capture_output=False, stdout=full,
                   stderr=subprocess.PIPE)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "rms-tui: the output cannot be written: No space left on device\n"


@posix
@pytest.mark.parametrize("closed", ["0", "1", "2", "012"])
def test_a_stream_the_caller_closed_is_nowhere_and_stays_so(tmp_path: Path, closed: str) -> None:
    words = ["stats", "--demo", "--accounts", "2", "--json"]
    done = ran([sys.executable, "-c", CLOSING, closed, *RMS, *words], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("{") != ("1" in closed)


@posix
def test_an_error_is_not_said_on_stdout_where_stderr_is_closed(tmp_path: Path) -> None:
    done = ran([sys.executable, "-c", CLOSING, "2", *RMS, "stats", "--source", "x"], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


@posix
def test_a_reader_that_left_is_no_stack_trace(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = ran([*RMS, "--help"], tmp_path, capture_output=False, stdout=writing,
               stderr=subprocess.PIPE)  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@posix
def test_ctrl_c_before_anything_runs_is_no_stack_trace(tmp_path: Path) -> None:
    done = ran([sys.executable, "-c", INTERRUPTED_IMPORT], tmp_path)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")

"""How the console leaves: at once, with its status, and with all that was said."""

from __future__ import annotations

import subprocess
import sys

HANGS = """
import atexit, threading
from rms_tui.cli.exits import leave
never = threading.Event()
atexit.register(never.wait)
threading.Thread(target=never.wait).start()
print("said", end="")
leave(7)
"""


def test_a_thread_that_hangs_is_not_waited_for():
    done = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "said", "")

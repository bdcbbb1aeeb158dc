"""One child process of `process`, and the two threads that alone touch its pipes.

The child is started by `subprocess`, not `multiprocessing`: with its own stdin and stdout from the
first instruction (so it works while Textual owns the terminal, whose `sys.stderr` has no file
number, which breaks multiprocessing's resource tracker), and without importing the caller's
`__main__` again (scripts that use the Python API need no `if __name__` guard). The spec with its
secrets travels through the pipe only: never in argv, the environment or a file.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, cast

from rms_tui.feed import FeedError
from rms_tui.gateways.pipe import Hello, Refusal, Stop, receive, send, widen

_CHILD = (
    "import pickle, sys; "
    "sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from rms_tui.gateways.child import main; "
    "main({parent})"
)


class Child:
    """One child process and the two threads that alone touch its pipes."""

    def __init__(self, hello: Hello, hear: Callable[[Child, object], None]) -> None:
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        flags |= getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD.format(parent=os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            creationflags=flags,
        )
        self.ended = threading.Event()
        self._hear = hear
        self._outbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.say(hello)
        for name, run in (("rms-gateway-in", self._take_in), ("rms-gateway-out", self._hand_out)):
            threading.Thread(target=run, name=name, daemon=True).start()

    def say(self, message: object) -> None:
        """Send a message; returns at once."""
        self._outbox.put(message)

    def end(self, patience: float) -> None:
        """Ask the process to stop, then terminate, then kill it, all within `patience` seconds."""
        self.say(Stop())
        for share, insist in ((0.5, self.process.terminate), (0.25, self.process.kill)):
            if _gone(self.process, patience * share):
                break
            insist()
        _gone(self.process, patience * 0.25)
        self.ended.set()

    def reaped(self) -> int | None:
        """Its exit code, once what it said last was heard; it is killed if still there."""
        if self.process.poll() is None:
            self.process.kill()
        self.ended.wait(1.0)
        _gone(self.process, 1.0)
        self.say(None)
        return self.process.returncode

    def _take_in(self) -> None:
        stream = cast("IO[bytes]", self.process.stdout)
        widen(stream)
        try:
            with stream:
                while True:
                    self._hear(self, receive(stream))
        except (EOFError, OSError):
            return
        except Exception as error:  # noqa: BLE001  # the boundary: bytes that are no message
            text = f"the gateway process sent what is no message: {type(error).__name__}: {error}"
            self._hear(self, Refusal(None, FeedError("crashed", text)))
        finally:
            self.ended.set()

    def _hand_out(self) -> None:
        stream = cast("IO[bytes]", self.process.stdin)
        try:
            with stream:
                stream.write(pickle.dumps(sys.path))
                while (message := self._outbox.get()) is not None:
                    send(stream, message)
        except OSError:
            return


def _gone(process: subprocess.Popen[bytes], patience: float) -> bool:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        return False
    return True

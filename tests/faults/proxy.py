"""A cable that a test can cut: a TCP proxy to a mongod on loopback."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator


class Cable:
    """Forwards connections to a port until it is cut; cut, everything hangs as on a dead line."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._whole = threading.Event()
        self._whole.set()
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Let nothing through any more, in either direction."""
        self._whole.clear()

    def mend(self) -> None:
        """Let through what waited, and everything after it."""
        self._whole.set()

    def close(self) -> None:
        self._ended.set()
        self._whole.set()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._sockets += [near, far]
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        try:
            while not self._ended.is_set():
                readable, _, _ = select.select([near, far], [], [], 0.2)
                for one in readable:
                    self._whole.wait()
                    carried = one.recv(65_536)
                    if not carried:
                        return
                    other[one].sendall(carried)
        except (OSError, ValueError):
            return
        finally:
            near.close()
            far.close()


@contextlib.contextmanager
def cable(port: int) -> Iterator[Cable]:
    """A cable to that port, whole at first."""
    made = Cable(port)
    try:
        yield made
    finally:
        made.close()

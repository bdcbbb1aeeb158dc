"""The readers of the WebSocket benchmark, in a process of their own, told what to do on stdin.

`open N PATH SECTIONS` connects and subscribes (`-`: only connects); `stall N` adds readers that ask
and never read, `unstall` ends them; `clear` forgets what came; `times` prints `[number, seconds]`
of every message that came, by the clock both processes share; `wait NUMBER` prints a line when all
have got that many messages since `clear`.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import time
from typing import Any

_HEAD = re.compile(rb'"type": ?"(?:delta","seq":(\d+)|update")')


class Reader(asyncio.Protocol):
    """Notes when each message begins to come, and nothing else: it must not be the bottleneck."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        for found in _HEAD.finditer(data):
            self._readers.arrived.append((int(found[1] or 0), now))
        self._readers.came.set()


class Readers:
    """All connections and what they got."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("ws://").split(":")
        self.place = host, int(port)
        self.arrived: list[tuple[int, float]] = []
        self.open_ones: list[asyncio.Transport] = []
        self.stalled: list[socket.socket] = []
        self.came = asyncio.Event()

    async def open(self, number: int, path: str, sections: str) -> None:
        """Connect, subscribe, and read from now on."""
        loop = asyncio.get_running_loop()
        for _ in range(number):
            made = joined(self.place, path)
            if sections != "-":
                made.sendall(text({"type": "subscribe", "sections": sections.split(",")}))
            made.setblocking(False)
            transport, _ = await loop.create_connection(lambda: Reader(self), sock=made)
            self.open_ones.append(transport)
        await asyncio.sleep(0.5)

    def stall(self, number: int) -> None:
        """Ask for more than fits on the way, and never read it."""
        for _ in range(number):
            made = joined(self.place, "/stream", small=True)
            made.sendall(text({"type": "subscribe"}))
            self.stalled.append(made)

    def unstall(self) -> None:
        for made in self.stalled:
            made.close()
        self.stalled.clear()

    async def wait(self, number: int) -> None:
        while len(self.arrived) < number * len(self.open_ones):
            self.came.clear()
            await self.came.wait()


def joined(place: tuple[str, int], path: str, *, small: bool = False) -> socket.socket:
    """A WebSocket after its handshake, by hand: a library would read ahead."""
    made = socket.socket()
    if small:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.connect(place)
    made.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {place[0]}:{place[1]}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += made.recv(1)
    return made


def text(message: object) -> bytes:
    """A masked text frame of a short message; a mask of zeros changes nothing."""
    body = json.dumps(message).encode()
    return bytes((0x81, 0x80 | len(body))) + bytes(4) + body


async def told(readers: Readers, words: list[str]) -> Any:
    match words[0]:
        case "open":
            await readers.open(int(words[1]), words[2], words[3])
        case "stall":
            readers.stall(int(words[1]))
        case "unstall":
            readers.unstall()
        case "clear":
            readers.arrived.clear()
        case "wait":
            await readers.wait(int(words[1]))
        case "times":
            return readers.arrived
    return "done"


async def main() -> None:
    readers = Readers(sys.argv[1])
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        answer = await told(readers, line.decode().split())
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

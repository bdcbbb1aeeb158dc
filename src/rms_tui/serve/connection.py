"""One client of the server: what it follows, how far it has got, how fast it may ask.

All of it belongs to the server's loop. A client is sent to by one task at a time, and only the
newest there is: nothing queues for a reader that is slow.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection

from rms_tui.serve.access import Role
from rms_tui.serve.standing import View
from rms_tui.serve.stream import Place


class TooSlow(Exception):
    """A client that read nothing for too long."""


@dataclass(slots=True)
class Bucket:
    """Requests a client may make: `rate` a second, `burst` at once. Times are the loop's."""

    rate: float
    burst: float
    left: float
    at: float

    def take(self, now: float) -> bool:
        """Whether one more is allowed now."""
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


@dataclass(slots=True, eq=False)
class Client:
    """One connection.

    `program` is what it calls itself (`door.program`): who acts through it without a name is named
    by it. `updates` says whether RMS's `update`s go to it, `updated` the number of the last one.
    `view` is what it subscribed to (`subscribed`: and was told so), `place` how far it has been
    brought; None before its first frame.
    `told` is what it said when it came back: alert edges known to it, -1 where nobody knows.
    """

    connection: ServerConnection
    role: Role
    peer: str
    program: str
    bucket: Bucket
    slow: float
    updates: bool = False
    updated: int = 0
    view: View | None = None
    subscribed: bool = False
    place: Place | None = None
    told: int | None = None
    busy: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def clear(self) -> bool:
        """Whether everything sent so far has left this process and nothing is being sent."""
        if self.busy or self.connection.state.name != "OPEN":
            return False
        return self.connection.transport.get_write_buffer_size() == 0

    async def send(self, message: bytes) -> None:
        """Send one message and wait until it has left. Raises TooSlow, ConnectionClosed."""
        await self._within(self.connection.send(message, text=True))

    async def drained(self) -> None:
        """Wait until everything sent so far has left. Raises TooSlow, ConnectionClosed."""
        if self.connection.transport.get_write_buffer_size() > 0:
            await self._within(self.connection.pong())  # returns when the buffer is empty again

    async def _within(self, sending: object) -> None:
        assert asyncio.iscoroutine(sending)
        try:
            await asyncio.wait_for(sending, self.slow)
        except TimeoutError:
            self.connection.transport.abort()
            raise TooSlow from None

"""The WebSocket server: a thread `rms-serve` with its own loop, and one that brings it Frames.

Reads the newest Frame and never makes a writer wait; commands go to the monitor in threads of
their own, so that a source that hangs stops nobody's stream. A client that reads slowly gets the
newest there is, later it is closed; it costs no other client anything and no memory.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, time
from typing import Any, TypeVar

from websockets.asyncio.server import Server as Listener
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from rms_tui import snapshot
from rms_tui.frame import Frame
from rms_tui.serve import answers
from rms_tui.serve.access import Access, checked
from rms_tui.serve.answers import Desk
from rms_tui.serve.columns import encoded
from rms_tui.serve.connection import Bucket, Client, TooSlow
from rms_tui.serve.conversation import Conversation, error
from rms_tui.serve.door import (
    QUIET,
    Door,
    Limits,
    Unserved,
    path_of,
    peer,
    program,
    subprotocol,
    tls,
    unserved,
)
from rms_tui.serve.header import StoreStatus
from rms_tui.serve.page import read_page
from rms_tui.serve.standing import View
from rms_tui.serve.stream import Place, Step, Stream
from rms_tui.serve.wire import Refused

_log = logging.getLogger("rms_tui.serve")
_library = logging.getLogger("rms_tui.serve.library")
_library.setLevel(logging.CRITICAL)  # at DEBUG it writes headers down, and tokens stand in those

POLICY_VIOLATION = 1008

SEND_BUFFER = 262_144
"""Bytes the system may hold for one client: a stalled one is noticed before megabytes are old."""

T = TypeVar("T")


class Server:
    """One server over one monitor. `start` and `stop` are for any other thread."""

    def __init__(
        self,
        desk: Desk,
        access: Access,
        *,
        host: str,
        version: str,
        store: Callable[[], StoreStatus | None] = lambda: None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        """`host` is this machine's name for other consoles. Raises Unsafe."""
        self.access = checked(access)
        self.stream = Stream(
            desk.watched.edges, host=host, version=version, clock=clock, store=store
        )
        self._desk = desk
        self._limits = limits or Limits()
        self._clock = clock
        page = read_page()
        self._door = Door(access, self._limits, page, self._health, lambda: len(self._clients))
        self._clients: set[Client] = set()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="rms-serve-ask")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._stopped: asyncio.Event | None = None
        self._update: tuple[int, bytes] = (0, b"")
        self._polls = 0
        self._threads: list[threading.Thread] = []
        self._port = access.port

    @property
    def port(self) -> int:
        """The port it listens on; another than was asked for where that was 0."""
        return self._port

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def start(self, timeout: float = 10.0) -> None:
        """Listen, and serve until `stop`. Raises Unserved when it cannot."""
        ready: Future[int] = Future()
        serving = threading.Thread(target=self._run, args=(ready,), name="rms-serve", daemon=True)
        serving.start()
        self._port = ready.result(timeout)
        frames = threading.Thread(target=self._follow, name="rms-serve-frames", daemon=True)
        frames.start()
        self._threads = [serving, frames]
        _log.info("serving on %s", self.access.url(self._port))

    def stop(self, timeout: float = 2.0) -> None:
        """Close every connection and end, within `timeout`."""
        self._stopping.set()
        self._call(self._end)
        until = monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, ready: Future[int]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except Exception as failed:  # noqa: BLE001  (the thread's last word: told or logged)
            if ready.done():
                _log.exception("the server ended by an error")
            else:
                ready.set_exception(failed)

    async def _serve(self, ready: Future[int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        try:
            server = await self._listen()
        except OSError as failed:
            raise unserved(self.access, failed) from None
        ready.set_result(next(iter(server.sockets)).getsockname()[1])
        await self._stopped.wait()
        server.close()
        await asyncio.wait([asyncio.ensure_future(server.wait_closed())], timeout=1.2)

    async def _listen(self) -> Listener:
        limits = self._limits
        return await serve(
            self._handle,
            self.access.host,
            self.access.port,
            ssl=tls(self.access),
            select_subprotocol=subprotocol,
            compression=None,
            process_request=self._door.process,
            server_header=None,
            open_timeout=5.0,
            ping_interval=limits.ping,
            ping_timeout=limits.ping,
            close_timeout=1.0,
            max_size=limits.message,
            max_queue=4,
            write_limit=(1, 0),  # TLS would never resume at a high mark of 0
            logger=_library,
        )

    def _end(self) -> None:
        if self._stopped is not None:
            self._stopped.set()

    def _call(self, function: Callable[[], None]) -> None:
        """Run something in the loop, if there is one still."""
        if self._loop is None or self._loop.is_closed():
            return
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:  # closed since it was looked at: there is nobody to tell
            return

    def _follow(self) -> None:
        """Bring each newest Frame to the stream, and the stream's number to the loop."""
        frames, seen = self._desk.watched.frames, 0
        taken = threading.Event()
        while not self._stopping.is_set():
            got = frames.newer(seen, 0.25)
            if got is None:
                continue
            seen, frame = got
            try:
                step = self.stream.advance(frame)
                taken.clear()
                self._call(lambda given=step: self._offer(given, taken))  # type: ignore[misc]
                self._make_update(frame, step)
            except Exception:  # noqa: BLE001  (one Frame that cannot be shown: logged, the next may)
                _log.exception("frame %s was not served", frame.seq)
                continue
            taken.wait(1.0)

    def _make_update(self, frame: Frame, step: Step) -> None:
        """RMS's `update`, once a poll and once for all, if anybody wants it.

        It takes a while: subscribers have their delta by now.
        """
        new_poll, self._polls = frame.health.polls != self._polls, frame.health.polls
        wanted = any(client.updates for client in tuple(self._clients))
        if frame.book is not None and new_poll and wanted:
            data = snapshot.update_list(frame)
            message = {"type": "update", "data": data, "timestamp": step.timestamp}
            self._update = step.seq, encoded(message)
            self._call(self._wake_updated)

    def _wake_updated(self) -> None:
        for client in self._clients:
            if client.updates:
                client.wake.set()

    def _offer(self, step: Step, taken: threading.Event) -> None:
        """Send a new number to all who are up to the one before; wake those who are not."""
        ready: dict[View, list[Client]] = {}
        for client in self._clients:
            view, place = client.view, client.place
            follows = place is not None and place.seq == step.seq - 1
            if view is not None and follows and client.clear and step.made.issuperset(view.parts):
                ready.setdefault(view, []).append(client)
            elif view is not None:
                client.wake.set()
        for view, clients in ready.items():
            message = step.message(view)
            for client in clients:
                client.place = Place(step.seq, step.edges)
            broadcast([client.connection for client in clients], message, text=True)
        taken.set()

    async def _handle(self, connection: ServerConnection) -> None:
        """One connection, from its first message to its last."""
        limits, loop = self._limits, asyncio.get_running_loop()
        bucket = Bucket(limits.rate, limits.burst, limits.burst, loop.time())
        role = self._door.role_of(connection)
        wire = connection.transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        named = program(connection.request)
        client = Client(connection, role, peer(connection), named, bucket, limits.slow)
        talk = Conversation(client, self._desk, self.stream, self._in_thread, limits.patience)
        self._clients.add(client)
        keeping_up = asyncio.create_task(self._keep_up(client))
        try:
            if path_of(connection.request) != QUIET:
                await client.send(await self._in_thread(self._initial_message))
                client.updates = True
            async for message in connection:
                if not bucket.take(loop.time()):
                    words = f"more than {limits.rate:g} requests a second: closed"
                    await client.send(error(Refused("rate", words)))
                    await connection.close(POLICY_VIOLATION, "too many requests")
                    return
                await talk.hear(message)
        except (TooSlow, ConnectionClosed):
            _log.debug("%s is gone", client.peer)
        finally:
            keeping_up.cancel()
            talk.leave()
            self._clients.discard(client)

    async def _keep_up(self, client: Client) -> None:
        """Bring a client to the newest there is whenever it is behind, one message at a time."""
        try:
            while True:
                await client.wake.wait()
                client.wake.clear()
                client.busy = True
                try:
                    await client.drained()
                    while (message := await self._next(client)) is not None:
                        await client.send(message)
                finally:
                    client.busy = False
        except TooSlow:
            _log.warning("%s read nothing for %g s and was closed", client.peer, client.slow)
        except ConnectionClosed:
            return

    async def _next(self, client: Client) -> bytes | None:
        """The next message of a client that is behind; None when it is not."""
        view = client.view
        if view is None:
            seq, message = self._update
            if not client.updates or seq <= client.updated:
                return None
            client.updated = seq
            return message
        if not client.subscribed:
            return None
        if client.place is not None:
            steps = self.stream.since(client.place.seq, view)
            if steps is not None:
                if not steps:
                    return None
                client.place = Place(steps[0].seq, steps[0].edges)
                return steps[0].message(view)
        told = client.told if client.place is None else client.place.edges
        found = await self._in_thread(lambda: self.stream.frame(view, told))
        if found is None or client.view is not view:
            return None
        client.place, message = found
        client.told = None
        return message

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _initial_message(self) -> bytes:
        """RMS's `initial`."""
        shape = {**answers.initial(self._desk), "timestamp": snapshot.utc(self._clock())}
        return encoded(shape)

    def _health(self) -> dict[str, Any]:
        """How the feed is, for `GET /health`."""
        standing = self.stream.standing
        frame = self._desk.watched.frames.value
        age = None if frame is None else frame.health.age(self._clock())
        head = {} if standing is None else {name: standing.header[name] for name in HEALTH}
        return {
            "state": "STARTING",
            **head,
            "age": None if age is None else round(age, 3),
            "clients": len(self._clients),
            "running": self._desk.watched.running,
        }


HEALTH = (
    "state", "source", "polled_at", "interval", "error", "accounts", "positions", "host",
    "version", "store", "states", "undecided", "lacking",
)  # fmt: skip
"""Fields of the header that `GET /health` gives."""

__all__ = ["Access", "Desk", "Limits", "Server", "Unserved"]

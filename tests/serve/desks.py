"""A monitor over hand-made Books, and the server in front of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
import websocket
from tests import feeds

from rms_tui.book import Book, kept
from rms_tui.feed import Selection
from rms_tui.monitor import Monitor
from rms_tui.serve.access import Access
from rms_tui.serve.answers import Desk
from rms_tui.serve.door import Limits
from rms_tui.serve.websocket import Server

PATIENCE = 10.0


@dataclass
class Bench:
    """The running parts. Time stands still until a test moves it."""

    feed: feeds.FakeFeed
    monitor: Monitor
    server: Server
    now: list[float]
    clients: list[Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    def poll(self, book: Book | None = None, seconds: float = 1.0) -> None:
        """One more poll, of this Book or of the newest one a second later."""
        self.now[0] += seconds
        before = self.feed.newest
        newest = before if book is None else book
        if newest is not None:
            self.feed.newest = settled(replace(newest, taken_at=self.now[0]), before)
        self.monitor.step()

    def connect(self, path: str = "/stream", **more: Any) -> Client:
        """A client of another library than the server's."""
        more.setdefault("timeout", PATIENCE)
        client = Client(websocket.create_connection(self.url + path, **more))
        self.clients.append(client)
        return client


class Closed(websocket.WebSocketException):
    """The server closed the connection, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Client:
    """A synchronous client that speaks JSON."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.socket = socket

    def send(self, **message: Any) -> None:
        self.socket.send(orjson.dumps(message).decode())

    def receive(self) -> dict[str, Any]:
        opcode, data = self.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise Closed(int.from_bytes(data[:2], "big"))
        message: dict[str, Any] = orjson.loads(data)
        return message

    def ask(self, **message: Any) -> dict[str, Any]:
        """The reply to a request, whatever comes before it."""
        self.send(**message)
        wanted = message.get("id")
        return self.until(
            lambda got: (
                got["type"] not in ("initial", "update", "frame", "delta")
                and got.get("id") == wanted
            )
        )

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message of which that is true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            got = self.receive()
            if wanted(got):
                return got
        raise AssertionError("the awaited message did not come")

    def close(self) -> None:
        self.socket.close()


def settled(book: Book, before: Book | None) -> Book:
    """The Book with unchanged columns kept, as a gateway hands it over."""
    if before is None:
        return book
    return replace(
        book,
        accounts=kept(book.accounts, before.accounts),
        positions=kept(book.positions, before.positions),
        symbols=kept(book.symbols, before.symbols),
        deals=kept(book.deals, before.deals),
    )


def poorer(book: Book, logins: list[int], by: float) -> Book:
    """The Book with some accounts' floating profit lower by so much; figures still agree."""
    hit = np.isin(book.accounts.login, logins) * by
    rows = book.accounts
    return replace(
        book,
        accounts=replace(
            rows,
            equity=rows.equity - hit,
            floating=rows.floating - hit,
            profit=rows.profit - hit,
            margin_free=rows.margin_free - hit,
        ),
    )


@contextmanager
def bench(
    book: Book | None = None, *, limits: Limits | None = None, **access: Any
) -> Iterator[Bench]:
    """A bench with one poll behind it where a Book is given."""
    now = [feeds.NOW]
    feed = feeds.FakeFeed()
    monitor = Monitor(
        feed, feeds.PLAN, interval=1.0, clock=lambda: now[0], selection=Selection(everything=True)
    )
    desk = Desk(monitor)
    server = Server(
        desk,
        Access(**{"port": 0, **access}),
        host="desk-1",
        version="0.0.0",
        limits=limits,
        clock=lambda: now[0],
    )
    made = Bench(feed, monitor, server, now)
    if book is not None:
        made.poll(book, 0.0)
    server.start()
    try:
        yield made
    finally:
        for client in made.clients:
            client.socket.shutdown()
        server.stop()

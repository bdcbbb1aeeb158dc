"""The WebSocket server: latency to 100 clients, what stalled ones cost, against JSON for each."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped, unused-ignore]  # no types
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.books import made
from benchmarks.cycle import Cycle
from benchmarks.rows import Row
from rms_tui import snapshot
from rms_tui.alert_edges import Edges
from rms_tui.book import Book, Deals, empty
from rms_tui.feed import FeedStatus
from rms_tui.frame import FeedState, Frame, Health
from rms_tui.latest import Latest
from rms_tui.serve.access import Access
from rms_tui.serve.answers import Desk
from rms_tui.serve.door import Limits
from rms_tui.serve.websocket import Server

ACCOUNTS, SHARE, CLIENTS, STALLED = 1_000, 0.05, 100, 5
HERTZ = 10.0
SECONDS = 5.0
ROUNDS = 3
DISTINCT = 40
WARM_UP = 900
"""Frames after which as many deltas are kept as ever will be: what grows then is a leak."""

SECTIONS = "accounts,alerts"


@dataclass
class Watched:
    """A monitor's place: frames are put by hand."""

    frames: Latest[Frame] = field(default_factory=Latest)
    edges: Edges = field(default_factory=Edges)
    interval: float = 1 / HERTZ
    running: bool = True

    def history(self, logins: Sequence[int] | None, timeout: float = 1.0) -> Deals:  # noqa: ARG002
        return empty(Deals)


def nudged(book: Book, seed: int) -> Book:
    """The Book a poll later: figures of `SHARE` of the accounts moved, nothing else."""
    random = np.random.default_rng(seed)
    rows = book.accounts
    hit = random.choice(len(rows), int(SHARE * len(rows)), replace=False)
    change = np.zeros(len(rows))
    change[hit] = random.normal(0, 20, len(hit)).round(2)
    equity = np.round(rows.equity + change, 2)
    moved = replace(
        rows,
        equity=equity,
        floating=np.round(rows.floating + change, 2),
        profit=np.round(rows.profit + change, 2),
        margin_free=np.round(rows.margin_free + change, 2),
        margin_level=100 * equity / rows.margin,
    )
    return replace(book, accounts=moved, taken_at=book.taken_at + 1 / HERTZ)


def frames() -> list[Frame]:
    """Frames each of which differs from its neighbours by a delta of `SHARE`."""
    cycle, book, found = Cycle(), made(ACCOUNTS), []
    health = Health(FeedState.LIVE, "benchmark", FeedStatus("live", "polling", 0.0), 1 / HERTZ)
    for seq in range(DISTINCT):
        assessed = cycle.run(book)
        found.append(
            Frame(
                seq + 1, book.taken_at, replace(health, polled_at=book.taken_at, polls=seq),
                book=book, memory=cycle.remembered, assessment=assessed, exposure=cycle.exposed,
            )
        )  # fmt: skip
        book = nudged(book, seq)
    return [*found, *found[-2:0:-1]]


class Clients:
    """The process with the readers."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.websocket_clients", f"ws://127.0.0.1:{port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def tell(self, words: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def serving() -> Iterator[tuple[Watched, Server]]:
    watched = Watched()
    desk = Desk(watched)  # type: ignore[arg-type]  # it serves frames, no commands
    limits = Limits(ping=3600.0)  # its readers answer no pings
    server = Server(desk, Access(port=0), host="benchmark", version="0", limits=limits)
    server.start()
    try:
        yield watched, server
    finally:
        server.stop()


class Feed:
    """Puts one frame after the other and remembers when each number began."""

    def __init__(self, watched: Watched, server: Server, given: list[Frame]) -> None:
        self._watched, self._server, self._given = watched, server, given
        self._next = 0
        self.began: dict[int, float] = {}

    def put(self) -> int:
        """Put the next frame; the number the stream will give it."""
        standing = self._server.stream.standing
        seq = 0 if standing is None else standing.seq + 1
        self.began[seq] = time.monotonic()
        self._watched.frames.put(self._given[self._next % len(self._given)])
        self._next += 1
        return seq

    def run(self, seconds: float, hertz: float = HERTZ) -> None:
        """At that pace for so long."""
        due = time.monotonic()
        for _ in range(int(seconds * hertz)):
            self.put()
            due += 1 / hertz
            time.sleep(max(0.0, due - time.monotonic()))


def latencies(feed: Feed, clients: Clients, seconds: float) -> list[float]:
    """Milliseconds from each frame to each of the readers."""
    clients.tell("clear")
    feed.run(seconds)
    time.sleep(0.5)
    came = clients.tell("times")
    assert len(came) >= 0.98 * CLIENTS * seconds * HERTZ, "readers were lost"
    return [1000 * (at - feed.began[seq]) for seq, at in came if seq in feed.began]


def streamed(given: list[Frame]) -> tuple[list[float], list[float], float]:
    """Latencies without and with stalled readers, and the growth in MB a minute with them."""
    calm: list[float] = []
    stalled: list[float] = []
    grown: list[float] = []
    process = psutil.Process()
    with serving() as (watched, server):
        feed = Feed(watched, server, given)
        clients = Clients(server.port)
        feed.put()
        try:
            clients.tell(f"open {CLIENTS} /stream {SECTIONS}")
            feed.run(WARM_UP / 100.0, 100.0)
            for _ in range(ROUNDS):
                calm += latencies(feed, clients, SECONDS)
                clients.tell(f"stall {STALLED}")
                feed.run(1.0)
                gc.collect()
                before = process.memory_info().rss
                stalled += latencies(feed, clients, SECONDS)
                gc.collect()
                grown.append((process.memory_info().rss - before) / SECONDS * 60 / 1e6)
                clients.tell("unstall")
                feed.run(1.0)
        finally:
            clients.close()
    return calm, stalled, float(np.median(grown))


def fastest(given: list[Frame], updates: int = 300) -> float:
    """Updates a second that all `CLIENTS` readers get, one after the other."""
    with serving() as (watched, server):
        feed = Feed(watched, server, given)
        clients = Clients(server.port)
        feed.put()
        try:
            clients.tell(f"open {CLIENTS} /stream {SECTIONS}")
            clients.tell("clear")
            began = time.perf_counter()
            for number in range(updates):
                feed.put()
                clients.tell(f"wait {number + 1}")
            return updates / (time.perf_counter() - began)
        finally:
            clients.close()


def naive(given: list[Frame], updates: int = 4) -> float:
    """The same by a server that makes the whole JSON for each client, as most do.

    Its readers count a message when it begins to come, which is in its favour.
    """
    shapes = [[one["account"] for one in snapshot.update_list(frame)] for frame in given[:updates]]
    port: list[int] = []
    ready = threading.Event()
    joined: set[ServerConnection] = set()
    stop: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        joined.add(connection)
        await connection.wait_closed()

    async def send(shape: object) -> None:
        for connection in joined:
            await connection.send(json.dumps({"type": "update", "data": shape}))

    async def main() -> None:
        server = await serve(handler, "127.0.0.1", 0, compression=None)
        port.append(next(iter(server.sockets)).getsockname()[1])
        stop.extend((asyncio.get_running_loop(), asyncio.Event()))
        ready.set()
        await stop[1].wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    ready.wait()
    clients = Clients(port[0])
    try:
        clients.tell(f"open {CLIENTS} / -")
        began = time.perf_counter()
        for number, shape in enumerate(shapes):
            asyncio.run_coroutine_threadsafe(send(shape), stop[0])
            clients.tell(f"wait {number + 1}")
        return updates / (time.perf_counter() - began)
    finally:
        clients.close()
        stop[0].call_soon_threadsafe(stop[1].set)


def measure() -> list[Row]:
    """Latency, stalled readers, and updates a second against JSON for each client."""
    given = frames()
    calm, stalled, growth = streamed(given)
    p99, p99_stalled = np.percentile(calm, 99), np.percentile(stalled, 99)
    rate, baseline = fastest(given), naive(given)
    return [
        Row(
            f"frame to {CLIENTS} clients, {HERTZ:g} Hz × 5 % of 1k, p99", float(p99), "ms",
            float(np.median(calm)), "median", "≤ 10 ms", bool(p99 <= 10),
        ),
        Row(
            f"the same with {STALLED} stalled, p99", float(p99_stalled), "ms", float(p99),
            "without them", "≤ 1.2×", bool(p99_stalled <= 1.2 * p99),
        ),
        Row(
            f"memory with {STALLED} stalled", growth, "MB/minute", None, "", "≤ 5",
            growth <= 5,
        ),
        Row(
            f"updates to {CLIENTS} clients", rate, "updates/s", baseline, "JSON for each client",
            "≥ 150×", rate >= 150 * baseline,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    for row in measure():
        print(row)

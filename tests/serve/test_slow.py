"""A slow reader gets the newest there is, a stalled one is closed, and the others never wait."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import websocket
from tests import feeds
from tests.serve.desks import PATIENCE, Bench, Client, bench
from tests.serve.held import Held

from rms_tui.book import Book
from rms_tui.serve.door import Limits

SMALL = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096),)


def restless(book: Book, number: int) -> Book:
    """The Book with every price and profit another: as much to send as there can be."""
    positions, symbols = book.positions, book.symbols
    draw = np.random.default_rng(number)
    return replace(
        book,
        positions=replace(positions, profit=draw.normal(0, 99, len(positions)).round(2)),
        symbols=replace(symbols, bid=symbols.bid * draw.normal(1, 1e-4, len(symbols))),
    )


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.01)
    return False


def subscribed(desk: Bench, **more: object) -> Client:
    client = desk.connect(**more)
    client.send(type="subscribe")
    assert client.receive()["type"] == "subscribed"
    return client


def standing(desk: Bench) -> int:
    found = desk.server.stream.standing
    assert found is not None
    return found.seq


def polled(desk: Bench, book: Book, number: int) -> None:
    """One more poll, and until the stream has it."""
    before = standing(desk)
    desk.poll(restless(book, number))
    assert eventually(lambda: standing(desk) > before)


def test_a_stalled_client_is_closed_and_the_others_get_every_number():
    book = feeds.book(400)
    with bench(book, limits=Limits(slow=0.3)) as desk:
        stalled = desk.connect(sockopt=SMALL)
        stalled.send(type="subscribe")
        good, held = subscribed(desk), Held()
        held.take(good.receive())
        assert desk.server.clients == 2
        number = 0
        while desk.server.clients == 2 and number < 400:
            number += 1
            polled(desk, book, number)
            held.take(good.receive())
        assert eventually(lambda: desk.server.clients == 1)
        assert held.frames == 1
        assert held.deltas == number
        assert held.seq == standing(desk)


def test_a_slow_client_skips_to_the_newest_and_ends_with_the_same_state():
    book = feeds.book(400)
    with bench(book, limits=Limits(slow=PATIENCE)) as desk:
        slow, held = desk.connect(sockopt=SMALL), Held()
        slow.send(type="subscribe")
        assert slow.receive()["type"] == "subscribed"
        held.take(slow.receive())
        good, other = subscribed(desk), Held()
        other.take(good.receive())
        polls = 120
        for number in range(polls):
            polled(desk, book, number)
            other.take(good.receive())
        while held.seq < standing(desk):
            held.take(slow.receive())
        assert held.state() == other.state()
        assert held.told == other.told
        assert held.complete
        assert held.frames > 1
        assert held.deltas < polls


def test_an_rms_client_that_reads_slowly_gets_the_newest_update():
    with bench(feeds.book(60), limits=Limits(slow=PATIENCE)) as desk:
        slow = desk.connect("/", sockopt=SMALL)
        assert slow.receive()["type"] == "initial"
        book = desk.feed.newest
        assert book is not None
        for number in range(60):
            polled(desk, book, number)
        newest = desk.monitor.frames.value
        assert newest is not None
        seen = 0
        taken = ""
        expected = newest.book.taken_at
        while taken != f"{expected:.3f}":
            update = slow.receive()
            seen += 1
            stamp = update["data"][0]["account"]["last_update"]
            taken = f"{np.datetime64(stamp[:-6], 'ms').astype(float) / 1000:.3f}"
        assert seen < 60


def test_stopping_the_server_ends_every_connection():
    with bench(feeds.book(5)) as desk:
        clients = [subscribed(desk) for _ in range(3)]
        for client in clients:
            client.receive()
        desk.server.stop()
        for client in clients:
            try:
                client.receive()
            except (OSError, websocket.WebSocketException):
                continue
            raise AssertionError("a connection outlived its server")

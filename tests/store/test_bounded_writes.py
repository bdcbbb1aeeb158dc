"""Writing a whole book takes seconds: what it holds meanwhile must not grow with the book."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from desk import NOW, PLAN, HandFeed, book
from pymongo import MongoClient, monitoring

from rms_tui.frame import Frame
from rms_tui.monitor import Monitor
from rms_tui.store import evidence
from rms_tui.store.database import Rms
from rms_tui.store.status import CHUNK, StatusWriter

BREACHED = -2_000.0


class Wire(monitoring.CommandListener):
    """Every write on its way to the server, and how many documents it carries."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.look: Callable[[], None] = lambda: None

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in ("insert", "update"):
            self.sizes.append(len(event.command.get("updates", event.command.get("documents"))))
            self.look()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Not asked."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Not asked."""


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def overheard(server_uri: str, database: Rms, wire: Wire) -> Iterator[Rms]:
    """The test's database, by a client whose commands are heard."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        server_uri, event_listeners=[wire], w="majority", tz_aware=True
    )
    yield client.get_database(database.name)
    client.close()


def frames_of(accounts: int, floating: float, polls: int = 1) -> tuple[Monitor, Frame]:
    feed = HandFeed(book([floating] * accounts))
    monitor = Monitor(feed, PLAN, interval=1.0, clock=lambda: NOW)
    frames = [monitor.step() for _ in range(polls)]
    return monitor, frames[-1]


def test_a_write_of_statuses_holds_neither_its_frame_nor_more_than_a_chunk(
    overheard: Rms, wire: Wire
) -> None:
    accounts = 2 * CHUNK + 500
    monitor, frame = frames_of(accounts, 1.0)
    book_column = weakref.ref(frame.book.accounts.equity)  # type: ignore[union-attr]
    waiting = [replace(frame, seq=2)]
    given = weakref.ref(waiting[0])
    held: list[bool] = []
    wire.look = lambda: held.append(given() is not None or book_column() is not None)
    del monitor, frame
    gc.collect()
    written = StatusWriter("simulator").write(overheard, waiting.pop(), NOW)
    assert written == accounts
    assert len(held) >= 6, "elements made, then their figures"
    assert not any(held)
    assert max(wire.sizes) <= CHUNK


def test_evidence_of_a_storm_is_made_a_few_documents_at_a_time(overheard: Rms, wire: Wire) -> None:
    accounts = 3 * evidence.CHUNK + 1
    monitor, _ = frames_of(accounts, BREACHED, polls=3)
    edges = [fact for fact in monitor.outbox.oldest(10_000) if fact.evidence is not None]  # type: ignore[union-attr]
    assert len(edges) == accounts
    evidence.apply(overheard, edges)  # type: ignore[arg-type]
    assert overheard.evidence.count_documents({}) == accounts
    assert max(wire.sizes) <= evidence.CHUNK <= 50

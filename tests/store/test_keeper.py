"""Which of several processes polls a book: with MongoDB's word, and without it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rms_tui.store.embedded import Remote
from rms_tui.store.errors import StoreError
from rms_tui.store.keeper import Alone, Following, Holding, Keeper, Part
from rms_tui.store.leases import Door

PATIENCE = 20.0
BOOK = "manager/prod-1"


class Gone:
    """A server that does not answer until it is back."""

    def __init__(self, uri: str) -> None:
        self.back = threading.Event()
        self._uri = uri

    def uri(self, cancelled: threading.Event) -> str:
        if not self.back.is_set():
            raise StoreError("no MongoDB answers")
        return Remote(self._uri).uri(cancelled)

    def tend(self) -> None:
        """Nothing."""

    def release(self, timeout: float = 0.5) -> None:
        """Nothing."""


class Desk:
    """A keeper and the parts it was told."""

    def __init__(self, server: Any, name: str, host: str, **more: Any) -> None:
        self.parts: list[Part] = []
        self.changed = threading.Condition()
        self.hears = True
        self.keeper = Keeper(
            server,
            name,
            BOOK,
            host,
            on_part=self._told,
            door=lambda: Door(f"ws://{host}:1"),
            followed=lambda: self.hears,
            **{"ttl": 1.5, "first": 0.5, **more},
        )
        self.keeper.start()

    def _told(self, part: Part) -> None:
        with self.changed:
            self.parts.append(part)
            self.changed.notify_all()

    def until(self, kind: type[Any]) -> Any:
        with self.changed:
            came = self.changed.wait_for(
                lambda: bool(self.parts) and isinstance(self.parts[-1], kind), PATIENCE
            )
        assert came, f"expected {kind.__name__}, was told {self.parts}"
        return self.parts[-1]

    def dies(self) -> None:
        """As by kill -9: nothing is given back."""
        self.keeper._part = None
        self.keeper.stop(5)


@pytest.fixture
def desk(server_uri, database) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def begin(host: str, server: Any = None, **more: Any) -> Desk:
        made.append(Desk(server or Remote(server_uri), database.name, host, **more))
        return made[-1]

    yield begin
    for one in made:
        one.keeper.stop(5)


def test_the_first_holds_and_the_second_follows_its_address(desk):
    first = desk("one")
    term = first.until(Holding).lease.term
    lease = desk("two").until(Following).lease
    assert (lease.host, lease.door.address, lease.term) == ("one", "ws://one:1", term)


def test_when_the_holder_ends_the_follower_takes_over_at_once_and_when_it_dies_after_the_lease(
    desk,
):
    first = desk("one", ttl=30.0)
    first.until(Holding)
    second = desk("two", ttl=1.5)
    second.until(Following)
    first.keeper.stop(5)
    assert second.until(Holding).lease.term == 2
    third = desk("three")
    third.until(Following)
    second.dies()
    assert third.until(Holding).lease.term == 3


def test_of_two_followers_one_takes_over_and_the_other_follows_it(desk):
    first = desk("one")
    first.until(Holding)
    others = [desk("two"), desk("three")]
    for other in others:
        other.until(Following)
    first.dies()
    with others[0].changed:
        pass
    holders = [other for other in others if _ends_holding(other)]
    assert len(holders) == 1
    follower = next(other for other in others if other is not holders[0])
    assert follower.until(Following).lease.host == holders[0].parts[-1].lease.host


def _ends_holding(desk: Desk) -> bool:
    with desk.changed:
        desk.changed.wait_for(lambda: len(desk.parts) > 1, PATIENCE)
        return isinstance(desk.parts[-1], Holding)


def test_without_mongodb_a_desk_polls_alone_and_takes_the_lease_when_it_is_back(desk, server_uri):
    gone = Gone(server_uri)
    lonely = desk("one", gone)
    assert "no MongoDB" in lonely.until(Alone).why
    gone.back.set()
    lonely.until(Holding)


def test_a_desk_that_polled_alone_follows_when_mongodb_says_that_another_holds(desk, server_uri):
    desk("one").until(Holding)
    gone = Gone(server_uri)
    lonely = desk("two", gone)
    lonely.until(Alone)
    gone.back.set()
    assert lonely.until(Following).lease.host == "one"


def test_a_follower_without_mongodb_polls_alone_only_when_the_holder_is_silent_too(
    desk, server_uri
):
    desk("one").until(Holding)
    gone = Gone(server_uri)
    gone.back.set()
    follower = desk("two", gone)
    follower.until(Following)
    gone.back.clear()
    follower.keeper._disconnect()
    follower.hears = False
    follower.until(Alone)

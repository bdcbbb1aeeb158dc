"""A client that drops and comes back ends with exactly what one that stayed has, alerts and all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import feeds
from tests.serve.desks import bench, poorer, settled
from tests.serve.held import Held

from rms_tui.alerts import Handling, Severity
from rms_tui.book import Book, narrowed
from rms_tui.feed import FeedError
from rms_tui.monitor import Monitor
from rms_tui.serve.standing import View, view_of
from rms_tui.serve.stream import Place, Stream
from rms_tui.serve.wire import Subscribe

ALL = view_of(Subscribe(type="subscribe"))
SOME = view_of(Subscribe(type="subscribe", sections=("alerts", "positions")))
ACCOUNTS = 14


@dataclass
class Follower:
    """A client in the terms of the stream: what it holds, and up to where it was brought."""

    stream: Stream
    view: View
    held: Held = field(default_factory=Held)
    place: Place | None = None
    here: bool = True

    def catch_up(self) -> None:
        """What the server does for a client that is behind."""
        while True:
            steps = None if self.place is None else self.stream.since(self.place.seq, self.view)
            if steps is not None:
                for step in steps:
                    self.held.take(orjson.loads(step.message(self.view)))
                    self.place = Place(step.seq, step.edges)
                return
            told = None if self.place is None else self.place.edges
            found = self.stream.frame(self.view, told)
            if found is None:
                return
            self.place, message = found
            self.held.take(orjson.loads(message))

    def come_back(self) -> None:
        """All that is left of a dropped client is the number it has in its hands."""
        self.place = self.stream.place_of(self.held.seq)
        assert self.place is not None
        self.here = True
        self.catch_up()


class World:
    """A monitor whose Books and operators a test moves."""

    def __init__(self, kept_deltas: int) -> None:
        self.now = feeds.NOW
        self.feed = feeds.FakeFeed()
        self.monitor = Monitor(self.feed, feeds.PLAN, interval=1.0, clock=lambda: self.now)
        self.stream = Stream(
            self.monitor.edges, host="desk-1", version="0", clock=lambda: self.now,
            kept_deltas=kept_deltas,
        )  # fmt: skip
        self.calm = feeds.book(ACCOUNTS)
        self.random = np.random.default_rng(5)
        self.poll(self.calm)

    def poll(self, book: Book | None = None, served: bool = True) -> None:
        self.now += 1.0
        if book is not None:
            newest = replace(book, taken_at=self.now)
            self.feed.newest = settled(newest, self.feed.newest)
        self.monitor.step()
        if served:
            self.serve()

    def serve(self) -> None:
        frame = self.monitor.frames.value
        assert frame is not None
        self.stream.advance(frame)

    def prices(self) -> None:
        positions = self.calm.positions
        profit = np.where(
            self.random.random(len(positions)) < 0.2,
            positions.profit + self.random.normal(0, 3, len(positions)).round(2),
            positions.profit,
        )
        symbols = self.calm.symbols
        drift = self.random.normal(1, 1e-4, len(symbols))
        self.poll(
            replace(
                self.calm,
                positions=replace(positions, profit=profit),
                symbols=replace(symbols, bid=symbols.bid * drift),
            )
        )

    def shock(self) -> None:
        logins = self.random.choice(self.calm.accounts.login, 3, replace=False).tolist()
        for _ in range(2):
            self.poll(poorer(self.calm, logins, 9_000.0))

    def unseen_shock(self) -> None:
        """Alerts that rise and recover between two Frames the server looks at."""
        logins = self.random.choice(self.calm.accounts.login, 2, replace=False).tolist()
        for book in (poorer(self.calm, logins, 9_000.0), self.calm):
            for _ in range(3):
                self.poll(book, served=False)
        self.serve()

    def calm_down(self) -> None:
        for _ in range(2):
            self.poll(self.calm)

    def fewer(self) -> None:
        keep = self.random.random(len(self.calm.accounts)) < 0.7
        keep[0] = True
        self.poll(narrowed(self.calm, keep))

    def trouble(self) -> None:
        self.feed.error = FeedError("connection", "no answer from [red]prod-1")
        self.poll()
        self.feed.error = None

    def handle(self) -> None:
        frame = self.monitor.frames.value
        assert frame is not None
        for number, alert in enumerate(frame.alerts[:3]):
            if number == 0:
                self.monitor.acknowledge(alert.id, "ann", "seen <b>")
            elif number == 1:
                self.monitor.snooze(alert.id, 60.0, "bob")
            else:
                by = Handling(alert.id, "acknowledged", "eve@2", self.now, Severity.BREACH)
                self.monitor.heard([by])
        self.serve()

    def wait(self) -> None:
        self.now += 400.0
        self.poll(self.calm)


DOINGS: dict[str, Callable[[World], None]] = {
    "prices": World.prices,
    "shock": World.shock,
    "unseen shock": World.unseen_shock,
    "calm": World.calm_down,
    "fewer accounts": World.fewer,
    "trouble": World.trouble,
    "handle": World.handle,
    "wait": World.wait,
}


@settings(max_examples=60, deadline=None)
@given(
    doings=st.lists(
        st.tuples(st.sampled_from([*DOINGS]), st.sampled_from(["stay", "drop", "back"])),
        min_size=3,
        max_size=25,
    ),
    view=st.sampled_from([ALL, SOME]),
    kept_deltas=st.sampled_from([1, 4, 600]),
)
def test_random_drops_and_resumes_end_with_the_state_of_one_that_stayed(doings, view, kept_deltas):
    world = World(kept_deltas)
    world.stream.watch(view)
    world.serve()
    stayed, dropping = Follower(world.stream, view), Follower(world.stream, view)
    stayed.catch_up()
    dropping.catch_up()
    for doing, then in doings:
        if then == "drop":
            dropping.here, dropping.place = False, None
        elif then == "back" and not dropping.here:
            dropping.come_back()
        DOINGS[doing](world)
        stayed.catch_up()
        if dropping.here:
            dropping.catch_up()
    if not dropping.here:
        dropping.come_back()
    assert dropping.held.complete
    assert dropping.held.state() == stayed.held.state()
    assert dropping.held.told == stayed.held.told
    newcomer = Follower(world.stream, view)
    newcomer.catch_up()
    assert newcomer.held.state() == stayed.held.state()


def test_an_alert_that_came_and_went_between_two_frames_is_told():
    world = World(600)
    world.stream.watch(ALL)
    world.serve()
    client = Follower(world.stream, ALL)
    client.catch_up()
    world.unseen_shock()
    client.catch_up()
    changes = {change for _, change, _ in client.held.told}
    assert {"raised", "recovered"} <= changes
    raised = [alert for alert, change, _ in client.held.told if change == "raised"]
    assert set(raised) <= set(client.held.recovered) | set(client.held.open)


def test_an_unchanged_poll_is_only_a_header():
    world = World(600)
    world.stream.watch(ALL)
    world.poll(world.calm)
    world.poll(world.calm)
    step = world.stream.advance(world.monitor.frames.value)
    assert set(step.changed) <= {"header"}
    delta = orjson.loads(step.message(ALL))
    assert set(delta) <= {"type", "seq", "timestamp", "header"}


def test_a_price_is_only_its_cells():
    world = World(600)
    world.stream.watch(ALL)
    for _ in range(3):
        world.poll(world.calm)
    rows = world.calm.accounts
    equity = rows.equity.copy()
    equity[3] += 0.5
    floating = rows.floating.copy()
    floating[3] += 0.5
    world.poll(replace(world.calm, accounts=replace(rows, equity=equity, floating=floating)))
    delta = orjson.loads(world.stream.since(world.stream.standing.seq - 1, ALL)[0].message(ALL))
    changed = delta["accounts"]["changed"]
    assert changed["login"] == [int(rows.login[3])]
    assert changed["equity"] == [round(float(equity[3]), 2)]
    assert "name" not in changed
    assert "added" not in delta["accounts"]
    assert "positions" not in delta


def test_a_number_of_an_earlier_process_or_of_the_future_gets_a_frame():
    world = World(600)
    world.serve()
    newest = world.stream.standing.seq
    assert world.stream.place_of(1) is None
    assert world.stream.place_of(newest + 1) is None
    assert world.stream.since(newest + 1, ALL) is None
    _, message = world.stream.frame(ALL, -1)
    assert orjson.loads(message)["complete"] is False


def test_parts_nobody_asked_for_are_not_made():
    world = World(600)
    world.stream.watch(SOME)
    for _ in range(3):
        world.prices()
    step = world.stream.advance(world.monitor.frames.value)
    assert step.made == {"header", "positions", "alerts"}


def test_over_the_wire_a_dropped_client_comes_back_with_its_number():
    with bench(feeds.book(ACCOUNTS)) as desk:
        stayed, dropping = Held(), Held()
        first, second = desk.connect(), desk.connect()
        for client, held in ((first, stayed), (second, dropping)):
            client.send(type="subscribe")
            assert client.receive()["resumed"] is False
            held.take(client.receive())
        second.close()
        book = desk.feed.newest
        for number in range(6):
            desk.poll(poorer(book, [70_101], 5_000.0 + number))
            stayed.take(first.receive())
        again = desk.connect()
        again.send(type="subscribe", from_seq=dropping.seq, stream=dropping.stream)
        assert again.receive()["resumed"] is True
        while dropping.seq < stayed.seq:
            dropping.take(again.receive())
        assert dropping.frames == 1
        assert dropping.state() == stayed.state()
        assert dropping.told == stayed.told != []


def test_over_the_wire_another_stream_gets_a_frame_that_says_events_may_be_missing():
    with bench(feeds.book(ACCOUNTS)) as desk:
        client = desk.connect()
        client.send(type="subscribe", from_seq=5, stream="another")
        assert client.receive()["resumed"] is False
        frame = client.receive()
        assert (frame["type"], frame["complete"]) == ("frame", False)


def test_a_subscriber_gets_no_updates_until_it_unsubscribes():
    with bench(feeds.book(ACCOUNTS)) as desk:
        client = desk.connect("/")
        assert client.receive()["type"] == "initial"
        client.send(type="subscribe", sections=["accounts"])
        assert [client.receive()["type"] for _ in range(2)] == ["subscribed", "frame"]
        desk.poll()
        assert client.receive()["type"] == "delta"
        assert client.ask(type="unsubscribe")["type"] == "success"
        desk.poll()
        assert client.receive()["type"] == "update"


def test_before_the_first_book_a_subscriber_waits_and_is_then_given_a_frame():
    with bench() as desk:
        client = desk.connect()
        client.send(type="subscribe")
        assert client.receive()["seq"] == 0
        desk.poll()
        frame = client.receive()
        assert (frame["type"], frame["header"]["state"]) == ("frame", "STARTING")
        assert frame["accounts"]["login"] == []
        desk.poll(feeds.book(3))
        delta = client.receive()
        assert len(delta["accounts"]["added"]["login"]) == 3


@pytest.mark.parametrize("name", ["[red]Bob[/red]", "<img src=x onerror=alert(1)>", "\ud800x", ""])
def test_hostile_names_arrive_as_text(name):
    book = feeds.book(2)
    named = replace(book, accounts=replace(book.accounts, name=(name, name), group=(name, name)))
    with bench(named) as desk:
        client = desk.connect()
        client.send(type="subscribe", sections=["accounts"])
        client.receive()
        shown = client.receive()["accounts"]["name"][0]
        assert shown == name.encode("utf-8", "replace").decode()

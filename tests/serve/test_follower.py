"""A console that follows another process: the same verdicts, its commands done there, and no more
than the truth when that process is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from tests import feeds
from tests.serve.desks import PATIENCE, Bench, bench, poorer

from rms_tui.alerts import Stage
from rms_tui.feed import FeedError
from rms_tui.frame import FeedState, Frame
from rms_tui.monitor import Monitor
from rms_tui.risk.profile import Plan
from rms_tui.serve import follower as followers
from rms_tui.serve.follower import Clock, Follower


class Console:
    """A monitor of its own that follows; it has nothing of the holder but its address."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.clock = Clock()
        self.monitor = Monitor(feeds.FakeFeed(), Plan(profiles=()), clock=self.clock.now)
        self.follower = Follower(
            self.monitor, address, self.clock, operator="dealer@desk-2", token=token
        )
        self.follower.start()

    def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The first frame of which that is true."""
        seen = 0
        waited = threading.Event()
        for _ in range(int(PATIENCE * 20)):
            got = self.monitor.frames.newer(seen, 0.05)
            if got is not None:
                seen, frame = got
                if wanted(frame):
                    return frame
            waited.wait(0)
        raise AssertionError(f"it never came; the last was {self.monitor.frames.value!r:.600}")


@pytest.fixture
def holder() -> Iterator[Bench]:
    with bench(feeds.book(40)) as made:
        yield made


@pytest.fixture
def follow() -> Iterator[Callable[..., Console]]:
    made: list[Console] = []

    def begin(address: str, token: str | None = None) -> Console:
        made.append(Console(address, token))
        return made[-1]

    yield begin
    for console in made:
        console.follower.stop()


def same(theirs: Frame, mine: Frame) -> None:
    """What a dealer reads of one is what a dealer reads of the other."""
    assert theirs.assessment is not None
    assert mine.assessment is not None
    for column in ("state", "used", "day_profit"):
        np.testing.assert_array_equal(
            getattr(theirs.assessment, column), getattr(mine.assessment, column)
        )
    assert mine.alerts == theirs.alerts
    assert set(map(repr, mine.pending)) == set(map(repr, theirs.pending))
    assert mine.exposure is not None
    assert theirs.exposure is not None
    assert mine.exposure.net_notional == pytest.approx(theirs.exposure.net_notional, nan_ok=True)
    assert mine.book.taken_at == theirs.book.taken_at


def newest(holder: Bench) -> Frame:
    frame = holder.monitor.frames.value
    assert frame is not None
    return frame


def caught_up(holder: Bench, console: Console) -> Frame:
    theirs = newest(holder)
    return console.until(
        lambda mine: (
            mine.book is not None
            and mine.book.taken_at == theirs.book.taken_at
            and mine.alerts == theirs.alerts
            and mine.health.state is FeedState.FOLLOWING
        )
    )


def test_a_follower_comes_to_the_holder_s_verdicts_poll_after_poll(holder, follow):
    console = follow(holder.url)
    mine = caught_up(holder, console)
    same(newest(holder), mine)
    assert mine.health.source == "desk-1: MT5 Manager prod-1:443"
    book = holder.feed.newest
    for by in (500.0, 1500.0, 200.0, 9000.0):
        holder.poll(poorer(book, book.accounts.login[::3].tolist(), by))
        same(newest(holder), caught_up(holder, console))


def test_a_follower_makes_no_alerts_of_its_own_between_two_polls_of_the_holder(
    holder, follow, monkeypatch
):
    """At an interval of seconds most looks of a follower are at figures it has judged already."""
    monkeypatch.setattr(followers, "SILENT_S", 0.02)
    console = follow(holder.url)
    holder.poll()
    alert = caught_up(holder, console).alerts[0]
    assert console.monitor.acknowledge(alert.id, "ann@desk-2", None)
    console.until(lambda _: ("acknowledged", alert.id) in told(console.monitor))
    theirs, mine = newest(holder), caught_up(holder, console)
    looks, edges = mine.health.polls, told(console.monitor)
    mine = console.until(lambda frame: frame.health.polls >= looks + 10)
    same(theirs, mine)
    assert mine.desk.alerts[alert.episode].stage is Stage.ACKNOWLEDGED
    assert told(console.monitor) == edges


def test_what_did_not_change_at_the_holder_is_not_judged_again_at_the_follower(holder, follow):
    console = follow(holder.url)
    before = caught_up(holder, console)
    holder.poll()
    after = caught_up(holder, console)
    assert after.book.taken_at > before.book.taken_at
    assert after.book.accounts is before.book.accounts
    assert after.book.positions is before.book.positions


def test_an_acknowledgement_at_the_follower_is_the_holder_s_with_name_and_note(holder, follow):
    console = follow(holder.url)
    holder.poll()
    alert = caught_up(holder, console).alerts[0]
    assert console.monitor.acknowledge(alert.id, "ann@desk-2", "called")
    done = console.until(lambda _: newest(holder).desk.alerts[alert.episode].operator is not None)
    assert done is not None
    theirs = newest(holder).desk.alerts[alert.episode]
    assert (theirs.stage, theirs.operator, theirs.note) == (
        Stage.ACKNOWLEDGED, "ann@desk-2", "called",
    )  # fmt: skip
    same(newest(holder), caught_up(holder, console))


def told(monitor: Monitor) -> list[tuple[str, str]]:
    """Every edge of alerts there, as a client of it hears it."""
    found, complete = monitor.edges.between(0, monitor.edges.count)
    assert complete
    return [(edge.change, edge.alert.id) for edge in found]


def test_every_edge_at_the_holder_is_one_at_the_follower_and_what_is_done_there_is_one_too(
    holder, follow
):
    holder.poll(feeds.book(12))
    console = follow(holder.url)
    caught_up(holder, console)
    holder.poll(feeds.book(12, shock=5000.0))
    holder.poll()
    caught_up(holder, console)
    alert = next(iter(newest(holder).alerts))
    console.monitor.acknowledge(alert.id, "ann", "called")
    answered = console.until(lambda frame: alert.id in {a.id for a in frame.alerts if a.operator})
    assert answered.alerts
    console.until(lambda _: ("acknowledged", alert.id) in told(holder.monitor))
    holder.poll()
    caught_up(holder, console)
    holder.poll(feeds.book(12))
    for _ in range(3):
        holder.poll()
    caught_up(holder, console)
    assert {"raised", "acknowledged", "recovered"} <= {change for change, _ in told(holder.monitor)}
    news = [one for one in told(console.monitor) if one[0] != "restated"]
    assert sorted(news) == sorted(told(holder.monitor))
    assert len(set(news)) == len(news)


def test_a_removal_an_addition_a_snooze_and_an_interval_go_to_the_holder(holder, follow, caplog):
    caplog.set_level("INFO", "rms_tui.serve")
    console = follow(holder.url)
    holder.poll()
    alert = caught_up(holder, console).alerts[0]
    assert console.monitor.remove([70_105], "ann") == [(70_105, "removed")]
    assert console.monitor.snooze(alert.id, 1800, "ann")
    console.monitor.set_interval(7.0)
    holder.poll()
    console.until(lambda _: 70_105 in holder.monitor.selection.without)
    console.until(lambda _: newest(holder).desk.alerts[alert.episode].stage is Stage.SNOOZED)
    console.until(lambda _: holder.monitor.interval == 7.0)
    console.until(lambda _: "set_interval by 'dealer@desk-2'" in caplog.text)
    assert console.monitor.add([70_105, 99], "ann") == [
        (70_105, "already watched"), (99, "not on the server"),
    ] or console.until(lambda _: 70_105 not in holder.monitor.selection.without)  # fmt: skip


def test_closed_deals_are_the_holder_s(holder, follow):
    console = follow(holder.url)
    caught_up(holder, console)
    deals = console.monitor.history([70_101])
    assert deals.ticket.tolist() == feeds.deals(70_101).ticket.tolist()
    assert deals.symbol == feeds.deals(70_101).symbol


def test_a_source_that_is_down_at_the_holder_is_down_here_in_the_same_words(holder, follow):
    console = follow(holder.url)
    caught_up(holder, console)
    holder.feed.error = FeedError("connection", "no route to prod-1")
    holder.feed.status = type(holder.feed.status)("down", "connecting", holder.now[0], "no route")
    holder.poll(seconds=30.0)
    frame = console.until(lambda mine: mine.health.state is FeedState.DISCONNECTED)
    assert "no route" in frame.health.error
    assert frame.assessment.state.tolist() == newest(holder).assessment.state.tolist()


def test_a_holder_that_is_gone_leaves_old_figures_that_decide_nothing(follow):
    with bench(feeds.book(10)) as holder:
        console = follow(holder.url)
        caught_up(holder, console)
    frame = console.until(lambda mine: mine.health.state is FeedState.DISCONNECTED)
    assert frame.book is not None
    assert "127.0.0.1" in frame.health.error
    assert not console.follower.connected


def test_a_follower_comes_back_by_itself_to_a_restarted_holder(follow):
    with bench(feeds.book(10)) as first:
        port = first.server.port
        console = follow(first.url)
        caught_up(first, console)
    console.until(lambda mine: mine.health.state is FeedState.DISCONNECTED)
    with bench(feeds.book(12), port=port) as second:
        second.poll()
        same(newest(second), caught_up(second, console))


def test_a_wrong_token_is_said_and_the_token_is_not(follow, caplog):
    right, wrong = "operator-token-0123456789", "wrong-token-0123456789ab"
    with bench(feeds.book(5), operator_token=right, reader_token="reader-token-0123456789") as made:
        refused = follow(made.url, wrong)
        frame = refused.until(lambda mine: mine.health.state is FeedState.DISCONNECTED)
        assert "wants another token" in frame.health.error
        caught_up(made, follow(made.url, right))
    assert wrong not in caplog.text
    assert right not in caplog.text


def test_a_reader_is_known_as_one_and_what_it_asks_for_is_refused_and_said(follow):
    reader = "reader-token-0123456789"
    with bench(
        feeds.book(12), operator_token="operator-token-0123456789", reader_token=reader
    ) as made:
        made.poll(poorer(made.feed.newest, [70_100], 9_000.0))
        made.poll()
        console = follow(made.url, reader)
        alert = caught_up(made, console).alerts[0]
        assert console.follower.reads_only
        assert console.monitor.acknowledge(alert.id, "ann@desk-2")
        got = console.follower.refusals.newer(0, PATIENCE)
        assert got is not None
        assert "may only read" in got[1]
        made.poll()
        after = caught_up(made, console)
        assert [one.operator for one in after.alerts if one.id == alert.id] == [None]
        assert after.health.limits_error is None


@pytest.mark.parametrize(
    "address", ["http://x", "ws://", "desk-1:8765", "ws://u:p@h/", "ws://h?t=1"]
)
def test_an_address_that_cannot_be_is_refused_for_good(address, follow):
    console = follow(address)
    frame = console.until(lambda mine: mine.health.state is FeedState.DISCONNECTED)
    assert "expected ws://HOST:PORT" in frame.health.error
    assert console.follower.final is not None

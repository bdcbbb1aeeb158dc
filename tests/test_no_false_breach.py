"""No false breach: figures that cannot be trusted raise nothing; Health and the screen say why."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.feeds import FakeFeed
from tests.risk.desk import book, plan, utc

from rms_tui.feed import FeedError, FeedStatus
from rms_tui.frame import FeedState
from rms_tui.monitor import Monitor
from rms_tui.risk.verdict import Reason, State
from rms_tui.tui.heading import undecided_pieces

NOON = utc("2026-03-02 12:00")
RULES = (
    {"rule": "max_loss", "amount": -200},
    {"rule": "daily_loss", "base": "initial", "amount": 200},
    {"rule": "total_loss", "percent": 4},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 200},
)
GOOD = {"balance": 5000.0, "equity": 5000.0}
HELD = ({"sl": 1.0},)


class Watch:
    """A monitor over one account that was good for two polls."""

    def __init__(self):
        self.now = NOON
        self.feed = FakeFeed()
        self.monitor = Monitor(
            self.feed,
            plan(*RULES, initial_balance=5000),
            interval=5.0,
            clock=lambda: self.now,
        )
        for _ in range(2):
            self.see(book([GOOD], at=self.now + 5))

    def see(self, seen):
        self.now += 5.0
        self.feed.newest = seen
        return self.monitor.step()

    def raised(self):
        """Every alert that was raised about the account, and not about the feed itself."""
        found, whole = self.monitor.edges.between(0, self.monitor.edges.count)
        assert whole
        return [edge.alert.rule for edge in found if edge.alert.rule != "feed"]


@pytest.mark.parametrize(
    ("row", "positions", "reason"),
    [
        ({**GOOD, "equity": math.nan, "floating": -300.0}, (), Reason.NOT_A_NUMBER),
        ({**GOOD, "balance": math.nan, "floating": -300.0}, (), Reason.NOT_A_NUMBER),
        ({**GOOD, "equity": 4700.0, "floating": math.nan}, (), Reason.NOT_A_NUMBER),
        ({**GOOD, "equity": -math.inf, "floating": -math.inf}, (), Reason.NOT_A_NUMBER),
        ({**GOOD, "equity": 0.0, "floating": 0.0}, (), Reason.IDENTITY),
        ({**GOOD, "equity": 0.0}, HELD, Reason.ZERO_EQUITY),
        ({"balance": 0.0, "equity": 0.0}, HELD, Reason.ZERO_EQUITY),
        ({"balance": 0.0, "equity": 0.0}, (), Reason.EMPTIED),
        ({**GOOD, "equity": 4700.0, "floating": 0.0}, (), Reason.IDENTITY),
    ],
)
def test_figures_that_cannot_be_trusted_raise_nothing_however_long_they_last(
    row, positions, reason
):
    watch = Watch()
    for _ in range(5):
        frame = watch.see(book([row], at=watch.now + 5, positions=positions))
        assert frame.health.undecided == {reason: 1}
        assert {State(int(v.state[0])) for v in frame.assessment.verdicts} == {State.UNKNOWN}
        count, why = undecided_pieces(frame.health)
        assert (count.text, why.text) == ("1 row undecided:", f"1 {reason.words}")
    assert watch.raised() == []
    for _ in range(2):
        frame = watch.see(book([GOOD], at=watch.now + 5))
    assert frame.health.undecided == {}
    assert {State(int(v.state[0])) for v in frame.assessment.verdicts} == {State.OK}
    assert watch.raised() == []


@pytest.mark.parametrize("positions", [(), HELD])
def test_a_phantom_of_one_poll_raises_nothing_and_is_pending_meanwhile(positions):
    watch = Watch()
    low = {**GOOD, "equity": 4750.0}
    frame = watch.see(book([low], at=watch.now + 5, positions=positions))
    assert {one.polls for one in frame.desk.pending} == {1}
    frame = watch.see(book([GOOD], at=watch.now + 5, positions=positions))
    assert frame.desk.pending == ()
    assert watch.raised() == []


def test_phantoms_with_bad_rows_between_them_are_no_confirmation_for_each_other():
    watch = Watch()
    bad = {**GOOD, "equity": math.nan, "floating": -300.0}
    for row in ({**GOOD, "equity": 4750.0}, bad, bad, GOOD, {**GOOD, "equity": 4750.0}, bad, GOOD):
        watch.see(book([row], at=watch.now + 5))
    assert watch.raised() == []


def test_an_account_whose_withdrawal_is_among_the_deals_was_really_emptied():
    watch = Watch()
    took_all = [{"time": int(watch.now + 3), "profit": -5000.0}]
    for _ in range(2):
        frame = watch.see(book([{"balance": 0, "equity": 0}], at=watch.now + 5, deals=took_all))
    assert frame.health.undecided == {}
    assert "total_loss" in watch.raised()


def test_an_emptied_account_whose_deals_are_not_known_is_taken_as_it_stands():
    watch = Watch()
    gone = book([{"balance": 0, "equity": 0}], at=watch.now + 5, deals_known=False)
    assert watch.see(gone).health.undecided == {}


def test_an_account_without_money_that_comes_to_an_empty_book_is_taken_as_it_stands():
    watch = Watch()
    watch.see(book([], at=watch.now + 5))
    frame = watch.see(book([{"balance": 0, "equity": 0}], at=watch.now + 5))
    assert frame.health.undecided == {}
    assert frame.book.accounts.equity.tolist() == [0.0]


def test_a_book_that_grows_old_raises_nothing():
    watch = Watch()
    low = book([{**GOOD, "equity": 4700.0}], at=watch.now - 30)
    for _ in range(5):
        frame = watch.see(low)
        assert frame.health.undecided == {Reason.STALE: 1}
        assert frame.health.state is FeedState.STALE
    assert watch.raised() == []


def test_a_terminal_without_its_server_raises_nothing():
    watch = Watch()
    for _ in range(5):
        low = book([{**GOOD, "equity": 4700.0}], at=watch.now + 5, connected=False)
        frame = watch.see(low)
        assert frame.health.undecided == {Reason.DISCONNECTED: 1}
        assert frame.health.state is FeedState.DISCONNECTED
    assert watch.raised() == []


def test_another_account_behind_the_terminal_raises_nothing_and_health_names_both():
    watch = Watch()
    text = "The terminal is logged in to 8@Other, expected 1001@Test-Server"
    watch.feed.error = FeedError("wrong-account", text)
    watch.feed.status = FeedStatus("down", "waiting", NOON, text, "wrong-account")
    for _ in range(5):
        watch.now += 5
        frame = watch.monitor.step()
        assert frame.health.undecided == {Reason.STALE: 1}
        assert frame.health.error == text
        assert frame.health.feed.cause == "wrong-account"
    assert watch.raised() == []


def test_what_is_undecided_for_long_is_an_alert_of_the_feed_and_of_nobody_else():
    watch = Watch()
    bad = {**GOOD, "equity": math.nan, "floating": -300.0}
    for _ in range(20):
        frame = watch.see(replace(book([bad], at=watch.now + 5)))
    assert [alert.rule for alert in frame.alerts] == ["feed"]
    assert frame.alerts[0].reason is Reason.NOT_A_NUMBER
    assert watch.raised() == []

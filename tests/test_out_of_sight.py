"""Accounts that a source loses sight of, or that are removed and added again: nothing is forgotten,
and no alert ends or begins by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.feeds import FakeFeed
from tests.risk.desk import book, plan, utc

from rms_tui.book import narrowed
from rms_tui.feed import Selection
from rms_tui.monitor import Monitor
from rms_tui.risk.days import SERVER_DAY, Origin
from rms_tui.risk.memory_rows import memory_from_rows, memory_rows
from rms_tui.risk.verdict import State

MIDNIGHT = utc("2026-03-02 00:00")
RULES = (
    {"rule": "daily_loss", "base": "equity", "amount": 1000},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 2000},
    {"rule": "max_profit", "amount": 1500, "period": "total"},
)
CALM = {"balance": 5000, "equity": 5000}


class Watch:
    """A monitor over two accounts at seconds after midnight that the test chooses."""

    def __init__(self, selection=None):
        self.now = MIDNIGHT
        self.feed = FakeFeed(on_server=frozenset({1001, 1002}))
        self.monitor = Monitor(
            self.feed,
            plan(*RULES, initial_balance=5000),
            interval=1.0,
            clock=lambda: self.now,
            selection=selection or Selection(),
        )
        self.told = 0

    def see(self, after, equity=None, other=5000, **more):
        """A poll with both accounts, or without the first one; the edges it made."""
        self.now = MIDNIGHT + after
        rows = [{"login": 1002, "balance": 5000, "equity": other}]
        if equity is not None:
            rows.insert(0, {"login": 1001, "balance": 5000, "equity": equity, **more})
        self.feed.newest = book(rows, at=self.now)
        self.monitor.step()
        return self.edges()

    def edges(self):
        edges = self.monitor.edges
        found, _ = edges.between(self.told, edges.count)
        self.told = edges.count
        return [(edge.change, edge.alert.login, edge.alert.rule) for edge in found]

    def breached(self):
        """Both days begun, a peak of 6500 for the first account, and then its fall to 3900."""
        self.see(-1, 5000)
        self.see(1, 6500)
        for after in (2, 3, 4):
            self.see(after, 3900)
        assert len(self.monitor.frames.value.alerts) == 2
        return self

    @property
    def frame(self):
        return self.monitor.frames.value

    @property
    def ids(self):
        return {alert.id for alert in self.frame.alerts}

    def remembered(self):
        """Base, origin, peak and whether that is sure, and both states, of the first account."""
        day = self.frame.memory.days[SERVER_DAY]
        (peak,) = self.frame.memory.peaks.values()
        states = [State(int(verdict.state[0])) for verdict in self.frame.assessment.verdicts[:2]]
        return float(day.equity[0]), int(day.origin[0]), float(peak.value[0]), peak.sure[0], states


def test_a_poll_without_an_account_ends_no_alert_and_raises_none_again():
    watch = Watch().breached()
    before, known = watch.ids, watch.remembered()
    assert watch.see(5) == []
    assert watch.ids == before
    for after in (6, 7, 8):
        assert watch.see(after, 3900) == []
    assert watch.ids == before
    assert watch.remembered() == known
    assert known[-1] == [State.BREACHED, State.BREACHED]


def test_a_poll_without_anybody_forgets_nothing():
    watch = Watch().breached()
    before, known = watch.ids, watch.remembered()
    watch.now += 1
    watch.feed.newest = narrowed(book([CALM], at=watch.now), np.zeros(1, dtype=np.bool_))
    watch.monitor.step()
    assert len(watch.frame.book.accounts) == 0
    assert watch.ids == before
    assert watch.see(6, 3900) == []
    assert watch.remembered() == known


def test_a_missing_account_that_is_back_recovered_recovers_by_the_usual_confirmation():
    watch = Watch().breached()
    watch.see(5)
    assert watch.see(6, 6400) == []
    assert {edge[0] for edge in watch.see(7, 6400)} == {"recovered"}


def test_an_alert_of_an_account_that_stays_away_is_closed_after_a_minute():
    watch = Watch().breached()
    for after in (5, 30, 64):
        assert watch.see(after) == []
    assert [edge[:2] for edge in watch.see(66)] == [("closed", 1001)] * 2
    watch.see(67, 3900)
    assert [edge[:2] for edge in watch.see(68, 3900)] == [("raised", 1001)] * 2


def test_an_alert_can_be_acknowledged_while_its_account_is_out_of_sight():
    watch = Watch().breached()
    watch.see(5)
    alert = watch.frame.alerts[0]
    assert watch.monitor.acknowledge(alert.id, "eva", "seen")
    watch.edges()
    assert watch.see(6, 3900) == []
    assert {a.id: a.operator for a in watch.frame.alerts}[alert.id] == "eva"


@pytest.mark.parametrize("everything", [True, False])
def test_an_account_removed_and_added_again_is_a_new_alert_with_the_old_memory(everything):
    chosen = Selection(everything, frozenset() if everything else frozenset({1001, 1002}))
    watch = Watch(chosen).breached()
    before, known = watch.ids, watch.remembered()
    assert watch.monitor.remove([1001], "eva") == [(1001, "removed")]
    assert [edge[:2] for edge in watch.see(5)] == [("closed", 1001)] * 2
    watch.see(6)
    assert watch.monitor.add([1001], "eva") == [(1001, "added")]
    watch.see(7, 3900)
    assert watch.remembered() == known
    assert [edge[:2] for edge in watch.see(8, 3900)] == [("raised", 1001)] * 2
    assert not watch.ids & before


def test_an_account_that_traded_while_nobody_watched_has_a_peak_nobody_vouches_for():
    watch = Watch().breached()
    for after in range(5, 12):
        watch.see(after)
    watch.see(12, 4000, balance=5100)
    base, origin, peak, sure, _ = watch.remembered()
    assert (base, origin, peak, sure) == (5000, Origin.OBSERVED, 6500, False)


def test_an_account_that_is_back_after_midnight_has_no_base_of_the_day_before():
    watch = Watch().breached()
    watch.see(5)
    day = 86_400
    watch.see(day + 5, 3900)
    base, origin, *_ = watch.remembered()
    assert np.isnan(base)
    assert origin == Origin.DEALS


def test_what_is_read_back_of_one_account_changes_nothing_of_the_others():
    watch = Watch()
    deals = [{"login": 1001, "profit": 2000.0, "time": MIDNIGHT + 2, "ticket": 7}]
    watch.now = MIDNIGHT + 1
    watch.feed.newest = book([CALM], at=watch.now)
    watch.monitor.step()
    watch.now = MIDNIGHT + 3
    rich = {"balance": 7000, "equity": 7000}
    watch.feed.newest = book([rich], at=watch.now, deals=deals)
    watch.monitor.step()
    stored = memory_from_rows(memory_rows(watch.frame.memory, np.array([0])))
    watch.monitor.recall(replace(stored, login=np.array([1002])))
    for after in (4, 5):
        watch.now = MIDNIGHT + after
        watch.feed.newest = book([rich, CALM], at=watch.now, deals=deals)
        watch.monitor.step()
    assert watch.frame.memory.total.flow.tolist() == [2000.0, 2000.0]
    profit = watch.frame.assessment.verdicts[2]
    assert (State(int(profit.state[0])), float(profit.value[0])) == (State.OK, 0.0)

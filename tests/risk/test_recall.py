"""What was read back, joined with what was learnt since start: as if nobody had stopped."""

from __future__ import annotations

import numpy as np
import pytest
from tests.feeds import FakeFeed
from tests.risk.desk import book, plan, utc

from rms_tui.monitor import Monitor
from rms_tui.risk.days import SERVER_DAY, Origin
from rms_tui.risk.memory import Span
from rms_tui.risk.memory_rows import memory_from_rows, memory_rows

MIDNIGHT = utc("2026-03-02 00:00")
PLAN = plan(
    {"rule": "daily_loss", "base": "equity", "amount": 1000},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 2000},
    initial_balance=5000,
)


class Desk:
    """A monitor over one account, at seconds after midnight."""

    def __init__(self):
        self.now = MIDNIGHT
        self.feed = FakeFeed()
        self.monitor = Monitor(self.feed, PLAN, interval=1.0, clock=lambda: self.now)

    def see(self, after, equity, balance=5000, deals=(), **more):
        self.now = MIDNIGHT + after
        row = {"balance": balance, "equity": equity, **more}
        self.feed.newest = book([row], at=self.now, deals=deals)
        return self.monitor.step()

    def restarted(self):
        """Another process with what this one remembers."""
        other = Desk()
        memory = self.monitor.frames.value.memory
        other.monitor.recall(memory_from_rows(memory_rows(memory, np.array([0]))))
        return other

    @property
    def base(self):
        day = self.monitor.frames.value.memory.days[SERVER_DAY]
        return float(day.balance[0]), float(day.equity[0]), Origin(int(day.origin[0]))

    @property
    def peak(self):
        (peak,) = self.monitor.frames.value.memory.peaks.values()
        return float(peak.value[0]), bool(peak.sure[0])


@pytest.mark.parametrize("first", [4950, 4890])
def test_a_base_that_was_observed_stays_what_it_was_though_the_server_says_another(first):
    desk = Desk()
    record = {"prev_balance": 5000, "prev_equity": 4800}
    desk.see(-1, 4900, **record)
    desk.see(1, first, **record)
    desk.see(600, 4950, **record)
    assert desk.base == (5000, 4900, Origin.OBSERVED)
    again = desk.restarted()
    again.see(601, 4950, **record)
    assert again.base == (5000, 4900, Origin.OBSERVED)


@pytest.mark.parametrize("until", [300, 7200])
def test_a_record_written_while_nobody_looked_is_that_of_the_midnight(until):
    desk = Desk()
    desk.see(-1, 4900, prev_balance=5000, prev_equity=4800)
    desk.see(1, 4950, prev_balance=5000, prev_equity=4800)
    again = desk.restarted()
    again.see(until, 4950, prev_balance=5000, prev_equity=4890)
    assert again.base == (5000, 4890, Origin.SERVER)


def test_an_account_that_stands_at_its_initial_balance_again_has_the_peak_it_had():
    desk = Desk()
    desk.see(3600, 5000)
    desk.see(3601, 6500)
    desk.see(3602, 5000)
    again = desk.restarted()
    again.see(3603, 5000)
    assert again.peak == (6500, True)


def test_an_account_back_at_its_initial_balance_after_a_gap_has_neither_peak_nor_base_of_it():
    desk = Desk()
    desk.see(-3600, 5000)
    desk.see(-3599, 5200)
    again = desk.restarted()
    again.see(3600, 5000)
    assert again.peak == (5200, False)
    assert again.base[2] is Origin.DEALS
    assert np.isnan(again.base[1])


def test_a_deposit_that_is_in_the_base_already_moves_no_floor_after_a_restart():
    paid = [{"ticket": 5, "time": int(MIDNIGHT), "profit": 1000.0}]
    desk = Desk()
    desk.see(-1, 5000)
    desk.see(0, 6000, balance=6000, deals=paid)
    again = desk.restarted()
    before = float(desk.monitor.frames.value.assessment.verdicts[0].limit[0])
    after = again.see(1, 6000, balance=6000, deals=paid).assessment.verdicts[0]
    assert float(after.limit[0]) == before == 5000


def test_what_the_server_says_in_time_is_better_than_what_only_the_deals_say():
    desk = Desk()
    desk.see(1, 4950)
    assert desk.base[2] is Origin.DEALS
    again = desk.restarted()
    again.see(600, 4950, prev_balance=5000, prev_equity=4800)
    assert again.base == (5000, 4800, Origin.SERVER)


def test_a_peak_that_nobody_vouches_for_any_more_is_still_the_least_it_was():
    desk = Desk()
    desk.see(-1, 5000)
    desk.see(1, 6000)
    again = desk.restarted()
    again.see(100, 5300, balance=5300)
    assert again.peak == (6000, False)
    third = again.restarted()
    third.see(101, 5300, balance=5300)
    assert third.peak == (6000, False)


def test_what_a_month_has_seen_outlives_a_restart_and_goes_on():
    desk = Desk()
    desk.see(-1, 5000)
    desk.see(1, 5600)
    desk.see(2, 4900)
    again = desk.restarted()
    again.see(3, 5000)
    again.see(4, 4800)
    month = again.monitor.frames.value.memory.periods[Span.MONTH]
    assert (float(month.peak[0]), float(month.drawdown[0])) == (5600, 800)

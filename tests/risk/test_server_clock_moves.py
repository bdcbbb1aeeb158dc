"""The server's clock is put forward or back for the summer: the same day, month and year go on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.risk.desk import Chain, book, plan, reasons, states, utc

from rms_tui.risk.days import SERVER_DAY, Origin
from rms_tui.risk.memory import Span
from rms_tui.risk.memory_rows import memory_from_rows, memory_rows
from rms_tui.risk.verdict import Reason, State

RULES = (
    {"rule": "daily_loss", "base": "equity", "amount": 1000},
    {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 2000},
)
SPRING = ("2026-03-28", 7200.0, "2026-03-29", 10_800.0, "21:00")
AUTUMN = ("2026-10-24", 10_800.0, "2026-10-25", 7200.0, "22:00")


class Clocked:
    """An account at UTC+2 in winter and UTC+3 in summer, seen when a test says."""

    def __init__(self):
        self.chain = Chain(plan(*RULES, initial_balance=5000))

    def see(self, when, offset, equity):
        return self.chain.see(
            book([{"balance": 5000, "equity": equity}], at=utc(when), offset=offset)
        )

    def weekend(self, saturday, before, sunday, after):
        """A fall by 500 on Saturday, the rollover into Sunday, and the clock moved by its noon."""
        self.see(f"{saturday} 12:00", before, 5000)
        self.see(f"{saturday} 12:00:01", before, 4500)
        midnight = 24 - before / 3600
        self.see(f"{saturday} {midnight - 1:02.0f}:59:59.5", before, 4600)
        self.see(f"{saturday} {midnight:02.0f}:00:00", before, 4600)
        self.see(f"{sunday} 12:00", after, 4610)
        return self

    @property
    def day(self):
        return self.chain.memory.days[SERVER_DAY]

    def base(self):
        return float(self.day.equity[0]), Origin(int(self.day.origin[0]))

    def drawdowns(self):
        return {span: float(one.drawdown[0]) for span, one in self.chain.memory.periods.items()}


@pytest.mark.parametrize(("saturday", "before", "sunday", "after", "midnight"), [SPRING, AUTUMN])
def test_the_day_keeps_its_base_and_ends_at_the_servers_new_midnight(
    saturday, before, sunday, after, midnight
):
    seen = Clocked().weekend(saturday, before, sunday, after)
    assert seen.base() == (4600, Origin.OBSERVED)
    assert seen.day.until == utc(f"{sunday} {midnight}")
    last = f"{sunday} {int(midnight[:2]) - 1}:59:59.5"
    seen.see(last, after, 4700)
    assert seen.base() == (4600, Origin.OBSERVED)
    seen.see(f"{sunday} {midnight}:00.5", after, 4700)
    assert seen.day.at == utc(f"{sunday} {midnight}")
    assert seen.base() == (4700, Origin.OBSERVED)


@pytest.mark.parametrize(("saturday", "before", "sunday", "after", "midnight"), [SPRING, AUTUMN])
def test_month_quarter_and_year_go_on(saturday, before, sunday, after, midnight):
    seen = Clocked().weekend(saturday, before, sunday, after)
    seen.see(f"{sunday} {midnight}:00.5", after, 4700)
    found = seen.drawdowns()
    assert {found[span] for span in (Span.MONTH, Span.QUARTER, Span.YEAR, Span.LIFETIME)} == {500}
    assert found[Span.DAY] == found[Span.WEEK] == 0


def test_a_new_year_begins_a_year_and_a_new_month_no_year():
    seen = Clocked()
    for when, equity in (("2026-11-30 21:59", 5000), ("2026-11-30 21:59:30", 4500)):
        seen.see(when, 7200, equity)
    seen.see("2026-11-30 22:00:01", 7200, 4500)
    found = seen.drawdowns()
    assert (found[Span.MONTH], found[Span.QUARTER], found[Span.YEAR]) == (0, 500, 500)
    seen.see("2026-12-31 22:00:01", 7200, 4500)
    found = seen.drawdowns()
    assert (found[Span.MONTH], found[Span.QUARTER], found[Span.YEAR]) == (0, 0, 0)
    assert found[Span.LIFETIME] == 500


def test_documents_written_before_and_after_the_clock_moved_are_of_one_month():
    def seen(login, *, moved):
        made = Clocked()
        rows = [{"login": login, "balance": 5000, "equity": 5000}]
        for at, equity in (("2026-10-24 12:00", 5000), ("2026-10-24 12:00:01", 4500)):
            made.chain.see(book([{**rows[0], "equity": equity}], at=utc(at), offset=10_800))
        if moved:
            made.chain.see(
                book([{**rows[0], "equity": 4500}], at=utc("2026-10-25 12:00"), offset=7200)
            )
        return memory_rows(made.chain.memory, np.array([0]))

    both = memory_from_rows([*seen(1001, moved=False), *seen(1002, moved=True)])
    assert both.periods[Span.YEAR].drawdown.tolist() == [500, 500]
    assert both.periods[Span.MONTH].drawdown.tolist() == [500, 500]


def test_a_clock_set_back_over_midnight_has_no_base_until_it_is_midnight_again():
    seen = Clocked()
    seen.see("2026-03-10 23:59:59", 0, 4600)
    seen.see("2026-03-11 00:00:00.5", 0, 4600)
    assert seen.base() == (4600, Origin.OBSERVED)
    seen.see("2026-03-10 23:59:58", 0, 4610)
    assert math.isnan(seen.base()[0])
    seen.see("2026-03-11 00:00:00.5", 0, 4620)
    assert seen.base() == (4610, Origin.OBSERVED)


def test_a_clock_learnt_after_its_midnight_leaves_the_equity_of_it_unknown_and_breaches_nothing():
    """On a Monday's first tick: at the midnight that had passed, nobody knew that it was one."""
    seen = Clocked()
    seen.see("2026-03-28 22:00", 7200, 5000)
    seen.see("2026-03-29 21:04:59.5", 7200, 6500)
    learnt = seen.see("2026-03-29 21:05", 10_800, 5400)
    assert seen.day.at == utc("2026-03-29 21:00")
    assert (float(seen.day.balance[0]), seen.base()[1]) == (5000, Origin.DEALS)
    assert math.isnan(seen.base()[0])
    assert (states(learnt.verdicts[0]), reasons(learnt.verdicts[0])) == (
        [State.UNKNOWN], [Reason.BASE_UNKNOWN],
    )  # fmt: skip


def test_a_host_clock_days_ahead_and_back_leaves_no_base_and_breaches_nothing():
    """Nobody can tell it from days without a look, and what was known of the day is let go of."""
    seen = Clocked()
    seen.see("2026-03-10 00:00", 0, 6500)
    assert seen.base() == (6500, Origin.OBSERVED)
    for when in ("2026-03-14 12:00", "2026-03-10 12:00:02"):
        there = seen.see(when, 0, 5400)
        assert math.isnan(seen.base()[0])
        assert reasons(there.verdicts[0]) == [Reason.BASE_UNKNOWN]
    seen.see("2026-03-10 23:59:59.5", 0, 5400)
    seen.see("2026-03-11 00:00", 0, 5400)
    assert seen.base() == (5400, Origin.OBSERVED)

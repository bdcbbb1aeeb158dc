"""What operators enter by hand: never instead of a better origin, and said truthfully."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.risk.desk import Chain, book, plan, states, utc

from rms_tui.risk.days import SERVER_DAY, Origin
from rms_tui.risk.entries import BaseEntry, PeakEntry, outcomes, with_entries
from rms_tui.risk.memory_rows import memory_from_rows, memory_rows
from rms_tui.risk.profile import Trail
from rms_tui.risk.verdict import State

START = utc("2026-03-02 10:00")
MIDNIGHT = utc("2026-03-02 00:00")
EQUITY = Trail("equity", "ignore")
TRAILING = {"rule": "trailing_drawdown", "peak": "equity", "amount": 500}


def peak(value: float, at: float, trail: Trail = EQUITY) -> PeakEntry:
    return PeakEntry(1001, trail, value, "eva@desk", at)


def watching(**more: object) -> Chain:
    """A desk that begins in the middle of an account's cycle: its peak is unknown."""
    chain = Chain(plan({**TRAILING, **more}, initial_balance=10_000), interval=60)
    chain.see(book([{"balance": 10_500, "equity": 10_400}], at=START))
    return chain


def enter(chain: Chain, *entries: BaseEntry | PeakEntry) -> list[str]:
    assert chain.memory is not None
    said = [one.words for entry in entries for one in outcomes(chain.memory, entry)]
    chain.memory = with_entries(chain.memory, entries)
    return said


def test_an_entered_peak_is_used_where_nobody_knows_better():
    chain = watching()
    assert enter(chain, peak(10_800, START + 1)) == ["equity peak: used"]
    verdict = chain.see(book([{"balance": 10_500, "equity": 10_450}], at=START + 2)).verdicts[0]
    assert (float(verdict.limit[0]), states(verdict)) == (10_300, [State.OK])


def test_a_peak_watched_all_the_way_is_never_replaced():
    chain = Chain(plan(TRAILING, initial_balance=10_000), interval=60)
    chain.see(book([{"balance": 10_000}], at=START))
    chain.see(book([{"balance": 10_000, "equity": 10_200}], at=START + 1))
    assert enter(chain, peak(10_900, START + 2)) == [
        "equity peak: not used, it was watched all the way: 10 200.00"
    ]
    assert float(chain.memory.peaks[EQUITY].value[0]) == 10_200


def test_an_entry_of_before_a_gap_in_watching_says_nothing_of_what_was_missed():
    chain = watching()
    entry = peak(10_800, START + 1)
    away = START + 3600
    chain.see(book([{"balance": 10_500, "equity": 10_100}], at=away))
    assert enter(chain, entry) == [
        "equity peak: not used, the account was not watched all the time since"
    ]
    assert enter(chain, peak(10_900, away + 1)) == ["equity peak: used"]


def test_an_entry_below_what_was_seen_since_is_said_and_what_was_seen_counts():
    chain = watching()
    enter(chain, peak(10_400, START + 1))
    chain.see(book([{"balance": 10_500, "equity": 10_450}], at=START + 7200))
    chain.see(book([{"balance": 10_500, "equity": 10_450}], at=START + 7201))
    assert enter(chain, peak(10_100, START + 7202)) == [
        "equity peak: used, but 10 450.00 was seen since: that counts"
    ]
    assert (float(chain.memory.peaks[EQUITY].value[0]), chain.memory.peaks[EQUITY].sure[0]) == (
        10_450,
        True,
    )


def test_an_entry_from_before_an_unwatched_gap_is_not_used_again():
    chain = watching()
    entry = peak(10_800, START + 1)
    enter(chain, entry)
    chain.see(book([{"balance": 10_500, "equity": 10_450}], at=START + 7200))
    assert not chain.memory.peaks[EQUITY].sure[0]
    assert enter(chain, entry) == [
        "equity peak: not used, the account was not watched all the time since"
    ]
    assert not chain.memory.peaks[EQUITY].sure[0]
    assert enter(chain, peak(10_900, START + 7201)) == ["equity peak: used"]


def test_an_account_that_stood_still_while_nobody_watched_takes_what_was_entered_meanwhile():
    chain = watching()
    stored = memory_rows(chain.memory, np.arange(1))
    chain.memory = memory_from_rows(stored)
    chain.book = chain.assessed = None
    chain.see(book([{"balance": 10_500, "equity": 10_400}], at=START + 7200))
    assert enter(chain, peak(10_800, START + 3600)) == ["equity peak: used"]


def test_missed_withdrawals_make_a_peak_unsure_until_somebody_enters_it():
    trail = Trail("equity", "lower_peak")
    chain = watching(withdrawals="lower_peak")
    enter(chain, peak(10_800, START + 1, trail))
    chain.see(book([{"balance": 10_500, "equity": 10_400}], at=START + 7 * 86_400))
    assert not chain.memory.peaks[trail].sure[0], "deals of a week were read for two days only"
    enter(chain, peak(10_700, START + 7 * 86_400 + 1, trail))
    again = book([{"balance": 10_500, "equity": 10_400}], at=START + 7 * 86_400 + 2)
    chain.see(again)
    assert (chain.memory.peaks[trail].sure[0], chain.memory.peaks[trail].value[0]) == (True, 10_700)


def test_an_end_of_day_peak_wants_the_base_of_its_day_first():
    rule = {**TRAILING, "peak": "eod_balance"}
    chain = Chain(plan(rule, initial_balance=10_000), interval=60)
    chain.see(book([{"balance": 10_500}], at=START, deals_known=False))
    trail = next(iter(chain.memory.peaks))
    assert enter(chain, peak(10_800, START + 1, trail)) == [
        "end-of-day balance peak: not used, the base of its day is unknown: enter that first"
    ]
    both = [
        peak(10_800, START + 1, trail),
        BaseEntry(1001, MIDNIGHT, 10_600, 10_600, "eva@desk", START + 1),
    ]
    chain.memory = with_entries(chain.memory, both)
    assert (chain.memory.peaks[trail].value[0], chain.memory.peaks[trail].sure[0]) == (10_800, True)


def test_a_base_is_said_for_each_day_and_deals_keep_their_balance():
    daily = {"rule": "daily_loss", "base": "equity", "amount": 500}
    chain = Chain(plan(daily, {**daily, "zone": "Europe/Prague"}), interval=1)
    row = {"balance": 5_000, "prev_balance": 5_100, "prev_equity": 5_050}
    won = [{"time": int(START - 60), "type": 1, "entry": 1, "profit": -100.0}]
    chain.see(book([row], at=START, deals=won))
    prague = utc("2026-03-02T00:00+01:00")
    entries = [BaseEntry(1001, at, 4_800, 4_700, "eva", START) for at in (MIDNIGHT, prague)]
    said = enter(chain, *entries)
    server = "not used, the server says balance 5 100.00, equity 5 050.00"
    deals = "used, for the equity; the deals say balance 5 100.00"
    assert said == [f"day from 00:00 server: {server}", f"day from 00:00 Europe/Prague: {deals}"]
    other = next(day for key, day in chain.memory.days.items() if key != SERVER_DAY)
    assert (float(other.balance[0]), float(other.equity[0])) == (5_100, 4_700)
    assert Origin(int(other.origin[0])) is Origin.MANUAL


def test_nothing_is_said_of_an_account_or_a_day_that_is_not_here():
    chain = watching()
    assert outcomes(chain.memory, PeakEntry(7, EQUITY, 1.0, "eva", START)) == []
    assert outcomes(chain.memory, BaseEntry(1001, START, 1.0, 1.0, "eva", START)) == []


@given(
    st.lists(st.floats(9_000, 12_000), min_size=1, max_size=6),
    st.floats(9_000, 12_000),
    st.integers(0, 5),
)
def test_using_an_entry_again_and_again_is_using_it_once(
    seen: list[float], value: float, place: int
) -> None:
    once, often = watching(), watching()
    entry = peak(value, START + place + 0.5)
    for second, equity in enumerate(seen, 1):
        row = book([{"balance": 10_500, "equity": equity}], at=START + second)
        once.see(row)
        often.see(row)
        if second == min(place + 1, len(seen)):
            enter(once, entry)
        if second >= min(place + 1, len(seen)):
            enter(often, entry)
    one, other = once.memory.peaks[EQUITY], often.memory.peaks[EQUITY]
    assert float(one.value[0]) == float(other.value[0])
    assert bool(one.sure[0])
    assert not math.isnan(float(one.value[0]))


@pytest.mark.parametrize("source", ["equity", "balance", "max_balance_equity"])
def test_memory_written_and_read_back_keeps_since_when_it_was_watched(source: str) -> None:
    chain = watching(peak=source)
    again = memory_from_rows(memory_rows(chain.memory, np.arange(1)))
    trail = Trail(source, "ignore")
    assert again.peaks[trail].since[0] == chain.memory.peaks[trail].since[0] == START

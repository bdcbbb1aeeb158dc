"""What is written of a memory and read back goes on as if there had been no restart."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.risk.desk import Chain, book, plan, reasons, states, utc

from rms_tui.book import Deals
from rms_tui.risk.entries import PeakEntry, with_entries
from rms_tui.risk.memory import Memory, Span
from rms_tui.risk.memory_rows import memory_from_rows, memory_rows
from rms_tui.risk.profile import Trail
from rms_tui.risk.verdict import Reason, State

START = utc("2026-03-01 20:00")
DAY = 86_400.0

RULES = [
    {"rule": "daily_loss", "base": "max_balance_equity", "percent": 5, "of": "base"},
    {"rule": "daily_loss", "base": "balance", "amount": 400, "zone": "Europe/Prague"},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 500},
    {"rule": "trailing_drawdown", "peak": "balance", "percent": 6, "lock": 10_000},
    {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 600},
    {"rule": "trailing_drawdown", "peak": "max_balance_equity", "amount": 500,
     "withdrawals": "lower_peak"},
    {"rule": "profit_target", "percent": 5},
    {"rule": "total_loss", "percent": 10},
]  # fmt: skip


def restarted(memory: Memory) -> Memory:
    return memory_from_rows(memory_rows(memory, np.arange(len(memory.login))))


def same(a: object, b: object) -> bool:
    """Equal in every column, NaN equal to NaN; what is only counted again is left out."""
    if is_dataclass(a) and not isinstance(a, Deals):
        return type(a) is type(b) and all(
            same(getattr(a, field.name), getattr(b, field.name))
            for field in fields(a)
            if field.name not in ("counted", "since", "quiet", "looked")
        )
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "keys"):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


steps = st.lists(
    st.tuples(
        st.sampled_from([30.0, 300.0, 4000.0, 20_000.0, DAY]),
        st.floats(-700, 700).map(lambda x: round(x, 2)),
        st.floats(-300, 300).map(lambda x: round(x, 2)),
        st.sampled_from([0.0, 0.0, 0.0, 500.0, -400.0]),
        st.booleans(),
    ),
    min_size=2,
    max_size=14,
)


def timeline(steps):
    """Books of two accounts: seconds on, floating, result of trades, flow, and a bad row."""
    at, balance, deals, books = START, 10_000.0, [], [book([{"balance": 10_000}] * 2, at=START)]
    for number, (seconds, floating, result, flow, bad) in enumerate(steps):
        at += seconds
        balance = round(balance + result + flow, 2)
        for kind, money in ((2, flow), (1, result)):
            if money:
                deals.append(
                    {"ticket": 10 * number + kind, "time": int(at), "type": kind, "entry": kind % 2,
                     "profit": money}
                )  # fmt: skip
        row = {"balance": balance, "equity": round(balance + floating, 2), "trades_today": number}
        other = {"balance": 10_000, "equity": math.nan if bad else 9_900}
        books.append(book([row, other], at=at, deals=deals))
    return books


@settings(max_examples=60, deadline=None)
@given(steps=steps, cut=st.integers(1, 12))
def test_a_restart_at_any_book_changes_nothing(steps, cut):
    books = timeline(steps)
    cut = min(cut, len(books) - 1)
    whole = Chain(plan(*RULES, initial_balance=10_000), interval=60)
    for seen in books:
        whole.see(seen)
    first = Chain(plan(*RULES, initial_balance=10_000), interval=60)
    for seen in books[:cut]:
        first.see(seen)
    second = Chain(first.plan, interval=60, memory=restarted(first.memory))
    for seen in books[cut:]:
        second.see(seen)
    assert same(whole.memory, second.memory)
    for one, other in zip(whole.assessed.verdicts, second.assessed.verdicts, strict=True):
        assert same(one, other)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_rows_out_and_in_are_the_same_memory(steps):
    chain = Chain(plan(*RULES, initial_balance=10_000), interval=60)
    for seen in timeline(steps):
        chain.see(seen)
    assert same(chain.memory, restarted(chain.memory))


@settings(max_examples=60, deadline=None)
@given(steps=steps)
def test_a_trailing_floor_never_falls_without_a_withdrawal(steps):
    without = [(s, f, r, 0.0, b) for s, f, r, _, b in steps]
    chain = Chain(plan(*RULES, initial_balance=10_000), interval=60)
    floors = {}
    for seen in timeline(without):
        for at, verdict in enumerate(chain.see(seen).verdicts):
            if verdict.rule.rule == "trailing_drawdown":
                floor = float(verdict.limit[0])
                assert not floor < floors.get(at, -math.inf)
                floors[at] = floor


@settings(max_examples=60, deadline=None)
@given(steps=steps, factor=st.sampled_from([0.01, 100.0]))
def test_scaling_all_money_changes_no_state(steps, factor):
    def run(scale):
        rules = [
            {**rule, **{k: rule[k] * scale for k in ("amount", "lock") if k in rule}}
            for rule in RULES
        ]
        chain = Chain(plan(*rules, initial_balance=10_000 * scale), interval=60)
        found = []
        for seen in timeline(steps):
            found.append([int(v.state[0]) for v in chain.see(scaled(seen, scale)).verdicts])
        return found

    assert run(1.0) == run(factor)


def scaled(seen, scale):
    from dataclasses import replace

    accounts, deals = seen.accounts, seen.deals
    money = {
        name: getattr(accounts, name) * scale
        for name in ("balance", "equity", "credit", "floating", "profit", "margin", "margin_free")
    }
    smallest_unit = {0.01: 2, 1.0: 0, 100.0: -2}
    digits = accounts.digits + np.int8(smallest_unit[scale])
    return replace(
        seen,
        accounts=replace(accounts, digits=digits, **money),
        deals=replace(deals, profit=deals.profit * scale),
    )


@settings(max_examples=60, deadline=None)
@example(
    steps=[(30.0, 0.0, 0.0, 0.0, False), *[(DAY, 0.0, 0.0, 0.0, True)] * 3],
    column="balance",
    poison=math.nan,
    at=4,
)
@given(
    steps=steps,
    column=st.sampled_from(["balance", "equity", "credit", "floating"]),
    poison=st.sampled_from([math.nan, math.inf, -math.inf]),
    at=st.integers(0, 13),
)
def test_a_missing_figure_never_breaches_and_leaves_no_trace(steps, column, poison, at):
    chain = Chain(plan(*RULES, initial_balance=10_000), interval=60)
    for number, seen in enumerate(timeline(steps)):
        if number == at:
            before = chain.memory
            row = {"balance": 10_000.0, "equity": 1.0, "floating": -9_999.0, column: poison}
            bad = book([row, row], at=seen.taken_at)
            assessed = chain.see(bad)
            assert all((v.state <= State.UNKNOWN).all() for v in assessed.verdicts)
            if before is not None:
                for trail, peak in before.peaks.items():
                    assert same(peak.value, chain.memory.peaks[trail].value)
            return
        chain.see(seen)


@settings(max_examples=60, deadline=None)
@given(polls=st.lists(st.tuples(st.floats(-900, 900), st.sampled_from([0.0, 250.0, -250.0])),
                      min_size=2, max_size=12))  # fmt: skip
def test_a_flow_changes_no_verdict_of_rules_that_know_of_it(polls):
    """The same result with and without money in and out: the same distance, in amounts."""
    rules = [
        {"rule": "daily_loss", "base": "equity", "amount": 1000, "zone": "UTC"},
        {"rule": "trailing_drawdown", "peak": "equity", "amount": 1000,
         "withdrawals": "lower_peak"},
        {"rule": "trailing_drawdown", "peak": "balance", "amount": 1000,
         "withdrawals": "lower_peak"},
        {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 1000,
         "withdrawals": "lower_peak", "zone": "UTC"},
        {"rule": "profit_target", "amount": 500},
        {"rule": "max_profit", "amount": 500},
    ]  # fmt: skip

    def run(with_flows):
        chain, paid, deals, found = Chain(plan(*rules, initial_balance=5000)), 0.0, [], []
        chain.interval = 7200
        chain.see(book([{"balance": 5000}], at=START))
        for number, (floating, flow) in enumerate(polls, 1):
            at = START + 3600 * number
            if flow and with_flows:
                paid += flow
                deals.append({"ticket": number, "time": int(at), "profit": flow})
            row = {"balance": 5000 + paid, "equity": round(5000 + paid + floating, 2)}
            verdicts = chain.see(book([row], at=at, deals=deals)).verdicts
            found.append([(int(v.state[0]), round(float(v.distance[0]), 2)) for v in verdicts])
        return found

    assert run(True) == run(False)


def test_an_account_at_its_initial_balance_starts_its_peaks_and_bases_there():
    chain = Chain(plan(*RULES, initial_balance=10_000), interval=1)
    assessed = chain.see(book([{"balance": 10_000}], at=START))
    assert {State(int(verdict.state[0])) for verdict in assessed.verdicts[:6]} == {State.OK}


def test_a_peak_is_unknown_when_watching_starts_mid_cycle():
    chain = Chain(plan(*RULES, initial_balance=10_000), interval=1)
    assessed = chain.see(book([{"balance": 10_500, "equity": 10_400}], at=START))
    assert {State(int(verdict.state[0])) for verdict in assessed.verdicts[2:6]} == {State.UNKNOWN}


def test_a_peak_that_may_have_been_missed_can_breach_but_not_acquit():
    rule = {"rule": "trailing_drawdown", "peak": "equity", "amount": 500}
    chain = Chain(plan(rule, initial_balance=10_000), interval=1)
    chain.see(book([{"balance": 10_000}], at=START))
    chain.see(book([{"balance": 10_000, "equity": 10_200}], at=START + 1))
    later = chain.see(book([{"balance": 10_000, "equity": 9_900}], at=START + 600))
    assert State(int(later.verdicts[0].state[0])) is State.UNKNOWN
    lower = chain.see(book([{"balance": 10_000, "equity": 9_600}], at=START + 601))
    assert State(int(lower.verdicts[0].state[0])) is State.BREACHED


def test_an_account_that_stood_still_over_a_gap_keeps_its_peak():
    rule = {"rule": "trailing_drawdown", "peak": "equity", "amount": 500}
    chain = Chain(plan(rule, initial_balance=10_000), interval=1)
    chain.see(book([{"balance": 10_000}], at=START))
    later = chain.see(book([{"balance": 10_000}], at=START + 2 * DAY))
    assert State(int(later.verdicts[0].state[0])) is State.OK


def test_a_peak_whose_withdrawals_were_missed_can_neither_breach_nor_acquit():
    rule = {**RULES[2], "withdrawals": "lower_peak", "amount": 2000}
    chain = Chain(plan(rule, initial_balance=5000))
    for after, equity in ((0, 5000), (1, 6500)):
        chain.see(book([{"balance": 5000, "equity": equity}], at=START + after))
    back = START + 4 * 86_400
    lowered = chain.see(book([{"balance": 4400, "equity": 4400}], at=back))
    assert states(lowered.verdicts[0]) == [State.UNKNOWN]
    assert reasons(lowered.verdicts[0]) == [Reason.PEAK_UNKNOWN]


def test_a_missed_rollover_makes_an_end_of_day_peak_unknown():
    rule = {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 500, "zone": "UTC"}
    chain = Chain(plan(rule, initial_balance=10_000), interval=1)
    chain.see(book([{"balance": 10_000}], at=START, deals_known=False))
    later = book([{"balance": 10_300}], at=START + 3 * DAY, deals_known=False)
    assert State(int(chain.see(later).verdicts[0].state[0])) is State.UNKNOWN


def test_an_operator_may_enter_a_peak():
    rule = {"rule": "trailing_drawdown", "peak": "equity", "amount": 500}
    chain = Chain(plan(rule, initial_balance=10_000), interval=60)
    chain.see(book([{"balance": 10_500, "equity": 10_400}], at=START))
    entry = PeakEntry(1001, Trail("equity", "ignore"), 11_000, "eva@desk", START + 0.5)
    chain.memory = with_entries(chain.memory, [entry])
    verdict = chain.see(book([{"balance": 10_500, "equity": 10_450}], at=START + 1)).verdicts[0]
    assert (float(verdict.limit[0]), State(int(verdict.state[0]))) == (10_500, State.BREACHED)


def test_a_deposit_whose_deal_comes_a_poll_late_raises_no_peak_twice():
    rule = {"rule": "trailing_drawdown", "peak": "equity", "amount": 500,
            "withdrawals": "lower_peak"}  # fmt: skip
    chain = Chain(plan(rule, initial_balance=10_000), interval=1)
    chain.see(book([{"balance": 10_000}], at=START))
    chain.see(book([{"balance": 13_000}], at=START + 1))
    paid = [{"ticket": 7, "time": int(START + 1), "profit": 3000.0}]
    verdict = None
    for second in (2, 3, 4):
        seen = book([{"balance": 13_000}], at=START + second, deals=paid)
        verdict = chain.see(seen).verdicts[0]
    assert float(verdict.limit[0]) == 12_500


def test_periods_count_from_their_own_start_and_know_no_deposits():
    chain = Chain(plan(*RULES, initial_balance=10_000), interval=1)
    sunday, monday = utc("2026-03-01 23:00"), utc("2026-03-02 09:00")
    chain.see(book([{"balance": 10_000}], at=sunday))
    chain.see(book([{"balance": 10_000, "equity": 9_000, "trades_today": 1}], at=sunday + 60))
    paid = [{"ticket": 1, "time": int(monday), "profit": 5000.0}]
    chain.see(book([{"balance": 10_000, "equity": 9_500}], at=monday - 1))
    for second, equity in ((0, 14_500), (1, 14_800), (2, 14_200)):
        row = {"balance": 15_000, "equity": equity, "trades_today": 2}
        chain.see(book([row], at=monday + second, deals=paid))
    periods = chain.memory.periods
    day, life = periods[Span.DAY], periods[Span.LIFETIME]
    assert (day.equity[0], day.drawdown[0], day.profit[0]) == (9_500, 600, 300)
    assert (day.drawdown_at[0], day.profit_at[0]) == (monday + 2, monday + 1)
    assert (life.drawdown[0], life.drawdown_at[0], life.days[0]) == (1_000, sunday + 60, 2)
    assert periods[Span.WEEK].days[0] == 1
    assert life.relative[0] == 0.1


def test_a_withdrawal_is_no_drawdown_of_a_period():
    chain = Chain(plan(RULES[0]))
    chain.see(book([{"balance": 5000}], at=START))
    out = [{"time": int(START) + 1, "profit": -1000.0}]
    for after, equity in ((2, 4000), (3, 3900)):
        chain.see(book([{"balance": 4000, "equity": equity}], at=START + after, deals=out))
    for span in Span:
        assert float(chain.memory.periods[span].drawdown[0]) == 100


def test_weeks_begin_on_monday_and_quarters_in_january_april_july_and_october():
    chain = Chain(plan(RULES[0]))

    def began(text):
        chain.see(book([{"balance": 5000}], at=utc(text)))
        return {span: chain.memory.periods[span].began for span in (Span.WEEK, Span.QUARTER)}

    assert began("2026-03-31 12:00") == {
        Span.WEEK: utc("2026-03-30 00:00"), Span.QUARTER: utc("2026-01-01 00:00"),
    }  # fmt: skip
    assert began("2026-04-05 23:59") == {
        Span.WEEK: utc("2026-03-30 00:00"), Span.QUARTER: utc("2026-04-01 00:00"),
    }  # fmt: skip
    assert began("2026-04-06 00:00")[Span.WEEK] == utc("2026-04-06 00:00")


@pytest.mark.parametrize(
    ("withdrawals", "floors"), [("ignore", [9_500, 11_500, 9_500]), ("lower_peak", [9_500] * 3)]
)
def test_an_initial_balance_that_is_edited_lifts_the_peak_while_it_stands(withdrawals, floors):
    """A peak is never below where it starts; a slip that is corrected leaves nothing behind. Where
    withdrawals lower it nobody knows how far it came down from there."""
    rule = {"rule": "trailing_drawdown", "peak": "equity", "amount": 500,
            "withdrawals": withdrawals}  # fmt: skip
    chain = Chain(plan(rule, initial_balance=10_000), interval=60)
    found = []
    for second, initial in enumerate((10_000, 12_000, 10_000)):
        chain.plan = plan(rule, initial_balance=initial)
        seen = book([{"balance": 10_000}], at=START + second)
        found.append(float(chain.see(seen).verdicts[0].limit[0]))
    assert found == floors


def test_an_initial_balance_in_another_currency_lifts_no_peak():
    rule = {"rule": "trailing_drawdown", "peak": "equity", "percent": 10}
    chain = Chain(plan(rule, initial_balance=12_000, currency="EUR"), interval=60)
    chain.see(book([{"balance": 10_000}], at=START))
    entry = PeakEntry(1001, Trail("equity", "ignore"), 11_000, "eva@desk", START + 0.5)
    chain.memory = with_entries(chain.memory, [entry])
    verdict = chain.see(book([{"balance": 10_000}], at=START + 1)).verdicts[0]
    assert float(verdict.limit[0]) == 9_900


def test_an_initial_balance_makes_no_peak_known_that_is_not():
    rule = {"rule": "trailing_drawdown", "peak": "equity", "amount": 500}
    chain = Chain(plan(rule, initial_balance=12_000), interval=60)
    verdict = chain.see(book([{"balance": 10_000}], at=START)).verdicts[0]
    assert reasons(verdict) == [Reason.PEAK_UNKNOWN]


def test_other_limits_are_judged_by_the_same_memory():
    def limits(percent):
        daily = {"rule": "daily_loss", "base": "equity", "percent": percent, "of": "base"}
        return plan(daily, {"rule": "trailing_drawdown", "peak": "equity", "percent": percent},
                    initial_balance=10_000)  # fmt: skip

    chain = Chain(limits(5), interval=60)
    chain.see(book([{"balance": 10_000}], at=START))
    chain.see(book([{"balance": 10_000, "equity": 11_000}], at=START + 60))
    chain.plan = limits(8)
    daily, trailing = chain.see(book([{"balance": 10_000}], at=START + 120)).verdicts
    assert (float(daily.limit[0]), float(trailing.limit[0])) == (9_200, 10_120)

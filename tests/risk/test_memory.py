"""What is remembered of a trading day, and where it may come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.desk import Chain, book, plan, reasons, states, utc

from rms_tui.risk.memory import SERVER_DAY, Origin
from rms_tui.risk.profile import Rollover
from rms_tui.risk.verdict import Reason, State

DAILY = {"rule": "daily_loss", "base": "equity", "amount": 1000}
PRAGUE = Rollover("Europe/Prague", "00:00")
MIDNIGHT = utc("2026-03-02 00:00")


def origin(chain, rollover=SERVER_DAY):
    return [Origin(int(o)) for o in chain.memory.days[rollover].origin]


def base(chain, rollover=SERVER_DAY):
    day = chain.memory.days[rollover]
    return float(day.balance[0]), float(day.equity[0])


def test_a_base_is_observed_at_the_last_good_book_before_the_rollover():
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000, "equity": 4900}], at=MIDNIGHT - 1))
    chain.see(book([{"balance": 5000, "equity": 4950}], at=MIDNIGHT + 1))
    assert origin(chain) == [Origin.OBSERVED]
    assert base(chain) == (5000, 4900)


def test_an_observation_older_than_three_intervals_is_no_base():
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000, "equity": 4900}], at=MIDNIGHT - 4))
    chain.see(book([{"balance": 5000, "equity": 4950}], at=MIDNIGHT + 1, deals_known=False))
    assert origin(chain) == [Origin.UNKNOWN]


@pytest.mark.parametrize(("before", "known"), [(3, Origin.OBSERVED), (3.1, Origin.DEALS)])
def test_three_intervals_before_the_rollover_are_the_most(before, known):
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000, "equity": 4900}], at=MIDNIGHT - before))
    chain.see(book([{"balance": 5000, "equity": 4950}], at=MIDNIGHT + 1))
    assert origin(chain) == [known]


def test_a_trade_closed_between_the_two_books_leaves_only_the_balance_known():
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000, "equity": 4900}], at=MIDNIGHT - 1))
    closed = [{"time": int(MIDNIGHT), "type": 1, "entry": 1, "profit": -80.0}]
    chain.see(book([{"balance": 4920, "equity": 4900}], at=MIDNIGHT + 1, deals=closed))
    assert origin(chain) == [Origin.DEALS]
    assert base(chain)[0] == 5000
    assert np.isnan(base(chain)[1])


def test_a_deposit_between_the_two_books_is_no_contradiction():
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000, "equity": 4900}], at=MIDNIGHT - 1.5))
    paid = [{"time": int(MIDNIGHT) - 1, "profit": 300.0}]
    chain.see(book([{"balance": 5300, "equity": 5200}], at=MIDNIGHT + 1, deals=paid))
    assert origin(chain) == [Origin.OBSERVED]
    assert base(chain) == (5300, 5200)


def test_a_book_taken_at_the_rollover_is_the_base():
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000, "equity": 4900}], at=MIDNIGHT))
    assert (origin(chain), base(chain)) == ([Origin.OBSERVED], (5000, 4900))


def test_the_servers_own_record_is_the_best_origin():
    chain = Chain(plan(DAILY))
    row = {"balance": 5000, "equity": 4950, "prev_balance": 5000.0, "prev_equity": 4800.0}
    chain.see(book([row], at=utc("2026-03-02 09:00")))
    assert (origin(chain), base(chain)) == ([Origin.SERVER], (5000, 4800))


def test_a_server_record_that_the_deals_contradict_is_not_believed():
    chain = Chain(plan(DAILY))
    row = {"balance": 5000, "equity": 4950, "prev_balance": 4100.0, "prev_equity": 4800.0}
    chain.see(book([row], at=utc("2026-03-02 09:00")))
    assert (origin(chain), base(chain)[0]) == ([Origin.DEALS], 5000)


def test_a_server_record_just_after_midnight_may_still_be_yesterdays():
    chain = Chain(plan(DAILY))
    row = {"balance": 5000, "equity": 4950, "prev_balance": 5000.0, "prev_equity": 7777.0}
    chain.see(book([row], at=MIDNIGHT - 1))
    chain.see(book([row], at=MIDNIGHT + 1))
    assert (origin(chain), base(chain)) == ([Origin.OBSERVED], (5000, 4950))


def test_a_server_record_seen_first_just_after_midnight_is_waited_for():
    chain = Chain(plan(DAILY))
    row = {"balance": 5000, "equity": 4950, "prev_balance": 5000, "prev_equity": 4800}
    chain.see(book([row], at=MIDNIGHT + 60))
    assert origin(chain) == [Origin.DEALS]
    fresh = Chain(plan(DAILY))
    fresh.see(book([row], at=MIDNIGHT + 121))
    assert (origin(fresh), base(fresh)) == ([Origin.SERVER], (5000, 4800))


def late_record(renewed, *, after, before=7777.0, balance=5000.0, day_origin=Origin.OBSERVED):
    """A base observed at midnight, and a record that says `renewed` so many seconds later."""
    chain = Chain(plan(DAILY), interval=20.0)
    row = {"balance": 5000, "equity": 4950, "prev_balance": 5000.0, "prev_equity": before}
    chain.see(book([row], at=MIDNIGHT - 1))
    chain.see(book([row], at=MIDNIGHT + 1))
    assert origin(chain) == [day_origin]
    late = {**row, "equity": 4940, "prev_balance": balance, "prev_equity": renewed}
    chain.see(book([late], at=MIDNIGHT + after))
    return chain, late


@pytest.mark.parametrize("after", [2, 15, 300, 3600])
def test_a_server_record_that_comes_after_midnight_is_better_than_what_was_observed(after):
    chain, late = late_record(4930.0, after=after)
    assert (origin(chain), base(chain)) == ([Origin.SERVER], (5000, 4930))
    chain.see(book([{**late, "prev_equity": 1.0}], at=MIDNIGHT + after + 1))
    assert (origin(chain), base(chain)) == ([Origin.SERVER], (5000, 4930))  # final for the day


@pytest.mark.parametrize(
    "told",
    [{"renewed": 7777.0, "after": 300}, {"renewed": 4930.0, "after": 3601},
     {"renewed": 4930.0, "after": 300, "balance": 4100.0},
     {"renewed": 4930.0, "after": 300, "before": np.nan}, {"renewed": np.nan, "after": 300}],
    ids=["unchanged", "of another hour", "another balance", "there at last", "gone"],
)  # fmt: skip
def test_a_record_that_may_not_be_of_this_midnight_replaces_nothing_observed(told):
    chain, _ = late_record(**told)
    assert (origin(chain), base(chain)) == ([Origin.OBSERVED], (5000, 4950))


def test_a_record_seen_to_change_after_midnight_need_not_be_waited_for():
    chain = Chain(plan(DAILY))
    row = {"balance": 5000, "equity": 4950, "prev_balance": 5000, "prev_equity": 7777}
    chain.see(book([row], at=MIDNIGHT + 10))
    assert origin(chain) == [Origin.DEALS]
    chain.see(book([{**row, "prev_equity": 4800}], at=MIDNIGHT + 11))
    assert (origin(chain), base(chain)) == ([Origin.SERVER], (5000, 4800))


def test_a_server_record_does_not_serve_a_rollover_in_another_zone():
    chain = Chain(plan({**DAILY, "zone": "Europe/Prague", "rollover": "00:00"}))
    row = {"balance": 5000, "equity": 4950, "prev_balance": 5000.0, "prev_equity": 4800.0}
    chain.see(book([row], at=utc("2026-03-02 09:00")))
    assert origin(chain, PRAGUE) == [Origin.DEALS]


def test_nothing_known_stays_unknown_and_is_never_guessed():
    chain = Chain(plan(DAILY))
    seen = book([{"balance": 5000, "equity": 100}], at=utc("2026-03-02 09:00"), deals_known=False)
    verdict = chain.see(seen).verdicts[0]
    assert origin(chain) == [Origin.UNKNOWN]
    assert (states(verdict), reasons(verdict)) == ([State.UNKNOWN], [Reason.BASE_UNKNOWN])


def test_a_base_waits_for_a_row_that_may_be_decided():
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000, "equity": 4900}], at=MIDNIGHT - 1))
    chain.see(book([{"balance": 5000, "equity": 4900, "floating": 7.0}], at=MIDNIGHT + 1))
    assert origin(chain) == [Origin.UNKNOWN]
    chain.see(book([{"balance": 5000, "equity": 4890}], at=MIDNIGHT + 2))
    assert (origin(chain), base(chain)) == ([Origin.OBSERVED], (5000, 4900))


def test_an_account_that_joins_at_noon_does_not_disturb_the_others():
    chain = Chain(plan(DAILY))
    row = {"login": 2002, "balance": 5000, "equity": 4900}
    chain.see(book([row], at=MIDNIGHT - 1))
    chain.see(book([row], at=MIDNIGHT + 1))
    chain.see(book([{"login": 2001, "balance": 70}, row], at=MIDNIGHT + 2))
    assert origin(chain) == [Origin.DEALS, Origin.OBSERVED]
    assert chain.memory.days[SERVER_DAY].equity[1] == 4900


def test_a_deposit_of_the_day_moves_the_floor_by_its_amount():
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000}], at=MIDNIGHT - 1))
    chain.see(book([{"balance": 5000}], at=MIDNIGHT + 1))
    paid = [{"time": int(MIDNIGHT) + 600, "profit": 300.0}]
    later = book([{"balance": 5300}], at=MIDNIGHT + 900, deals=paid)
    assert chain.see(later).verdicts[0].limit[0] == pytest.approx(4300)


def test_deposits_of_the_day_that_nobody_read_leave_its_floor_unknown():
    chain = Chain(plan(DAILY))
    for after in (-1, 1):
        chain.see(book([{"balance": 5000}], at=MIDNIGHT + after))
    traded = [{"time": int(MIDNIGHT) + 2000, "type": 1}]
    later = book([{"balance": 5000, "equity": 4000}], at=MIDNIGHT + 3600, deals=traded)
    late = chain.see(replace(later, deals_since=int(MIDNIGHT) + 1800))
    assert base(chain) == (5000, 5000)
    assert reasons(late.verdicts[0]) == [Reason.FLOWS_UNKNOWN]


def test_a_credit_moves_equity_and_its_floor_but_not_the_balance():
    chain = Chain(plan(DAILY, {**DAILY, "base": "balance", "value": "balance"}))
    chain.see(book([{"balance": 5000}], at=MIDNIGHT - 1))
    chain.see(book([{"balance": 5000}], at=MIDNIGHT + 1))
    credited = [{"time": int(MIDNIGHT) + 600, "type": 3, "profit": 200.0}]
    later = book([{"balance": 5000, "credit": 200}], at=MIDNIGHT + 900, deals=credited)
    on_equity, on_balance = chain.see(later).verdicts
    assert on_equity.limit[0] == pytest.approx(4200)
    assert on_balance.limit[0] == pytest.approx(4000)


def test_the_deals_of_the_day_give_the_balance_it_began_with():
    traded = [
        {"time": int(MIDNIGHT) + 60, "type": 0, "entry": 1, "profit": 120.0, "commission": -3.5},
        {"time": int(MIDNIGHT) + 90, "type": 2, "profit": 500.0},
    ]
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5616.5}], at=utc("2026-03-02 09:00"), deals=traded))
    assert (origin(chain), base(chain)[0]) == ([Origin.DEALS], pytest.approx(5000))


@settings(deadline=None)
@given(polls=st.lists(st.tuples(st.floats(-900, 900), st.booleans()), min_size=3, max_size=12))
def test_a_flow_changes_no_verdict_of_a_rule_that_knows_of_it(polls):
    """The same equity path with and without deposits: the daily loss left is the same."""

    def run(with_flows):
        chain, paid, deals, left = Chain(plan(DAILY)), 0.0, [], []
        chain.see(book([{"balance": 5000}], at=MIDNIGHT - 1))
        chain.see(book([{"balance": 5000}], at=MIDNIGHT))
        for i, (floating, pays) in enumerate(polls):
            if pays and with_flows:
                paid += 250.0
                deals.append({"ticket": i, "time": int(MIDNIGHT) + i + 1, "profit": 250.0})
            row = {"balance": 5000 + paid, "equity": 5000 + paid + round(floating, 2)}
            seen = book([row], at=MIDNIGHT + i + 1.5, deals=deals)
            left.append(round(float(chain.see(seen).verdicts[0].distance[0]), 2))
        return left

    assert run(True) == run(False)


def test_columns_that_did_not_change_stay_the_same_objects():
    chain = Chain(plan(DAILY))
    rows = [{"balance": 5000}]
    for second in range(3):
        chain.see(book(rows, at=MIDNIGHT + 60 + second))
    day = chain.memory.days[SERVER_DAY]
    verdict = chain.assessed.verdicts[0]
    chain.see(book(rows, at=MIDNIGHT + 70))
    assert chain.memory.days[SERVER_DAY] is day
    assert chain.assessed.verdicts[0] is verdict


@pytest.mark.parametrize(
    ("sunday", "was", "now"),
    [("2026-03-29 12:00", 7200.0, 10_800.0), ("2026-10-25 12:00", 10_800.0, 7200.0)],
)
def test_a_day_of_the_server_ends_at_its_midnight_through_a_change_of_its_clock(sunday, was, now):
    """An hour early or late would be another base; here the last poll before midnight is it."""
    chain = Chain(plan(DAILY))
    chain.see(book([{"balance": 5000}], at=utc(sunday) - 40_000, offset=was))
    chain.see(book([{"balance": 5000}], at=utc(sunday), offset=now))
    began = chain.memory.days[SERVER_DAY].at
    midnight = utc(sunday[:10] + " 00:00") + 86_400 - now
    for second, balance in ((-1, 5100), (0, 5200), (1, 5300)):
        chain.see(book([{"balance": balance}], at=midnight + second, offset=now))
        day = chain.memory.days[SERVER_DAY]
        assert (day.at, day.until) == (
            (began, midnight) if second < 0 else (midnight, midnight + 86_400)
        )
    assert (base(chain)[0], origin(chain)) == (5200, [Origin.OBSERVED])

"""What the next rollover would do, and how far a limit is as a price move."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.risk.desk import Chain, book, plan, states, utc

from rms_tui.risk.distance import distance_of
from rms_tui.risk.verdict import State

MIDNIGHT = utc("2026-03-03 00:00")
DAILY = {"rule": "daily_loss", "base": "balance", "percent": 5, "of": "initial", "zone": "UTC"}
LESSON = {"balance": 204_000, "equity": 191_000}


def seen_at(minutes, row=LESSON, **more):
    chain = Chain(plan(DAILY, initial_balance=200_000), interval=1e6)
    chain.see(book([{"balance": 200_000}], at=MIDNIGHT - 86_400))
    return chain.see(book([row], at=MIDNIGHT - 60 * minutes, **more))


def test_a_position_legal_before_midnight_is_said_to_breach_after_it():
    assessed = seen_at(1)
    (notice,) = assessed.overnight
    assert states(assessed.verdicts[0]) == [State.CAUTION]
    assert (bool(notice.would_breach[0]), notice.at) == (True, MIDNIGHT)
    assert (notice.limit[0], notice.distance[0]) == (194_000, -3_000)


@pytest.mark.parametrize(("minutes", "said"), [(61, False), (60, True), (0.1, True), (0, False)])
def test_the_notice_is_given_from_an_hour_before_until_it_is_over(minutes, said):
    assert bool(seen_at(minutes).overnight) is said


def test_who_is_breached_already_or_would_not_be_gets_no_notice():
    assert not seen_at(5, {"balance": 195_000}).overnight[0].would_breach[0]
    assert not seen_at(5, {"balance": 204_000, "equity": 150_000}).overnight[0].would_breach[0]


def test_figures_that_may_not_be_judged_get_no_notice():
    row = {"balance": 204_000, "equity": 191_000, "floating": 7.0}
    assert not seen_at(5, row).overnight[0].would_breach[0]


HELD = [{"symbol": 0, "side": 1, "lots": 2.0, "price": 1.1},
        {"symbol": 2, "side": -1, "lots": 0.1, "price": 4000.0}]  # fmt: skip


def distance(rule, row, positions=HELD, **profile):
    seen = book([row], positions=positions)
    assessed = Chain(plan(rule, **profile)).see(seen)
    return distance_of(seen, 0, assessed.verdicts[0], 0)


def test_a_distance_is_money_percent_and_the_move_of_the_largest_symbol():
    rule = {"rule": "total_loss", "percent": 10}
    found = distance(rule, {"balance": 10_000}, initial_balance=10_000)
    assert (found.money, found.percent, found.symbol) == (1000, 10, "EURUSD")
    assert found.move == pytest.approx(-0.005)
    assert found.price == pytest.approx(1.095)


def test_a_profit_target_is_reached_by_a_move_the_other_way():
    rule = {"rule": "profit_target", "percent": 10}
    found = distance(rule, {"balance": 10_000}, initial_balance=10_000)
    assert found.move == pytest.approx(0.005)


def test_no_single_price_gets_a_hedged_or_flat_account_there():
    rule = {"rule": "total_loss", "percent": 10}
    hedged = [HELD[0], {**HELD[0], "side": -1}]
    for positions in (hedged, []):
        found = distance(rule, {"balance": 10_000}, positions, initial_balance=10_000)
        assert (found.money, found.symbol) == (1000, None)
        assert math.isnan(found.move)


def test_a_limit_on_the_balance_or_in_lots_has_no_price_move():
    on_balance = {"rule": "total_loss", "percent": 10, "value": "balance"}
    assert distance(on_balance, {"balance": 10_000}, initial_balance=10_000).symbol is None
    found = distance({"rule": "position_size", "lots": 5}, {"balance": 10_000})
    assert np.isnan(found.money)

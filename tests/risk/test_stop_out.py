"""The move that stops an account out: worked by hand, and against the shocked book."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import feeds
from tests.risk.test_exposure import over
from tests.risk.test_stress import long_pound

from rms_tui.risk.stop_out import reach, reach_together
from rms_tui.risk.stress import Shock, broker_levels, shocked_book


def pound(**row):
    """Long one lot of GBPUSD at 1.30923 with 10 000: 1 % is 1 309.23."""
    made = long_pound(**{"margin": 1000, "so_call": 100, "so_level": 50, **row})
    return replace(made, positions=replace(made.positions, price=np.array([1.30923])))


def of(made, symbol=None, currency=None):
    return reach(made, int(made.accounts.login[0]), symbol=symbol, currency=currency)


def test_a_long_is_stopped_out_where_its_equity_is_half_its_margin():
    found = of(pound(), symbol="GBPUSD")
    assert found.standing == "moves"
    assert found.fall == pytest.approx(-(10_000 - 500) / 1309.23)
    assert math.isnan(found.rise)


def test_a_currency_that_is_sold_stops_it_out_when_it_rises():
    found = of(pound(), currency="USD")
    assert found.standing == "moves"
    assert found.rise > 0
    assert math.isnan(found.fall)


@pytest.mark.parametrize(
    ("row", "standing"),
    [
        ({"margin": 0}, "no margin"),
        ({"so_level": 0}, "no level"),
        ({"balance": 400}, "out"),
        ({"balance": math.nan, "equity": math.nan}, "unknown"),
    ],
)
def test_why_no_move_is_looked_for(row, standing):
    assert of(pound(**row), symbol="GBPUSD").standing == standing


def test_what_an_account_does_not_hold_does_not_touch_it():
    assert of(pound(), symbol="US500").standing == "untouched"
    assert of(pound(), currency="NOK").standing == "untouched"


def test_without_a_rate_nothing_is_known():
    made = pound()
    made = replace(made, positions=replace(made.positions, rate=np.array([np.nan])))
    assert of(made, symbol="GBPUSD").standing == "unknown"


def test_what_is_not_in_the_book_is_refused():
    with pytest.raises(ValueError, match="no symbol XYZ"):
        of(pound(), symbol="XYZ")
    with pytest.raises(ValueError, match="account 1 is not in this book"):
        reach(pound(), 1, symbol="GBPUSD", currency=None)


def test_a_home_currency_moves_what_is_earned_in_another():
    row = {"balance": 10_000, "currency": "GBP", "margin": 900, "so_level": 50}
    made = over([{"symbol": 1, "side": 1, "lots": 1.0, "profit": -5000.0}], (row,))
    made = replace(made, positions=replace(made.positions, price=np.array([102.32])))
    assert of(made, currency="GBP").standing == "moves"


@settings(max_examples=25, deadline=None)
@given(
    row=st.integers(0, 39),
    what=st.sampled_from([("EURUSD", None), (None, "USD"), (None, "EUR"), ("XAUUSD", None)]),
)
def test_just_there_it_is_stopped_out_and_just_before_it_is_not(row, what):
    made = feeds.book(40)
    found = reach(made, int(made.accounts.login[row]), symbol=what[0], currency=what[1])
    for percent in (found.fall, found.rise):
        if not math.isnan(percent):
            there = broker_levels(shocked_book(made, Shock(*what, percent * 1.0001))[0])[1]
            before = broker_levels(shocked_book(made, Shock(*what, percent * 0.999))[0])[1]
            assert bool(there[row])
            assert not bool(before[row])


def test_of_a_scenario_it_is_said_how_much_of_it_stops_the_account_out():
    twice = (Shock("GBPUSD", None, -2.0), Shock("US500", None, 5.0))
    found = reach_together(pound(), int(pound().accounts.login[0]), twice)
    assert found.rise == pytest.approx((10_000 - 500) / 1309.23 / 2)
    assert math.isnan(found.fall)


@settings(max_examples=20, deadline=None)
@given(
    percents=st.tuples(st.floats(0.5, 40), st.floats(-40, -0.5)),
    row=st.integers(0, 39),
)
def test_a_multiple_of_a_scenario_that_is_found_is_the_edge(percents, row):
    made = feeds.book(40, shock=60.0)
    shocks = (Shock("EURUSD", None, percents[0]), Shock(None, "JPY", percents[1]))
    found = reach_together(made, int(made.accounts.login[row]), shocks)

    def out(multiple):
        moved = [replace(each, percent=each.percent * multiple) for each in shocks]
        return broker_levels(shocked_book(made, *moved)[0])[1][row]

    for multiple in (found.fall, found.rise):
        if not math.isnan(multiple):
            assert out(multiple * 1.0001)
            assert not out(multiple * 0.999)

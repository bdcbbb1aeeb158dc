"""Each rule on figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.risk.desk import Chain, book, judged, plan, reasons, states, utc

from rms_tui.risk.rules.shape import put
from rms_tui.risk.verdict import Reason, State

MARGIN = {"rule": "margin_level", "warning": 150, "critical": 100}
LOSS = {"rule": "max_loss", "amount": -1000}
RISK = {"rule": "position_risk", "amount": 500}


@pytest.mark.parametrize(
    ("level", "state"),
    [(151, State.OK), (150, State.CAUTION), (100.01, State.CAUTION), (100, State.CRITICAL),
     (51, State.CRITICAL), (50, State.BREACHED), (20, State.BREACHED)],
)  # fmt: skip
def test_a_margin_level_passes_warning_critical_and_the_brokers_stop_out(level, state):
    verdict = judged(MARGIN, book([{"balance": level * 10, "margin": 1000}]))
    assert states(verdict) == [state]
    assert verdict.value[0] == pytest.approx(level)


def test_an_account_without_margin_is_never_an_alarm():
    verdict = judged(MARGIN, book([{"balance": 0}, {"balance": 100}]))
    assert states(verdict) == [State.OFF, State.OFF]
    assert reasons(verdict) == [Reason.NO_MARGIN, Reason.NO_MARGIN]
    assert np.isnan(verdict.value).all()


def test_a_stop_out_level_in_money_is_compared_in_money():
    rows = [
        {"balance": 1000, "margin": 900, "so_mode": 1, "so_level": 50.0, "margin_free": 49.0},
        {"balance": 1000, "margin": 900, "so_mode": 1, "so_level": 50.0, "margin_free": 51.0},
    ]
    assert states(judged(MARGIN, book(rows))) == [State.BREACHED, State.CAUTION]


def test_the_margin_distance_is_the_money_left_above_the_critical_level():
    verdict = judged(MARGIN, book([{"balance": 1300, "margin": 1000}]))
    assert verdict.distance[0] == pytest.approx(300)


@pytest.mark.parametrize(
    ("floating", "state"),
    [(500, State.OK), (-799.99, State.OK), (-800, State.CAUTION), (-950, State.CRITICAL),
     (-999.99, State.CRITICAL), (-1000, State.BREACHED), (-5000, State.BREACHED)],
)  # fmt: skip
def test_a_floating_loss_is_judged_by_bands_of_its_limit(floating, state):
    verdict = judged(LOSS, book([{"balance": 9000, "equity": 9000 + floating}]))
    assert states(verdict) == [state]


def test_an_exclusive_limit_is_breached_only_beyond_it():
    rows = [{"balance": 9000, "equity": 8000}, {"balance": 9000, "equity": 7999.99}]
    verdict = judged({**LOSS, "boundary": "exclusive"}, book(rows))
    assert states(verdict) == [State.CRITICAL, State.BREACHED]


def test_a_limit_is_compared_after_rounding_to_the_currencys_digits():
    verdict = judged(LOSS, book([{"balance": 9000, "equity": 9000 - 999.9951}]))
    assert states(verdict) == [State.BREACHED]


def test_a_loss_in_another_currency_is_converted_or_unknown():
    rows = [
        {"balance": 9000, "equity": 8100, "currency": "EUR"},
        {"balance": 9000, "equity": 8100, "currency": "XXX"},
    ]
    verdict = judged({**LOSS, "currency": "USD"}, book(rows))
    assert verdict.value[0] == pytest.approx(-990)
    assert states(verdict) == [State.CRITICAL, State.UNKNOWN]
    assert reasons(verdict)[1] is Reason.NO_RATE


def test_the_risk_of_a_position_is_its_loss_at_the_stop():
    held = [{"sl": 1.096, "lots": 1.0}, {"sl": 1.097, "lots": 1.0, "swap": -2.0}]
    verdict = judged(RISK, book([{"balance": 10_000}], positions=held))
    assert verdict.value[0] == pytest.approx(400)
    assert states(verdict) == [State.CAUTION]


def test_a_stop_that_locks_a_profit_risks_nothing():
    held = [{"sl": 1.105, "lots": 5.0}]
    verdict = judged(RISK, book([{"balance": 10_000}], positions=held))
    assert verdict.value[0] == 0
    assert states(verdict) == [State.OK]


def test_a_position_without_a_stop_is_unlimited_risk_with_its_own_reason():
    held = [{"sl": 1.0999}, {"rate": np.nan, "sl": 1.0}, {}]
    verdict = judged(RISK, book([{"balance": 10_000}], positions=held))
    assert verdict.value[0] == math.inf
    assert (states(verdict), reasons(verdict)) == ([State.BREACHED], [Reason.NO_STOP_LOSS])


def test_a_position_without_a_conversion_rate_is_unknown_not_zero():
    held = [{"sl": 1.0, "rate": np.nan}]
    verdict = judged(RISK, book([{"balance": 10_000}], positions=held))
    assert (states(verdict), reasons(verdict)) == ([State.UNKNOWN], [Reason.NO_RATE])


def test_an_account_without_positions_risks_nothing():
    verdict = judged(RISK, book([{"balance": 10_000}, {"balance": 5}]))
    assert states(verdict) == [State.OK, State.OK]
    assert reasons(verdict)[0] is Reason.NO_POSITIONS


def test_risk_in_percent_needs_the_initial_balance_it_is_of():
    held = [{"sl": 1.0}]
    rule = {"rule": "position_risk", "percent": 1, "of": "initial"}
    seen = book([{"balance": 10_000}], positions=held)
    assert reasons(judged(rule, seen)) == [Reason.INITIAL_UNKNOWN]
    assert judged(rule, seen, initial_balance=50_000).limit[0] == pytest.approx(500)


def test_open_positions_are_counted():
    rows = [{"balance": 1}, {"balance": 1}]
    held = [{"account": 1, "sl": 1.0}] * 3
    verdict = judged({"rule": "open_positions", "count": 3}, book(rows, positions=held))
    assert states(verdict) == [State.OK, State.BREACHED]
    exclusive = {"rule": "open_positions", "count": 3, "boundary": "exclusive"}
    assert states(judged(exclusive, book(rows, positions=held))) == [State.OK, State.CRITICAL]


def test_a_profit_target_is_reached_not_breached():
    rows = [{"balance": 10_400, "equity": 11_000}, {"balance": 10_000, "equity": 10_999}]
    rule = {"rule": "max_profit", "percent": 10}
    verdict = judged(rule, book(rows), initial_balance=10_000)
    assert states(verdict) == [State.REACHED, State.OK]
    assert verdict.value.tolist() == pytest.approx([1000, 999])


def test_a_target_that_wants_no_open_position_waits_for_them_to_close():
    rule = {"rule": "max_profit", "amount": 100, "flat": True}
    seen = book([{"balance": 200}, {"balance": 200}], positions=[{"account": 1, "sl": 1.0}])
    verdict = judged(rule, seen, initial_balance=50)
    assert states(verdict) == [State.REACHED, State.OK]
    assert reasons(verdict) == [Reason.BEYOND, Reason.POSITIONS_OPEN]


def test_the_days_profit_counts_from_the_days_base_and_not_from_deposits():
    chain = Chain(plan({"rule": "max_profit", "amount": 500, "period": "day"}), interval=60)
    chain.see(book([{"balance": 1000}], at=utc("2026-03-01 23:59")))
    deposit = [{"time": int(utc("2026-03-02 09:00")), "profit": 600.0}]
    later = book([{"balance": 1600, "equity": 2000}], at=utc("2026-03-02 10:00"), deals=deposit)
    chain.see(book([{"balance": 1000}], at=utc("2026-03-02 00:00:30")))
    verdict = chain.see(later).verdicts[0]
    assert verdict.value[0] == pytest.approx(400)
    assert states(verdict) == [State.OK]


@pytest.mark.parametrize(
    ("base", "of", "floor"),
    [("balance", "initial", 99_000), ("equity", "initial", 96_000), ("initial", "initial", 95_000),
     ("max_balance_equity", "initial", 99_000), ("balance", "base", 98_800),
     ("equity", "base", 95_950)],
)  # fmt: skip
def test_the_daily_floor_is_its_base_less_the_allowance(base, of, floor):
    rule = {"rule": "daily_loss", "base": base, "percent": 5, "of": of}
    chain = Chain(plan(rule, initial_balance=100_000), interval=60)
    start = [{"balance": 104_000, "equity": 101_000}]
    chain.see(book(start, at=utc("2026-03-02 00:00")))
    verdict = chain.see(book(start, at=utc("2026-03-02 12:00"))).verdicts[0]
    assert verdict.limit[0] == pytest.approx(floor)


@pytest.mark.parametrize(
    ("value", "distance"), [("equity", -1000), ("balance", 2000), ("worst", -1000)]
)
def test_a_daily_loss_is_judged_on_equity_balance_or_the_worse(value, distance):
    rule = {"rule": "daily_loss", "base": "initial", "amount": 5000, "value": value}
    seen = book([{"balance": 97_000, "equity": 94_000}])
    verdict = judged(rule, seen, initial_balance=100_000)
    assert verdict.distance[0] == pytest.approx(distance)


def test_a_daily_loss_without_a_known_base_decides_nothing():
    rule = {"rule": "daily_loss", "base": "equity", "percent": 5, "of": "base"}
    verdict = judged(rule, book([{"balance": 10_000, "equity": 1}]))
    assert (states(verdict), reasons(verdict)) == ([State.UNKNOWN], [Reason.BASE_UNKNOWN])


money = st.floats(-1e7, 1e7).map(lambda x: round(x, 2))


@given(balance=money, floating=money, factor=st.sampled_from([0.01, 10.0, 1000.0]))
def test_scaling_all_money_changes_no_state(balance, floating, factor):
    def state(scale):
        rule = {"rule": "max_loss", "amount": -1000.0 * scale}
        row = {"balance": balance * scale, "equity": (balance + floating) * scale, "digits": 4}
        row["floating"] = floating * scale
        return states(judged(rule, book([row])))

    assert state(1.0) == state(factor)


@given(
    column=st.sampled_from(["balance", "equity", "credit", "floating", "margin"]),
    poison=st.sampled_from([math.nan, math.inf, -math.inf]),
    floating=money,
)
def test_a_missing_figure_never_breaches(column, poison, floating):
    row = {"balance": 5000.0, "equity": 5000 + floating, "floating": floating, "margin": 100.0}
    row[column] = poison
    rules = [MARGIN, LOSS, {"rule": "daily_loss", "base": "initial", "amount": 100}]
    if column == "margin":
        rules = rules[:1]
    chain = Chain(plan(*rules, initial_balance=1e9))
    assessed = chain.see(book([row]))
    worst = max(int(verdict.state[0]) for verdict in assessed.verdicts)
    assert worst <= State.UNKNOWN


@given(st.lists(st.tuples(st.sampled_from(State), st.booleans(), st.sampled_from(Reason))))
def test_codes_are_put_where_they_are_wanted_and_nowhere_else(rows):
    codes = np.array([state for state, _, _ in rows], dtype=np.int8)
    wanted = np.array([put_there for _, put_there, _ in rows], dtype=np.bool_)
    why = np.array([reason for _, _, reason in rows], dtype=np.int8)
    for code in (State.UNKNOWN, why):
        changed = codes.copy()
        put(changed, wanted, code)
        assert changed.dtype == np.int8
        assert changed.tolist() == np.where(wanted, code, codes).tolist()

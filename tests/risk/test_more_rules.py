"""The rules that need more than a day's base: totals, trailing floors, targets, sizes, stops."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from pydantic import ValidationError
from tests.risk.desk import Chain, book, judged, plan, reasons, states, utc

from rms_tui.risk.profile import Assign, Plan, RiskProfile
from rms_tui.risk.verdict import Reason, State

START = utc("2026-03-02 09:00")


def trailing(**rule):
    return {"rule": "trailing_drawdown", "peak": "equity", "amount": 1000, **rule}


@pytest.mark.parametrize(
    ("rule", "floor"),
    [({"percent": 10}, 90_000), ({"amount": 4000}, 96_000)],
)
def test_a_total_floor_is_static_under_the_initial_balance(rule, floor):
    seen = book([{"balance": 120_000, "equity": 95_000}])
    verdict = judged({"rule": "total_loss", **rule}, seen, initial_balance=100_000)
    assert verdict.limit[0] == pytest.approx(floor)
    assert states(verdict) == [State.BREACHED if floor > 95_000 else State.OK]


@pytest.mark.parametrize(
    ("rule", "floor"),
    [({}, 11_000), ({"amount": None, "percent": 10}, 10_800),
     ({"amount": None, "percent": 10, "of": "initial"}, 11_000), ({"lock": 10_000}, 10_000),
     ({"peak": "balance"}, 9_500), ({"peak": "max_balance_equity"}, 11_000)],
)  # fmt: skip
def test_a_trailing_floor_follows_its_peak_up_to_its_lock(rule, floor):
    chain = Chain(plan(trailing(**rule), initial_balance=10_000), interval=60)
    chain.see(book([{"balance": 10_000}], at=START))
    chain.see(book([{"balance": 10_500, "equity": 12_000}], at=START + 60))
    verdict = chain.see(book([{"balance": 10_500, "equity": 11_500}], at=START + 120)).verdicts[0]
    assert verdict.limit[0] == pytest.approx(floor)


@pytest.mark.parametrize(("withdrawals", "floor"), [("ignore", 9_000), ("lower_peak", 7_000)])
def test_a_withdrawal_lowers_a_peak_only_where_the_rule_says_so(withdrawals, floor):
    chain = Chain(plan(trailing(withdrawals=withdrawals), initial_balance=10_000), interval=60)
    chain.see(book([{"balance": 10_000}], at=START))
    paid = [{"ticket": 5, "time": int(START) + 30, "profit": -2000.0}]
    verdict = chain.see(book([{"balance": 8_000}], at=START + 60, deals=paid)).verdicts[0]
    assert verdict.limit[0] == pytest.approx(floor)


def test_the_boundary_decides_at_the_limit_itself():
    for boundary, state in (("inclusive", State.BREACHED), ("exclusive", State.CRITICAL)):
        rule = {"rule": "total_loss", "amount": 1000, "boundary": boundary}
        assert states(judged(rule, book([{"balance": 9000}]), initial_balance=10_000)) == [state]


def test_a_profit_target_may_wait_until_no_position_is_open():
    rule = {"rule": "profit_target", "percent": 10, "flat": True}
    row = {"balance": 11_000}
    assert states(judged(rule, book([row]), initial_balance=10_000)) == [State.REACHED]
    held = book([row], positions=[{"sl": 1.0}])
    assert states(judged(rule, held, initial_balance=10_000)) == [State.OK]


def test_without_an_initial_balance_the_rules_that_need_it_decide_nothing():
    for rule in ({"rule": "total_loss", "percent": 10}, {"rule": "profit_target", "amount": 1},
                 trailing()):  # fmt: skip
        verdict = judged(rule, book([{"balance": 9000}]))
        assert (states(verdict), reasons(verdict)) == ([State.UNKNOWN], [Reason.INITIAL_UNKNOWN])


HELD = [
    {"symbol": 0, "lots": 1.5}, {"symbol": 0, "side": -1, "lots": 1.0},
    {"symbol": 2, "lots": 0.8, "price": 4000.0},
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "value"),
    [({"lots": 3}, 2.5), ({"lots": 3, "symbols": "XAU*"}, 0.8), ({"lots": 3, "symbols": "*"}, 3.3),
     ({"percent": 100}, 320_000), ({"percent": 100, "symbols": "EUR*"}, 275_000)],
)  # fmt: skip
def test_a_size_is_of_the_largest_symbol_or_of_all_a_mask_matches(rule, value):
    seen = book([{"balance": 100_000}], positions=HELD)
    verdict = judged({"rule": "position_size", **rule}, seen)
    assert verdict.value[0] == pytest.approx(value)


def test_a_size_without_a_rate_is_unknown_and_without_positions_no_question():
    rule = {"rule": "position_size", "percent": 100}
    bare = judged(rule, book([{"balance": 1}], positions=[{"rate": float("nan")}]))
    assert (states(bare), reasons(bare)) == ([State.UNKNOWN], [Reason.NO_RATE])
    assert reasons(judged(rule, book([{"balance": 1}]))) == [Reason.NO_POSITIONS]


@pytest.mark.parametrize(
    ("age", "state"), [(47, State.OK), (48, State.CAUTION), (57, State.CRITICAL),
                       (60, State.BREACHED), (600, State.BREACHED)]
)  # fmt: skip
def test_a_position_must_get_its_stop_within_the_seconds_allowed(age, state):
    chain = Chain(plan({"rule": "stop_loss_required", "seconds": 60}), interval=300.0)
    bare = {"ticket": 2, "opened": int(START) - age + 7200}
    kept = {"ticket": 1, "opened": int(START) - 9999, "sl": 1.0}
    chain.see(book([{"balance": 1}], at=START - age, offset=7200.0, positions=[kept]))
    assessed = chain.see(book([{"balance": 1}], at=START, offset=7200.0, positions=[kept, bare]))
    assert states(assessed.verdicts[0]) == [state]


def test_stops_that_are_all_there_are_judged_once():
    rule = {"rule": "stop_loss_required", "seconds": 60}
    chain = Chain(plan(rule))
    first = chain.see(book([{"balance": 1}], at=START, positions=[{"sl": 1.0, "opened": 1}]))
    second = chain.see(book([{"balance": 1}], at=START + 1, positions=[{"sl": 1.0, "opened": 1}]))
    assert second.verdicts[0] is first.verdicts[0]
    assert states(first.verdicts[0]) == [State.OK]


def test_an_idea_counts_what_it_lost_already():
    rule = {"rule": "position_risk", "amount": 1500, "idea": 300}
    open_now = [{"sl": 1.095, "opened": int(START) - 60, "lots": 2.0}]
    lost = {"time": int(START) - 120, "type": 1, "entry": 1, "symbol": "EURUSD", "profit": -600.0,
            "position": 9}  # fmt: skip
    other = {**lost, "ticket": 2, "type": 0, "position": 8}
    old = {**lost, "ticket": 3, "time": int(START) - 9000, "position": 7}
    seen = book([{"balance": 10_000}], at=START, positions=open_now, deals=[old, lost, other])
    verdict = judged(rule, seen)
    assert verdict.value[0] == pytest.approx(1600)
    assert states(verdict) == [State.BREACHED]


@pytest.mark.parametrize("column", ["sl", "lots", "price", "price_open", "rate", "swap"])
@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_a_figure_of_a_position_that_is_none_breaches_nothing(column, poison):
    rules = [
        {"rule": "position_risk", "amount": 1e9}, {"rule": "position_size", "percent": 1e9},
        {"rule": "position_risk", "amount": 1e9, "idea": 60}, {"rule": "position_size", "lots": 9},
        {"rule": "position_size", "lots": 9, "symbols": "EUR*"},
    ]  # fmt: skip
    position = {"sl": 1.0, column: poison}
    assessed = Chain(plan(*rules)).see(book([{"balance": 1000}], positions=[position]))
    found = {state for verdict in assessed.verdicts for state in states(verdict)}
    if column == "sl" and math.isnan(poison):
        assert found == {State.BREACHED, State.OK}  # there is no stop
    else:
        assert found <= {State.OK, State.UNKNOWN}


@pytest.mark.parametrize("level", [math.nan, math.inf, -math.inf])
def test_a_stop_out_level_that_is_none_stops_nobody_out(level):
    rule = {"rule": "margin_level", "warning": 150, "critical": 100}
    row = {"balance": 1000, "margin": 100, "so_level": level}
    assert states(judged(rule, book([row]))) == [State.OK]


def test_an_idea_is_over_when_its_window_has_passed_though_nothing_else_changed():
    rule = {"rule": "position_risk", "amount": 500, "idea": 300}
    lost = [{"time": int(START) - 120, "type": 1, "entry": 1, "symbol": "GBPUSD", "profit": -600.0,
             "position": 9}]  # fmt: skip
    chain = Chain(plan(rule))
    seen = book([{"balance": 10_000}], at=START, deals=lost)
    assert states(chain.see(seen).verdicts[0]) == [State.BREACHED]
    assert states(chain.see(replace(seen, taken_at=START + 180)).verdicts[0]) == [State.BREACHED]
    over = chain.see(replace(seen, taken_at=START + 181)).verdicts[0]
    assert (states(over), reasons(over)) == ([State.OK], [Reason.NO_POSITIONS])


@pytest.mark.parametrize(
    "rule",
    [{"rule": "total_loss"}, {"rule": "total_loss", "amount": 1, "percent": 1},
     {"rule": "position_size"}, {"rule": "position_size", "lots": 1, "percent": 1},
     {"rule": "trailing_drawdown", "amount": 1}, {"rule": "stop_loss_required", "seconds": 0},
     {"rule": "trailing_drawdown", "peak": "equity", "amount": 1, "lock": "0"}],
)  # fmt: skip
def test_a_rule_without_its_limit_is_refused(rule):
    with pytest.raises(ValidationError):
        plan(rule)


@pytest.mark.parametrize(
    ("bands", "said"),
    [({"caution": 0.98}, "caution 0.98 must not be above critical 0.95"),
     ({"critical": 0.5}, "caution 0.8 must not be above critical 0.5"),
     ({"caution": 80, "critical": 95}, "less than or equal to 1"),
     ({"critical": 1.2}, "less than or equal to 1")],
)  # fmt: skip
def test_bands_that_cannot_be_are_refused(bands, said):
    with pytest.raises(ValidationError, match=said):
        plan({"rule": "total_loss", "amount": 1, **bands})
    assert plan({"rule": "total_loss", "amount": 1, "caution": 1, "critical": 1})
    assert plan({"rule": "margin_level", "warning": 0.7, "critical": 0.5})  # percent


def test_a_money_limit_on_risk_needs_no_other_figure_where_profiles_differ():
    risk = {"rule": "position_risk", "amount": 600}
    profiles = tuple(
        RiskProfile.model_validate({"name": name, "rules": [risk]}) for name in ("one", "two")
    )
    given = Plan(
        profiles=profiles, assigned=(Assign(profile="two", logins=(1002,)),), default="one"
    )
    held = [{"account": row, "sl": 1.09, "lots": 1.0} for row in (0, 1)]
    assessed = Chain(given).see(book([{"balance": 10_000}] * 2, positions=held))
    assert [states(verdict) for verdict in assessed.verdicts] == [[State.BREACHED]] * 2

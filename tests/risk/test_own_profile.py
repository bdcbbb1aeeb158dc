"""Profiles that stand on elements go before groups and default, and a wrong one drops no limit."""

from __future__ import annotations

from tests.feeds import PLAN, FakeFeed
from tests.risk.desk import Chain, book

from rms_tui.risk.own_profile import with_own
from rms_tui.risk.profile import Plan, RiskProfile
from rms_tui.risk.verdict import State

LOSS = {"rule": "max_loss", "amount": -1000}
USUAL = RiskProfile.model_validate({"name": "usual", "rules": [LOSS]})
STRICT = RiskProfile.model_validate({"name": "strict", "rules": [{**LOSS, "amount": -10}]})
GIVEN = Plan(profiles=(USUAL, STRICT), default="usual")
LOSING = {"balance": 5000, "equity": 4500}


def states(plan: Plan) -> list[State]:
    assessed = Chain(plan).see(book([LOSING, LOSING]))
    return [State(int(state)) for state in assessed.state]


def test_a_name_on_the_element_goes_before_the_default():
    plan, refused = with_own(GIVEN, {1002: "strict"})
    assert (states(plan), refused) == ([State.OK, State.BREACHED], {})


def test_limits_on_the_element_are_a_profile_of_its_own():
    plan, refused = with_own(GIVEN, {1002: {"rules": [{"rule": "max_loss", "amount": -400}]}})
    assert (states(plan), refused) == ([State.OK, State.BREACHED], {})


def test_the_three_limits_of_the_older_scripts_are_understood():
    own = {"max_daily_loss": 100, "max_position_risk": 50, "max_profit": 900}
    plan, refused = with_own(GIVEN, {1001: own})
    assert refused == {}
    rules = [rule.rule for rule in plan.profiles[-1].rules]
    assert rules == ["daily_loss", "position_risk", "max_profit"]


def test_a_profile_that_cannot_be_keeps_the_plans_limit_and_says_why():
    own = {1001: "nope", 1002: {"rules": [{"rule": "max_loss", "amount": 5}]}, 1003: {}}
    plan, refused = with_own(GIVEN, own)
    assert states(plan) == [State.OK, State.OK]
    assert "no profile 'nope'" in refused[1001]
    assert "amount" in refused[1002]
    assert "expected rules" in refused[1003]


def test_the_monitor_says_in_health_which_profile_it_refused():
    from tests.feeds import book as desk_book

    from rms_tui.monitor import Monitor

    monitor = Monitor(FakeFeed(desk_book()), PLAN, clock=lambda: desk_book().taken_at)
    monitor.set_own_profiles({70_101: "nope"})
    assert "no profile 'nope'" in str(monitor.step().health.error)
    monitor.set_own_profiles({})
    assert monitor.step().health.error is None

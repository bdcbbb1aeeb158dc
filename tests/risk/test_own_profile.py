"""A profile on an element goes before groups and default; by a wrong one nothing is decided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.feeds import PLAN, FakeFeed
from tests.risk.desk import Chain, book

from rms_tui.risk.assessment import verdicts_of
from rms_tui.risk.assignment import assigned
from rms_tui.risk.own_profile import own_of, with_own
from rms_tui.risk.profile import Assign, Plan, RiskProfile
from rms_tui.risk.verdict import Reason, State

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


def test_an_account_whose_own_profile_cannot_be_is_judged_by_no_other_and_says_why():
    own = {1001: "nope", 1002: {"rules": [{"rule": "max_loss", "amount": 5}]}, 1003: {}}
    plan, refused = with_own(GIVEN, own)
    assert "no profile 'nope'" in refused[1001]
    assert "amount" in refused[1002]
    assert "expected rules" in refused[1003]
    far_beyond = {"balance": 5000, "equity": 1000}
    chain = Chain(plan)
    assessed = chain.see(book([far_beyond] * 4))
    unknown = [State.UNKNOWN] * 3
    assert assessed.state.tolist() == [*unknown, State.BREACHED], "only the fourth is the plan's"
    assert assessed.undecided.tolist() == [Reason.LIMITS_REFUSED] * 3 + [Reason.NONE]
    assert assessed.counts == {Reason.LIMITS_REFUSED: 3}
    assert np.isnan(assessed.used[:3]).all()
    assert all(not verdicts_of(assessed, row) for row in range(3)), "no rule that is not its own"


def test_an_account_without_usable_limits_is_remembered_all_the_same():
    plan, _ = with_own(GIVEN, {1001: "nope"})
    chain = Chain(plan)
    chain.see(book([LOSING]))
    assert chain.memory is not None
    assert chain.memory.last.equity.tolist() == [4500]


def test_old_figures_say_so_before_limits_that_cannot_be_used():
    plan, _ = with_own(GIVEN, {1001: "nope"})
    assessed = Chain(plan).see(replace(book([LOSING, LOSING]), connected=False))
    assert assessed.undecided.tolist() == [Reason.DISCONNECTED] * 2


def test_it_is_said_where_a_profile_without_rules_comes_from():
    plan, _ = with_own(GIVEN, {1001: "nope", 1002: "strict"})
    assert assigned(plan, 1001, "").words == "this account's own, which cannot be used"
    assert assigned(plan, 1002, "").words == "this account's own"


def test_the_monitor_says_in_health_which_profile_it_refused():
    from tests.feeds import book as desk_book

    from rms_tui.monitor import Monitor

    monitor = Monitor(FakeFeed(desk_book()), PLAN, clock=lambda: desk_book().taken_at)
    monitor.set_own_profiles({70_101: "nope"})
    assert "no profile 'nope'" in str(monitor.step().health.error)
    monitor.set_own_profiles({})
    assert monitor.step().health.error is None


def test_what_accounts_have_of_their_own_is_known_from_the_plan_they_are_judged_by():
    own = {
        1001: "strict",
        1002: {"rules": [{"rule": "max_loss", "amount": -400}]},
        1003: {"max_daily_loss": 100},
        1004: {"rules": []},
    }
    groups = GIVEN.model_copy(update={"assigned": (Assign(profile="strict", logins=(1009,)),)})
    plan, refused = with_own(groups, own)
    there = Plan.model_validate(plan.model_dump(mode="json"))
    assert own_of(there).keys() == own.keys()
    again, refused_again = with_own(groups, own_of(there))
    assert again == plan
    assert refused_again.keys() == refused.keys() == {1004}
    assert own_of(groups) == {}

"""A rule is said to need an initial balance exactly where it decides nothing without one."""

from __future__ import annotations

import pytest
from tests.risk.desk import Chain, book, plan

from rms_tui.risk.needs_initial import needs_initial
from rms_tui.risk.verdict import Reason

RULES = [
    {"rule": "daily_loss", "base": base, "of": of, **much}
    for base in ("balance", "equity", "max_balance_equity", "initial")
    for of in ("initial", "base")
    for much in ({"percent": 5}, {"amount": 500})
]
RULES += [
    {"rule": rule, **period, **much}
    for rule in ("profit_target", "max_profit")
    for period in ({"period": "day"}, {"period": "total"})
    for much in ({"percent": 5}, {"amount": 500})
]
RULES += [
    {"rule": "position_risk", "of": of, "percent": 1} for of in ("initial", "balance", "equity")
]
RULES += [
    {"rule": "total_loss", "percent": 10},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 500},
    {"rule": "max_loss", "amount": -100},
    {"rule": "open_positions", "count": 3},
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(map(str, rule.values())))
def test_it_is_the_rule_that_says_initial_unknown(rule):
    chosen = plan(rule)
    chain = Chain(chosen)
    assessed = chain.see(book([{"balance": 9000, "equity": 9100}], positions=[{"sl": 1.0}]))
    unknown = assessed.verdicts[0].reason[0] == Reason.INITIAL_UNKNOWN
    assert (needs_initial(chosen.profiles[0]) == (rule["rule"],)) == unknown


def test_a_profile_with_an_initial_balance_needs_none():
    chosen = plan(*RULES[:1], {"rule": "total_loss", "percent": 10}, initial_balance=10_000)
    assert needs_initial(chosen.profiles[0]) == ()

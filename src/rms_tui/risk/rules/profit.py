"""Rules about profit: reaching one is news, not a breach; what was paid in is no profit."""

from __future__ import annotations

import numpy as np

from rms_tui.book import Bytes, Floats, some
from rms_tui.risk.profile import MaxProfit, ProfitTarget, RiskProfile, rollover_of
from rms_tui.risk.rules.shape import (
    FIT,
    TOTAL_FLOW,
    TOTAL_FLOW_BALANCE,
    Columns,
    Key,
    Limits,
    Ruled,
    RuleKind,
    amount_of,
    as_column,
    banded,
    base_or_flows,
    day_column,
    flows_of,
    initial_of,
    judged,
    judged_columns,
    known,
    left,
    share_of,
)
from rms_tui.risk.verdict import Reason, State

Gain = ProfitTarget | MaxProfit

_REACHED = np.array(State.REACHED, dtype=np.int8)
_TO_POSITIONS_OPEN = np.array(Reason.POSITIONS_OPEN - Reason.BEYOND, dtype=np.int8)


def _limits(rule: Gain, profile: RiskProfile, columns: Columns) -> Limits:
    """Counted from the initial balance or the day's base, and from every deposit since.

    The floor a profit starts from is initial + flows, so that money paid in is no profit.
    """
    initial = initial_of(profile)
    missing: Bytes | Reason = Reason.FLOWS_UNKNOWN
    if rule.period == "total":
        start = initial + columns[_total_flow(rule)]
        if np.isnan(initial):
            missing = Reason.INITIAL_UNKNOWN
    else:
        day = rollover_of(profile, rule)
        base = columns[day_column(day, _base(rule))]
        start = base + columns[flows_of(rule, day)]
        if np.isnan(initial) and rule.percent is not None:
            missing = Reason.INITIAL_UNKNOWN
        else:
            missing = base_or_flows(base)
    amount = as_column(amount_of(rule, initial), start)
    goal = start + amount
    return Limits(goal, share_of(amount), missing, known(goal), start, amount)


def _target(rule: ProfitTarget, limits: Limits, columns: Columns) -> Ruled:
    """Equity or balance at initial + amount: `value` and `limit` are that figure and its goal."""
    figure = judged(rule.value, columns)
    rest, state, reason = _reached(rule, limits, columns, figure)
    return Ruled(state, figure, limits.limit, rest, (limits.limit, figure), reason)


def _max_profit(rule: MaxProfit, limits: Limits, columns: Columns) -> Ruled:
    """The day's or the total profit at its cap: `value` and `limit` are profits."""
    assert limits.allowance is not None
    figure = judged(rule.value, columns)
    rest, state, reason = _reached(rule, limits, columns, figure)
    between = (limits.limit, figure)
    return Ruled(state, figure, limits.allowance, rest, between, reason, limits.start)


def _reached(
    rule: Gain, limits: Limits, columns: Columns, figure: Floats
) -> tuple[Floats, Bytes, Bytes]:
    """The share of the way to the goal that is left, state and reason."""
    assert limits.share is not None
    distance = limits.limit - figure
    found = left(rule, distance, columns["half"], known=limits.known and FIT in columns)
    rest = np.multiply(distance, limits.share, out=distance)
    state, reason = banded(rule, rest, found, limits.missing, State.REACHED)
    if rule.flat and some(held := state == _REACHED):
        held &= columns["positions"] != 0
        state -= held.view(np.int8)  # REACHED is one above OK
        reason += held.view(np.int8) * _TO_POSITIONS_OPEN
    return rest, state, reason


def _base(rule: Gain) -> str:
    """The day's balance or equity that its profit is counted from."""
    return (rule.base if isinstance(rule, MaxProfit) else None) or rule.value


def _total_flow(rule: Gain) -> str:
    return TOTAL_FLOW_BALANCE if rule.value == "balance" else TOTAL_FLOW


def _limits_read(rule: Gain, profile: RiskProfile) -> tuple[Key, ...]:
    if rule.period == "total":
        return (_total_flow(rule),)
    day = rollover_of(profile, rule)
    return (day_column(day, _base(rule)), flows_of(rule, day))


def _reads(rule: Gain) -> tuple[Key, ...]:
    return ("half", *judged_columns(rule), *(("positions",) if rule.flat else ()))


PROFIT_TARGET = RuleKind(_limits, _limits_read, _target, _reads, "money")
MAX_PROFIT = RuleKind(_limits, _limits_read, _max_profit, _reads, "money")

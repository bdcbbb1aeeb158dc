"""Rules about loss: floating, of the day, in total, and from a peak."""

from __future__ import annotations

import numpy as np

from rms_tui.book import Bytes, Floats
from rms_tui.risk.holdings import Rate
from rms_tui.risk.profile import (
    DailyLoss,
    MaxLoss,
    RiskProfile,
    Rollover,
    TotalLoss,
    Trail,
    TrailingDrawdown,
    rollover_of,
    trail_of,
)
from rms_tui.risk.rules.shape import (
    FIT,
    INITIAL,
    Columns,
    Key,
    Limits,
    Ruled,
    RuleKind,
    above_floor,
    amount_of,
    as_column,
    banded,
    base_or_flows,
    constant,
    day_column,
    fixed,
    flows_of,
    initial_of,
    judged_columns,
    known,
    left,
    no_figure,
    share_of,
    sure_of,
)
from rms_tui.risk.verdict import Reason, State


def _max_loss(rule: MaxLoss, limits: Limits, columns: Columns) -> Ruled:
    """Floating profit (profit + swap) against a negative amount."""
    value = columns["floating"]
    if rule.currency is not None:
        value = value * columns[Rate(rule.currency)]
    assert limits.share is not None
    distance = value - rule.amount
    fit = rule.currency is None and FIT in columns
    found = left(rule, distance, columns["half"], known=fit)
    rest = np.multiply(distance, limits.share, out=distance)
    state, reason = banded(rule, rest, found, Reason.NO_RATE, State.BREACHED)
    return Ruled(state, value, limits.limit, rest, (value, limits.limit), reason)


def _daily_limits(rule: DailyLoss, profile: RiskProfile, columns: Columns) -> Limits:
    """Floor = base - amount + flows since the rollover."""
    day = rollover_of(profile, rule)
    initial = initial_of(profile)
    base = day_base(rule, initial, day, columns)
    amount = as_column(amount_of(rule, initial if rule.of == "initial" else base), base)
    floor = base - amount
    missing: Bytes | Reason = Reason.BASE_UNKNOWN
    if rule.flows == "adjust":
        missing = base_or_flows(base)
        floor += columns[flows_of(rule, day)]
    if np.isnan(initial) and (rule.base == "initial" or (rule.percent and rule.of == "initial")):
        missing = Reason.INITIAL_UNKNOWN
    return Limits(floor, share_of(amount), missing, known(floor))


def day_base(rule: DailyLoss, initial: float, day: Rollover, columns: Columns) -> Floats:
    """What the day's floor hangs from; NaN where it is not known."""
    match rule.base:
        case "initial":
            return constant(initial, columns["half"])
        case "max_balance_equity":
            return np.maximum(
                columns[day_column(day, "balance")], columns[day_column(day, "equity")]
            )
        case column:
            return columns[day_column(day, column)]


def _day_columns(rule: DailyLoss, profile: RiskProfile) -> tuple[Key, ...]:
    day = rollover_of(profile, rule)
    flows = (flows_of(rule, day),) if rule.flows == "adjust" else ()
    if rule.base == "initial":
        return ("half", *flows)
    names = ("balance", "equity") if rule.base == "max_balance_equity" else (rule.base,)
    return (*(day_column(day, name) for name in names), *flows)


def _total_limits(rule: TotalLoss, profile: RiskProfile, columns: Columns) -> Limits:
    """Floor = initial - amount or initial·(1 - p): static."""
    initial = initial_of(profile)
    like = columns[INITIAL]
    amount = amount_of(rule, initial)
    floor = constant(initial - amount, like)
    share = share_of(constant(amount, like))
    return Limits(floor, share, Reason.INITIAL_UNKNOWN, known(floor))


def _trailing_limits(rule: TrailingDrawdown, profile: RiskProfile, columns: Columns) -> Limits:
    """Floor = min(lock, peak - amount), or peak·(1 - p), or peak - p·initial."""
    trail = trail_of(profile, rule)
    initial = initial_of(profile)
    peak = standing_peak(columns[trail], columns[INITIAL], trail)
    amount = as_column(amount_of(rule, initial if rule.of == "initial" else peak), peak)
    floor = peak - amount
    if rule.lock is not None:
        floor = np.minimum(floor, rule.lock)
    why = Reason.INITIAL_UNKNOWN if np.isnan(initial) else Reason.PEAK_UNKNOWN
    return Limits(floor, share_of(amount), why, known(floor), at_least=~columns[sure_of(trail)])


def standing_peak(peak: Floats, initial: Floats, trail: Trail) -> Floats:
    """The peak that the floor hangs from: never below the initial balance that stands now.

    One that withdrawals lower may be below it, and what is not known is not made known by it.
    """
    if trail.withdrawals == "lower_peak":
        return peak
    return np.maximum(peak, np.where(np.isnan(initial), -np.inf, initial))


def _trailing_columns(rule: TrailingDrawdown, profile: RiskProfile) -> tuple[Key, ...]:
    trail = trail_of(profile, rule)
    return (INITIAL, trail, sure_of(trail))


MAX_LOSS = RuleKind(
    fixed(lambda rule: rule.amount),
    no_figure,
    _max_loss,
    lambda rule: ("floating", "half", *((Rate(rule.currency),) if rule.currency else ())),
    "money",
)
DAILY_LOSS = RuleKind(
    _daily_limits, _day_columns, above_floor, lambda rule: ("half", *judged_columns(rule)), "money"
)
TOTAL_LOSS = RuleKind(
    _total_limits, no_figure, above_floor, lambda rule: ("half", *judged_columns(rule)), "money"
)
TRAILING_DRAWDOWN = RuleKind(
    _trailing_limits,
    _trailing_columns,
    above_floor,
    lambda rule: ("half", *judged_columns(rule)),
    "money",
)

"""One function for each rule, over columns, in one table.

A rule function gets its rule and the columns it declares in `reads`, for the accounts it applies
to, and gives the columns of a Verdict. It decides on figures alone: whether a row may be decided
at all (stale, missing, inconsistent) is `assessment`'s question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.book import Bytes, Floats, StopOutMode
from rms_tui.risk.profile import (
    DailyLoss,
    MarginLevel,
    MaxLoss,
    MaxProfit,
    OpenPositions,
    PositionRisk,
    RiskProfile,
    Rollover,
    rollover_of,
)
from rms_tui.risk.verdict import Reason, State

Columns = Mapping[str, npt.NDArray[Any]]

BAND_SLACK = 1e-9
"""A share this close below a band counts as in it: 0.8 of an allowance is caution, however the
division rounded."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """The columns a rule function gives; see `rms_tui.risk.verdict.Verdict` for their meaning."""

    state: Bytes
    value: Floats
    limit: Floats
    used: Floats
    distance: Floats
    reason: Bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule measures against, for each account: it moves with the day, not with the price.

    `start` is where counting begins, `limit` the floor or cap, `allowance` the way between them,
    `missing` the Reason why there is no limit where it is NaN.
    """

    start: Floats
    limit: Floats
    allowance: Floats
    missing: Bytes | Reason = Reason.NOT_A_NUMBER


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A rule's two functions and the columns each reads, given rule and profile.

    `limits` runs when its columns changed, `evaluate` when those or its own did.
    """

    limits: Callable[[Any, RiskProfile, Columns], Limits]
    limits_read: Callable[[Any, RiskProfile], tuple[str, ...]]
    evaluate: Callable[[Any, Limits, Columns], Ruled]
    reads: Callable[[Any], tuple[str, ...]]
    unit: str


def day_column(rollover: Rollover, column: str) -> str:
    """Name under which a day base's column is offered to rules."""
    return f"{column}@{rollover.zone} {rollover.at}"


def _banded(
    rule: Any, used: Floats, distance: Floats, half: Floats, missing: Bytes | Reason, top: State
) -> tuple[Bytes, Bytes]:
    """State and reason from the share used and the distance left.

    A limit is breached after rounding the distance to the currency's digits (`half` its last one).
    """
    beyond = distance < (half if rule.boundary == "inclusive" else -half)
    state = np.full(len(distance), State.OK, dtype=np.int8)
    if top is State.BREACHED:
        critical = used >= rule.critical - BAND_SLACK
        critical |= beyond
        caution = used >= rule.caution - BAND_SLACK
        caution |= critical
        state += caution.view(np.int8) * np.int8(State.CAUTION - State.OK)
        state += critical
    state += beyond
    reason = beyond.astype(np.int8)
    reason += Reason.WITHIN
    absent = np.isnan(distance)
    if bool(absent.any()):
        state[absent] = State.UNKNOWN
        reason[absent] = missing[absent] if isinstance(missing, np.ndarray) else missing
    return state, reason


def _margin_level(rule: MarginLevel, limits: Limits, columns: Columns) -> Ruled:
    """Equity / margin · 100 against two levels and the broker's stop-out.

    MT5 reports level 0.0 for an account without margin: that is no exposure, never an alarm.
    """
    equity, margin, so_level = columns["equity"], columns["margin"], columns["so_level"]
    half = 0.005 if rule.boundary == "inclusive" else -0.005
    with np.errstate(divide="ignore", invalid="ignore"):
        level = equity / margin
        level *= 100.0
        used = rule.critical / level
    out = level <= so_level
    if bool(columns["so_mode"].any()):
        in_money = columns["so_mode"] == StopOutMode.MONEY
        out = np.where(in_money, columns["margin_free"] <= so_level, out)
    out &= so_level > 0
    critical = level < rule.critical + half
    critical |= out
    caution = level < rule.warning + half
    caution |= critical
    state = np.full(len(level), State.OK, dtype=np.int8)
    state += caution.view(np.int8) * np.int8(State.CAUTION - State.OK)
    state += critical
    state += out
    reason = critical.astype(np.int8)
    reason += Reason.WITHIN
    reason[out] = Reason.STOP_OUT
    used[level <= 0] = np.inf
    distance = equity - margin * (rule.critical / 100.0)
    absent = ~np.isfinite(distance)
    flat = ~(margin > 0)
    if bool(flat.any()):
        level[flat] = used[flat] = distance[flat] = np.nan
        state[flat] = State.OFF
        reason[flat] = Reason.NO_MARGIN
    if bool(absent.any()):
        state[absent] = State.UNKNOWN
        reason[absent] = Reason.NOT_A_NUMBER
    return Ruled(state, level, limits.limit, used, distance, reason)


def _max_loss(rule: MaxLoss, limits: Limits, columns: Columns) -> Ruled:
    """Floating profit (profit + swap) against a negative amount."""
    value = columns["floating"]
    if rule.currency is not None:
        value = value * columns[f"rate to {rule.currency}"]
    used = value / rule.amount
    np.maximum(used, 0.0, out=used)
    distance = value - rule.amount
    state, reason = _banded(rule, used, distance, columns["half"], Reason.NO_RATE, State.BREACHED)
    return Ruled(state, value, limits.limit, used, distance, reason)


def _daily_limits(rule: DailyLoss, profile: RiskProfile, columns: Columns) -> Limits:
    """Floor = base - amount + flows since the rollover."""
    day = rollover_of(profile, rule)
    initial = _initial(profile)
    base = _day_base(rule, initial, day, columns)
    amount = _as_column(_amount(rule, initial if rule.of == "initial" else base), base)
    floor = base - amount
    missing = np.full(len(base), Reason.BASE_UNKNOWN, dtype=np.int8)
    if rule.flows == "adjust":
        missing[~np.isnan(base)] = Reason.FLOWS_UNKNOWN
        floor = floor + columns[_flows_of(rule, day)]
    if np.isnan(initial) and (rule.base == "initial" or (rule.percent and rule.of == "initial")):
        missing[:] = Reason.INITIAL_UNKNOWN
    return Limits(floor + amount, floor, amount, missing)


def _daily_loss(rule: DailyLoss, limits: Limits, columns: Columns) -> Ruled:
    """Equity, balance or the worse of both above the day's floor."""
    value = _judged(rule.value, columns)
    distance = value - limits.limit
    with np.errstate(divide="ignore", invalid="ignore"):
        used = distance / limits.allowance
    np.subtract(1.0, used, out=used)
    np.maximum(used, 0.0, out=used)
    state, reason = _banded(rule, used, distance, columns["half"], limits.missing, State.BREACHED)
    return Ruled(state, value, limits.limit, used, distance, reason)


def _day_base(rule: DailyLoss, initial: float, day: Rollover, columns: Columns) -> Floats:
    match rule.base:
        case "initial":
            return _constant(initial, columns["half"])
        case "max_balance_equity":
            return np.maximum(
                columns[day_column(day, "balance")], columns[day_column(day, "equity")]
            )
        case column:
            return columns[day_column(day, column)]


def _position_limits(rule: PositionRisk, profile: RiskProfile, columns: Columns) -> Limits:
    of = _initial(profile) if rule.of == "initial" else columns[rule.of]
    limit = _as_column(_amount(rule, of), columns["half"])
    missing = Reason.INITIAL_UNKNOWN if bool(np.isnan(limit).all()) else Reason.NO_RATE
    return Limits(limit, limit, limit, missing)


def _position_risk(rule: PositionRisk, limits: Limits, columns: Columns) -> Ruled:
    """Loss of the riskiest position at its stop; infinite where a position has none."""
    value = columns["risk"]
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.where(value > 0, value / limits.limit, 0.0)
    distance = limits.limit - value
    state, reason = _banded(rule, used, distance, columns["half"], limits.missing, State.BREACHED)
    reason[np.isinf(value)] = Reason.NO_STOP_LOSS
    none = columns["positions"] == 0
    state[none] = State.OK
    reason[none] = Reason.NO_POSITIONS
    return Ruled(state, value, limits.limit, used, distance, reason)


def _profit_limits(rule: MaxProfit, profile: RiskProfile, columns: Columns) -> Limits:
    """Counted from the day's base and its flows, or from the initial balance."""
    initial = _initial(profile)
    half = columns["half"]
    cap = _as_column(_amount(rule, initial), half)
    if rule.period == "total":
        return Limits(_constant(initial, half), cap, cap, Reason.INITIAL_UNKNOWN)
    day = rollover_of(profile, rule)
    start = columns[day_column(day, rule.value)] + columns[_flows_of(rule, day)]
    return Limits(start, cap, cap, Reason.BASE_UNKNOWN)


def _max_profit(rule: MaxProfit, limits: Limits, columns: Columns) -> Ruled:
    """The day's or the total profit at its cap: reached, not breached."""
    gained = _judged(rule.value, columns) - limits.start
    with np.errstate(divide="ignore", invalid="ignore"):
        used = gained / limits.limit
    np.maximum(used, 0.0, out=used)
    distance = limits.limit - gained
    state, reason = _banded(rule, used, distance, columns["half"], limits.missing, State.REACHED)
    if rule.flat:
        held = (columns["positions"] > 0) & (state == State.REACHED)
        state[held] = State.OK
    return Ruled(state, gained, limits.limit, used, distance, reason)


def _open_positions(rule: OpenPositions, limits: Limits, columns: Columns) -> Ruled:
    value = columns["positions"]
    distance = rule.count - value
    used = value / rule.count
    state, reason = _banded(
        rule, used, distance, columns["half"], Reason.NOT_A_NUMBER, State.BREACHED
    )
    return Ruled(state, value, limits.limit, used, distance, reason)


def _fixed(limit: Callable[[Any], float]) -> Callable[[Any, RiskProfile, Columns], Limits]:
    def limits(rule: Any, _: RiskProfile, columns: Columns) -> Limits:
        column = _constant(limit(rule), columns["half"])
        return Limits(column, column, column)

    return limits


def _initial(profile: RiskProfile) -> float:
    return float("nan") if profile.initial_balance is None else profile.initial_balance


def _amount(rule: Any, of: Any) -> Any:
    return rule.amount if rule.amount is not None else of * (rule.percent / 100.0)


def _constant(value: float, like: Floats) -> Floats:
    return np.broadcast_to(np.float64(value), like.shape)


def _as_column(value: Any, like: Floats) -> Floats:
    return value if isinstance(value, np.ndarray) else _constant(value, like)


def _judged(value: str, columns: Columns) -> Floats:
    if value == "worst":
        return np.minimum(columns["equity"], columns["balance"])
    return columns[value]


def _judged_columns(rule: Any) -> tuple[str, ...]:
    return ("equity", "balance") if rule.value == "worst" else (rule.value,)


def _flows_of(rule: Any, day: Rollover) -> str:
    return day_column(day, "flow_balance" if rule.value == "balance" else "flow")


def _day_columns(rule: Any, profile: RiskProfile) -> tuple[str, ...]:
    day = rollover_of(profile, rule)
    names = ("balance", "equity", "flow", "flow_balance")
    return ("half", *(day_column(day, name) for name in names))


def _only_half(_rule: Any, _profile: RiskProfile) -> tuple[str, ...]:
    return ("half",)


RULES: dict[type, RuleKind] = {
    MarginLevel: RuleKind(
        _fixed(lambda rule: rule.critical),
        _only_half,
        _margin_level,
        lambda _: ("equity", "margin", "margin_free", "so_mode", "so_level"),
        "%",
    ),
    MaxLoss: RuleKind(
        _fixed(lambda rule: rule.amount),
        _only_half,
        _max_loss,
        lambda rule: (
            "floating",
            "half",
            *((f"rate to {rule.currency}",) if rule.currency else ()),
        ),
        "money",
    ),
    DailyLoss: RuleKind(
        _daily_limits,
        _day_columns,
        _daily_loss,
        lambda rule: ("half", *_judged_columns(rule)),
        "money",
    ),
    PositionRisk: RuleKind(
        _position_limits,
        lambda rule, _: (
            "half",
            *((rule.of,) if rule.amount is None and rule.of != "initial" else ()),
        ),
        _position_risk,
        lambda _: ("risk", "positions", "half"),
        "money",
    ),
    MaxProfit: RuleKind(
        _profit_limits,
        lambda rule, profile: _day_columns(rule, profile) if rule.period == "day" else ("half",),
        _max_profit,
        lambda rule: (
            "half",
            *_judged_columns(rule),
            *(("positions",) if rule.flat else ()),
        ),
        "money",
    ),
    OpenPositions: RuleKind(
        _fixed(lambda rule: float(rule.count)),
        _only_half,
        _open_positions,
        lambda _: ("positions", "half"),
        "positions",
    ),
}

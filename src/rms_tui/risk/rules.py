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

from rms_tui.book import Bytes, Flags, Floats, StopOutMode
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
class RuleKind:
    """A rule's function and the columns it reads, given rule and profile."""

    evaluate: Callable[[Any, RiskProfile, Columns], Ruled]
    reads: Callable[[Any, RiskProfile], tuple[str, ...]]
    unit: str


def day_column(rollover: Rollover, column: str) -> str:
    """Name under which a day base's column is offered to rules."""
    return f"{column}@{rollover.zone} {rollover.at}"


def _beyond(rule: Any, distance: Floats, half: Floats) -> Flags:
    """Whether a limit is breached, after rounding the distance to the currency's digits."""
    return distance < (half if rule.boundary == "inclusive" else -half)


def _banded(
    rule: Any, used: Floats, distance: Floats, half: Floats, missing: Reason, top: State
) -> tuple[Bytes, Bytes]:
    """State and reason from the share used and the distance left."""
    beyond = _beyond(rule, distance, half)
    if top is State.BREACHED:
        state = (used >= rule.caution - BAND_SLACK).astype(np.int8)
        state *= State.CAUTION - State.OK
        state += used >= rule.critical - BAND_SLACK
        state += State.OK
        state[beyond] = State.BREACHED
    else:
        state = np.where(beyond, np.int8(top), np.int8(State.OK))
    reason = beyond.astype(np.int8)
    reason += Reason.WITHIN
    absent = np.isnan(distance)
    if bool(absent.any()):
        state[absent] = State.UNKNOWN
        reason[absent] = missing
    return state, reason


def _margin_level(rule: MarginLevel, _: RiskProfile, columns: Columns) -> Ruled:
    """Equity / margin · 100 against two levels and the broker's stop-out.

    MT5 reports level 0.0 for an account without margin: that is no exposure, never an alarm.
    """
    equity, margin, so_level = columns["equity"], columns["margin"], columns["so_level"]
    with np.errstate(divide="ignore", invalid="ignore"):
        level = equity * (100.0 / margin)
        used = rule.critical / level
    at = _level_test(rule)
    state = at(level, rule.warning).astype(np.int8)
    state *= State.CAUTION - State.OK
    state += at(level, rule.critical)
    state += State.OK
    out = level <= so_level
    if bool(columns["so_mode"].any()):
        in_money = columns["so_mode"] == StopOutMode.MONEY
        out = np.where(in_money, columns["margin_free"] <= so_level, out)
    out &= so_level > 0
    state[out] = State.BREACHED
    reason = (state > State.OK).astype(np.int8)
    reason += Reason.WITHIN
    reason[out] = Reason.STOP_OUT
    flat = margin <= 0
    level[flat] = np.nan
    used[flat] = np.nan
    used[level <= 0] = np.inf
    state[flat] = State.OFF
    reason[flat] = Reason.NO_MARGIN
    absent = np.isnan(margin) | np.isnan(equity)
    if bool(absent.any()):
        state[absent] = State.UNKNOWN
        reason[absent] = Reason.NOT_A_NUMBER
    distance = equity - margin * (rule.critical / 100.0)
    distance[flat] = np.nan
    return Ruled(state, level, _constant(rule.critical, level), used, distance, reason)


def _level_test(rule: MarginLevel) -> Callable[[Floats, float], Flags]:
    half_percent_digit = 0.005
    if rule.boundary == "inclusive":
        return lambda level, limit: level < limit + half_percent_digit
    return lambda level, limit: level < limit - half_percent_digit


def _max_loss(rule: MaxLoss, _: RiskProfile, columns: Columns) -> Ruled:
    """Floating profit (profit + swap) against a negative amount."""
    value = columns["floating"]
    if rule.currency is not None:
        value = value * columns[f"rate to {rule.currency}"]
    used = np.maximum(value / rule.amount, 0.0)
    distance = value - rule.amount
    state, reason = _banded(rule, used, distance, columns["half"], Reason.NO_RATE, State.BREACHED)
    return Ruled(state, value, _constant(rule.amount, value), used, distance, reason)


def _daily_loss(rule: DailyLoss, profile: RiskProfile, columns: Columns) -> Ruled:
    """Floor = base - amount + flows since the rollover; judged on equity, balance or the worse."""
    day = rollover_of(profile, rule)
    base = _day_base(rule, profile, day, columns)
    initial = _initial(profile)
    amount = _amount(rule, initial if rule.of == "initial" else base)
    floor = base - amount
    if rule.flows == "adjust":
        moved = "flow_balance" if rule.value == "balance" else "flow"
        floor = floor + columns[day_column(day, moved)]
    value = _judged(rule.value, columns)
    distance = value - floor
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.maximum(1.0 - distance / amount, 0.0)
    state, reason = _banded(
        rule, used, distance, columns["half"], Reason.BASE_UNKNOWN, State.BREACHED
    )
    reasons: list[tuple[Reason, Flags]] = []
    if rule.flows == "adjust":
        reasons.append((Reason.FLOWS_UNKNOWN, ~np.isnan(base) & np.isnan(floor)))
    if np.isnan(initial) and (rule.base == "initial" or (rule.percent and rule.of == "initial")):
        reasons.append((Reason.INITIAL_UNKNOWN, np.isnan(floor)))
    for why, rows in reasons:
        reason[rows] = why
    return Ruled(state, value, floor, used, distance, reason)


def _day_base(rule: DailyLoss, profile: RiskProfile, day: Rollover, columns: Columns) -> Floats:
    match rule.base:
        case "initial":
            return _constant(_initial(profile), columns["equity"])
        case "max_balance_equity":
            return np.maximum(
                columns[day_column(day, "balance")], columns[day_column(day, "equity")]
            )
        case column:
            return columns[day_column(day, column)]


def _position_risk(rule: PositionRisk, profile: RiskProfile, columns: Columns) -> Ruled:
    """Loss of the riskiest position at its stop; infinite where a position has none."""
    value = columns["risk"]
    of = {"initial": lambda: _initial(profile)}.get(rule.of, lambda: columns[rule.of])()
    limit = _as_column(_amount(rule, of), value)
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.where(value > 0, value / limit, 0.0)
    distance = limit - value
    missing = Reason.INITIAL_UNKNOWN if bool(np.isnan(limit).all()) else Reason.NO_RATE
    state, reason = _banded(rule, used, distance, columns["half"], missing, State.BREACHED)
    reason[np.isinf(value)] = Reason.NO_STOP_LOSS
    none = columns["positions"] == 0
    state[none] = State.OK
    reason[none] = Reason.NO_POSITIONS
    return Ruled(state, value, limit, used, distance, reason)


def _max_profit(rule: MaxProfit, profile: RiskProfile, columns: Columns) -> Ruled:
    """The day's profit over its base, or the total over the initial balance: reached, not
    breached."""
    initial = _initial(profile)
    value = _judged(rule.value, columns)
    if rule.period == "day":
        day = rollover_of(profile, rule)
        moved = "flow_balance" if rule.value == "balance" else "flow"
        gained = value - columns[day_column(day, rule.value)] - columns[day_column(day, moved)]
        missing = Reason.BASE_UNKNOWN
    else:
        gained = value - initial
        missing = Reason.INITIAL_UNKNOWN
    limit = _as_column(_amount(rule, initial), gained)
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.maximum(gained / limit, 0.0)
    distance = limit - gained
    state, reason = _banded(rule, used, distance, columns["half"], missing, State.REACHED)
    if rule.flat:
        held = (columns["positions"] > 0) & (state == State.REACHED)
        state[held] = State.OK
    return Ruled(state, gained, limit, used, distance, reason)


def _open_positions(rule: OpenPositions, _: RiskProfile, columns: Columns) -> Ruled:
    value = columns["positions"].astype(np.float64)
    used = value / rule.count
    distance = rule.count - value
    state, reason = _banded(
        rule, used, distance, columns["half"], Reason.NOT_A_NUMBER, State.BREACHED
    )
    return Ruled(state, value, _constant(rule.count, value), used, distance, reason)


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


def _day_columns(rule: Any, profile: RiskProfile, *names: str) -> tuple[str, ...]:
    day = rollover_of(profile, rule)
    return tuple(day_column(day, name) for name in names)


RULES: dict[type, RuleKind] = {
    MarginLevel: RuleKind(
        _margin_level,
        lambda _rule, _profile: (
            "equity",
            "margin",
            "margin_free",
            "so_mode",
            "so_level",
        ),
        "%",
    ),
    MaxLoss: RuleKind(
        _max_loss,
        lambda rule, _profile: (
            "floating",
            "half",
            *((f"rate to {rule.currency}",) if rule.currency else ()),
        ),
        "money",
    ),
    DailyLoss: RuleKind(
        _daily_loss,
        lambda rule, profile: (
            "equity",
            "balance",
            "half",
            *_day_columns(rule, profile, "balance", "equity", "flow", "flow_balance"),
        ),
        "money",
    ),
    PositionRisk: RuleKind(
        _position_risk,
        lambda rule, _profile: (
            "risk",
            "positions",
            "half",
            *((rule.of,) if rule.amount is None and rule.of != "initial" else ()),
        ),
        "money",
    ),
    MaxProfit: RuleKind(
        _max_profit,
        lambda rule, profile: (
            "equity",
            "balance",
            "half",
            *(("positions",) if rule.flat else ()),
            *(
                _day_columns(rule, profile, "balance", "equity", "flow", "flow_balance")
                if rule.period == "day"
                else ()
            ),
        ),
        "money",
    ),
    OpenPositions: RuleKind(
        _open_positions, lambda _rule, _profile: ("positions", "half"), "positions"
    ),
}

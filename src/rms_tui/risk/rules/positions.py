"""Rules about what is held: risk at the stop, size, number, and positions without a stop."""

from __future__ import annotations

import numpy as np

from rms_tui.book import Floats
from rms_tui.risk.holdings import BARE_AGE, BARE_MOST, IdeaRisk, Lots, Notional
from rms_tui.risk.profile import (
    OpenPositions,
    PositionRisk,
    PositionSize,
    RiskProfile,
    StopLossRequired,
)
from rms_tui.risk.rules.shape import (
    Columns,
    Key,
    Limits,
    Ruled,
    RuleKind,
    amount_of,
    as_column,
    banded,
    fixed,
    initial_of,
    only_half,
)
from rms_tui.risk.verdict import Reason, State

HALF_A_LOT_STEP = 5e-5
"""Half of the finest volume step in use (0.0001 lots): volumes are compared rounded to it."""


def _risk_limits(rule: PositionRisk, profile: RiskProfile, columns: Columns) -> Limits:
    by_figure = rule.amount is None and rule.of != "initial"
    of = columns[rule.of] if by_figure else initial_of(profile)
    limit = as_column(amount_of(rule, of), columns["half"])
    missing = Reason.INITIAL_UNKNOWN if bool(np.isnan(limit).all()) else Reason.NO_RATE
    return Limits(limit, limit, limit, missing)


def _position_risk(rule: PositionRisk, limits: Limits, columns: Columns) -> Ruled:
    """Loss of the riskiest position or idea at its stop; infinite where a position has none."""
    value = columns[_risk_of(rule)]
    used = _used_up(value, limits.limit)
    distance = limits.limit - value
    state, reason = banded(rule, used, distance, columns["half"], limits.missing, State.BREACHED)
    if not value.max(initial=0.0) < np.inf:  # NaN is not
        reason[np.isinf(value)] = Reason.NO_STOP_LOSS
    ruled = Ruled(state, value, limits.limit, used, distance, reason)
    return _of_holders(columns["positions"], ruled)


def _used_up(value: Floats, limit: Floats) -> Floats:
    """The share of a limit that is used up: 0 where there is nothing that could, infinite where
    there is something and nothing is allowed, NaN where either is unknown."""
    used: Floats = value / limit
    if not (value.min(initial=np.inf) >= 0 and limit.min(initial=np.inf) > 0):  # NaN is not
        used[(limit <= 0) & (value > 0)] = np.inf
        used[value <= 0] = 0.0
    return used


def _of_holders(positions: Floats, ruled: Ruled) -> Ruled:
    """The verdict where positions are known: who holds nothing, and has lost nothing yet that
    counts, is within every limit of this kind; of whom that is not known, nothing is."""
    if positions.min(initial=np.inf) > 0:  # NaN is not
        return ruled
    idle = (positions == 0) & ~(ruled.value > 0)
    ruled.state[idle] = State.OK
    ruled.reason[idle] = Reason.NO_POSITIONS
    unknown = np.isnan(positions)
    if not bool(unknown.any()):
        return ruled
    ruled.state[unknown] = State.UNKNOWN
    ruled.reason[unknown] = Reason.NOT_A_NUMBER
    ruled.used[unknown] = np.nan
    ruled.distance[unknown] = np.nan
    return ruled._replace(value=np.where(unknown, np.nan, ruled.value))


def _risk_of(rule: PositionRisk) -> Key:
    return "risk" if rule.idea is None else IdeaRisk(rule.idea)


def _size_limits(rule: PositionSize, _: RiskProfile, columns: Columns) -> Limits:
    if rule.lots is not None:
        limit = as_column(rule.lots, columns["half"])
    else:
        assert rule.percent is not None
        limit = columns["equity"] * (rule.percent / 100.0)
    return Limits(limit, limit, limit, Reason.NO_RATE)


def _position_size(rule: PositionSize, limits: Limits, columns: Columns) -> Ruled:
    """Lots, or notional in the account's currency, of the largest symbol or of the masked ones."""
    value = columns[_size_of(rule)]
    used = _used_up(value, limits.limit)
    distance = limits.limit - value
    half = HALF_A_LOT_STEP if rule.lots is not None else columns["half"]
    state, reason = banded(rule, used, distance, half, limits.missing, State.BREACHED)
    ruled = Ruled(state, value, limits.limit, used, distance, reason)
    return _of_holders(columns["positions"], ruled)


def _size_of(rule: PositionSize) -> Key:
    return Lots(rule.symbols) if rule.lots is not None else Notional(rule.symbols)


def _open_positions(rule: OpenPositions, limits: Limits, columns: Columns) -> Ruled:
    value = columns["positions"]
    distance = rule.count - value
    used = value / rule.count
    state, reason = banded(rule, used, distance, 0.5, Reason.NOT_A_NUMBER, State.BREACHED)
    return Ruled(state, value, limits.limit, used, distance, reason)


def _stop_loss_required(rule: StopLossRequired, limits: Limits, columns: Columns) -> Ruled:
    """Seconds for which a position has had no stop; unknown where that is not certain and what may
    be would come to another state. What is certain breaches."""
    positions, age, most = columns["positions"], columns[BARE_AGE], columns[BARE_MOST]
    ruled = _without_stop(rule, limits, positions, age)
    if most is not age:
        other = ruled.state != _without_stop(rule, limits, positions, most).state
        other &= ruled.state != np.int8(State.BREACHED)
        ruled.state[other] = State.UNKNOWN
        ruled.reason[other] = np.where(
            np.isnan(most[other]), Reason.CLOCK_UNKNOWN, Reason.STOPS_UNKNOWN
        )
        ruled.used[other] = np.nan
        ruled.distance[other] = np.nan
    return _of_holders(positions, ruled)


def _without_stop(rule: StopLossRequired, limits: Limits, positions: Floats, age: Floats) -> Ruled:
    """The verdict for that many seconds; -inf where every position has its stop."""
    value = np.where(np.isneginf(age), np.where(positions == 0, np.nan, 0.0), age)
    distance = rule.seconds - value
    used = value / rule.seconds
    state, reason = banded(rule, used, distance, 0.0, Reason.CLOCK_UNKNOWN, State.BREACHED)
    if rule.boundary == "inclusive":
        late = value >= rule.seconds
        state[late] = State.BREACHED
        reason[late] = Reason.BEYOND
    reason[reason == np.int8(Reason.BEYOND)] = Reason.NO_STOP_LOSS
    return Ruled(state, value, limits.limit, used, distance, reason)


POSITION_RISK = RuleKind(
    _risk_limits,
    lambda rule, _: (
        "half",
        *((rule.of,) if rule.amount is None and rule.of != "initial" else ()),
    ),
    _position_risk,
    lambda rule: (_risk_of(rule), "positions", "half"),
    "money",
)
POSITION_SIZE = RuleKind(
    _size_limits,
    lambda rule, _: ("half", *(("equity",) if rule.percent is not None else ())),
    _position_size,
    lambda rule: (_size_of(rule), "positions", "half"),
    "money",
)
OPEN_POSITIONS = RuleKind(
    fixed(lambda rule: float(rule.count)),
    only_half,
    _open_positions,
    lambda _: ("positions", "half"),
    "positions",
)
STOP_LOSS_REQUIRED = RuleKind(
    fixed(lambda rule: float(rule.seconds)),
    only_half,
    _stop_loss_required,
    lambda _: (BARE_AGE, BARE_MOST, "positions", "half"),
    "seconds",
)

"""Rules about what is held: risk at the stop, size, number, and positions without a stop."""

from __future__ import annotations

import numpy as np

from rms_tui.book import Floats, least, most
from rms_tui.risk.holdings import BARE_AGE, BARE_MOST, IdeaRisk, Lots, Notional
from rms_tui.risk.profile import (
    OpenPositions,
    PositionRisk,
    PositionSize,
    RiskProfile,
    StopLossRequired,
)
from rms_tui.risk.rules.shape import (
    INITIAL,
    Columns,
    Key,
    Limits,
    Ruled,
    RuleKind,
    amount_of,
    banded,
    constant,
    fixed,
    initial_of,
    left,
    no_figure,
    put,
    share_of,
)
from rms_tui.risk.verdict import Reason, State

HALF_A_LOT_STEP = 5e-5
"""Half of the finest volume step in use (0.0001 lots): volumes are compared rounded to it."""

UNROUNDED = float(np.nextafter(0.0, 1.0))
"""Half of the last digit where nothing is rounded: 0 left is beyond an inclusive limit, and only
less than 0 beyond an exclusive one."""

_BEYOND = np.array(Reason.BEYOND, dtype=np.int8)
_TO_NO_STOP_LOSS = np.array(Reason.NO_STOP_LOSS - Reason.BEYOND, dtype=np.int8)


def _risk_limits(rule: PositionRisk, profile: RiskProfile, columns: Columns) -> Limits:
    by_figure = rule.amount is None and rule.of != "initial"
    of = columns[rule.of] if by_figure else initial_of(profile)
    limit = amount_of(rule, of) if by_figure else constant(amount_of(rule, of), columns[INITIAL])
    unknown = bool(np.isnan(limit[:1]).all() and np.isnan(limit).all())
    missing = Reason.INITIAL_UNKNOWN if unknown else Reason.NO_RATE
    return Limits(limit, None if by_figure else share_of(limit), missing)


def _position_risk(rule: PositionRisk, limits: Limits, columns: Columns) -> Ruled:
    """Loss of the riskiest position or idea at its stop; infinite where a position has none."""
    value = columns[_risk_of(rule)]
    distance = limits.limit - value
    found = left(rule, distance, columns["half"])
    rest = _rest(value, limits, distance)
    state, reason = banded(rule, rest, found, limits.missing, State.BREACHED)
    if not most(value) < np.inf:  # NaN is not
        put(reason, np.isinf(value), Reason.NO_STOP_LOSS)
    ruled = Ruled(state, value, limits.limit, rest, (limits.limit, value), reason)
    return _of_holders(columns["positions"], ruled)


def _rest(value: Floats, limits: Limits, distance: Floats) -> Floats:
    """The share of a limit that is left, in the place of the distance: all of it where there is
    nothing that could use it, -infinite where there is something and nothing is allowed, NaN where
    either is unknown."""
    limit, share = limits.limit, limits.share
    if share is not None:
        return np.multiply(distance, share, out=distance)
    rest = np.divide(distance, limit, out=distance)
    if not least(limit) > 0:  # NaN is not
        rest[(limit <= 0) & (value > 0)] = -np.inf
        rest[np.flatnonzero(value <= 0)] = 1.0
    return rest


def _of_holders(positions: Floats, ruled: Ruled) -> Ruled:
    """The verdict where positions are known: who holds nothing, and has lost nothing yet that
    counts, is within every limit of this kind; of whom that is not known, nothing is."""
    if least(positions) > 0:  # NaN is not
        return ruled
    idle = (positions == 0) & ~(ruled.figure > 0)
    put(ruled.state, idle, State.OK)
    put(ruled.reason, idle, Reason.NO_POSITIONS)
    unknown = np.isnan(positions)
    if not bool(unknown.any()):
        return ruled
    ruled.state[unknown] = State.UNKNOWN
    ruled.reason[unknown] = Reason.NOT_A_NUMBER
    ruled.rest[unknown] = np.nan
    return ruled._replace(figure=np.where(unknown, np.nan, ruled.figure))


def _risk_of(rule: PositionRisk) -> Key:
    return "risk" if rule.idea is None else IdeaRisk(rule.idea)


def _size_limits(rule: PositionSize, _: RiskProfile, columns: Columns) -> Limits:
    if rule.lots is not None:
        limit = constant(rule.lots, columns[INITIAL])
        return Limits(limit, share_of(limit), Reason.NO_RATE)
    assert rule.percent is not None
    return Limits(columns["equity"] * (rule.percent / 100.0), None, Reason.NO_RATE)


def _position_size(rule: PositionSize, limits: Limits, columns: Columns) -> Ruled:
    """Lots, or notional in the account's currency, of the largest symbol or of the masked ones."""
    value = columns[_size_of(rule)]
    distance = limits.limit - value
    found = left(rule, distance, HALF_A_LOT_STEP if rule.lots is not None else columns["half"])
    rest = _rest(value, limits, distance)
    state, reason = banded(rule, rest, found, limits.missing, State.BREACHED)
    ruled = Ruled(state, value, limits.limit, rest, (limits.limit, value), reason)
    return _of_holders(columns["positions"], ruled)


def _size_of(rule: PositionSize) -> Key:
    return Lots(rule.symbols) if rule.lots is not None else Notional(rule.symbols)


def _open_positions(rule: OpenPositions, limits: Limits, columns: Columns) -> Ruled:
    assert limits.share is not None
    value = columns["positions"]
    distance = rule.count - value
    found = left(rule, distance, 0.5)
    rest = np.multiply(distance, limits.share, out=distance)
    state, reason = banded(rule, rest, found, Reason.NOT_A_NUMBER, State.BREACHED)
    return Ruled(state, value, limits.limit, rest, (limits.limit, value), reason)


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
        ruled.rest[other] = np.nan
    return _of_holders(positions, ruled)


def _without_stop(rule: StopLossRequired, limits: Limits, positions: Floats, age: Floats) -> Ruled:
    """The verdict for that many seconds; -inf where every position has its stop."""
    assert limits.share is not None
    value = np.maximum(age, 0.0)
    if not least(positions) > 0:  # NaN is not
        value[np.flatnonzero((positions == 0) & np.isneginf(age))] = np.nan
    distance = rule.seconds - value
    found = left(rule, distance, UNROUNDED)
    rest = np.multiply(distance, limits.share, out=distance)
    state, reason = banded(rule, rest, found, Reason.CLOCK_UNKNOWN, State.BREACHED)
    reason += (reason == _BEYOND).view(np.int8) * _TO_NO_STOP_LOSS
    return Ruled(state, value, limits.limit, rest, (limits.limit, value), reason)


POSITION_RISK = RuleKind(
    _risk_limits,
    lambda rule, _: (rule.of if rule.amount is None and rule.of != "initial" else INITIAL,),
    _position_risk,
    lambda rule: (_risk_of(rule), "positions", "half"),
    "money",
)
POSITION_SIZE = RuleKind(
    _size_limits,
    lambda rule, _: ("equity" if rule.percent is not None else INITIAL,),
    _position_size,
    lambda rule: (_size_of(rule), "positions", "half"),
    "money",
)
OPEN_POSITIONS = RuleKind(
    fixed(lambda rule: float(rule.count)),
    no_figure,
    _open_positions,
    lambda _: ("positions",),
    "positions",
)
STOP_LOSS_REQUIRED = RuleKind(
    fixed(lambda rule: float(rule.seconds)),
    no_figure,
    _stop_loss_required,
    lambda _: (BARE_AGE, BARE_MOST, "positions"),
    "seconds",
)

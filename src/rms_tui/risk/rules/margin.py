"""The margin level against two levels of ours and the broker's stop-out."""

from __future__ import annotations

import numpy as np

from rms_tui.book import StopOutMode, least, most
from rms_tui.risk.profile import MarginLevel, RiskProfile
from rms_tui.risk.rules.shape import (
    FIT,
    Columns,
    Limits,
    Ruled,
    RuleKind,
    bands,
    constant,
    put,
)
from rms_tui.risk.verdict import Reason, State

_WITHIN = np.array(Reason.WITHIN, dtype=np.int8)
_TO_STOP_OUT = np.array(Reason.STOP_OUT - Reason.BEYOND, dtype=np.int8)


def _margin_limits(rule: MarginLevel, _: RiskProfile, columns: Columns) -> Limits:
    """What moves with the margin only: 100 / margin, the equity at the critical level, who is flat.

    MT5 reports level 0.0 for an account without margin: that is no exposure, never an alarm.
    """
    margin, so_level = columns["margin"], columns["so_level"]
    flat, used = None, margin
    if not (least(margin) > 0 and most(margin) < np.inf):  # NaN is neither
        flat = margin <= 0
        used = np.where(flat | np.isinf(margin), np.nan, margin)
    in_money = columns["so_mode"] == int(StopOutMode.MONEY)
    by_level, by_money = so_level, None
    lowest, highest = least(so_level), most(so_level)
    plain = lowest > 0 and highest < np.inf  # NaN is not
    if lowest == highest:
        by_level = constant(highest, margin)
    if bool(in_money.any()) or not plain:
        known = (so_level > 0) & (so_level < np.inf)
        by_level = np.where(known & ~in_money, so_level, np.nan)
        by_money = np.where(known & in_money, so_level, np.nan)
    return Limits(
        constant(rule.critical, margin),
        None,
        known=flat is None,
        start=100.0 / used,
        allowance=used * (rule.critical / 100.0),
        off=flat,
        stop_out=(by_level, by_money),
    )


def _margin_level(rule: MarginLevel, limits: Limits, columns: Columns) -> Ruled:
    """Equity / margin · 100 against two levels and the broker's stop-out."""
    assert limits.start is not None
    assert limits.allowance is not None
    assert limits.stop_out is not None
    equity = columns["equity"]
    half = 0.005 if rule.boundary == "inclusive" else -0.005
    level = equity * limits.start
    by_level, by_money = limits.stop_out
    out = level <= by_level
    if by_money is not None:
        out |= columns["margin_free"] <= by_money
    critical = level < rule.critical + half
    critical |= out
    caution = level < rule.warning + half
    rest = rule.critical / level
    np.subtract(1.0, rest, out=rest)
    lowest = least(level)
    if not lowest > 0:  # NaN is not
        rest[level <= 0] = -np.inf
    state = bands(caution, critical)
    state += out.view(np.int8)
    reason = critical.view(np.int8)
    reason += _WITHIN
    reason += out.view(np.int8) * _TO_STOP_OUT  # who is out is critical
    fit = limits.known and FIT in columns
    if not fit and not (lowest > -np.inf and most(level) < np.inf):  # NaN is neither
        odd = ~np.isfinite(level)
        put(state, odd, State.UNKNOWN)
        put(reason, odd, Reason.NOT_A_NUMBER)
    if limits.off is not None:
        put(state, limits.off, State.OFF)
        put(reason, limits.off, Reason.NO_MARGIN)
    return Ruled(state, level, limits.limit, rest, (equity, limits.allowance), reason)


MARGIN_LEVEL = RuleKind(
    _margin_limits,
    lambda _rule, _profile: ("margin", "so_mode", "so_level"),
    _margin_level,
    lambda _: ("equity", "margin_free"),
    "%",
)

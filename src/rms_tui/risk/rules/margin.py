"""The margin level against two levels of ours and the broker's stop-out."""

from __future__ import annotations

import numpy as np

from rms_tui.book import StopOutMode
from rms_tui.risk.profile import MarginLevel
from rms_tui.risk.rules.shape import Columns, Limits, Ruled, RuleKind, fixed, only_half
from rms_tui.risk.verdict import Reason, State


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


MARGIN_LEVEL = RuleKind(
    fixed(lambda rule: rule.critical),
    only_half,
    _margin_level,
    lambda _: ("equity", "margin", "margin_free", "so_mode", "so_level"),
    "%",
)

"""One function for each rule, over columns, in one table.

A rule function gets its rule and the columns it declares in `reads`, for the accounts it applies
to, and gives the columns of a Verdict. It decides on figures alone: whether a row may be decided
at all (stale, missing, inconsistent) is `assessment`'s question.
"""

from __future__ import annotations

from rms_tui.risk import profile
from rms_tui.risk.rules.loss import DAILY_LOSS, MAX_LOSS, TOTAL_LOSS, TRAILING_DRAWDOWN
from rms_tui.risk.rules.margin import MARGIN_LEVEL
from rms_tui.risk.rules.positions import (
    OPEN_POSITIONS,
    POSITION_RISK,
    POSITION_SIZE,
    STOP_LOSS_REQUIRED,
)
from rms_tui.risk.rules.profit import MAX_PROFIT, PROFIT_TARGET
from rms_tui.risk.rules.shape import RuleKind

RULES: dict[type, RuleKind] = {
    profile.MarginLevel: MARGIN_LEVEL,
    profile.MaxLoss: MAX_LOSS,
    profile.DailyLoss: DAILY_LOSS,
    profile.TotalLoss: TOTAL_LOSS,
    profile.TrailingDrawdown: TRAILING_DRAWDOWN,
    profile.ProfitTarget: PROFIT_TARGET,
    profile.MaxProfit: MAX_PROFIT,
    profile.PositionRisk: POSITION_RISK,
    profile.PositionSize: POSITION_SIZE,
    profile.OpenPositions: OPEN_POSITIONS,
    profile.StopLossRequired: STOP_LOSS_REQUIRED,
}

__all__ = ["RULES"]

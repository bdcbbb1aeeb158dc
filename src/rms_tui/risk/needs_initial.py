"""Which rules of a profile count from an initial balance that it does not have. Pure."""

from __future__ import annotations

from typing import Any

from rms_tui.risk.profile import (
    DailyLoss,
    MaxProfit,
    PositionRisk,
    ProfitTarget,
    RiskProfile,
    TotalLoss,
    TrailingDrawdown,
)


def needs_initial(profile: RiskProfile) -> tuple[str, ...]:
    """Names of the rules that decide nothing until the profile has an `initial_balance`."""
    if profile.initial_balance is not None:
        return ()
    return tuple(dict.fromkeys(rule.rule for rule in profile.rules if _counts_from_it(rule)))


def _counts_from_it(rule: Any) -> bool:
    match rule:
        case TotalLoss() | TrailingDrawdown():
            return True
        case DailyLoss():
            return rule.base == "initial" or (rule.percent is not None and rule.of == "initial")
        case PositionRisk():
            return rule.percent is not None and rule.of == "initial"
        case ProfitTarget() | MaxProfit():
            return rule.period == "total" or rule.percent is not None
        case _:
            return False

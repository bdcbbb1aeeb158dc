"""Limits are money of a profile's currency: what they say of an account in another one.

A floor converted at a live rate would move with the market, fall without a withdrawal and differ
after a restart; so amounts are not converted. A rule that says an amount decides nothing for an
account in another currency, with the reason; rules in percent of the account's own figures, counts
and levels apply as they are. Floating loss has no memory: `max_loss` is converted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rms_tui.book import Bytes, Flags, Ints
from rms_tui.risk.profile import (
    DailyLoss,
    MaxLoss,
    MaxProfit,
    PositionRisk,
    ProfitTarget,
    RiskProfile,
    Rule,
    TotalLoss,
    TrailingDrawdown,
)
from rms_tui.risk.verdict import Reason


def says_money(rule: Rule) -> bool:
    """Whether a rule measures by an amount or by the initial balance of its profile."""
    match rule:
        case TotalLoss() | ProfitTarget() | MaxProfit():
            return True
        case DailyLoss():
            return rule.amount is not None or "initial" in (rule.base, rule.of)
        case TrailingDrawdown():
            return rule.amount is not None or rule.lock is not None or rule.of == "initial"
        case PositionRisk():
            return rule.amount is not None or rule.of == "initial"
    return False


def foreign(profile: RiskProfile, currencies: Sequence[str], rows: Ints) -> Flags | None:
    """Which of the rows are in another currency than the profile's, None where none is."""
    if profile.currency is None:
        return None
    other = [currencies[row] != profile.currency for row in rows.tolist()]
    found = np.array(other, dtype=np.bool_)
    return found if bool(found.any()) else None


def against(rule: Rule, elsewhere: Flags | None) -> Bytes | None:
    """The Reason for deciding nothing on each account, None where nothing speaks against it."""
    if elsewhere is None or not says_money(rule):
        return None
    return np.where(elsewhere, np.int8(Reason.OTHER_CURRENCY), np.int8(Reason.NONE))


def converted(profile: RiskProfile, rule: Rule, elsewhere: Flags | None) -> Rule:
    """The rule as it applies: a floating loss without a currency of its own is the profile's."""
    if elsewhere is None or not isinstance(rule, MaxLoss) or rule.currency is not None:
        return rule
    return rule.model_copy(update={"currency": profile.currency})

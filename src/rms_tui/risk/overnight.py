"""What the next rollover would do: a daily loss rule judged as if its new day had begun.

A position that is legal at 23:59 may breach at 00:00, when the floor is drawn anew under the
balance of that moment (FTMO's overnight lesson). The verdict of one second after the rollover is
worked out from the present figures: they are the new day's base, and nothing has been paid in yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rms_tui.book import Flags, Floats, Ints
from rms_tui.risk.days import DayBase
from rms_tui.risk.profile import DailyLoss, RiskProfile, Rollover, Rule, rollover_of
from rms_tui.risk.rules import RULES
from rms_tui.risk.rules.shape import Columns, Key, Ruled, day_column
from rms_tui.risk.verdict import Reason, State, Verdict, distance

UNFIT = (
    Reason.STALE,
    Reason.DISCONNECTED,
    Reason.NOT_A_NUMBER,
    Reason.ZERO_EQUITY,
    Reason.EMPTIED,
    Reason.IDENTITY,
    Reason.OTHER_CURRENCY,
)
"""Reasons that forbid judging a row's figures. An unknown base does not: tomorrow has its own."""


class Ruling(Protocol):
    """A rule of a profile and the account rows it applies to (None: all)."""

    @property
    def profile(self) -> RiskProfile: ...

    @property
    def rule(self) -> Rule: ...

    @property
    def rows(self) -> Ints | None: ...


@dataclass(frozen=True, slots=True)
class Overnight:
    """One daily loss rule and its next rollover (`at`, UTC seconds); columns as in its Verdict.

    `rule` is the verdict's index in the Assessment. `would_breach` is True where the new day
    starts breached and the present one is not; `limit` is the new day's floor.
    """

    rule: int
    at: float
    rows: Ints | None
    would_breach: Flags
    limit: Floats
    distance: Floats


def overnight(
    minutes: float,
    rules: Sequence[Ruling],
    verdicts: Sequence[Verdict],
    columns: Columns,
    days: Mapping[Rollover, DayBase],
    now: float,
) -> tuple[Overnight, ...]:
    """The notices of all daily loss rules whose rollover is at most `minutes` away."""
    near = {
        rollover: day for rollover, day in days.items() if 0 < day.until - now <= 60.0 * minutes
    }
    found: list[Overnight] = []
    for index, one in enumerate(rules if near else ()):
        profile, rule, rows = one.profile, one.rule, one.rows
        day = near.get(rollover_of(profile, rule)) if isinstance(rule, DailyLoss) else None
        if not isinstance(rule, DailyLoss) or day is None:
            continue
        verdict = verdicts[index]
        ruled = after_rollover(profile, rule, rows, columns)
        breach = (ruled.state == State.BREACHED) & (verdict.state != State.BREACHED)
        breach &= ~np.isin(verdict.reason, UNFIT)
        left = distance(ruled.state, ruled.between)
        found.append(Overnight(index, day.until, rows, breach, ruled.limit, left))
    return tuple(found)


def after_rollover(
    profile: RiskProfile, rule: DailyLoss, rows: Ints | None, columns: Columns
) -> Ruled:
    """What the rule would say one second after its rollover of these figures.

    `columns` needs `balance`, `equity` and `half` only.
    """
    after = _as_of_rollover(profile, rule, rows, columns)
    kind = RULES[DailyLoss]
    return kind.evaluate(rule, kind.limits(rule, profile, after), after)


def _as_of_rollover(
    profile: RiskProfile, rule: DailyLoss, rows: Ints | None, columns: Columns
) -> Columns:
    day = rollover_of(profile, rule)
    here = slice(None) if rows is None else rows
    balance, equity = columns["balance"][here], columns["equity"][here]
    none = np.zeros(len(balance))
    made: dict[Key, Floats] = {
        "balance": balance,
        "equity": equity,
        "half": columns["half"][here],
        day_column(day, "balance"): balance,
        day_column(day, "equity"): equity,
        day_column(day, "flow"): none,
        day_column(day, "flow_balance"): none,
    }
    return made

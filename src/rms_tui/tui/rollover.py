"""What the next rollover would do, in words: who would breach its new floor, when, and how far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rms_tui.book import Floats
from rms_tui.frame import Frame
from rms_tui.risk.columns import half_units
from rms_tui.risk.currency import says_money
from rms_tui.risk.overnight import UNFIT, after_rollover
from rms_tui.risk.profile import DailyLoss, rollover_of
from rms_tui.risk.rules.shape import Key
from rms_tui.risk.verdict import Reason, State
from rms_tui.tui import figures


@dataclass(frozen=True, slots=True)
class Notice:
    """An account's next rollover under one daily loss rule. `at` is UTC seconds."""

    rule: str
    at: float
    would_breach: bool
    limit: float
    distance: float


def breaching(frame: Frame) -> dict[int, str]:
    """Of the accounts (rows) that a rollover would breach, its time on the server's clock."""
    if frame.assessment is None:
        return {}
    found: dict[int, str] = {}
    for one in sorted(frame.assessment.overnight, key=lambda each: -each.at):
        at = np.flatnonzero(one.would_breach)
        rows = at if one.rows is None else one.rows[at]
        if len(rows):
            clock = figures.clock(one.at, frame.health.server_offset, seconds=False)
            found.update(dict.fromkeys(rows.tolist(), clock))
    return found


@dataclass(frozen=True, slots=True)
class Coming:
    """An account's next rollover under one daily loss rule, and the verdict it would bring.

    `at` is UTC seconds; `state` is UNKNOWN where the present figures decide nothing.
    """

    rule: str
    at: float
    state: State
    limit: float


def coming(frame: Frame, row: int) -> Iterator[Coming]:
    """The next rollover of each daily loss rule of one account, however far it is."""
    assessed, book, memory = frame.assessment, frame.book, frame.memory
    if assessed is None or book is None or memory is None:
        return
    profile_at = int(assessed.scope.profile[row])
    if profile_at < 0:
        return
    profile = assessed.scope.plan.profiles[profile_at]
    one = slice(row, row + 1)
    columns: dict[Key, Floats] = {
        "balance": book.accounts.balance[one],
        "equity": book.accounts.equity[one],
        "half": half_units(book, assessed.half)[1][one],
    }
    elsewhere = profile.currency not in (None, book.accounts.currency[row])
    fit = Reason(int(assessed.undecided[row])) not in UNFIT
    for rule in profile.rules:
        day = memory.days.get(rollover_of(profile, rule))
        if not isinstance(rule, DailyLoss) or day is None or np.isnan(day.until):
            continue
        if elsewhere and says_money(rule):
            yield Coming(rule.rule, day.until, State.UNKNOWN, np.nan)
            continue
        ruled = after_rollover(profile, rule, None, columns)
        state = State(int(ruled.state[0])) if fit else State.UNKNOWN
        yield Coming(rule.rule, day.until, state, float(ruled.limit[0]))


def notices(frame: Frame, row: int) -> Iterator[Notice]:
    """What each rollover that is near would do to one account."""
    assessed = frame.assessment
    for one in () if assessed is None else assessed.overnight:
        at = row
        if one.rows is not None:
            at = int(np.searchsorted(one.rows, row))
            if at >= len(one.rows) or one.rows[at] != row:
                continue
        assert assessed is not None
        rule = assessed.verdicts[one.rule].rule.rule
        yield Notice(
            rule, one.at, bool(one.would_breach[at]), float(one.limit[at]), float(one.distance[at])
        )

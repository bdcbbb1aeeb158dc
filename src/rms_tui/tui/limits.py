"""Which limits can be chosen for an account, in words. Pure: a frame in, lines of a list out."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rms_tui.frame import Frame
from rms_tui.presets import preset, presets
from rms_tui.risk.assignment import Assigned, assigned
from rms_tui.risk.entries import Outcome, standing
from rms_tui.risk.memory import SERVER_DAY
from rms_tui.risk.profile import (
    Plan,
    RiskProfile,
    Rollover,
    Trail,
    TrailingDrawdown,
    rollover_of,
    trail_of,
)
from rms_tui.tui.panes.account_figures import row_of_login
from rms_tui.tui.screens.limits import BACK, OWN, Choice
from rms_tui.tui.words import rule_words


def applied(frame: Frame, login: int) -> Assigned | None:
    """The profile that applies to a watched account, and because of what."""
    if frame.book is None or frame.assessment is None:
        return None
    row = row_of_login(frame, login)
    if row is None:
        return None
    return assigned(frame.assessment.scope.plan, login, frame.book.accounts.group[row])


def assigned_words(one: Assigned) -> str:
    """`ftmo-2step, from group real\\*`."""
    if one.profile is None:
        return one.words
    return f"{one.profile.name}, from {one.words}"


def choices(plan: Plan, present: Assigned) -> Iterator[Choice]:
    """Every line of the list for an account with that profile."""
    if present.by == "own":
        yield Choice(BACK, "Back to the group's profile", "or the default")
    yield Choice(OWN, "Limits of its own", "daily loss, position risk, profit")
    for profile in plan.profiles:
        yield Choice("rms.toml", profile.name, ", ".join(_rules(profile)))
    for one in presets().values():
        yield Choice("preset", one.name, f"{one.firm}: {one.title}")


def wants_initial(name: str) -> bool:
    """Whether a preset says nothing without an initial balance of the account."""
    profile = RiskProfile.model_validate({**preset(name).profile, "name": name})
    return profile.initial_balance is None and any(
        rule.rule in ("total_loss", "trailing_drawdown", "profit_target")
        or getattr(rule, "of", None) == "initial"
        or getattr(rule, "base", None) == "initial"
        for rule in profile.rules
    )


def by_hand(frame: Frame, login: int, now: float) -> list[Outcome]:
    """What an operator's entry would come to for each day and peak that the account's rules use."""
    one = applied(frame, login)
    if one is None or frame.memory is None:
        return []
    used: dict[Rollover | Trail, None] = {SERVER_DAY: None}
    if one.profile is not None:
        used |= dict.fromkeys(rollover_of(one.profile, rule) for rule in one.profile.rules)
        used |= dict.fromkeys(
            trail_of(one.profile, rule)
            for rule in one.profile.rules
            if isinstance(rule, TrailingDrawdown)
        )
    days = {of: day for of, day in frame.memory.days.items() if not math.isnan(day.at)}
    return standing(
        frame.memory, login, [of for of in used if isinstance(of, Trail) or of in days], now
    )


def _rules(profile: RiskProfile) -> list[str]:
    return list(dict.fromkeys(rule_words(rule.rule) for rule in profile.rules))

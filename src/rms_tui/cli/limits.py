"""Limits of one account as they are given for it: a profile's name, amounts, percents."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rms_tui.cli.exits import USAGE, end
from rms_tui.presets import expanded
from rms_tui.risk.needs_initial import needs_initial
from rms_tui.risk.own_profile import own_profile
from rms_tui.risk.profile import Plan, RiskProfile

OPTIONS = {
    "max_daily_loss": "--max-daily-loss",
    "max_position_risk": "--max-position-risk",
    "max_profit": "--max-profit",
}

IN_PERCENT: Mapping[str, Mapping[str, Any]] = {
    "max_daily_loss": {"rule": "daily_loss", "base": "balance", "of": "base"},
    "max_position_risk": {"rule": "position_risk"},
    "max_profit": {"rule": "max_profit", "period": "day", "base": "balance"},
}
"""The rule of each limit where it is a share: of the day's base, of the balance, of the initial."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What was given; None where nothing was."""

    profile: str | None = None
    max_daily_loss: str | None = None
    max_position_risk: str | None = None
    max_profit: str | None = None
    initial_balance: float | None = None
    without: bool = False

    @property
    def own(self) -> dict[str, str]:
        found = {name: getattr(self, name) for name in OPTIONS}
        return {name: value for name, value in found.items() if value is not None}


def given_profile(limits: Limits, before: object, plan: Plan, login: int) -> Any:
    """The element's `profile` after these options, checked; None where it is to have none.

    `before` is the one it has: its other limits stay. Ends the verb where it cannot be.
    """
    chosen = [limits.profile is not None, bool(limits.own), limits.without]
    if sum(chosen) > 1:
        end("--profile, --no-profile and own limits exclude each other: give one of them", USAGE)
    if limits.initial_balance is not None and not math.isfinite(limits.initial_balance):
        end(f"--initial-balance {limits.initial_balance}: expected an amount of money", USAGE)
    if limits.without:
        return None
    if limits.profile is not None:
        wanted: Any = limits.profile
        if limits.initial_balance is not None:
            preset = limits.profile.removeprefix("preset:")
            wanted = {"preset": preset, "initial_balance": limits.initial_balance}
    elif limits.own or limits.initial_balance is not None:
        wanted = _with_limits(limits, before if isinstance(before, Mapping) else {})
    else:
        return before
    try:
        warn_of_initial(own_profile(plan, login, wanted, expanded))
    except ValueError as error:
        names = ", ".join(profile.name for profile in plan.profiles)
        option = f"--profile {limits.profile}: " if limits.profile else ""
        hint = f"; there are {names}, and `rms-tui profiles list`" if limits.profile else ""
        end(f"{option}account {login}: {error}{hint}", USAGE)
    return wanted


def warn_of_initial(profile: RiskProfile) -> None:
    """Say which rules decide nothing without the initial balance that is missing."""
    if lost := needs_initial(profile):
        print(
            f"rms-tui: {profile.name} has no initial balance, without which {', '.join(lost)} "
            "cannot be judged: add --initial-balance I",
            file=sys.stderr,
        )


def _with_limits(limits: Limits, before: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(before)
    rules = [dict(rule) for rule in made.pop("rules", ())]
    for name, given in limits.own.items():
        made.pop(name, None)
        in_percent = IN_PERCENT[name]
        rules = [rule for rule in rules if rule.get("rule") != in_percent["rule"]]
        amount, percent = _figure(OPTIONS[name], given)
        if percent is None:
            made[name] = amount
        else:
            rules.append({**in_percent, "percent": percent})
    if limits.initial_balance is not None:
        made["initial_balance"] = limits.initial_balance
    if rules:
        made["rules"] = rules
    by_initial = any(rule.get("rule") == "max_profit" and "percent" in rule for rule in rules)
    if by_initial and made.get("initial_balance") is None:
        end("--max-profit in percent is of the initial balance: add --initial-balance", USAGE)
    return made


def _figure(option: str, given: str) -> tuple[float | None, float | None]:
    """Money, or percent."""
    word = given.strip()
    percent = word.endswith("%")
    try:
        number = float(word.removesuffix("%").replace("_", ""))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number <= 0 or (percent and number > 100):
        end(
            f"{option} {given}: expected an amount of money above 0 (500) or a percentage up to "
            "100 (5%)",
            USAGE,
        )
    return (None, number) if percent else (number, None)


def in_words(profile: object) -> str:
    """An element's `profile` in a few words for a table."""
    if isinstance(profile, str):
        return profile
    if not isinstance(profile, Mapping):
        return ""
    said = [
        f"{name.removeprefix('max_').replace('_', ' ')} {profile[name]:g}"
        for name in OPTIONS
        if isinstance(profile.get(name), int | float)
    ]
    for rule in profile.get("rules", ()):
        if isinstance(rule, Mapping):
            share = rule.get("percent")
            figure = f" {share:g}%" if isinstance(share, int | float) else ""
            if isinstance(rule.get("amount"), int | float):
                figure = f" {rule['amount']:g}"
            said.append(f"{str(rule.get('rule')).removeprefix('max_').replace('_', ' ')}{figure}")
    if isinstance(profile.get("preset"), str):
        said.insert(0, profile["preset"])
    return ", ".join(said)

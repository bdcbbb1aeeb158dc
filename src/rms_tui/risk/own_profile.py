"""A profile that stands on an element: a name, or limits written there for one account.

Besides the keys of `rms.toml` the three limits of the older risk scripts are understood:
`max_daily_loss` and `max_position_risk` (money), `max_profit` (money, of the day).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from rms_tui.risk.profile import Assign, Plan, RiskProfile

SHORT: dict[str, dict[str, Any]] = {
    "max_daily_loss": {"rule": "daily_loss", "base": "balance"},
    "max_position_risk": {"rule": "position_risk"},
    "max_profit": {"rule": "max_profit", "period": "day"},
}


def with_own(
    plan: Plan, own: Mapping[int, str | Mapping[str, Any]]
) -> tuple[Plan, Mapping[int, str]]:
    """The plan with what accounts have of their own, and why not where that cannot be.

    An account whose own profile is wrong keeps the one the plan gives it: a limit is never
    dropped, and the reason is there to be shown.
    """
    names = {profile.name for profile in plan.profiles}
    profiles, assigned = list(plan.profiles), []
    refused: dict[int, str] = {}
    for login, wanted in own.items():
        if isinstance(wanted, str):
            if wanted not in names:
                refused[login] = f"account {login}: no profile {wanted!r}"
                continue
            name = wanted
        else:
            name = f"account {login}"
            try:
                profiles.append(RiskProfile.model_validate(_written_out(wanted, name)))
            except (ValidationError, TypeError, ValueError) as error:
                refused[login] = f"account {login}: {_first(error)}"
                continue
        assigned.append(Assign(profile=name, logins=(login,)))
    made = plan.model_copy(
        update={"profiles": tuple(profiles), "assigned": (*assigned, *plan.assigned)}
    )
    return made, refused


def _written_out(wanted: Mapping[str, Any], name: str) -> dict[str, Any]:
    body = {key: value for key, value in wanted.items() if key not in SHORT}
    rules = list(body.pop("rules", ()))
    rules += [
        {**rule, "amount": wanted[key]}
        for key, rule in SHORT.items()
        if wanted.get(key) is not None
    ]
    if not rules:
        raise ValueError(f"expected rules, or one of {', '.join(SHORT)}")
    return {**body, "name": name, "rules": rules}


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors()[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"

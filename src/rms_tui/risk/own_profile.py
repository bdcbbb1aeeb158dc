"""A profile that stands on an element: a name, or limits written there for one account.

Besides the keys of `rms.toml` the three limits of the older risk scripts are understood:
`max_daily_loss` and `max_position_risk` (money), `max_profit` (money, of the day).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pydantic import ValidationError

from rms_tui.risk.profile import Assign, Plan, RiskProfile
from rms_tui.risk.refusals import refusals

OwnProfile: TypeAlias = str | Mapping[str, Any]
"""A name, or limits."""

SHORT: dict[str, dict[str, Any]] = {
    "max_daily_loss": {"rule": "daily_loss", "base": "balance"},
    "max_position_risk": {"rule": "position_risk"},
    "max_profit": {"rule": "max_profit", "period": "day", "base": "balance"},
}


Expand: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""A profile's keys with those of its `preset` under them; ValueError where there is no such."""


def _no_presets(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if "preset" in body:
        raise ValueError(f"no preset {body['preset']!r}")
    return body


def with_own(
    plan: Plan, own: Mapping[int, OwnProfile], expand: Expand = _no_presets
) -> tuple[Plan, Mapping[int, str]]:
    """The plan with what accounts have of their own, and why not where that cannot be.

    An account whose own profile is wrong is judged by nothing, and `Plan.refused` names it: limits
    that somebody meant to be other ones would say OK where nobody knows.
    """
    names = {profile.name for profile in plan.profiles}
    profiles, assigned = list(plan.profiles), []
    refused: dict[int, str] = {}
    for login, wanted in own.items():
        try:
            made = own_profile(plan, login, wanted, expand)
        except ValueError as error:
            refused[login] = f"account {login}: {error}"
            made = RiskProfile(name=_name(login), rules=())
        if made.name not in names:
            names.add(made.name)
            profiles.append(made)
        assigned.append(Assign(profile=made.name, logins=(login,)))
    with_them = {
        "profiles": tuple(profiles),
        "assigned": (*assigned, *plan.assigned),
        "own": frozenset(own),
        "refused": frozenset(refused),
    }
    return plan.model_copy(update=with_them), refused


def own_of(plan: Plan) -> Mapping[int, OwnProfile]:
    """What `with_own` was given to make this plan: for who has it from another process."""
    named = {profile.name: profile for profile in plan.profiles}
    return {
        login: one.profile
        if one.profile != _name(login)
        else named[one.profile].model_dump(mode="json", exclude={"name"})
        for one in plan.assigned
        for login in one.logins
        if login in plan.own and one.logins == (login,)
    }


def own_profile(
    plan: Plan, login: int, wanted: OwnProfile, expand: Expand = _no_presets
) -> RiskProfile:
    """The profile an account has of its own: one of the plan's, a preset, or its own limits.

    Raises ValueError with what is wrong.
    """
    if isinstance(wanted, str):
        for profile in plan.profiles:
            if profile.name == wanted:
                return profile
        try:
            return RiskProfile.model_validate({**expand({"preset": wanted}), "name": wanted})
        except ValueError:
            raise ValueError(f"no profile {wanted!r}, and no such preset") from None
    try:
        return RiskProfile.model_validate(_written_out(expand(wanted), _name(login)))
    except (ValidationError, TypeError, ValueError) as error:
        raise ValueError(_first(error)) from None


def _name(login: int) -> str:
    return f"account {login}"


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
    return refusals(error)[0] if isinstance(error, ValidationError) else str(error)

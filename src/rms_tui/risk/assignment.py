"""Which profile applies to an account, and because of what: a dealer must be able to see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rms_tui.risk.profile import Plan, RiskProfile, mask_matches

By = Literal["own", "account", "group", "default", "nobody"]


@dataclass(frozen=True, slots=True)
class Assigned:
    """An account's profile, None where no rule applies; `mask` is the group mask that matched.

    `refused` says that its own profile cannot be used: the one here has no rules.
    """

    profile: RiskProfile | None
    by: By
    mask: str = ""
    refused: bool = False

    @property
    def words(self) -> str:
        """Where it comes from: `group demo\\*`."""
        if self.refused:
            return "this account's own, which cannot be used"
        return {
            "own": "this account's own",
            "account": "this login, in rms.toml",
            "group": f"group {self.mask}",
            "default": "the default",
            "nobody": "no profile applies",
        }[self.by]


def assigned(plan: Plan, login: int, group: str) -> Assigned:
    """Account before group mask before default, as `Plan.rows` decides it."""
    by_name = {profile.name: profile for profile in plan.profiles}
    for line in plan.assigned:
        if login in line.logins:
            by: By = "own" if login in plan.own else "account"
            return Assigned(by_name[line.profile], by, refused=login in plan.refused)
    for line in plan.assigned:
        if line.groups and mask_matches(line.groups, group):
            return Assigned(by_name[line.profile], "group", line.groups)
    if plan.default is not None:
        return Assigned(by_name[plan.default], "default")
    return Assigned(None, "nobody")

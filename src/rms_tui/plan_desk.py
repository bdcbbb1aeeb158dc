"""By which limits a running monitor judges: the plan, and what accounts have of their own.

Changed from any thread; the monitor's own takes the newest with its next Book. What is remembered
is not touched by any of it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from rms_tui.presets import expanded
from rms_tui.risk.own_profile import OwnProfile, own_profile, with_own
from rms_tui.risk.profile import Plan, RiskProfile


class PlanDesk:
    """`plan` is the installation's, `judged_by` that with the accounts' own profiles in it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = self.judged_by = plan
        self.own: Mapping[int, OwnProfile] = {}
        self._lock = threading.Lock()
        self._plan_error: str | None = None
        self._own_error: str | None = None

    @property
    def error(self) -> str | None:
        """Why a plan or an account's own profile was refused, None where all is well."""
        return self._plan_error or self._own_error

    def set_plan(self, plan: Plan | None, error: str | None) -> None:
        """Judge by another plan; None keeps it, and `error` says why."""
        with self._lock:
            self.plan = self.plan if plan is None else plan
            self._plan_error = error
            self._lay(self.own)

    def set_own(self, own: Mapping[int, OwnProfile]) -> bool:
        """Judge these accounts by profiles of their own, all others by the plan; False when that
        is so already."""
        with self._lock:
            if own == self.own:
                return False
            self._lay(own)
            return True

    def assign(self, login: int, profile: OwnProfile | None) -> RiskProfile | None:
        """Give one account a profile of its own, None: the plan's again. The profile it gets.

        Raises ValueError with what is wrong with it; then nothing changed.
        """
        with self._lock:
            own = {known: what for known, what in self.own.items() if known != login}
            made = None
            if profile is not None:
                made = own_profile(self.plan, login, profile, expanded)
                own[login] = profile
            self._lay(own)
            return made

    def _lay(self, own: Mapping[int, OwnProfile]) -> None:
        self.own = own
        self.judged_by, refused = (
            with_own(self.plan, own, expanded) if own else (self.plan, dict[int, str]())
        )
        self._own_error = "; ".join(refused.values()) or None

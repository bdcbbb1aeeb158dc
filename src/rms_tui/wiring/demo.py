"""The demo's own limits, so that its alerts show what profiles can do."""

from __future__ import annotations

from rms_tui.risk.profile import Assign, Plan, RiskProfile

DEMO_PROFILES: dict[str, tuple[str, list[dict[str, object]]]] = {
    "demo funded": (
        "real\\standard*,real\\pro*",
        [
            {"rule": "margin_level", "warning": 150, "critical": 100},
            {"rule": "max_loss", "amount": -7500},
            {"rule": "daily_loss", "base": "max_balance_equity", "percent": 5, "of": "base"},
            {"rule": "open_positions", "count": 25},
        ],
    ),
    "demo raw": (
        "real\\raw*",
        [
            {"rule": "margin_level", "warning": 150, "critical": 100},
            {"rule": "position_risk", "percent": 30, "of": "balance"},
        ],
    ),
    "demo contest": (
        "demo\\*",
        [
            {"rule": "margin_level", "warning": 150, "critical": 100},
            {"rule": "daily_loss", "base": "balance", "percent": 8, "of": "base"},
            {"rule": "max_profit", "amount": 2500, "period": "day"},
        ],
    ),
}
"""The demo's own limits: group masks and rules of one profile for each kind of client."""


def demo_plan(limits: Plan) -> Plan:
    """The demo's profiles beside the one of the three settings."""
    profiles = [
        RiskProfile.model_validate({"name": name, "rules": rules})
        for name, (_, rules) in DEMO_PROFILES.items()
    ]
    assigned = tuple(
        Assign(profile=name, groups=groups) for name, (groups, _) in DEMO_PROFILES.items()
    )
    with_them = {"profiles": (*limits.profiles, *profiles), "assigned": assigned}
    return limits.model_copy(update=with_them)

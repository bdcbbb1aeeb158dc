"""What `supervise` prints of an element that changed."""

from __future__ import annotations

from typing import Any

import pytest

from rms_tui.cli.supervise import element_line

ELEMENT = {"login": 70123, "server": "Broker-Live", "status": "ACTIVE", "instance": "i1"}
WHERE = "70123 on Broker-Live: ACTIVE, on instance i1"


@pytest.mark.parametrize(
    ("risk", "said"),
    [
        (None, ""),
        ({"state": "ok"}, ""),
        (
            {"state": "breached", "rule": "position_risk", "value": 110.5, "limit": 100.0},
            ", position_risk 110.50 of 100.00",
        ),
        (
            {
                "state": "unknown",
                "rule": "daily_loss",
                "value": 10_039.5,
                "limit": None,
                "reason": "initial_unknown",
            },
            ", daily_loss unknown: initial_unknown",
        ),
        ({"state": "ok", "rule": "daily_loss", "value": 1.0}, ", daily_loss 1.00 of n/a"),
    ],
)
def test_a_rule_is_said_with_its_figures_or_why_it_decides_nothing(
    risk: dict[str, Any] | None, said: str
) -> None:
    assert element_line({**ELEMENT, "risk": risk}) == WHERE + said

"""Audit rows in a dealer's words, whatever stands in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rms_tui.changes import Change, words

AT = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("action", "more", "said"),
    [
        ("add", {}, "added"),
        ("remove", {}, "stopped watching"),
        (
            "acknowledge",
            {"rule": "daily_loss", "note": "called"},
            "acknowledged daily loss: called",
        ),
        ("acknowledge", {"rule": "max_loss", "note": None}, "acknowledged max loss"),
        ("snooze", {"rule": "max_loss", "until": AT}, "snoozed max loss until 03-02 14:30"),
        (
            "base",
            {"base": {"at": AT, "balance": 10_000.0, "equity": 9_900}},
            "base of 03-02 14:30: balance 10 000.00, equity 9 900.00",
        ),
        (
            "peak",
            {"peak": {"source": "eod_balance", "value": 11_000.5}},
            "eod balance peak 11 000.50",
        ),
        ("profile", {"profile": None}, "limits: back to its group's"),
        ("profile", {"profile": "ftmo-2step"}, "limits: ftmo-2step"),
        (
            "profile",
            {"profile": {"max_daily_loss": 500, "rules": [{"rule": "max_loss"}]}},
            "limits of its own: max_daily_loss 500, max_loss",
        ),
        ("something newer", {"odd": 1}, "something newer"),
        ("base", {}, "base of ?: balance ?, equity ?"),
        ("snooze", {}, "snoozed alert until ?"),
    ],
)
def test_each_action_is_said(action: str, more: dict[str, object], said: str) -> None:
    assert words(Change("1", AT.timestamp(), action, "eva@desk", more), 7200.0) == said


def test_without_the_servers_clock_times_are_marked_as_utc() -> None:
    change = Change("1", 0.0, "snooze", "eva", {"rule": "max_loss", "until": AT})
    assert words(change, None).endswith("03-02 12:30Z")

"""The three helpers, and whose limits they use."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.scripts import OURS

from rms_tui import (
    SettingsError,
    check_loss_alert,
    check_margin_alert,
    generate_alert_message,
)


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (99.99, "critical"),
        (100.0, "critical"),
        (100.01, "warning"),
        (150.0, "warning"),
        (150.01, None),
        (math.inf, None),
        (math.nan, None),
        (None, None),
        (0.0, "critical"),
    ],
)
def test_a_margin_level_at_or_below_its_limit_is_an_alarm(
    level: float | None, said: str | None
) -> None:
    assert check_margin_alert(level) == said


@pytest.mark.parametrize(
    ("profit", "said"),
    [(-1000.0, True), (-999.99, False), (500.0, False), (math.nan, False), (None, False)],
)
def test_a_loss_at_or_beyond_its_limit_is_an_alarm(profit: float | None, said: bool) -> None:
    assert check_loss_alert(profit) is said


def test_a_message_says_everything_that_is_wrong_and_nothing_otherwise() -> None:
    account = {"login_id": 7, "name": "Ann", "currency": "USD"}
    calm = {**account, "margin_level": math.inf, "profit": 12.0}
    assert generate_alert_message(calm) is None
    both = {**account, "margin_level": 92.5, "profit": -1234.5}
    assert generate_alert_message(both) == (
        "CRITICAL: account 7 Ann: margin level 92.50 % (limit 100 %), "
        "floating loss -1234.50 USD (limit -1000.00)"
    )
    bare = {"login_id": 7, "margin_level": 140.0, "profit": 0.0}
    assert generate_alert_message(bare) == "WARNING: account 7: margin level 140.00 % (limit 150 %)"


@given(st.text(), st.floats(), st.floats())
def test_a_message_is_one_line_whatever_the_name(name: str, level: float, profit: float) -> None:
    account = {"login_id": 7, "name": name, "currency": "USD"}
    message = generate_alert_message({**account, "margin_level": level, "profit": profit})
    assert message is None or message.isprintable()
    assert (message is None) == (check_margin_alert(level) is None and not check_loss_alert(profit))


def test_limits_are_read_again_when_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_margin_alert(180) is None
    (tmp_path / ".env").write_text("MARGIN_LEVEL_WARNING=200\nMAX_LOSS_THRESHOLD=-50\n")
    assert check_margin_alert(180) == "warning"
    assert check_loss_alert(-60)
    monkeypatch.setenv("MARGIN_LEVEL_WARNING", "170")
    assert check_margin_alert(180) is None
    monkeypatch.setenv("MARGIN_LEVEL_WARNING", "abc")
    with pytest.raises(SettingsError, match="MARGIN_LEVEL_WARNING='abc'"):
        check_margin_alert(180)

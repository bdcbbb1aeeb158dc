"""Tests by the computer's clock hold at any instant: no midnight of theirs comes while they run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from tests.api.scripts import midday_zone

FAKE_WORLD = Path(__file__).parent / "fakes" / "fake_world.py"
DAY, HOUR = 86_400, 3_600

INSTANTS = pytest.mark.parametrize(
    "instant",
    [
        "2026-11-28T12:00:00",  # a Saturday
        "2026-11-29T21:59:30",  # Sunday's opening
        "2026-11-30T21:59:45",  # before midnight of a server at UTC+2
        "2026-11-30T22:00:05",
        "2026-11-30T23:59:30",
        "2026-12-01T00:00:00",
        "2026-12-31T23:59:59",
        "2026-03-29T00:59:30",  # before summer time in Europe
        "2027-11-07T05:59:30",  # before winter time in the United States
        "2026-05-05T12:30:00",
        "2026-05-05T00:29:59",
    ],
)


def world_at(instant: float, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The fakes' world as a process shows it that starts then."""
    monkeypatch.setattr(time, "time", lambda: instant)
    spec = spec_from_file_location("fake_world_then", FAKE_WORLD)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    shown: dict[str, Any] = module.default_world()
    return shown


@INSTANTS
def test_it_is_midday_on_the_fakes_server_and_nothing_of_its_day_lies_ahead(
    instant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    utc = datetime.fromisoformat(f"{instant}+00:00").timestamp()
    world = world_at(utc, monkeypatch)
    for section, when in ((world["manager"], "Time"), (world["terminal"], "time")):
        now = utc + section["offset"]
        assert abs(now % DAY - DAY / 2) <= HOUR / 2
        newest = max(deal[when] for deal in section["deals"])
        assert now - DAY / 2 - HOUR < newest < now - 11 * HOUR
    assert world["terminal"]["ticks"]["EURUSD"]["time"] == int(utc) + world["terminal"]["offset"]


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX TZ")
@INSTANTS
def test_it_is_midday_where_a_script_names_a_file_for_the_day(
    instant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    utc = datetime.fromisoformat(f"{instant}+00:00").timestamp()
    monkeypatch.setattr(time, "time", lambda: utc)
    zone = midday_zone()
    asked = f"import time; print(time.strftime('%H:%M', time.localtime({utc})))"
    said = subprocess.run(
        [sys.executable, "-c", asked], env={**os.environ, "TZ": zone}, capture_output=True,
        text=True, check=True,
    ).stdout  # fmt: skip
    assert "11:30" <= said.strip() <= "12:30"

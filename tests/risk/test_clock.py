"""Rollovers through both 2026 changes of summer time."""

from __future__ import annotations

import pytest
from tests.risk.desk import utc

from rms_tui.risk.clock import last_rollover, next_rollover
from rms_tui.risk.profile import Rollover

CASES = [
    ("Europe/Prague", "00:00", "2026-03-29 10:00", "2026-03-28 23:00", "2026-03-29 22:00"),
    ("Europe/Prague", "02:30", "2026-03-29 10:00", "2026-03-29 01:00", "2026-03-30 00:30"),
    ("Europe/Prague", "02:30", "2026-10-25 12:00", "2026-10-25 00:30", "2026-10-26 01:30"),
    ("Europe/Prague", "00:00", "2026-10-25 23:30", "2026-10-25 23:00", "2026-10-26 23:00"),
    ("America/New_York", "17:00", "2026-03-08 12:00", "2026-03-07 22:00", "2026-03-08 21:00"),
    ("America/New_York", "02:30", "2026-03-08 12:00", "2026-03-08 07:00", "2026-03-09 06:30"),
    ("America/New_York", "17:00", "2026-11-01 23:00", "2026-11-01 22:00", "2026-11-02 22:00"),
    ("Asia/Tokyo", "00:00", "2026-03-29 10:00", "2026-03-28 15:00", "2026-03-29 15:00"),
    ("UTC", "00:30", "2026-03-29 00:30", "2026-03-29 00:30", "2026-03-30 00:30"),
]


@pytest.mark.parametrize(("zone", "at", "now", "last", "following"), CASES)
def test_a_rollover_follows_its_zones_clock(zone, at, now, last, following):
    rollover = Rollover(zone, at)
    assert last_rollover(rollover, utc(now), None) == utc(last)
    assert next_rollover(rollover, utc(now), None) == utc(following)


def test_the_servers_midnight_follows_the_servers_offset():
    rollover = Rollover("server", "00:00")
    assert last_rollover(rollover, utc("2026-03-02 23:00"), 7200.0) == utc("2026-03-02 22:00")
    assert last_rollover(rollover, utc("2026-03-02 23:00"), None) is None


@pytest.mark.parametrize(("zone", "at"), [("Europe/Pragu", "00:00"), ("../etc", "00:00"),
                                          ("UTC", "24:00"), ("UTC", "0:00")])  # fmt: skip
def test_a_zone_or_time_that_does_not_exist_is_refused(zone, at):
    with pytest.raises(ValueError, match=r"zone|rollover"):
        Rollover(zone, at)

"""Trading days: the instant at which one starts, for a wall clock in a zone with its DST."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from rms_tui.risk.profile import SERVER, Rollover


def zone_of(rollover: Rollover, server_offset: float | None) -> tzinfo | None:
    """The zone a rollover is written in; None for the server's while its offset is unknown."""
    if rollover.zone != SERVER:
        return ZoneInfo(rollover.zone)
    return None if server_offset is None else timezone(timedelta(seconds=server_offset))


def instant(day: date, at: str, zone: tzinfo) -> float:
    """UTC seconds of wall-clock time `at` on `day`.

    In a spring gap it is the first instant after the gap; in the autumn fold the first of the two.
    """
    wall = datetime.combine(day, time.fromisoformat(at), tzinfo=zone)
    utc = wall.astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return utc.timestamp()
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: tzinfo) -> float:
    low, high = (
        int((wall.replace(tzinfo=UTC) - offset).timestamp())
        for offset in sorted(
            (wall.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1)), reverse=True
        )
    )
    before = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return float(high)


def last_rollover(rollover: Rollover, now: float, server_offset: float | None) -> float | None:
    """UTC seconds of the newest rollover at or before `now`; None while it cannot be known."""
    zone = zone_of(rollover, server_offset)
    if zone is None:
        return None
    today = datetime.fromtimestamp(now, zone).date()
    return max(
        at
        for at in (instant(today + timedelta(days=d), rollover.at, zone) for d in (-2, -1, 0, 1))
        if at <= now
    )


def next_rollover(rollover: Rollover, now: float, server_offset: float | None) -> float | None:
    """UTC seconds of the first rollover after `now`; None while it cannot be known."""
    zone = zone_of(rollover, server_offset)
    if zone is None:
        return None
    today = datetime.fromtimestamp(now, zone).date()
    return min(
        at
        for at in (instant(today + timedelta(days=d), rollover.at, zone) for d in (-1, 0, 1, 2))
        if at > now
    )

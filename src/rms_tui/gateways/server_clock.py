"""What a tick's stamp says about the server's clock, for a source that has no call for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_HOUR = 3600.0
_QUARTER = 900.0
_FRESH = 60.0
_EAST, _WEST = 15 * _HOUR, -13 * _HOUR

_HOLIDAYS = ((12, 25), (1, 1))
"""Month and day on which most markets are closed, from the evening before on."""

_EVENING = timedelta(hours=6)


def server_offset(tick: float, now: float, *, moved: bool) -> float | None:
    """Server wall clock minus UTC, in seconds to the quarter hour, from the newest tick's stamp.

    `tick` is server seconds, `now` UTC seconds, `moved` whether the tick came since the last
    look. One that did not is believed only on a trading day and within a minute of a quarter
    hour; None where nothing can be said (a Friday's last tick looked at on Saturday).
    """
    offset = round((tick - now) / _QUARTER) * _QUARTER
    if not tick or not _WEST <= offset <= _EAST:
        return None
    fresh = abs(tick - now - offset) <= _FRESH
    return offset if fresh and (moved or not (_is_weekend(now) or _is_holiday(now))) else None


def _is_weekend(now: float) -> bool:
    """Whether most markets are closed: Friday 21:00 UTC to Sunday 22:00 UTC."""
    hour_of_week = (now / _HOUR + 3 * 24) % (7 * 24)  # the epoch was a Thursday; Monday is 0
    return 4 * 24 + 21 <= hour_of_week < 6 * 24 + 22


def _is_holiday(now: float) -> bool:
    """Whether most markets are closed: from 18:00 UTC on the eve of a holiday to its end."""
    moment = datetime.fromtimestamp(now, UTC)
    return any((at.month, at.day) in _HOLIDAYS for at in (moment, moment + _EVENING))

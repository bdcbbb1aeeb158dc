"""Times as a person types them: `30m`, `2h`, `3d`, or an ISO 8601 instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def duration(text: str) -> float:
    """Seconds of `90s`, `30m`, `2h` or `3d`. Raises ValueError with what was expected."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", text, re.IGNORECASE | re.ASCII)
    if found is None:
        raise ValueError(f"{text!r}: expected a time such as 90s, 30m, 2h or 3d")
    return float(found[1]) * _UNITS[found[2].lower()]


def since(text: str, now: float) -> float:
    """UTC seconds of an ISO instant (UTC where it names no zone), or of that long ago.

    Raises ValueError with what was expected.
    """
    try:
        return now - duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r}: expected how long ago (2h, 3d) or an ISO time such as 2026-03-02T14:00"
        ) from None

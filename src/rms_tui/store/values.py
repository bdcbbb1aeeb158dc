"""What Python may hold and BSON may not, or should not: broken text, NaN, infinities, epochs.

An unknown or unlimited number is stored as null and never as 0; the document's `reason` says
which it is ("no stop loss: risk unlimited", "a needed figure is missing").
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

LARGEST_LOGIN = 2**63 - 1


def text(value: str) -> str:
    """The text as BSON can hold it: a lone surrogate becomes U+FFFD, all else stays as it is.

    NULs, `$` and dots are fine in a value; texts are never used as field names.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def number(value: float, digits: int) -> float | None:
    """The number at its digits, None for NaN and infinities."""
    return round(value, digits) + 0.0 if math.isfinite(value) else None


def instant(epoch: float | None) -> datetime | None:
    """UTC seconds as a BSON date (milliseconds), None where there is none or it is no time."""
    if epoch is None or not math.isfinite(epoch):
        return None
    return datetime.fromtimestamp(round(epoch, 3), UTC)

"""The broker's clock: server wall clock, and trading days back from today.

Most brokers run their servers two hours ahead of UTC, three in summer, so that a trading week has
five days that end at New York's close. Every server time here is wall clock counted as if UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from rms_tui.book import Ints

DAY = 86_400

_SERVER_ZONE = ZoneInfo("Europe/Athens")
"""Its rules are EET and EEST."""


def offset_at(moment: float) -> float:
    """Server wall clock minus UTC at this UTC moment, in seconds: 7200 or 10800."""
    shift = datetime.fromtimestamp(moment, UTC).astimezone(_SERVER_ZONE).utcoffset()
    assert shift is not None
    return shift.total_seconds()


def day_start(server_time: float) -> int:
    """Midnight of that server day."""
    return int(server_time // DAY) * DAY


def trading_day(today: int, back: npt.ArrayLike) -> Ints:
    """Midnight of the trading day that many trading days before the day that starts at `today`.

    Monday to Friday are trading days; `today` itself counts as one whatever it is.
    """
    day = np.datetime64(today // DAY, "D")
    days = np.busday_offset(day, -np.asarray(back, dtype=np.int64), roll="forward")
    whole = np.where(np.asarray(back) == 0, day, days)
    return whole.astype("datetime64[D]").astype(np.int64) * DAY


def nights_charged(today: int) -> int:
    """Nights of swap charged when the server day `today` starts: three on Thursday 00:00, none
    on the weekend's midnights (Wednesday's rollover counts for Saturday and Sunday)."""
    weekday = datetime.fromtimestamp(today, UTC).weekday()
    return {3: 3, 5: 1, 6: 0, 0: 0}.get(weekday, 1)

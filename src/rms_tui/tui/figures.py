"""Numbers as text: grouped, signed, of known width; `n/a` where not known, never 0 by accident.

Groups are separated by an ordinary space, which every terminal and copy-and-paste understands.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

NA = "n/a"
MINUS = "\N{MINUS SIGN}"
INFINITE = "\N{INFINITY}"

_COMPACT = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def money(value: float, digits: int = 2) -> str:
    """An amount: `191 204.11`, `−8 795.89`."""
    return _number(value, digits, plus="")


def signed(value: float, digits: int = 2) -> str:
    """A profit or loss, its sign always shown: `+84 210.00`; a rounded 0 has none."""
    return _number(value, digits, plus="+")


def count(value: int) -> str:
    """A number of things: `12 431`."""
    return f"{value:,}".replace(",", " ")


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 as percent without the sign: 0.973 is `97`."""
    return _number(share * 100.0, digits, plus="")


def signed_percent(value: float) -> str:
    """A move in percent, as many digits as it has: `+5 %`, `−3.25 %`."""
    return f"{MINUS if value < 0 else '+'}{abs(value):g} %"


def lots(value: float) -> str:
    """Lots to two digits, or as many as it has up to four: `0.10`, `1.2345`."""
    if not math.isfinite(value) or abs(round(value, 2) - value) < 5e-9:
        return _number(value, 2, plus="")
    return _number(value, 4, plus="").rstrip("0")


def signed_lots(value: float) -> str:
    """Net lots, the sign always shown."""
    text = lots(value)
    return f"+{text}" if value > 0 and text not in (NA, "0.00") else text


def price(value: float, digits: int) -> str:
    """A price with its symbol's digits, ungrouped as quotes are; `—` for a level that is not set.

    Not set and not known are one NaN in a Book: callers that mean the latter use `money`.
    """
    return "—" if math.isnan(value) else f"{value:.{max(0, digits)}f}"


def compact(value: float, digits: int = 0) -> str:
    """A large amount in few cells: `20.1 M`; below a million as `money`."""
    if not math.isfinite(value):
        return _number(value, digits, plus="")
    for unit, letter in _COMPACT:
        if abs(value) >= unit:
            return f"{_number(value / unit, 1, plus='')} {letter}"
    return money(value, digits)


def age(seconds: float) -> str:
    """How long ago, at most six cells wide: `0.8s`, `12 s`, `3m 20s`, `2h 05m`, `3d 04h`."""
    if not math.isfinite(seconds):
        return NA
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return span(whole, seconds_shown=True)


def span(seconds: float, *, seconds_shown: bool = False) -> str:
    """A duration by its two largest units: `3d 04h`, `2h 05m`, `7m`, or `7m 05s` if asked."""
    if not math.isfinite(seconds):
        return NA
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {rest:02}s" if seconds_shown else f"{minutes}m"


def clock(utc: float, server_offset: float | None, *, seconds: bool = True) -> str:
    """Wall-clock time on the trading server; in UTC, marked `Z`, while its offset is unknown."""
    shown = datetime.fromtimestamp(utc + (server_offset or 0.0), UTC)
    text = shown.strftime("%H:%M:%S" if seconds else "%H:%M")
    return text if server_offset is not None else f"{text}Z"


def server_date(server_time: int) -> str:
    """Day of a time that already is the server's wall clock: `2026-03-02`."""
    return datetime.fromtimestamp(server_time, UTC).strftime("%Y-%m-%d")


def server_moment(server_time: int) -> str:
    """Day and time of a time that already is the server's wall clock: `03-02 14:03:22`."""
    return datetime.fromtimestamp(server_time, UTC).strftime("%m-%d %H:%M:%S")


def zone(server_offset: float) -> str:
    """A server's offset as a zone: `UTC+2`, `UTC−3:30`, `UTC`."""
    if server_offset == 0:
        return "UTC"
    sign = "+" if server_offset > 0 else MINUS
    hours, minutes = divmod(round(abs(server_offset) / 60), 60)
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")


def bar(share: float, cells: int) -> str:
    """A share of 1 as a bar `cells` wide, to an eighth of a cell; empty where not known."""
    if math.isnan(share):
        return ""
    eighths = round(min(max(share, 0.0), 1.0) * cells * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")


def gauge(share: float, cells: int) -> str:
    """A share of 1 as a gauge of exactly `cells`, unused cells shown: `▇▇▇▇▁▁`."""
    if math.isnan(share):
        return "·" * cells
    full = min(cells, max(0, int(min(share, 1.0) * cells + 1e-9)))
    return "▇" * full + "▁" * (cells - full)


def _number(value: float, digits: int, *, plus: str) -> str:
    if math.isnan(value):
        return NA
    if math.isinf(value):
        return f"{MINUS if value < 0 else plus}{INFINITE}"
    text = f"{abs(value):,.{max(0, digits)}f}".replace(",", " ")
    if not text.strip("0. "):
        return text
    return f"{MINUS if value < 0 else plus}{text}"

"""RMS's three helpers: one account's figures against MARGIN_LEVEL_WARNING and its siblings.

They look at what they are given, once; they know no profile, no day base and no alert. A figure
that is not known gives no alarm.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from rms_tui.settings import Settings, load

VARIABLES = ("MARGIN_LEVEL_WARNING", "MARGIN_LEVEL_CRITICAL", "MAX_LOSS_THRESHOLD")
FILES = (".env", "rms.toml")


def check_margin_alert(margin_level: float | None) -> Literal["critical", "warning"] | None:
    """What a margin level in percent calls for: at or below the limit counts.

    None for a good level, for one that is not known, and for an account without margin (infinite).
    Raises SettingsError where the limits in `.env`, `rms.toml` or the environment are wrong.
    """
    limits = _limits()
    if margin_level is None:
        return None
    if margin_level <= limits.margin_level_critical:
        return "critical"
    return "warning" if margin_level <= limits.margin_level_warning else None


def check_loss_alert(profit: float | None) -> bool:
    """Whether a floating profit is at or below MAX_LOSS_THRESHOLD. Raises SettingsError."""
    return profit is not None and profit <= _limits().max_loss_threshold


def generate_alert_message(account: Mapping[str, Any]) -> str | None:
    """What to tell a dealer about an `account`, None when there is nothing to tell.

    `account` is the part of a snapshot of that name. Raises SettingsError.
    """
    limits = _limits()
    level, profit = account.get("margin_level"), account.get("profit")
    found = []
    severity = check_margin_alert(level)
    if severity is not None:
        limit = getattr(limits, f"margin_level_{severity}")
        found.append(f"margin level {level:.2f} % (limit {limit:g} %)")
    if check_loss_alert(profit):
        money = _printable(account.get("currency") or "")
        limit = f"limit {limits.max_loss_threshold:.2f}"
        found.append(f"floating loss {profit:.2f} {money} ({limit})".replace("  ", " "))
    if not found:
        return None
    word = "CRITICAL" if severity == "critical" else "WARNING"
    name = _printable(account.get("name") or "")
    who = f"{account['login_id']} {name}".strip()
    return f"{word}: account {who}: {', '.join(found)}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text)


def _limits() -> Settings:
    """The settings as they are now: read again when a file or a variable changed."""
    here = Path.cwd()
    stamps = tuple(_stamp(here / name) for name in FILES)
    return _loaded(here, stamps, tuple(os.environ.get(name) for name in VARIABLES))


@lru_cache(maxsize=4)
def _loaded(folder: Path, stamps: object, environ: object) -> Settings:
    del stamps, environ  # they are only what makes a reading outdated
    return load(folder=folder).settings


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size

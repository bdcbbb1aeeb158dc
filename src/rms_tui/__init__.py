"""The risk desk of a MetaTrader 5 server in one terminal window.

What a program needs is here: `from rms_tui import Monitor`. Each name is imported when it is first
asked for, so that `import rms_tui` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rms_tui.alerts import Alert, AlertEvent, Severity, Stage
    from rms_tui.api.facade import Rms, get_rms_instance
    from rms_tui.api.limits import check_loss_alert, check_margin_alert, generate_alert_message
    from rms_tui.api.monitor import Monitor, NotWatched
    from rms_tui.book import Accounts, Book, Deals, Positions, Symbols
    from rms_tui.export import ExportError
    from rms_tui.feed import FeedError
    from rms_tui.frame import FeedState, Frame, Health
    from rms_tui.risk.verdict import Reason, State
    from rms_tui.settings import SettingsError

_FROM = {
    "Monitor": "api.monitor",
    "NotWatched": "api.monitor",
    "Rms": "api.facade",
    "get_rms_instance": "api.facade",
    "check_margin_alert": "api.limits",
    "check_loss_alert": "api.limits",
    "generate_alert_message": "api.limits",
    "Frame": "frame",
    "Health": "frame",
    "FeedState": "frame",
    "Book": "book",
    "Accounts": "book",
    "Positions": "book",
    "Symbols": "book",
    "Deals": "book",
    "Alert": "alerts",
    "AlertEvent": "alerts",
    "Severity": "alerts",
    "Stage": "alerts",
    "State": "risk.verdict",
    "Reason": "risk.verdict",
    "FeedError": "feed",
    "SettingsError": "settings",
    "ExportError": "export",
}

__all__ = [
    "Accounts",
    "Alert",
    "AlertEvent",
    "Book",
    "Deals",
    "ExportError",
    "FeedError",
    "FeedState",
    "Frame",
    "Health",
    "Monitor",
    "NotWatched",
    "Positions",
    "Reason",
    "Rms",
    "SettingsError",
    "Severity",
    "Stage",
    "State",
    "Symbols",
    "__version__",
    "check_loss_alert",
    "check_margin_alert",
    "generate_alert_message",
    "get_rms_instance",
]


def __getattr__(name: str) -> object:
    """A public name, from the module that has it."""
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

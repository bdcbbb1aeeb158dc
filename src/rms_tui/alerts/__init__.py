"""The life of alerts: pure steps from verdicts and operators to raised, handled and recovered."""

from rms_tui.alerts.desk import (
    EMPTY,
    TIMES,
    Desk,
    newest_first,
    step,
    worst_first,
)
from rms_tui.alerts.handling import (
    LONGEST_SNOOZE,
    acknowledge,
    handling_of,
    heard,
    restored,
    snooze,
)
from rms_tui.alerts.life import (
    OPEN,
    URGENT,
    Alert,
    AlertEvent,
    Change,
    Handling,
    Pending,
    Severity,
    Stage,
    Times,
    identity,
)
from rms_tui.alerts.tracks import Track

__all__ = [
    "EMPTY",
    "LONGEST_SNOOZE",
    "OPEN",
    "TIMES",
    "URGENT",
    "Alert",
    "AlertEvent",
    "Change",
    "Desk",
    "Handling",
    "Pending",
    "Severity",
    "Stage",
    "Times",
    "Track",
    "acknowledge",
    "handling_of",
    "heard",
    "identity",
    "newest_first",
    "restored",
    "snooze",
    "step",
    "worst_first",
]

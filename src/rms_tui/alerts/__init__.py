"""The life of alerts: pure steps from verdicts and operators to raised, handled and recovered."""

from rms_tui.alerts import evidence
from rms_tui.alerts.desk import (
    EMPTY,
    TIMES,
    Desk,
    newest_first,
    step,
    worst_first,
)
from rms_tui.alerts.evidence import with_evidence
from rms_tui.alerts.feed import RULE as FEED_RULE
from rms_tui.alerts.handling import (
    LONGEST_SNOOZE,
    acknowledge,
    as_they_stand,
    given_up,
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
from rms_tui.alerts.waiting import Waiting

__all__ = [
    "EMPTY",
    "FEED_RULE",
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
    "Waiting",
    "acknowledge",
    "as_they_stand",
    "evidence",
    "given_up",
    "handling_of",
    "heard",
    "identity",
    "newest_first",
    "restored",
    "snooze",
    "step",
    "with_evidence",
    "worst_first",
]

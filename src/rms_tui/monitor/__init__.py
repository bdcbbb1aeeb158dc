"""The poller: poll, assess, step the alerts, publish a Frame; it never waits for a reader.

The only thread that asks the feed for Books. It touches no widget and no database: frames go into
a one-slot mailbox, facts (alert edges, accounts added and removed) into an outbox.
"""

from rms_tui.allocator import keep_freed_columns_mapped
from rms_tui.facts import AccountChange, BaseEntry, Fact
from rms_tui.monitor.history import Answer
from rms_tui.monitor.monitor import Monitor
from rms_tui.monitor.watching import Outcome

__all__ = [
    "AccountChange",
    "Answer",
    "BaseEntry",
    "Fact",
    "Monitor",
    "Outcome",
    "keep_freed_columns_mapped",
]

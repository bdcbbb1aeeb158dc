"""Frame: everything there is to show about one poll, immutable, for any number of readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rms_tui.alerts import EMPTY, Alert, Desk, Pending, newest_first
from rms_tui.book import Book
from rms_tui.feed import FeedStatus
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.exposure import Exposure
from rms_tui.risk.memory import Memory
from rms_tui.risk.verdict import Reason


class FeedState(StrEnum):
    """The word a dealer reads first."""

    STARTING = "STARTING"
    LIVE = "LIVE"
    STALE = "STALE"
    DISCONNECTED = "DISCONNECTED"
    DEMO = "DEMO"
    REPLAY = "REPLAY"
    FOLLOWING = "FOLLOWING"


@dataclass(frozen=True, slots=True)
class Health:
    """How good the feed is. Times are UTC seconds, durations seconds.

    `polled_at` is the newest good Book's instant, `cycle` the time that assessing it took,
    `undecided` how many rows gave no decision and why, `limits_error` why a plan or an account's
    own profile was refused or is not known (`error` too, where nothing else is wrong).
    """

    state: FeedState
    source: str
    feed: FeedStatus
    interval: float
    polled_at: float | None = None
    cycle: float = 0.0
    polls: int = 0
    errors: int = 0
    error: str | None = None
    limits_error: str | None = None
    server_offset: float | None = None
    undecided: Mapping[Reason, int] = field(default_factory=dict)

    def age(self, now: float) -> float | None:
        """Seconds since the newest good Book, None before the first."""
        return None if self.polled_at is None else max(0.0, now - self.polled_at)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Frame:
    """One poll's outcome. `seq` rises by one a frame; `at` is UTC seconds.

    Book and what was made of it are None until the first good poll; after a failed poll they are
    the last good ones, assessed as stale. `alerts` are the open ones, worst first; `desk` is where
    they come from with `edges` changes so far, `recalls` how many stored memories are joined in.
    `outside` rises with a poll that took in what no Book says: stored memory or alerts, an entry.
    """

    seq: int
    at: float
    health: Health
    book: Book | None = None
    memory: Memory | None = None
    assessment: Assessment | None = None
    exposure: Exposure | None = None
    alerts: tuple[Alert, ...] = ()
    desk: Desk = EMPTY
    recalls: int = 0
    edges: int = 0
    outside: int = 0

    @property
    def pending(self) -> tuple[Pending, ...]:
        """States on their way to an alert, worst first; found anew with each call."""
        return self.desk.pending

    @property
    def recovered(self) -> tuple[Alert, ...]:
        """Alerts that recovered lately, the last one first."""
        return newest_first(self.desk.recovered.values())

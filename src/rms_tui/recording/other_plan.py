"""Memory for limits that were not in force when it was made: what would have been remembered.

What the recording knows of a day or a peak is taken as it is. A day or a peak that only the other
limits ask for is learnt from the Books, as a desk that starts with them would: from the server's
record and the deals, or not at all. Nothing is guessed.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from rms_tui.book import Book
from rms_tui.monitor.health import outdated
from rms_tui.risk import holdings
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan
from rms_tui.risk.reading import reading, remembered
from rms_tui.risk.scope import scope_of


def memory_for(
    plan: Plan, recorded: Memory, own: Memory | None, now: float, interval: float, book: Book
) -> Memory:
    """The recorded memory after this Book, with what this plan needs besides.

    `own` is what the replay remembered before the Book, None at its beginning.
    """
    scoped = scope_of(plan, book.accounts)
    stops = holdings.BARE_AGE in scoped.figures and recorded.bare is None
    if (
        not stops
        and all(one in recorded.days for one in scoped.rollovers)
        and all(one in recorded.peaks for one in scoped.trails)
    ):
        return recorded
    read = reading(book, plan, stale=outdated(book, now, interval))
    stepped = remembered(read, recorded if own is None else own, interval=interval)
    return replace(
        recorded,
        days=MappingProxyType({**stepped.days, **recorded.days}),
        peaks=MappingProxyType({**stepped.peaks, **recorded.peaks}),
        bare=stepped.bare if stops else recorded.bare,
    )

"""What the next rollover would do, in words: who would breach its new floor, when, and how far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rms_tui.frame import Frame
from rms_tui.tui import figures


@dataclass(frozen=True, slots=True)
class Notice:
    """An account's next rollover under one daily loss rule. `at` is UTC seconds."""

    rule: str
    at: float
    would_breach: bool
    limit: float
    distance: float


def breaching(frame: Frame) -> dict[int, str]:
    """Of the accounts (rows) that a rollover would breach, its time on the server's clock."""
    if frame.assessment is None:
        return {}
    found: dict[int, str] = {}
    for one in sorted(frame.assessment.overnight, key=lambda each: -each.at):
        at = np.flatnonzero(one.would_breach)
        rows = at if one.rows is None else one.rows[at]
        if len(rows):
            clock = figures.clock(one.at, frame.health.server_offset, seconds=False)
            found.update(dict.fromkeys(rows.tolist(), clock))
    return found


def notices(frame: Frame, row: int) -> Iterator[Notice]:
    """What each rollover that is near would do to one account."""
    assessed = frame.assessment
    for one in () if assessed is None else assessed.overnight:
        at = row
        if one.rows is not None:
            at = int(np.searchsorted(one.rows, row))
            if at >= len(one.rows) or one.rows[at] != row:
                continue
        assert assessed is not None
        rule = assessed.verdicts[one.rule].rule.rule
        yield Notice(
            rule, one.at, bool(one.would_breach[at]), float(one.limit[at]), float(one.distance[at])
        )

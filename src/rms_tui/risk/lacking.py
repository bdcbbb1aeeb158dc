"""What rules would need and nobody vouches for: a base, a peak, deposits, an initial balance.

It is never guessed, so those rules say `unknown` until it is learnt or entered. Said once for the
whole book, apart from rows whose figures are not fit to decide on. Pure.
"""

from __future__ import annotations

import numpy as np

from rms_tui.risk.assessment import Assessment
from rms_tui.risk.verdict import Reason

LACKS = (
    Reason.BASE_UNKNOWN,
    Reason.INITIAL_UNKNOWN,
    Reason.FLOWS_UNKNOWN,
    Reason.PEAK_UNKNOWN,
    Reason.CLOCK_UNKNOWN,
)


def lacking(assessed: Assessment) -> dict[Reason, int]:
    """How many accounts have a rule that decides nothing, by what it lacks; most first."""
    at_a_loss = [
        verdict
        for verdict in assessed.verdicts
        if len(verdict.reason) and verdict.reason.max() >= min(LACKS)
    ]
    found: dict[Reason, int] = {}
    for reason in LACKS if at_a_loss else ():
        hit = np.zeros(len(assessed.state), dtype=np.bool_)
        for verdict in at_a_loss:
            rows = slice(None) if verdict.rows is None else verdict.rows
            hit[rows] |= verdict.reason == reason
        if count := int(np.count_nonzero(hit)):
            found[reason] = count
    return dict(sorted(found.items(), key=lambda each: -each[1]))

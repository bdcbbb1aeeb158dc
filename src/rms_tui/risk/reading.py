"""A Book on its way to its verdicts: which rules run over it, and which of its rows may be decided.

Whatever judges goes this way (a poll, a written timeline, evidence, a recording under other
limits), so that the same figures come to the same verdict everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rms_tui.book import Book, Bytes, Flags
from rms_tui.risk import assessment, exposure, holdings, memory
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.emptied import emptied
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan
from rms_tui.risk.scope import Scope, scope_of
from rms_tui.risk.sweep import Summing
from rms_tui.risk.undecided import Funds, funds, nobody, undecided_rows
from rms_tui.risk.verdict import Reason


class Reading(NamedTuple):
    """A Book with all that can be said of it before anything is remembered.

    `undecided` is each row's Reason for giving no decision, and `good` says where its figures have
    none: they are remembered, also of an account whose limits cannot be used. `own` are the
    accounts' funds, and `exposed` is what was summed up for the Book's exposure.
    """

    book: Book
    scope: Scope
    held: holdings.Held
    undecided: Bytes
    good: Flags
    own: Funds
    exposed: exposure.Sums | None = None


def reading(
    book: Book,
    plan: Plan,
    before: Assessment | None = None,
    *,
    stale: bool = False,
    held: holdings.Held | None = None,
    known: Memory | None = None,
    exposing: Summing[exposure.Sums] | None = None,
) -> Reading:
    """Lay the plan over a Book. `before` saves what did not change since the assessment before.

    `held` is for a Book that does not say what its accounts hold. What was `known` of its accounts
    before tells an emptied account from one that only seems so. What the Book's exposure needs of
    its positions is `exposing`, and is summed up in the same sweep over them.
    """
    scope = scope_of(plan, book.accounts, None if before is None else before.scope)
    also = () if exposing is None else (exposing,)
    holds = assessment.held(book, before, scope, also) if held is None else held
    own = funds(book.accounts, None if before is None else before.own)
    undecided = undecided_rows(
        book, holds.number, own=own, stale=stale, emptied=lambda: emptied(book, known)
    )
    none, everybody = nobody(len(undecided))
    good = everybody if undecided is none else undecided == np.int8(Reason.NONE)
    if len(scope.refused):
        undecided = undecided.copy()
        undecided[scope.refused] = np.where(
            good[scope.refused], Reason.LIMITS_REFUSED, undecided[scope.refused]
        )
    exposed = exposing.made() if exposing is not None and held is None else None
    return Reading(book, scope, holds, undecided, good, own, exposed)


def remembered(
    read: Reading,
    before: Memory | None,
    *,
    interval: float,
    vouched: bool = False,
    stored: bool = False,
) -> Memory:
    """The memory after this Book; the options as in `rms_tui.risk.memory.remember`."""
    return memory.remember(
        before,
        read.book,
        read.good,
        read.scope.rollovers,
        interval=interval,
        trails=read.scope.trails,
        initial=read.scope.initial,
        vouched=vouched,
        stored=stored,
        without=read.held.without if holdings.BARE_AGE in read.scope.figures else None,
    )


def judged(read: Reading, known: Memory, before: Assessment | None = None) -> Assessment:
    """Every verdict over this Book by what is remembered; `before` as in `reading`."""
    book, scope, held, undecided = read.book, read.scope, read.held, read.undecided
    return assessment.assess(book, scope, known, held, undecided, before, read.own)

"""assess: every rule of every profile over a Book, and what they come to for each account.

A verdict whose input columns are the very same objects as last time is not computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import is_
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rms_tui.book import Book, Bytes, Floats, alike, some
from rms_tui.risk import holdings
from rms_tui.risk.columns import Half, Offers, columns_of, half_units, offers_of
from rms_tui.risk.memory import SERVER_DAY, Memory
from rms_tui.risk.overnight import Overnight, overnight
from rms_tui.risk.rules import RULES
from rms_tui.risk.rules.shape import FIT, Columns, Key, Limits, Ruled
from rms_tui.risk.scope import Applied, Scope
from rms_tui.risk.sweep import Summing
from rms_tui.risk.undecided import Funds
from rms_tui.risk.verdict import Reason, State, Verdict, used_up


class Read(NamedTuple):
    """What a verdict was made from: when all of it is the same, so is the verdict."""

    sources: tuple[npt.NDArray[Any], ...]
    limits: Limits
    columns: tuple[npt.NDArray[Any], ...]


class Worst(NamedTuple):
    """What some verdicts, all of them, come to for each account."""

    of: tuple[Verdict, ...]
    state: Bytes
    rest: Floats


class Assessment(NamedTuple):
    """All verdicts over a Book, and what they come to for each account.

    `undecided` is each row's Reason for giving no decision (NONE where it may be decided), `state`
    the worst state of its rules, `used` the largest share of an allowance (NaN where no rule
    says), `day_profit` equity less the server day's base and flows (NaN where the base is unknown).
    `overnight` says of each daily loss rule near its rollover whom the new day would breach. `own`
    are the accounts' funds, and `still` what the verdicts come to that were the same as before:
    both spare another look.
    """

    scope: Scope
    undecided: Bytes
    verdicts: tuple[Verdict, ...]
    state: Bytes
    used: Floats
    day_profit: Floats
    counts: Mapping[Reason, int]
    inputs: tuple[Read, ...]
    positions: holdings.Held
    half: Half
    figures: holdings.Figures
    offers: Offers
    overnight: tuple[Overnight, ...] = ()
    still: Worst | None = None
    own: Funds | None = None


def held(
    book: Book,
    previous: Assessment | None,
    scoped: Scope | None = None,
    also: Iterable[Summing[Any]] = (),
) -> holdings.Held:
    """What every account holds; the previous answer while positions' terms did not change.

    The rules of `scoped` may be judged by more of it; `also` is what others ask of positions.
    """
    figures = () if scoped is None else scoped.figures
    return holdings.held(book, None if previous is None else previous.positions, figures, also)


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def assess(
    book: Book,
    scoped: Scope,
    memory: Memory,
    aggregates: holdings.Held,
    undecided_rows: Bytes,
    previous: Assessment | None = None,
    own: Funds | None = None,
) -> Assessment:
    """Every verdict over a Book, given what `held`, `undecided_rows` and `funds` said of it."""
    half = half_units(book, None if previous is None else previous.half)
    figures = holdings.figures(
        scoped.figures,
        book,
        {} if previous is None else previous.figures,
        aggregates.figures,
        memory.bare,
    )
    offers = offers_of(scoped.trails, memory, {} if previous is None else previous.offers)
    columns = columns_of(book, memory, aggregates, half, figures, offers, scoped.initial)
    if previous is not None and alike(undecided_rows, previous.undecided):
        undecided_rows = previous.undecided
    withheld = undecided_rows if some(undecided_rows) else None
    if withheld is None:
        columns[FIT] = undecided_rows
    past = previous if previous is not None and previous.scope is scoped else None
    known: Sequence[tuple[Read, Verdict] | None] = [None] * len(scoped.applied)
    if past is not None:
        known = list(zip(past.inputs, past.verdicts, strict=True))
    made = [
        _judged(one, columns, withheld, before)
        for one, before in zip(scoped.applied, known, strict=True)
    ]
    verdicts = tuple([verdict for _, verdict in made])
    notices = overnight(
        scoped.plan.overnight_minutes,
        scoped.applied,
        verdicts,
        columns,
        memory.days,
        book.taken_at,
    )
    unchanged = past is not None and past.undecided is undecided_rows
    still = None if past is None else _still(verdicts, past, len(book.accounts))
    if unchanged and past is not None and _same(verdicts, past.verdicts):
        state, used = past.state, past.used
    else:
        state, rest = _worst(verdicts, len(book.accounts), still)
        used = used_up(rest, out=rest)
        if withheld is not None:
            blocked = np.flatnonzero(withheld)
            state[blocked] = np.maximum(state[blocked], State.UNKNOWN)
    return Assessment(
        scoped,
        undecided_rows,
        verdicts,
        state,
        used,
        book.accounts.equity - day_start(memory, len(book.accounts)),
        {} if withheld is None else _counts(withheld),
        tuple([read for read, _ in made]),
        aggregates,
        half,
        figures,
        offers,
        notices,
        still,
        own,
    )


def worst_verdict(assessment: Assessment, row: int) -> tuple[Verdict, int] | None:
    """The verdict that gives an account its state, and the account's row in it."""
    best: tuple[tuple[int, float], Verdict, int] | None = None
    for verdict, at in verdicts_of(assessment, row):
        used = verdict.used_at(at)
        rank = (int(verdict.state[at]), -1.0 if np.isnan(used) else used)
        if best is None or rank > best[0]:
            best = (rank, verdict, at)
    return None if best is None else best[1:]


def verdicts_of(assessment: Assessment, row: int) -> list[tuple[Verdict, int]]:
    """Every verdict over an account (its row in the Book), with its row in that verdict."""
    found = []
    for verdict in assessment.verdicts:
        if verdict.rows is None:
            found.append((verdict, row))
        else:
            at = int(np.searchsorted(verdict.rows, row))
            if at < len(verdict.rows) and verdict.rows[at] == row:
                found.append((verdict, at))
    return found


def _same(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    return len(a) == len(b) and all(map(is_, a, b))


def _judged(
    one: Applied, columns: Columns, withheld: Bytes | None, past: tuple[Read, Verdict] | None
) -> tuple[Read, Verdict]:
    """The rule's verdict with what it was made from; the one before while all of it is the same."""
    sources = tuple(map(columns.__getitem__, one.limits_read))
    own = tuple(map(columns.__getitem__, one.reads))
    if withheld is not None:
        own = (*own, withheld)
    known = past if past is not None and _same(sources, past[0].sources) else None
    if known is not None and _same(own, known[0].columns):
        return known
    kind = RULES[type(one.rule)]
    if known is None:
        limits = kind.limits(one.rule, one.profile, _picked(one, one.limits_read, columns))
    else:
        limits = known[0].limits
    ruled = kind.evaluate(one.rule, limits, _picked(one, one.reads, columns))
    limit = ruled.limit
    if one.against is not None:
        _withhold(ruled, one.against)
        limit = np.where(one.against != Reason.NONE, np.nan, limit)
    if withheld is not None:
        _withhold(ruled, withheld if one.rows is None else withheld[one.rows])
    verdict = Verdict(
        one.rule,
        one.profile.name,
        one.rows,
        ruled.state,
        ruled.figure,
        limit,
        ruled.rest,
        ruled.between,
        ruled.reason,
        ruled.since,
    )
    return Read(sources, limits, own), verdict


def _picked(one: Applied, names: tuple[Key, ...], columns: Columns) -> Columns:
    if one.rows is None:
        return columns
    return {name: columns[name][one.rows] for name in names}


def _withhold(ruled: Ruled, why: Bytes) -> None:
    """Decide nothing on the rows that have a reason against it."""
    rows = np.flatnonzero(why)
    ruled.state[rows] = State.UNKNOWN
    ruled.rest[rows] = np.nan
    ruled.reason[rows] = why[rows]


def _still(verdicts: tuple[Verdict, ...], past: Assessment, accounts: int) -> Worst | None:
    """What the verdicts that did not change come to, None where all did."""
    same = tuple(
        [now for now, before in zip(verdicts, past.verdicts, strict=True) if now is before]
    )
    if not same:
        return None
    if past.still is not None and _same(same, past.still.of):
        return past.still
    return Worst(same, *_worst(same, accounts))


def _worst(
    verdicts: tuple[Verdict, ...], accounts: int, still: Worst | None = None
) -> tuple[Bytes, Floats]:
    """The worst state and the smallest rest of all; `still` is what some of them come to."""
    known = set() if still is None else set(map(id, still.of))
    left = [verdict for verdict in verdicts if id(verdict) not in known]
    if still is not None and left and left[0].rows is None:
        first, *left = left
        state, rest = np.maximum(still.state, first.state), np.fmin(still.rest, first.rest)
    elif still is not None:
        state, rest = still.state.copy(), still.rest.copy()
    elif left and left[0].rows is None:
        first, *left = left
        state, rest = first.state.copy(), first.rest.copy()
    else:
        state, rest = np.zeros(accounts, dtype=np.int8), np.full(accounts, np.nan)
    for verdict in left:
        if verdict.rows is None:
            np.maximum(state, verdict.state, out=state)
            np.fmin(rest, verdict.rest, out=rest)
        else:
            rows = verdict.rows
            state[rows] = np.maximum(state[rows], verdict.state)
            rest[rows] = np.fmin(rest[rows], verdict.rest)
    return state, rest


def day_start(memory: Memory, accounts: int) -> Floats:
    """Equity at the server day's start plus what came in since: what Day P/L counts from."""
    day = memory.days.get(SERVER_DAY)
    return np.full(accounts, np.nan) if day is None else day.start


def _counts(undecided_rows: Bytes) -> Mapping[Reason, int]:
    found, count = np.unique(undecided_rows, return_counts=True)
    return {
        Reason(reason): int(number)
        for reason, number in zip(found.tolist(), count.tolist(), strict=True)
        if reason != Reason.NONE
    }

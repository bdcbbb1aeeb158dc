"""What decided an alert: the rows of its account, kept so that anyone can decide it again.

The monitor only takes the rows of the accounts that raised something, all at once, out of columns
it has anyway; whoever writes them down makes documents of them in his own thread. Replaying is the
engine itself over a Book of one account.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import ValidationError

from rms_tui.alerts.life import AlertEvent
from rms_tui.alerts.plain import Unreadable, plain, rows_taken, shaped
from rms_tui.book import Book, Ints, Positions, rows_of, take
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.conversion import mids, paths
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan, RiskProfile
from rms_tui.risk.reading import judged, reading
from rms_tui.risk.verdict import Reason, State, Verdict

MOST_ACCOUNTS = 1_000
"""Accounts of one Book that evidence is kept of, in the order of their edges: a shock that hits a
whole book may not stop the monitor. Alerts beyond it have none."""

MOST_DEALS = 2_000
"""Newest deals of one account that are kept."""

VERSION = 1


@dataclass(frozen=True, slots=True)
class Said:
    """One rule's verdict over one account."""

    state: State
    value: float
    limit: float
    used: float
    distance: float
    reason: Reason

    def same_as(self, other: Said) -> bool:
        """Equal state and reason, and figures equal but for the last bits."""
        return (self.state, self.reason) == (other.state, other.reason) and all(
            _alike(getattr(self, name), getattr(other, name)) for name in FIGURES
        )

    def shape(self) -> dict[str, Any]:
        """As plain data, with words for state and reason."""
        return {
            "state": self.state.word,
            "reason": self.reason.name.lower(),
            **{name: getattr(self, name) for name in FIGURES},
        }


FIGURES = ("value", "limit", "used", "distance")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The accounts of one Book that raised something: their rows, their memory, what was said."""

    book: Book
    memory: Memory
    profiles: Mapping[str, RiskProfile]
    said: Mapping[tuple[int, str], Said]


def with_evidence(
    events: Sequence[AlertEvent], book: Book, memory: Memory, assessed: Assessment
) -> list[AlertEvent]:
    """The same edges; those that raise or rise carry the evidence of their poll."""
    places = {one.key: at for at, one in enumerate(assessed.scope.applied)}
    wanted = [e for e in events if e.change in ("raised", "risen") and e.alert.key in places]
    if not wanted:
        return list(events)
    logins = np.array(
        sorted(list(dict.fromkeys(event.alert.login for event in wanted))[:MOST_ACCOUNTS]),
        dtype=np.int64,
    )
    rows = rows_of(book.accounts.login, logins)
    row_of = dict(zip(logins.tolist(), rows.tolist(), strict=True))
    said = {}
    profiles = {}
    for event in wanted:
        login, key = event.alert.episode
        if row_of.get(login, -1) >= 0:
            place = places[key]
            said[login, key] = _said(assessed.verdicts[place], row_of[login])
            profiles[key] = assessed.scope.applied[place].profile
    seen = Evidence(
        _narrowed(book, rows),
        rows_taken(memory, rows, len(memory.login)),
        profiles,
        said,
    )
    return [
        replace(event, evidence=seen) if event.alert.episode in said else event for event in events
    ]


def document(event: AlertEvent) -> dict[str, Any] | None:
    """The evidence of one edge as plain data; None where it carries none."""
    seen = event.evidence
    alert = event.alert
    if not isinstance(seen, Evidence) or alert.episode not in seen.said:
        return None
    row = rows_of(seen.book.accounts.login, np.array([alert.login], dtype=np.int64))
    profile = seen.profiles[alert.key]
    one = _narrowed(seen.book, row)
    return {
        "version": VERSION,
        "key": alert.key,
        "verdict": seen.said[alert.episode].shape(),
        "profile": profile.model_dump(mode="json"),
        "book": plain(_with_needed_symbols(one, profile)),
        "memory": plain(rows_taken(seen.memory, row, len(seen.memory.login))),
    }


def stored(found: Mapping[str, Any]) -> Said:
    """The verdict that stands in a document. Raises Unreadable."""
    said = found.get("verdict")
    try:
        assert isinstance(said, Mapping)
        figures = {name: float(said[name]) for name in FIGURES}
        return Said(
            state=State[str(said["state"]).upper()],
            reason=Reason[str(said["reason"]).upper()],
            **figures,
        )
    except (AssertionError, KeyError, TypeError, ValueError):
        raise Unreadable("no verdict of a kind this version knows") from None


def replayed(found: Mapping[str, Any]) -> Said:
    """The verdict of this version's engine over the stored rows. Raises Unreadable."""
    book: Book = shaped(Book, found.get("book"))
    memory: Memory = shaped(Memory, found.get("memory"))
    try:
        profile = RiskProfile.model_validate(found.get("profile"))
    except ValidationError as error:
        raise Unreadable(f"its profile is not one this version knows: {error}") from None
    try:
        said = _judged(book, memory, profile, str(found.get("key")))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"its rows do not fit each other: {error}") from None
    if said is None:
        raise Unreadable(f"its profile has no rule {found.get('key')}")
    return said


def _judged(book: Book, memory: Memory, profile: RiskProfile, key: str) -> Said | None:
    read = reading(book, Plan(profiles=(profile,), default=profile.name))
    for one, verdict in zip(read.scope.applied, judged(read, memory).verdicts, strict=True):
        if one.key == key:
            return _said(verdict, 0)
    return None


def _said(verdict: Verdict, row: int) -> Said:
    at = row if verdict.rows is None else int(np.searchsorted(verdict.rows, row))
    return Said(
        State(int(verdict.state[at])),
        verdict.value_at(at),
        float(verdict.limit[at]),
        verdict.used_at(at),
        verdict.distance_at(at),
        Reason(int(verdict.reason[at])),
    )


def _narrowed(book: Book, rows: Ints) -> Book:
    """The Book with only these account rows (ascending), their positions and newest deals."""
    owner = book.positions.account
    first = np.searchsorted(owner, rows, side="left")
    count = np.searchsorted(owner, rows, side="right") - first
    held = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
    positions = _owned(take(book.positions, held), count)
    accounts = take(book.accounts, rows)
    dealt = np.flatnonzero(np.isin(book.deals.login, accounts.login))
    return replace(
        book,
        accounts=accounts,
        positions=positions,
        deals=take(book.deals, dealt[-MOST_DEALS * len(rows) :]),
    )


def _owned(positions: Positions, count: Ints) -> Positions:
    return replace(positions, account=np.repeat(np.arange(len(count), dtype=np.int32), count))


def _with_needed_symbols(book: Book, profile: RiskProfile) -> Book:
    """The Book with the symbols of its positions and of the conversions its rules may make."""
    symbols, positions = book.symbols, book.positions
    rows = set(positions.symbol.tolist())
    currencies = {*book.accounts.currency, *(symbols.quote[row] for row in rows)}
    currencies |= {symbols.base[row] for row in rows}
    priced = np.flatnonzero(~np.isnan(mids(symbols))).tolist()
    for to in {*_targets(profile), *book.accounts.currency}:
        found = paths(symbols, to, priced)
        for currency in currencies:
            rows.update(row for row, _ in found.get(currency, ()))
    kept = np.array(sorted(rows), dtype=np.int64)
    moved = np.searchsorted(kept, positions.symbol).astype(np.int32)
    return replace(book, symbols=take(symbols, kept), positions=replace(positions, symbol=moved))


def _targets(profile: RiskProfile) -> Iterable[str]:
    named = [profile.currency, *(getattr(rule, "currency", None) for rule in profile.rules)]
    return {name for name in named if name}


def _alike(a: float, b: float) -> bool:
    both_unknown = math.isnan(a) and math.isnan(b)
    return both_unknown or a == b or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-9)

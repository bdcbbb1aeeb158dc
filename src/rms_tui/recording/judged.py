"""What would have breached, and when: every change of a verdict over a recording.

A source that gives nothing is no change: an account keeps the state it had until figures that can
be judged say otherwise. Pure over frames; it reads no file itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from rms_tui.book import Bytes, Ints, rows_of
from rms_tui.frame import Frame
from rms_tui.risk.scope import Applied
from rms_tui.risk.verdict import Reason, State, Verdict, used_up

NO_FIGURES = (Reason.STALE, Reason.DISCONNECTED)

_QUIET = (State.OFF, State.OK)


@dataclass(frozen=True, slots=True)
class Turn:
    """One account's verdict became another one. `at` is UTC seconds, `was` None at first sight.

    `value` and `limit` are in the rule's unit, `distance` too; NaN where unknown.
    """

    at: float
    login: int
    name: str
    currency: str
    profile: str
    rule: str
    key: str
    was: State | None
    state: State
    value: float
    limit: float
    used: float
    distance: float
    reason: Reason


@dataclass(slots=True)
class Breach:
    """One account and rule that breached: when first, how often, how far beyond at worst."""

    login: int
    name: str
    profile: str
    rule: str
    first: Turn
    times: int = 0
    worst_used: float = 0.0
    until: float | None = None


@dataclass(slots=True)
class Summary:
    """What a whole recording came to."""

    frames: int = 0
    polls: int = 0
    accounts: int = 0
    turns: int = 0
    breaches: dict[tuple[int, str], Breach] = field(default_factory=dict)
    open: dict[str, dict[int, Breach]] = field(default_factory=dict)

    newest: Frame | None = None

    @property
    def undecided(self) -> dict[Reason, int]:
        """How many verdicts of the newest frame decide nothing, and why."""
        judged = None if self.newest is None else self.newest.assessment
        found = Counter(
            Reason(reason)
            for verdict in (() if judged is None else judged.verdicts)
            for reason in verdict.reason[verdict.state == State.UNKNOWN].tolist()
        )
        return dict(found.most_common())

    def see(self, frame: Frame) -> None:
        """Count a frame."""
        self.newest = frame
        self.frames += 1
        self.polls = max(self.polls, frame.health.polls)
        if frame.book is not None:
            self.accounts = max(self.accounts, len(frame.book.accounts))
        self._worst(frame)

    def turn(self, turn: Turn) -> None:
        """Count a change."""
        self.turns += 1
        key = (turn.login, turn.key)
        group = self.open.setdefault(turn.key, {})
        if turn.state is State.BREACHED:
            made = Breach(turn.login, turn.name, turn.profile, turn.rule, turn)
            breach = self.breaches.setdefault(key, made)
            breach.times += 1
            breach.until = None
            group[turn.login] = breach
            breach.worst_used = float(np.fmax(breach.worst_used, turn.used))
        elif turn.login in group:
            group.pop(turn.login).until = turn.at

    def _worst(self, frame: Frame) -> None:
        """How far beyond the limit those are that have not come back."""
        if frame.assessment is None or frame.book is None:
            return
        for one, verdict in zip(
            frame.assessment.scope.applied, frame.assessment.verdicts, strict=True
        ):
            group = self.open.get(one.key)
            if not group:
                continue
            rows = rows_of(_logins(frame, verdict), np.fromiter(group, dtype=np.int64))
            used = np.where(rows >= 0, used_up(verdict.rest[np.maximum(rows, 0)]), np.nan)
            for breach, share in zip(group.values(), used.tolist(), strict=True):
                if share > breach.worst_used:
                    breach.worst_used = share


class Turns:
    """Follows frames in order; knows each account's newest state by every rule."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Ints, Bytes, Verdict | None]] = {}

    def of(self, frame: Frame) -> Iterator[Turn]:
        """What changed with this frame, rule by rule, in order of login."""
        if frame.assessment is None or frame.book is None:
            return
        seen = {}
        for one, verdict in zip(
            frame.assessment.scope.applied, frame.assessment.verdicts, strict=True
        ):
            before = self._known.get(one.key)
            if before is not None and before[2] is verdict:
                seen[one.key] = before
                continue
            logins = _logins(frame, verdict)
            was = _carried(before, logins)
            state = np.where(np.isin(verdict.reason, NO_FIGURES), was, verdict.state)
            seen[one.key] = (logins, state.astype(np.int8), verdict)
            yield from self._turns(frame, one, verdict, was, state)
        self._known = seen

    def _turns(
        self, frame: Frame, one: Applied, verdict: Verdict, was: Bytes, state: Bytes
    ) -> Iterable[Turn]:
        assert frame.book is not None
        accounts = frame.book.accounts
        calm = (was < 0) & np.isin(state, _QUIET)
        for at in np.flatnonzero((was != state) & ~calm).tolist():
            row = at if verdict.rows is None else int(verdict.rows[at])
            yield Turn(
                frame.at,
                int(accounts.login[row]),
                accounts.name[row],
                accounts.currency[row],
                verdict.profile,
                verdict.rule.rule,
                one.key,
                State(int(was[at])) if was[at] >= 0 else None,
                State(int(state[at])),
                verdict.value_at(at),
                float(verdict.limit[at]),
                verdict.used_at(at),
                verdict.distance_at(at),
                Reason(int(verdict.reason[at])),
            )


def _logins(frame: Frame, verdict: Verdict) -> Ints:
    assert frame.book is not None
    logins = frame.book.accounts.login
    return logins if verdict.rows is None else logins[verdict.rows]


def _carried(before: tuple[Ints, Bytes, Verdict | None] | None, logins: Ints) -> Bytes:
    """The state each account had, -1 for one not seen before."""
    if before is None:
        return np.full(len(logins), -1, dtype=np.int8)
    known, states, _ = before
    if known is logins or np.array_equal(known, logins):
        return states
    row = rows_of(known, logins)
    none = np.full(len(logins), -1, dtype=np.int8)
    return np.where(row >= 0, states[np.maximum(row, 0)], none) if len(known) else none

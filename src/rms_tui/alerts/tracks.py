"""From the verdicts of one rule, poll after poll, to which accounts' alerts begin, rise and end.

Whole columns at once, for the accounts a rule has an eye on: a state must last `confirm` before it
counts, and a row without a decision changes nothing, so that neither a phantom nor a gap in the
data can begin or end an alert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.alerts.life import Pending, Severity
from rms_tui.book import Bytes, Flags, Floats, Ints, rows_of
from rms_tui.risk.profile import Confirm
from rms_tui.risk.scope import Applied
from rms_tui.risk.verdict import State, Verdict, used_up

_SEVERITY = np.zeros(max(State) + 1, dtype=np.int8)
_SEVERITY[State.REACHED] = Severity.REACHED
_SEVERITY[State.CAUTION] = Severity.WARNING
_SEVERITY[State.CRITICAL] = Severity.CRITICAL
_SEVERITY[State.BREACHED] = Severity.BREACH

_LEVELS = len(Severity) + 1
_CALM = 0
"""Column of a Track's streaks that counts the polls on which it is well below its band."""

_LOWEST_BAND: Mapping[str, Callable[[Any], float]] = {
    "margin_level": lambda rule: rule.critical / rule.warning,
    "max_profit": lambda _: 1.0,
    "profit_target": lambda _: 1.0,
}
"""The share used at which a rule's first band begins, where that is not `caution`."""

_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Track:
    """The accounts one rule has an eye on; columns have a row for each of them.

    `streak[:, s]` counts consecutive good polls at severity s or worse, `since` when each began
    (column 0: the calm ones). `raised` is the severity of the open alert, 0 for none.
    """

    key: str
    rule: str
    confirm: Confirm
    login: Ints
    streak: npt.NDArray[np.int32]
    since: Floats
    raised: Bytes
    settled: Verdict | None = None

    def is_calm(self, login: int) -> bool:
        """Whether the account's newest decision was well below the band, not yet confirmed."""
        row = int(np.searchsorted(self.login, login))
        here = row < len(self.login) and self.login[row] == login
        return bool(here and self.streak[row, _CALM] > 0)


@dataclass(frozen=True, slots=True)
class Begun:
    """An account's severity that was confirmed now; `at` is its row in the verdict."""

    at: int
    severity: Severity
    first_seen: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One rule after a Book: its track, what began or rose, who recovered, who left."""

    track: Track
    begun: tuple[Begun, ...] = ()
    calm: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()


def followed(
    before: Track | None,
    applied: Applied,
    verdict: Verdict,
    accounts: Ints,
    now: float,
    *,
    held: bool = False,
) -> Turn:
    """The track of a rule after its verdict over `accounts` (the Book's logins).

    `held` only counts: nothing begins, rises or recovers yet.
    """
    logins = accounts if verdict.rows is None else accounts[verdict.rows]
    severity = _SEVERITY[verdict.state]
    rows = np.flatnonzero(severity)
    old = rows_of(logins, before.login) if before is not None else np.zeros(0, dtype=np.int64)
    rows = np.union1d(rows, old[old >= 0]).astype(np.int64)
    streak, since, raised = _carried(before, old, rows)
    now_at = severity[rows]
    decided = verdict.state[rows] != State.UNKNOWN

    hit = np.empty((len(rows), _LEVELS), dtype=np.bool_)
    hit[:, _CALM] = (now_at == 0) & _below_band(applied.rule, used_up(verdict.rest[rows]))
    for level in Severity:
        hit[:, level] = now_at >= level
    counted = np.where(hit, streak + 1, 0)
    began = np.where(hit & (streak == 0), now, np.where(hit, since, np.nan))
    streak = np.where(decided[:, None], counted, streak).astype(np.int32)
    since = np.where(decided[:, None], began, since)
    sure = _confirmed(applied.rule.confirm, streak, since, now) & decided[:, None]

    reached = np.zeros(len(rows), dtype=np.int8)
    for level in Severity:
        reached[sure[:, level]] = level
    worse = [] if held else np.flatnonzero(reached > raised).tolist()
    raised[worse] = reached[worse]
    begun = tuple(
        Begun(int(rows[i]), Severity(int(reached[i])), float(since[i, int(reached[i])]))
        for i in worse
    )
    calm = np.flatnonzero(sure[:, _CALM] & (raised > 0) & (not held))
    raised[calm] = 0

    keep = (raised > 0) | (now_at > 0) | (~decided & (streak[:, 1:] > 0).any(axis=1))
    settled = bool((decided & (raised == now_at))[keep].all())
    track = Track(
        applied.key,
        applied.rule.rule,
        applied.rule.confirm,
        logins[rows[keep]],
        streak[keep],
        since[keep],
        raised[keep],
        verdict if settled else None,
    )
    gone = () if before is None else tuple(before.login[(old < 0) & (before.raised > 0)].tolist())
    return Turn(track, begun, tuple(logins[rows[calm]].tolist()), gone)


def pending(track: Track) -> Iterator[Pending]:
    """States that are seen but not confirmed yet, each at its worst severity."""
    seen = track.streak[:, 1:] > 0
    level = np.where(seen, np.arange(1, _LEVELS), 0).max(axis=1, initial=0)
    for row in np.flatnonzero(level > track.raised).tolist():
        at = int(level[row])
        yield Pending(
            int(track.login[row]),
            track.rule,
            track.key,
            Severity(at),
            int(track.streak[row, at]),
            track.confirm,
            float(track.since[row, at]),
        )


def with_raised(
    track: Track | None, key: str, rule: str, severities: Mapping[int, Severity]
) -> Track:
    """The track with these accounts' alerts open at these severities or the worse they had."""
    if track is None:
        track = _untouched(key, rule, ())
    added = _untouched(key, rule, [login for login in severities if login not in track.login])
    login = np.concatenate([track.login, added.login])
    order = np.argsort(login)
    raised = np.concatenate([track.raised, added.raised])[order]
    at = rows_of(login[order], np.fromiter(severities, dtype=np.int64))
    wanted = np.array([int(level) for level in severities.values()], dtype=np.int8)
    raised[at] = np.maximum(raised[at], wanted)
    return replace(
        track,
        login=login[order],
        streak=np.concatenate([track.streak, added.streak])[order],
        since=np.concatenate([track.since, added.since])[order],
        raised=raised,
        settled=None,
    )


def raised_as_before(track: Track, severities: Mapping[int, int]) -> Track:
    """The track with these accounts' alerts at these severities, 0 where none is open."""
    at = rows_of(track.login, np.fromiter(severities, dtype=np.int64))
    raised = track.raised.copy()
    raised[at] = np.fromiter(severities.values(), dtype=np.int8)
    return replace(track, raised=raised, settled=None)


def _untouched(key: str, rule: str, logins: Iterable[int]) -> Track:
    login = np.fromiter(logins, dtype=np.int64)
    return Track(
        key,
        rule,
        Confirm(),
        login,
        np.zeros((len(login), _LEVELS), dtype=np.int32),
        np.full((len(login), _LEVELS), np.nan),
        np.zeros(len(login), dtype=np.int8),
    )


def _below_band(rule: Any, used: Floats) -> Flags:
    """Which shares are below the first band by the rule's hysteresis; NaN (no exposure) is."""
    if rule.hysteresis == 0:
        return np.ones(len(used), dtype=np.bool_)
    band = _LOWEST_BAND[rule.rule](rule) if rule.rule in _LOWEST_BAND else rule.caution
    highest = float(max(band - rule.hysteresis, 0.0)) + _SLACK
    return ~(used > highest)


def _carried(
    before: Track | None, old: Ints, rows: Ints
) -> tuple[npt.NDArray[np.int32], Floats, Bytes]:
    streak = np.zeros((len(rows), _LEVELS), dtype=np.int32)
    since = np.full((len(rows), _LEVELS), np.nan)
    raised = np.zeros(len(rows), dtype=np.int8)
    if before is not None:
        there = old >= 0
        at = np.searchsorted(rows, old[there])
        streak[at] = before.streak[there]
        since[at] = before.since[there]
        raised[at] = before.raised[there]
    return streak, since, raised


def _confirmed(
    confirm: Confirm, streak: npt.NDArray[np.int32], since: Floats, now: float
) -> npt.NDArray[np.bool_]:
    return (streak >= confirm.polls) & (now - since >= confirm.seconds)

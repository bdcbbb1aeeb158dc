"""Element content as columns: what each account's document should say, and which must be written.

Pure. Works on whole columns because an account's figures change with every price; only the rows
that differ from what was last written become documents. A row without a decision keeps the status
it had, and a state becomes a status only when its alert was raised: neither a one-poll phantom nor
a gap in the data makes or ends a breach.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from rms_tui.alerts import Severity
from rms_tui.book import Accounts, Book, Bytes, Codes, Flags, Floats, Ints, rows_of
from rms_tui.frame import Frame
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.verdict import Reason, State
from rms_tui.store.schema import Status
from rms_tui.store.values import instant, text

Marks: TypeAlias = npt.NDArray[np.uint64]

STATUSES = (Status.ACTIVE, Status.BREACHED, Status.TARGET_REACHED, Status.INACTIVE)
_ACTIVE, _BREACHED, _TARGET_REACHED, _INACTIVE = range(len(STATUSES))

FIGURES = (
    "balance", "credit", "equity", "margin", "free_margin", "margin_level", "profit", "floating",
    "day_profit",
)  # fmt: skip
_VALUE, _LIMIT = len(FIGURES), len(FIGURES) + 1
_LEVEL = FIGURES.index("margin_level")
_WORDS = {int(state): state.word for state in State}
_REASONS = {int(reason): reason.name.lower() for reason in Reason}


@dataclass(frozen=True, slots=True)
class Told:
    """What each account's document says of its state; rows as in `login`.

    `status` and `decided` are the last that were decided, `decided_since` when that began, `by`
    the rule it came from (its name's hash). `state` is the newest with its `since`, which differs
    while there is no decision.
    """

    login: Ints
    status: Bytes
    state: Bytes
    since: Floats
    decided: Bytes
    decided_since: Floats
    by: Ints


_TOLD = (np.int64, np.int8, np.int8, np.float64, np.int8, np.float64, np.int64)


@dataclass(frozen=True, slots=True)
class Worst:
    """For each account the verdict that gives it its state: its index, -1 for none, and figures.

    `decided` and `by` leave verdicts without a decision out; `held` says that the rule which
    decided before is now one of those.
    """

    rule: Ints
    value: Floats
    limit: Floats
    reason: Bytes
    decided: Bytes
    by: Ints
    held: Flags


@dataclass(frozen=True, slots=True)
class Content:
    """What every watched account's document should say now.

    `numbers` has a row for each figure (and the rule's value and limit), rounded, NaN for null.
    `mark` stands for all that a change of the document may be of: it differs whenever any one
    thing does, and for several at once all but surely (one in 2^64). Of the Book only the columns
    that documents show are here, so that a long write keeps no whole Book alive.
    """

    server: str
    login: Ints
    name: tuple[str, ...]
    group: tuple[str, ...]
    currency: tuple[str, ...]
    leverage: Codes
    trades_today: Codes
    taken_at: datetime | None
    told: Told
    status: Bytes
    rule: Ints
    rules: tuple[str, ...]
    reason: Bytes
    positions: Ints
    numbers: Floats
    mark: Marks

    def __len__(self) -> int:
        return len(self.login)


def content(
    book: Book, assessment: Assessment, frame: Frame, told: Told, *, silent: bool
) -> Content:
    """The content for a frame; `told` is that of the content before (or what was read back).

    `silent` says that the source has been stale for so long that its elements are INACTIVE.
    """
    accounts = book.accounts
    rules = tuple(verdict.rule.rule for verdict in assessment.verdicts)
    named = np.array([*(hash(name) for name in rules), 0], dtype=np.int64)
    past = _aligned(told, accounts.login)
    worst = _worst(assessment, named, past.by)
    now = _told(past, assessment, worst, frame)
    status = np.full_like(now.status, _INACTIVE) if silent else now.status
    reason = np.where(assessment.undecided != 0, assessment.undecided, worst.reason)
    positions = assessment.positions[1].astype(np.int64)
    numbers = _numbers(accounts, assessment, worst)
    mark = _marked(
        *numbers.view(np.int64), status, assessment.state, named[worst.rule], reason, positions,
        accounts.leverage, accounts.trades_today, _texts(accounts),
    )  # fmt: skip
    return Content(
        book.server,
        accounts.login,
        accounts.name,
        accounts.group,
        accounts.currency,
        accounts.leverage,
        accounts.trades_today,
        instant(book.taken_at),
        now,
        status,
        worst.rule,
        rules,
        reason.astype(np.int8),
        positions,
        numbers,
        mark,
    )


def documents(made: Content, rows: Ints) -> list[dict[str, Any]]:
    """The fields to set for these rows; null numbers are unknown or unlimited, see `reason`."""
    told, numbers = made.told, made.numbers[:, rows].T
    gaps = cast("list[bool]", np.isnan(numbers).any(axis=1).tolist())
    columns = zip(
        rows.tolist(),
        numbers.tolist(),
        gaps,
        made.status[rows].tolist(),
        told.state[rows].tolist(),
        told.since[rows].tolist(),
        made.rule[rows].tolist(),
        made.reason[rows].tolist(),
        made.positions[rows].tolist(),
        made.leverage[rows].tolist(),
        made.trades_today[rows].tolist(),
        strict=True,
    )
    dates: dict[float, datetime | None] = {}
    found = []
    for (
        row,
        figures,
        gap,
        status,
        state,
        since,
        rule,
        reason,
        positions,
        leverage,
        trades,
    ) in columns:
        if gap:
            figures = [None if figure != figure else figure for figure in figures]
        if since not in dates:
            dates[since] = instant(since)
        account = dict(zip(FIGURES, figures, strict=False))
        account["positions"] = positions
        account["trades_today"] = trades
        account["leverage"] = leverage
        account["name"] = text(made.name[row])
        account["group"] = text(made.group[row])
        account["currency"] = text(made.currency[row])
        account["time"] = made.taken_at
        found.append(
            {
                "status": STATUSES[status].value,
                "risk": {
                    "state": _WORDS[state],
                    "rule": made.rules[rule] if rule >= 0 else None,
                    "value": figures[_VALUE],
                    "limit": figures[_LIMIT],
                    "reason": _REASONS[reason],
                    "since": dates[since],
                },
                "account": account,
            }
        )
    return found


@dataclass(slots=True)
class Written:
    """What is known to stand in the database, to compare new content with."""

    login: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    mark: Marks = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    status: Bytes = field(default_factory=lambda: np.zeros(0, dtype=np.int8))
    sure: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def differing(self, new: Content) -> Ints:
        """Rows of the content whose document must be written."""
        self._follow(new.login)
        return np.flatnonzero((new.mark != self.mark) | ~self.sure).astype(np.int64)

    def restated(self, new: Content, rows: Ints) -> Flags:
        """Which of these rows have another status too. Call after `differing`."""
        return cast("Flags", ~self.sure[rows] | (self.status[rows] != new.status[rows]))

    def note(self, new: Content, rows: Ints) -> None:
        """These rows were written and acknowledged. Call after `differing` of the same content."""
        self.mark[rows] = new.mark[rows]
        self.status[rows] = new.status[rows]
        self.sure[rows] = True

    def forget(self, logins: Sequence[int] | frozenset[int]) -> None:
        """Have these accounts written again whatever they say."""
        at = rows_of(self.login, np.fromiter(logins, dtype=np.int64))
        self.sure[at[at >= 0]] = False

    def _follow(self, logins: Ints) -> None:
        if logins is self.login:
            return
        if not np.array_equal(logins, self.login):
            old = rows_of(self.login, logins)
            there = np.flatnonzero(old >= 0)
            mark, status = np.zeros(len(old), np.uint64), np.zeros(len(old), np.int8)
            sure = np.zeros(len(old), dtype=np.bool_)
            mark[there], status[there] = self.mark[old[there]], self.status[old[there]]
            sure[there] = self.sure[old[there]]
            self.mark, self.status, self.sure = mark, status, sure
        self.login = logins


def told_from(found: Iterable[Mapping[str, Any]]) -> Told:
    """What documents that are in the database already say, to go on from after a restart.

    One document is looked at at a time: they may be those of a whole book.
    """
    states = {state.word: int(state) for state in State}
    codes = {status.value: code for code, status in enumerate(STATUSES)}
    of_status = {_BREACHED: State.BREACHED, _TARGET_REACHED: State.REACHED}
    columns: list[array[Any]] = [array(np.dtype(kind).char) for kind in _TOLD]
    for element in found:
        risk = element.get("risk") or {}
        status = codes.get(element.get("status", ""), _ACTIVE)
        state = states.get(risk.get("state", ""), int(State.OFF))
        at = risk.get("since")
        since = at.timestamp() if isinstance(at, datetime) else float("nan")
        decided = state
        if state == State.UNKNOWN:
            decided = int(of_status.get(status, State.OFF))
        decided_since = since if decided == state else float("nan")
        by = hash(risk.get("rule") or "")
        row = (int(element["login"]), status, state, since, decided, decided_since, by)
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    made = [np.array(column, dtype=kind) for column, kind in zip(columns, _TOLD, strict=True)]
    order = np.argsort(made[0], kind="stable")
    return Told(*(column[order] for column in made))


NOBODY = told_from(())
"""Before anything is known."""

_UNTOLD = -1

_CONFIRMED = (
    (_TARGET_REACHED, State.REACHED, Severity.REACHED),
    (_BREACHED, State.BREACHED, Severity.BREACH),
)
"""Statuses that need a raised alert, with the state and the severity they stand for."""


def _aligned(told: Told, login: Ints) -> Told:
    """The same for these accounts; state -1 for those of whom nothing was told."""
    if told.login is login:
        return told
    old = rows_of(told.login, login)
    there = old >= 0

    def carried(column: npt.NDArray[Any], otherwise: float) -> npt.NDArray[Any]:
        made = np.full(len(login), otherwise, dtype=column.dtype)
        made[there] = column[old[there]]
        return made

    return Told(
        login,
        carried(told.status, _ACTIVE),
        carried(told.state, _UNTOLD),
        carried(told.since, np.nan),
        carried(told.decided, _UNTOLD),
        carried(told.decided_since, np.nan),
        carried(told.by, 0),
    )


def _told(past: Told, assessment: Assessment, worst: Worst, frame: Frame) -> Told:
    state, now = assessment.state, frame.at
    keep = (assessment.undecided != 0) | worst.held
    fresh = np.full(len(state), _ACTIVE)
    for code, of_state, severity in _CONFIRMED:
        raised = [alert.login for alert in frame.alerts if alert.severity == severity]
        sure = np.isin(past.login, raised) | (past.status == code)
        fresh[(worst.decided == of_state) & sure] = code
    kept = np.where(past.status == _INACTIVE, _ACTIVE, past.status)
    decided = np.where(keep, past.decided, worst.decided)
    decided_since = np.where(decided == past.decided, past.decided_since, now)
    since = np.where(state == decided, decided_since, now)
    since = np.where(state == past.state, past.since, since)
    return Told(
        past.login,
        np.where(keep, kept, fresh).astype(np.int8),
        state,
        np.where(np.isfinite(since), since, now),
        decided.astype(np.int8),
        np.where(np.isfinite(decided_since), decided_since, now),
        np.where(keep, past.by, worst.by),
    )


def _worst(assessment: Assessment, named: Ints, by: Ints) -> Worst:
    """Ties go to the verdict that has used the most of its allowance, as `worst_verdict` has it."""
    rows = len(assessment.state)
    state = np.full(rows, -1, dtype=np.int8)
    used, value, limit = np.full(rows, -np.inf), np.full(rows, np.nan), np.full(rows, np.nan)
    rule, reason = np.full(rows, -1, dtype=np.int64), np.zeros(rows, dtype=np.int8)
    decided, decider = np.zeros(rows, dtype=np.int8), np.full(rows, -1, dtype=np.int64)
    held = np.zeros(rows, dtype=np.bool_)
    for index, verdict in enumerate(assessment.verdicts):
        at = np.arange(rows) if verdict.rows is None else verdict.rows
        share = np.nan_to_num(verdict.used, nan=-1.0, posinf=np.inf)
        worse = (verdict.state > state[at]) | ((verdict.state == state[at]) & (share > used[at]))
        here = at[worse]
        rule[here] = index
        state[here], used[here] = verdict.state[worse], share[worse]
        value[here], limit[here] = verdict.value[worse], verdict.limit[worse]
        reason[here] = verdict.reason[worse]
        unknown = verdict.state == State.UNKNOWN
        held[at] |= unknown & (by[at] == named[index])
        surer = ~unknown & (verdict.state > decided[at])
        decided[at[surer]], decider[at[surer]] = verdict.state[surer], index
    return Worst(rule, value, limit, reason, decided, named[decider], held)


def _numbers(accounts: Accounts, assessment: Assessment, worst: Worst) -> Floats:
    made = np.stack(
        [
            accounts.balance, accounts.credit, accounts.equity, accounts.margin,
            accounts.margin_free, np.where(accounts.margin > 0, accounts.margin_level, np.nan),
            accounts.profit, accounts.floating, assessment.day_profit, worst.value,
            worst.limit,
        ]
    )  # fmt: skip
    money = 10.0 ** accounts.digits.astype(np.float64)
    finer = np.maximum(money, 100.0)
    for at, column in enumerate(made):
        scale = finer if at in (_LEVEL, _VALUE, _LIMIT) else money
        column *= scale
        np.rint(column, out=column)
        column /= scale
        column += 0.0  # no minus zero: it would differ from zero bit for bit
        column[~np.isfinite(column)] = np.nan
    return made


def _marked(*columns: npt.NDArray[Any]) -> Marks:
    """Whole numbers, mixed for each row. Each step is reversible, so one change always shows."""
    mark = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mark ^= column.astype(np.int64, copy=False).view(np.uint64)
        mark *= _ODD
        mark ^= mark >> np.uint64(32)
    return mark


_ODD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: its product carries every bit into the upper half."""


def _texts(accounts: Accounts) -> Ints:
    return np.fromiter(
        (
            hash(texts)
            for texts in zip(accounts.name, accounts.group, accounts.currency, strict=True)
        ),
        dtype=np.int64,
        count=len(accounts),
    )

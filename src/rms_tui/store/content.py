"""Element content as columns: what each account's document should say, and which must be written.

Pure. Works on whole columns because an account's figures change with every price; only the rows
that differ from what was last written become documents. A row without a decision keeps the status
it had: neither a phantom nor a gap in the data makes or ends a breach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from rms_tui.book import Accounts, Book, Bytes, Flags, Floats, Ints, rows_of
from rms_tui.frame import Frame
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.verdict import Reason, State
from rms_tui.store.schema import Status
from rms_tui.store.values import instant, text

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

    `status` is the last decided one, `decided` the state it came from and `decided_since` when
    that began; `since` is when `state` began, which differs while there is no decision.
    """

    login: Ints
    status: Bytes
    state: Bytes
    since: Floats
    decided: Bytes
    decided_since: Floats


@dataclass(frozen=True, slots=True)
class Content:
    """What every watched account's document should say now.

    `numbers` has a row for each figure (and the rule's value and limit), rounded, NaN for null;
    `codes` has the rest, as integers whose change is a change of the document.
    """

    server: str
    accounts: Accounts
    taken_at: datetime | None
    told: Told
    status: Bytes
    rule: Ints
    rules: tuple[str, ...]
    reason: Bytes
    positions: Ints
    numbers: Floats
    codes: Ints

    def __len__(self) -> int:
        return len(self.accounts)


def content(
    book: Book, assessment: Assessment, frame: Frame, told: Told, *, silent: bool
) -> Content:
    """The content for a frame; `told` is that of the content before (or what was read back).

    `silent` says that the source has been stale for so long that its elements are INACTIVE.
    """
    accounts = book.accounts
    rule, value, limit, reason = _worst(assessment)
    now = _told(told, accounts.login, assessment.state, frame.at)
    status = np.full_like(now.status, _INACTIVE) if silent else now.status
    reason = np.where(assessment.undecided != 0, assessment.undecided, reason).astype(np.int8)
    rules = tuple(verdict.rule.rule for verdict in assessment.verdicts)
    named = np.array([*(hash(name) for name in rules), 0], dtype=np.int64)
    positions = assessment.positions[1].astype(np.int64)
    codes = np.stack(
        [
            status, assessment.state, named[rule], reason, positions, accounts.leverage,
            accounts.trades_today, _texts(accounts),
        ]
    ).astype(np.int64)  # fmt: skip
    return Content(
        book.server,
        accounts,
        instant(book.taken_at),
        now,
        status,
        rule,
        rules,
        reason,
        positions,
        _numbers(accounts, assessment, value, limit),
        codes,
    )


def documents(made: Content, rows: Ints) -> list[dict[str, Any]]:
    """The fields to set for these rows; null numbers are unknown or unlimited, see `reason`."""
    accounts, told = made.accounts, made.told
    numbers = made.numbers[:, rows].T
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
        accounts.leverage[rows].tolist(),
        accounts.trades_today[rows].tolist(),
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
        account["name"] = text(accounts.name[row])
        account["group"] = text(accounts.group[row])
        account["currency"] = text(accounts.currency[row])
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
    numbers: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    codes: Ints = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    sure: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def differing(self, new: Content) -> Ints:
        """Rows of the content whose document must be written."""
        self._follow(new)
        bits = new.numbers.view(np.int64) != self.numbers.view(np.int64)
        other = bits.any(axis=0) | (new.codes != self.codes).any(axis=0) | ~self.sure
        return np.flatnonzero(other).astype(np.int64)

    def note(self, new: Content, rows: Ints) -> None:
        """These rows were written and acknowledged. Call after `differing` of the same content."""
        self.numbers[:, rows] = new.numbers[:, rows]
        self.codes[:, rows] = new.codes[:, rows]
        self.sure[rows] = True

    def forget(self, logins: Sequence[int] | frozenset[int]) -> None:
        """Have these accounts written again whatever they say."""
        at = rows_of(self.login, np.fromiter(logins, dtype=np.int64))
        self.sure[at[at >= 0]] = False

    def _follow(self, new: Content) -> None:
        logins = new.accounts.login
        if logins is self.login and self.numbers.shape == new.numbers.shape:
            return
        if self.numbers.shape == new.numbers.shape and np.array_equal(logins, self.login):
            self.login = logins
            return
        numbers, codes = np.zeros_like(new.numbers), np.zeros_like(new.codes)
        sure = np.zeros(len(logins), dtype=np.bool_)
        old = rows_of(self.login, logins)
        there = old >= 0
        if bool(there.any()):
            numbers[:, there] = self.numbers[:, old[there]]
            codes[:, there] = self.codes[:, old[there]]
            sure[there] = self.sure[old[there]]
        self.login, self.numbers, self.codes, self.sure = logins, numbers, codes, sure


def told_from(found: Sequence[dict[str, Any]]) -> Told:
    """What documents that are in the database already say, to go on from after a restart."""
    ordered = sorted(found, key=lambda element: int(element["login"]))
    states = {state.word: int(state) for state in State}
    codes = {status.value: code for code, status in enumerate(STATUSES)}
    of_status = {_BREACHED: State.BREACHED, _TARGET_REACHED: State.REACHED}
    login, status, state, since, decided = [], [], [], [], []
    for element in ordered:
        risk = element.get("risk") or {}
        code = codes.get(element.get("status", ""), _ACTIVE)
        login.append(int(element["login"]))
        status.append(code)
        state.append(states.get(risk.get("state", ""), int(State.OFF)))
        at = risk.get("since")
        since.append(at.timestamp() if isinstance(at, datetime) else np.nan)
        unknown = state[-1] == State.UNKNOWN
        decided.append(int(of_status.get(code, State.OFF)) if unknown else state[-1])
    return Told(
        np.array(login, dtype=np.int64),
        np.array(status, dtype=np.int8),
        np.array(state, dtype=np.int8),
        np.array(since, dtype=np.float64),
        np.array(decided, dtype=np.int8),
        np.where(np.array(state) == np.array(decided), since, np.nan).astype(np.float64),
    )


NOBODY = told_from(())
"""Before anything is known."""


def _told(past: Told, login: Ints, state: Bytes, now: float) -> Told:
    old = rows_of(past.login, login)
    there = old >= 0

    def carried(column: npt.NDArray[Any], otherwise: float) -> npt.NDArray[Any]:
        if len(column) == 0:
            return np.full(len(login), otherwise, dtype=column.dtype)
        return np.where(there, column[old], otherwise).astype(column.dtype)

    before, since = carried(past.state, -1), carried(past.since, np.nan)
    decided, decided_since = carried(past.decided, -1), carried(past.decided_since, np.nan)
    status = carried(past.status, _ACTIVE)
    unknown = state == State.UNKNOWN
    began = np.where((decided == state) & np.isfinite(decided_since), decided_since, now)
    began = np.where(unknown, np.where((before == state) & np.isfinite(since), since, now), began)
    reached = np.where(state == State.REACHED, _TARGET_REACHED, _ACTIVE)
    fresh = np.where(state == State.BREACHED, _BREACHED, reached)
    kept = np.where(status == _INACTIVE, _ACTIVE, status)
    return Told(
        login,
        np.where(unknown, kept, fresh).astype(np.int8),
        state,
        began,
        np.where(unknown, decided, state).astype(np.int8),
        np.where(unknown, decided_since, began),
    )


def _worst(assessment: Assessment) -> tuple[Ints, Floats, Floats, Bytes]:
    """For each account the verdict that gives it its state: index (-1 none), value, limit, reason.

    Ties go to the verdict that has used the most of its allowance, as `worst_verdict` has it.
    """
    rows = len(assessment.state)
    state = np.full(rows, -1, dtype=np.int8)
    used, value, limit = np.full(rows, -np.inf), np.full(rows, np.nan), np.full(rows, np.nan)
    rule, reason = np.full(rows, -1, dtype=np.int64), np.zeros(rows, dtype=np.int8)
    for index, verdict in enumerate(assessment.verdicts):
        at = np.arange(rows) if verdict.rows is None else verdict.rows
        share = np.where(np.isnan(verdict.used), -1.0, verdict.used)
        worse = (verdict.state > state[at]) | ((verdict.state == state[at]) & (share > used[at]))
        here = at[worse]
        rule[here] = index
        state[here], used[here] = verdict.state[worse], share[worse]
        value[here], limit[here] = verdict.value[worse], verdict.limit[worse]
        reason[here] = verdict.reason[worse]
    return rule, value, limit, reason


def _numbers(accounts: Accounts, assessment: Assessment, value: Floats, limit: Floats) -> Floats:
    made = np.stack(
        [
            accounts.balance, accounts.credit, accounts.equity, accounts.margin,
            accounts.margin_free, np.where(accounts.margin > 0, accounts.margin_level, np.nan),
            accounts.profit, accounts.floating, assessment.day_profit, value, limit,
        ]
    )  # fmt: skip
    money = 10.0 ** accounts.digits.astype(np.float64)
    scale = np.broadcast_to(money, made.shape).copy()
    scale[[_LEVEL, _VALUE, _LIMIT]] = np.maximum(money, 100.0)
    made *= scale
    np.rint(made, out=made)
    made /= scale
    made += 0.0  # no minus zero: it would differ from zero bit for bit
    made[~np.isfinite(made)] = np.nan
    return made


def _texts(accounts: Accounts) -> Ints:
    return np.fromiter(
        (
            hash(texts)
            for texts in zip(accounts.name, accounts.group, accounts.currency, strict=True)
        ),
        dtype=np.int64,
        count=len(accounts),
    )

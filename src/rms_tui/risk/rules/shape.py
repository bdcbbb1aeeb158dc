"""What a rule is made of: two functions over columns, and what they give.

A column is found by its key: a name for a figure of the Book, and a frozen value for what is
remembered (a Trail, a day's figure) or worked out of positions (see `rms_tui.risk.holdings`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from rms_tui.book import Bytes, Flags, Floats, least, repeated
from rms_tui.risk.profile import RiskProfile, Rollover, Trail
from rms_tui.risk.verdict import Between, Reason, State

Key: TypeAlias = Hashable
Columns: TypeAlias = Mapping[Key, npt.NDArray[Any]]

BAND_SLACK = 1e-9
"""A share this close below a band counts as in it: 0.8 of an allowance is caution, however it was
rounded."""

_OK = np.array(State.OK, dtype=np.int8)
_UNKNOWN = np.array(State.UNKNOWN, dtype=np.int8)
_BREACHED = np.array(State.BREACHED, dtype=np.int8)
_WITHIN = np.array(Reason.WITHIN, dtype=np.int8)
_TO_CAUTION = np.array(State.CAUTION - State.OK, dtype=np.int8)
_FLOWS_UNKNOWN = np.array(Reason.FLOWS_UNKNOWN, dtype=np.int8)
_TO_BASE_UNKNOWN = np.array(Reason.BASE_UNKNOWN - Reason.FLOWS_UNKNOWN, dtype=np.int8)

TOTAL_FLOW = "total flow"
TOTAL_FLOW_BALANCE = "total flow of the balance"
"""Money in and out since an account was first seen, and the part of it that moved the balance."""

FIT = "fit"
"""Key that is there where nobody is withheld: balance, equity and floating are numbers."""

INITIAL = "initial"
"""Each account's initial balance, NaN where there is none in its currency."""


class Ruled(NamedTuple):
    """The columns a rule function gives; see `rms_tui.risk.verdict.Verdict` for their meaning.

    `state`, `rest` and `reason` are made anew each time: nobody else holds them yet.
    """

    state: Bytes
    figure: Floats
    limit: Floats
    rest: Floats
    between: Between
    reason: Bytes
    since: Floats | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule measures against, for each account: it moves with the day, not with the price.

    `limit` is the floor or cap, and `share` what one unit is of the way to it (1 / allowance, for
    to multiply takes a third of the time to divide; None where the limit moves with prices).
    `missing` is the Reason why there is no limit where it is NaN, and `known` says that it is
    nowhere. `start` is where a gain or a level is counted from, and `allowance` the way from there
    to the limit. Where `at_least` is True the true floor may be higher than `limit`: a breach is
    certain there, anything else is unknown. `off` are rows the rule has nothing to say of.
    `stop_out` is the broker's own level in percent, and in money of the free margin (None:
    nobody's), NaN where it is not meant so.
    """

    limit: Floats
    share: Floats | None
    missing: Bytes | Reason = Reason.NOT_A_NUMBER
    known: bool = False
    start: Floats | None = None
    allowance: Floats | None = None
    at_least: Flags | None = None
    off: Flags | None = None
    stop_out: tuple[Floats, Floats | None] | None = None


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A rule's two functions and the columns each reads, given rule and profile.

    `limits` runs when its columns changed, `evaluate` when those or its own did. Both run where a
    division by zero or by NaN raises no warning.
    """

    limits: Callable[[Any, RiskProfile, Columns], Limits]
    limits_read: Callable[[Any, RiskProfile], tuple[Key, ...]]
    evaluate: Callable[[Any, Limits, Columns], Ruled]
    reads: Callable[[Any], tuple[Key, ...]]
    unit: str


def day_column(rollover: Rollover, column: str) -> str:
    """Key under which a day base's column is offered to rules."""
    return f"{column}@{rollover.zone} {rollover.at}"


def sure_of(trail: Trail) -> Key:
    """Key of the flags that say whether a trail's peak is certain."""
    return ("sure", trail)


class Left(NamedTuple):
    """What the distances left say: who is beyond, and of whom that is not known (None: nobody)."""

    beyond: Flags
    unknown: Flags | None


def left(rule: Any, distance: Floats, half: Floats | float, *, known: bool = False) -> Left:
    """A limit is breached after rounding the distance to the unit's digits (`half` its last one).

    `known` is for a distance that is a number in every row, which spares to look for others.
    Ask it of a distance as soon as that is made, and make the next column in its place: large
    columns do not stay in a processor's cache.
    """
    beyond = distance < (half if rule.boundary == "inclusive" else -half)
    if known or not isnan(least(distance)):
        return Left(beyond, None)
    return Left(beyond, np.isnan(distance))


def banded(
    rule: Any, rest: Floats, found: Left, missing: Bytes | Reason, top: State
) -> tuple[Bytes, Bytes]:
    """State and reason from the share that is left, the reason in the place of who is beyond."""
    beyond, unknown = found
    reason = beyond.view(np.int8)
    if top is State.BREACHED:
        critical = rest <= 1.0 - rule.critical + BAND_SLACK
        critical |= beyond
        caution = rest <= 1.0 - rule.caution + BAND_SLACK
        state = bands(caution, critical)
        state += reason
    else:
        state = reason + _OK
    reason += _WITHIN
    if unknown is not None:
        put(state, unknown, State.UNKNOWN)
        put(reason, unknown, missing)
    return state, reason


def put(codes: Bytes, rows: Flags, code: Bytes | Reason | State) -> None:
    """`codes[rows] = code`, by arithmetic: assigning by a mask takes up to twenty times as long
    where its rows follow no pattern that a processor foresees. `code` may be a column."""
    codes *= (~rows).view(np.int8)
    codes += rows.view(np.int8) * np.asarray(code, dtype=np.int8)


def bands(caution: Flags, critical: Flags) -> Bytes:
    """OK, CAUTION or CRITICAL, in the place of `caution`, where whoever is critical is too."""
    caution |= critical
    state: Bytes = caution.view(np.int8)
    state *= _TO_CAUTION
    state += critical.view(np.int8)
    state += _OK
    return state


def above_floor(rule: Any, limits: Limits, columns: Columns) -> Ruled:
    """Equity, balance or the worse of both above a floor: the loss rules' common question."""
    assert limits.share is not None
    value = judged(rule.value, columns)
    distance = value - limits.limit
    found = left(rule, distance, columns["half"], known=limits.known and FIT in columns)
    rest = np.multiply(distance, limits.share, out=distance)
    state, reason = banded(rule, rest, found, limits.missing, State.BREACHED)
    if limits.at_least is not None and bool(limits.at_least.any()):
        open_question = limits.at_least & (state != _BREACHED)
        open_question &= state != _UNKNOWN
        everybody = bool(open_question.all())
        rows = slice(None) if everybody else np.flatnonzero(open_question)
        state[rows] = State.UNKNOWN
        reason[rows] = Reason.PEAK_UNKNOWN
        rest[rows] = np.nan
    return Ruled(state, value, limits.limit, rest, (value, limits.limit), reason)


def base_or_flows(base: Floats) -> Bytes:
    """Why a limit of the day is unknown: its base is, or else what came in or went out since."""
    missing: Bytes = np.isnan(base).view(np.int8) * _TO_BASE_UNKNOWN
    missing += _FLOWS_UNKNOWN
    return missing


def fixed(limit: Callable[[Any], float]) -> Callable[[Any, RiskProfile, Columns], Limits]:
    """The limits of a rule that has one and the same number for everybody."""

    def limits(rule: Any, _: RiskProfile, columns: Columns) -> Limits:
        column = constant(limit(rule), columns[INITIAL])
        allowance = constant(abs(limit(rule)), column)
        return Limits(column, share_of(allowance), known=known(column))

    return limits


def initial_of(profile: RiskProfile) -> float:
    """The profile's initial balance, NaN where none is given."""
    return float("nan") if profile.initial_balance is None else profile.initial_balance


def amount_of(rule: Any, of: Any) -> Any:
    """The rule's amount: money as it stands, or a percentage of `of`."""
    return rule.amount if rule.amount is not None else of * (rule.percent / 100.0)


def constant(value: float, like: Floats) -> Floats:
    """A column of one number that takes no memory."""
    return repeated(value, len(like))


def as_column(value: Any, like: Floats) -> Floats:
    """A number as a column; a column as it is."""
    return value if isinstance(value, np.ndarray) else constant(value, like)


def known(limit: Floats) -> bool:
    """Whether a limit is a number in every row."""
    return not isnan(least(limit))


def share_of(allowance: Floats) -> Floats:
    """What one unit is of each row's allowance."""
    if allowance.strides == (0,) and len(allowance):
        return constant(float(np.divide(1.0, allowance[0])), allowance)
    share: Floats = 1.0 / allowance
    return share


def judged(value: str, columns: Columns) -> Floats:
    """The column a rule looks at: equity, balance, or the worse of both."""
    if value == "worst":
        return np.minimum(columns["equity"], columns["balance"])
    return columns[value]


def judged_columns(rule: Any) -> tuple[Key, ...]:
    """The keys `judged` needs."""
    return ("equity", "balance") if rule.value == "worst" else (rule.value,)


def no_figure(_rule: Any, _profile: RiskProfile) -> tuple[Key, ...]:
    """The keys of a rule whose limits need no figure; `INITIAL` gives them their length, and
    stays what it is while the accounts do."""
    return (INITIAL,)


def flows_of(rule: Any, day: Rollover) -> str:
    """Key of the day's flows that move what the rule looks at."""
    return day_column(day, "flow_balance" if rule.value == "balance" else "flow")

"""What a rule says: states, reasons and the columns of one rule's verdict."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple, TypeAlias

import numpy as np

from rms_tui.book import Bytes, Floats, Ints
from rms_tui.risk.profile import Rule

Between: TypeAlias = tuple[Floats, Floats]
"""Two columns that are there anyway, whose difference is a distance."""


class State(IntEnum):
    """Ordered from harmless to worst, so that the worst of several is their maximum."""

    OFF = 0
    OK = 1
    REACHED = 2
    UNKNOWN = 3
    CAUTION = 4
    CRITICAL = 5
    BREACHED = 6

    @property
    def word(self) -> str:
        """Its name in lower case, as programs get it."""
        return self.name.lower()


class Reason(IntEnum):
    """Why a state is what it is."""

    NONE = 0
    WITHIN = 1
    BEYOND = 2
    NO_MARGIN = 3
    NO_POSITIONS = 4
    NO_STOP_LOSS = 5
    STOP_OUT = 6
    POSITIONS_OPEN = 7
    STALE = 10
    DISCONNECTED = 11
    NOT_A_NUMBER = 12
    ZERO_EQUITY = 13
    IDENTITY = 14
    SILENT = 15
    NO_TERMINAL = 16
    REFUSED = 17
    EMPTIED = 18
    LIMITS_REFUSED = 19
    BASE_UNKNOWN = 20
    INITIAL_UNKNOWN = 21
    NO_RATE = 22
    FLOWS_UNKNOWN = 23
    PEAK_UNKNOWN = 24
    CLOCK_UNKNOWN = 25
    OTHER_CURRENCY = 26
    STOPS_UNKNOWN = 27

    @property
    def words(self) -> str:
        """What a dealer is told."""
        return WORDS[self]


WORDS: dict[Reason, str] = {
    Reason.NONE: "no rule",
    Reason.WITHIN: "within the limit",
    Reason.BEYOND: "beyond the limit",
    Reason.NO_MARGIN: "no margin used",
    Reason.NO_POSITIONS: "no open positions",
    Reason.NO_STOP_LOSS: "a position has no stop loss: risk unlimited",
    Reason.STOP_OUT: "at the broker's stop-out level",
    Reason.POSITIONS_OPEN: "positions are still open",
    Reason.STALE: "figures are stale",
    Reason.DISCONNECTED: "source has lost its server",
    Reason.NOT_A_NUMBER: "a needed figure is missing",
    Reason.ZERO_EQUITY: "equity is 0 with open positions",
    Reason.EMPTIED: "all figures are 0 and no deal says why",
    Reason.IDENTITY: "equity is not balance + credit + floating",
    Reason.SILENT: "STALE: its worker is silent",
    Reason.NO_TERMINAL: "STALE: it waits for a terminal",
    Reason.REFUSED: "STALE: in error, not watched",
    Reason.LIMITS_REFUSED: "its own limits cannot be used",
    Reason.BASE_UNKNOWN: "day base unknown",
    Reason.INITIAL_UNKNOWN: "initial balance unknown",
    Reason.NO_RATE: "no conversion rate",
    Reason.FLOWS_UNKNOWN: "deposits of the day unknown",
    Reason.PEAK_UNKNOWN: "peak unknown: enter it",
    Reason.CLOCK_UNKNOWN: "server clock unknown",
    Reason.OTHER_CURRENCY: "the limit is in another currency than the account",
    Reason.STOPS_UNKNOWN: "not known since when a position has no stop",
}


class Verdict(NamedTuple):
    """One rule over the accounts it applies to; every column has one row for each of them.

    `rows` are the accounts' rows in the Book, None for all. `value` and `limit` are in the rule's
    unit (money, percent, lots, seconds, positions), `used` is the share of the allowance (1.0 = at
    the limit), NaN where unknown or off. Few rows are ever asked for them, so they are worked out
    then: `value` is `figure`, or `figure` less `since`; the distance is the first less the second
    of the columns `between`; and `rest` is the share of the allowance that is left.
    """

    rule: Rule
    profile: str
    rows: Ints | None
    state: Bytes
    figure: Floats
    limit: Floats
    rest: Floats
    between: Between
    reason: Bytes
    since: Floats | None = None

    @property
    def value(self) -> Floats:
        """What is held against the limit: where it is a gain, a new column each time."""
        return self.figure if self.since is None else self.figure - self.since

    def value_at(self, row: int) -> float:
        """The value in one of its rows."""
        figure = float(self.figure[row])
        return figure if self.since is None else figure - float(self.since[row])

    @property
    def used(self) -> Floats:
        """The share of the allowance used, at least 0: a new column each time."""
        return used_up(self.rest)

    def used_at(self, row: int) -> float:
        """The share used in one of its rows."""
        used = 1.0 - float(self.rest[row])
        return 0.0 if used < 0 else used  # NaN is not

    @property
    def distance(self) -> Floats:
        """What is left of the allowance (negative beyond), NaN where unknown or off: a new column
        each time."""
        return distance(self.state, self.between)

    def distance_at(self, row: int) -> float:
        """The distance in one of its rows."""
        ahead, behind = self.between
        unknown = self.state[row] == State.UNKNOWN
        return math.nan if unknown else float(ahead[row]) - float(behind[row])


def used_up(rest: Floats, out: Floats | None = None) -> Floats:
    """The share used of an allowance of which that share is left: none while more than all is.

    It may be put `out` to the very same column.
    """
    used = np.subtract(1.0, rest, out=out)
    return np.maximum(used, 0.0, out=used)


@np.errstate(invalid="ignore")  # infinite less infinite is unknown
def distance(state: Bytes, between: Between) -> Floats:
    """What is left of an allowance, NaN where the state is unknown."""
    ahead, behind = between
    return np.where(state == State.UNKNOWN, np.nan, ahead - behind)

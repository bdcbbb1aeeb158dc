"""Equity and balance of the day, of those accounts somebody may look at: a few, at bounded memory.

MT5 keeps no curve of equity. The console samples the accounts whose details were opened and those
nearest to a limit; of any other nothing is known until then, and it is shown as not known. A curve
never grows beyond a fixed number of points: when it is full, two neighbours become one that keeps
their lowest and highest equity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rms_tui.book import Floats, Ints, rows_of
from rms_tui.frame import Frame
from rms_tui.risk.verdict import Reason

MOST_POINTS = 240
FINEST = 5.0
"""Seconds that a new curve's points stand for."""

KEPT = 26 * 3600.0
"""Seconds after which a point is forgotten: the longest day has 25 hours."""

NEAREST = 32
"""Accounts nearest to a limit that are sampled unopened."""

MOST_CURVES = 96


class Point(NamedTuple):
    """An account in the `width` seconds of its curve from `at` (UTC seconds) on."""

    at: float
    low: float
    high: float
    equity: float
    balance: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in order of time, each for `width` seconds; nothing is known between them."""

    width: float = FINEST
    points: tuple[Point, ...] = ()

    def since(self, at: float) -> tuple[Point, ...]:
        """The points that end after an instant."""
        return tuple(point for point in self.points if point.at + self.width > at)


def grown(curve: Curve, at: float, balance: float, equity: float) -> Curve:
    """The curve with one more sample; a figure that is not known changes nothing."""
    if not math.isfinite(balance + equity):
        return curve
    points, width = curve.points, curve.width
    start = math.floor(at / width) * width
    if points and points[-1].at >= start:
        last = points[-1]
        low, high = min(last.low, equity), max(last.high, equity)
        return Curve(width, (*points[:-1], Point(last.at, low, high, equity, balance)))
    if points and points[0].at < at - KEPT:
        points = tuple(point for point in points if point.at >= at - KEPT)
    points = (*points, Point(start, equity, equity, equity, balance))
    while len(points) > MOST_POINTS:
        width *= 2
        points = _merged(points, width)
    return Curve(width, points)


def _merged(points: Iterable[Point], width: float) -> tuple[Point, ...]:
    made: list[Point] = []
    for point in points:
        start = math.floor(point.at / width) * width
        if made and made[-1].at == start:
            low, high = min(made[-1].low, point.low), max(made[-1].high, point.high)
            made[-1] = Point(start, low, high, point.equity, point.balance)
        else:
            made.append(point._replace(at=start))
    return tuple(made)


class Curves:
    """The curves of a console. Follows each frame it is shown; used on the UI's own loop."""

    def __init__(self) -> None:
        self._curves: dict[int, Curve] = {}
        self._opened: dict[int, None] = {}
        self._sampled = -math.inf

    def open(self, login: int) -> None:
        """Sample this account from now on, with every frame."""
        self._opened.pop(login, None)
        self._opened[login] = None
        while len(self._opened) > MOST_CURVES // 2:
            del self._opened[next(iter(self._opened))]

    def of(self, login: int) -> Curve:
        """What is known of an account."""
        return self._curves.get(login, Curve())

    def __len__(self) -> int:
        return len(self._curves)

    def follow(self, frame: Frame) -> None:
        """Take a sample of each account that is followed, if the frame vouches for it."""
        book, assessed = frame.book, frame.assessment
        if book is None or assessed is None or not len(book.accounts):
            return
        logins = list(self._opened)
        if book.taken_at - self._sampled >= FINEST:
            self._sampled = book.taken_at
            logins += _nearest(book.accounts.login, assessed.used)
        accounts = book.accounts
        wanted = np.array(list(dict.fromkeys(logins)), dtype=np.int64)
        for login, row in zip(wanted.tolist(), rows_of(accounts.login, wanted), strict=True):
            if row < 0 or assessed.undecided[row] != Reason.NONE:
                continue
            before = self._curves.pop(login, Curve())
            balance, equity = float(accounts.balance[row]), float(accounts.equity[row])
            self._curves[login] = grown(before, book.taken_at, balance, equity)
        while len(self._curves) > MOST_CURVES:
            del self._curves[next(one for one in self._curves if one not in self._opened)]


def _nearest(login: Ints, used: Floats) -> list[int]:
    """The logins with the largest share of an allowance used."""
    share = np.where(np.isnan(used), -np.inf, used)
    count = min(NEAREST, len(share))
    rows = np.argpartition(share, len(share) - count)[len(share) - count :]
    return [int(login[row]) for row in rows if math.isfinite(share[row])]

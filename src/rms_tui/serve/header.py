"""The header of a subscription: how good the feed is, in words first, and the book's sums.

Pure: a Frame, the database's status and an instant go in. A sum with a figure or a rate that is not
known is null: a sum that leaves somebody out is a wrong sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from rms_tui.book import Accounts, Floats, Ints
from rms_tui.frame import Frame
from rms_tui.risk.exposure import Exposure
from rms_tui.risk.lacking import lacking
from rms_tui.risk.verdict import Reason, State
from rms_tui.serve.columns import clean
from rms_tui.snapshot import server_time


class StoreStatus(Protocol):
    """Where the database stands."""

    @property
    def state(self) -> str: ...

    @property
    def waiting(self) -> int: ...


class StoreBox(Protocol):
    """Where the newest StoreStatus lies; a `Latest` of any such status is one."""

    @property
    def value(self) -> StoreStatus | None: ...


class Sums:
    """Sums over accounts in the report currency; the accounts' currencies are looked at once."""

    def __init__(self) -> None:
        self._known: tuple[tuple[str, ...], tuple[str, ...], Ints] | None = None
        self._last: tuple[tuple[object, ...], dict[str, Any]] | None = None

    def of(self, frame: Frame) -> dict[str, Any] | None:
        """`Totals` of a frame, None before the first good Book; the same object while unchanged."""
        if frame.book is None or frame.exposure is None or frame.assessment is None:
            return None
        rows, today = frame.book.accounts, frame.assessment.day_profit
        sources = (rows.equity, rows.floating, rows.margin, today, frame.exposure, rows.currency)
        if self._last is not None and all(
            a is b for a, b in zip(self._last[0], sources, strict=True)
        ):
            return self._last[1]
        unknown = np.isnan(today)
        count = int(unknown.sum())
        known = np.where(unknown, 0.0, today)
        found = {
            "equity": self._sum(rows, rows.equity, frame.exposure),
            "floating": self._sum(rows, rows.floating, frame.exposure),
            "margin": self._sum(rows, rows.margin, frame.exposure),
            "net_exposure": _number(frame.exposure.net_notional),
            "day_profit": None
            if count == len(rows) > 0
            else self._sum(rows, known, frame.exposure),
            "day_unknown": count,
        }
        self._last = (sources, found)
        return found

    def _sum(self, rows: Accounts, amounts: Floats, exposure: Exposure) -> float | None:
        names, code = self._codes(rows)
        total = 0.0
        by_currency = np.bincount(code, weights=amounts, minlength=len(names))
        for name, amount in zip(names, by_currency.tolist(), strict=True):
            if amount != 0:
                total += amount * exposure.rates.get(name, float("nan"))
        return _number(total)

    def _codes(self, rows: Accounts) -> tuple[tuple[str, ...], Ints]:
        if self._known is None or self._known[0] is not rows.currency:
            names = tuple(sorted(set(rows.currency)))
            index = {name: at for at, name in enumerate(names)}
            code = np.fromiter((index[name] for name in rows.currency), np.int64, len(rows))
            self._known = (rows.currency, names, code)
        return self._known[1], self._known[2]


def header(
    frame: Frame, now: float, store: StoreStatus | None, sums: Sums, *, host: str, version: str
) -> dict[str, Any]:
    """The `Header` of a frame at an instant (UTC seconds)."""
    health, assessed, book = frame.health, frame.assessment, frame.book
    age = health.age(now)
    clock = None
    if health.polled_at is not None and health.server_offset is not None:
        clock = server_time(int(health.polled_at + health.server_offset))
    return {
        "state": health.state.value,
        "source": clean(health.source),
        "age": None if age is None else round(age, 3),
        "at": now,
        "polled_at": health.polled_at,
        "server_time": clock,
        "server_offset": health.server_offset,
        "interval": health.interval,
        "stale": assessed is not None and bool(assessed.counts.get(Reason.STALE)),
        "error": None if health.error is None else clean(health.error),
        "phase": health.feed.phase,
        "doing": clean(health.feed.doing),
        "cause": health.feed.cause,
        "since": health.feed.since,
        "next_attempt": health.feed.next_attempt,
        "restarts": health.feed.restarts,
        "cycle": health.cycle,
        "polls": health.polls,
        "errors": health.errors,
        "frame": frame.seq,
        "recalls": frame.recalls,
        "host": clean(host),
        "version": version,
        "store": None if store is None else {"state": store.state, "waiting": store.waiting},
        "report_currency": None if frame.exposure is None else frame.exposure.report_currency,
        "totals": sums.of(frame),
        "accounts": 0 if book is None else len(book.accounts),
        "positions": 0 if book is None else len(book.positions),
        "states": states(frame),
        "undecided": {reason.name.lower(): n for reason, n in health.undecided.items()},
        "lacking": {}
        if assessed is None
        else {reason.name.lower(): n for reason, n in lacking(assessed).items()},
        "profiles": []
        if assessed is None
        else [clean(profile.name) for profile in assessed.scope.plan.profiles],
    }


def states(frame: Frame) -> dict[str, int]:
    """How many accounts are in each state."""
    if frame.assessment is None:
        return {}
    counts = np.bincount(frame.assessment.state, minlength=max(State) + 1)
    return {state.word: int(counts[state]) for state in State}


def changed(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that differ."""
    return {name: value for name, value in now.items() if value != before.get(name, ...)}


def _number(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None

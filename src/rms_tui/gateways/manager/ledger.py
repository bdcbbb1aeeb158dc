"""The deals of the history window, kept so that a live deal costs little and none costs nothing.

Deals since the server's previous day are whole, for the Book. Of older ones only the closings
are kept, as three numbers, for `trade_count`; whoever wants more asks the server (`history`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from rms_tui.book import Codes, Deals, Floats, Ints, empty, rows_of, take
from rms_tui.gateways.dealt import (
    DAY,
    DealRow,
    closings,
    counted,
    day_figures,
    deals_table,
    merged,
)


@dataclass(frozen=True, slots=True)
class DealFigures:
    """Columns of Accounts that come from deals, one row an account."""

    trades_today: Codes
    lots_today: Floats
    profit_today: Floats
    trade_count: Codes


def _none() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(slots=True)
class Ledger:
    """Every deal once, by ticket. `history_days` bounds what is counted."""

    history_days: int
    today: int = 0
    """The server's midnight that `advance` was last told."""
    recent: Deals = field(default_factory=lambda: empty(Deals))
    _older: tuple[Ints, Ints, Ints] = field(default_factory=lambda: (_none(), _none(), _none()))
    """Ticket, login and time of closing deals before the previous day."""
    _shown: tuple[Ints, Deals, Deals] | None = None
    _rows: tuple[Ints, Deals, Ints] | None = None
    _counted: tuple[Ints, tuple[Ints, Ints, Ints], Ints] | None = None
    _figured: tuple[Ints, Deals, tuple[Ints, Ints, Ints], int, DealFigures] | None = None

    @property
    def window_start(self) -> int:
        """Oldest server time that is counted."""
        return self.today - max(self.history_days, 1) * DAY

    @property
    def recent_start(self) -> int:
        """Start of the server's previous day."""
        return self.today - DAY

    @property
    def last_seen(self) -> int | None:
        """Server time of the newest deal, None when there is none."""
        return int(self.recent.time[-1]) if len(self.recent) else None

    def advance(self, today: int) -> None:
        """Tell the server's midnight; at a new one, the day before yesterday becomes old."""
        if today == self.today:
            return
        self.today = today
        past = self.recent.time < self.recent_start
        if bool(past.any()):
            self._keep_older(take(self.recent, past))
            self.recent = take(self.recent, ~past)
        self._older = _where(self._older, self._older[2] >= self.window_start)

    def reload(self, rows: Iterable[DealRow], start: int) -> None:
        """The server's whole answer since `start`: what it no longer shows is gone here too."""
        self.recent = take(self.recent, self.recent.time < start)
        self._older = _where(self._older, self._older[2] < start)
        self.apply(list(rows))

    def apply(self, rows: Sequence[DealRow], gone: Sequence[int] = ()) -> None:
        """Add deals, replace those whose ticket is known, and forget the tickets in `gone`."""
        if not rows and not gone:
            return
        tickets = [*(row[0] for row in rows), *gone]
        self._older = _where(self._older, ~np.isin(self._older[0], tickets))
        start = self.recent_start
        old = [row for row in rows if row[2] < start]
        if old:
            self._keep_older(deals_table(old))
            rows = [row for row in rows if row[2] >= start]
            gone = [*gone, *(row[0] for row in old)]
        self.recent = merged(self.recent, rows, gone)

    def forget(self, login: int) -> None:
        """Forget every deal of one account (`OnDealClean`)."""
        self.recent = take(self.recent, self.recent.login != login)
        self._older = _where(self._older, self._older[1] != login)

    def shown(self, logins: Ints) -> Deals:
        """Recent deals of these accounts; the same object while neither changed."""
        if self._shown and self._shown[0] is logins and self._shown[1] is self.recent:
            return self._shown[2]
        ours = self._recent_rows(logins) >= 0
        table = self.recent if bool(ours.all()) else take(self.recent, ours)
        self._shown = (logins, self.recent, table)
        return table

    def figures(self, logins: Ints) -> DealFigures:
        """The day's figures of these accounts; the same object while nothing changed."""
        if self._figured:
            for_logins, recent, older, today, figures = self._figured
            same = for_logins is logins and recent is self.recent and older is self._older
            if same and today == self.today:
                return figures
        rows, n = self._recent_rows(logins), len(logins)
        trades, lots, profit = day_figures(self.recent, rows, n, self.today)
        count = counted(rows[closings(self.recent)], n) + self._older_count(logins)
        figures = DealFigures(trades, lots, profit, count.astype(np.int32))
        self._figured = (logins, self.recent, self._older, self.today, figures)
        return figures

    def _recent_rows(self, logins: Ints) -> Ints:
        """Account row of each recent deal, -1 where the account is not shown."""
        known = self._rows
        if known is None or known[0] is not logins or known[1] is not self.recent:
            known = self._rows = (logins, self.recent, rows_of(logins, self.recent.login))
        return known[2]

    def _older_count(self, logins: Ints) -> Ints:
        """Old closings by account, counted again only when they or the accounts changed."""
        known = self._counted
        if known is None or known[0] is not logins or known[1] is not self._older:
            count = counted(rows_of(logins, self._older[1]), len(logins))
            known = self._counted = (logins, self._older, count)
        return known[2]

    def _keep_older(self, deals: Deals) -> None:
        counted = closings(deals) & (deals.time >= self.window_start)
        fresh = (deals.ticket[counted], deals.login[counted], deals.time[counted])
        ticket, login, time = (
            np.concatenate(pair) for pair in zip(self._older, fresh, strict=True)
        )
        self._older = (ticket, login, time)


def _where(columns: tuple[Ints, Ints, Ints], keep: np.ndarray) -> tuple[Ints, Ints, Ints]:
    if bool(keep.all()):
        return columns
    ticket, login, time = columns
    return ticket[keep], login[keep], time[keep]

"""Deals: those that happened while the simulator runs, and those it says happened before.

A balance is the sum of its deals' profit, swap and commission, to the cent. Deals since yesterday
are kept for every account; those of the days before are made up for an account only when its
history is asked for, always the same ones, from sums drawn at the start.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rms_tui.book import Deals, Ints, build
from rms_tui.gateways.simulator.columns import joined, picked

BUY, SELL, BALANCE, SO_COMPENSATION = 0, 1, 2, 19
ENTRY_IN, ENTRY_OUT = 0, 1


class Dealt(NamedTuple):
    """Some deals as columns; money in cents, lots in hundredths, symbol -1 for none."""

    account: Ints
    time: Ints
    type: Ints
    entry: Ints
    symbol: Ints
    lots: Ints
    price: npt.NDArray[np.float64]
    profit: Ints
    swap: Ints
    commission: Ints
    position: Ints


def movements(account: Ints, time: Ints, cents: Ints, kind: int = BALANCE) -> Dealt:
    """Money put into accounts or taken out of them."""
    none = np.zeros(len(account), dtype=np.int64)
    nowhere = none - 1
    types = none + kind
    return Dealt(
        account, time, types, none, nowhere, none, none.astype(float), cents, none, none, none
    )


@dataclass(frozen=True, slots=True)
class Naming:
    """What turns rows into logins and symbol names."""

    login: Ints
    symbols: tuple[str, ...]


def as_deals(dealt: Dealt, ticket: Ints, naming: Naming) -> Deals:
    """The deals as a Book shows them."""
    names = (*naming.symbols, "")
    columns: dict[str, object] = {
        "ticket": ticket,
        "login": naming.login[dealt.account],
        "symbol": [names[code] for code in dealt.symbol.tolist()],
        "lots": dealt.lots / 100,
        "profit": dealt.profit / 100,
        "swap": dealt.swap / 100,
        "commission": dealt.commission / 100,
    }
    for name in ("time", "type", "entry", "price", "position"):
        columns[name] = getattr(dealt, name)
    return build(Deals, columns)


class Ledger:
    """Deals in the order they were made, with the tickets they got."""

    def __init__(self, naming: Naming, first_ticket: int, dealt: Dealt) -> None:
        """`dealt` is ordered by time and holds everything since yesterday."""
        self._naming = naming
        self._parts = [dealt]
        self._tickets = [np.arange(first_ticket, first_ticket + len(dealt.time))]
        self._next = first_ticket + len(dealt.time)
        self._book = as_deals(dealt, self._tickets[0], naming)

    @property
    def recent(self) -> Deals:
        """Deals since the start of the previous trading day; the same object until one is made."""
        return self._book

    @property
    def last_time(self) -> int:
        """Server time of the newest deal, 0 without any."""
        return int(self._book.time[-1]) if len(self._book) else 0

    def add(self, dealt: Dealt) -> None:
        """Write down deals made now; none is older than the last written."""
        if not len(dealt.time):
            return
        tickets = np.arange(self._next, self._next + len(dealt.time))
        self._next += len(tickets)
        self._parts.append(dealt)
        self._tickets.append(tickets)
        self._book = _after(self._book, as_deals(dealt, tickets, self._naming))

    def forget(self, before: int) -> None:
        """Leave deals before this server time out of `recent`; `of` still has them."""
        at = int(np.searchsorted(self._book.time, before))
        self._book = build(Deals, {f.name: getattr(self._book, f.name)[at:] for f in fields(Deals)})
        self._parts, self._tickets = [joined(self._parts)], [np.concatenate(self._tickets)]

    def of(self, accounts: Ints) -> tuple[Dealt, Ints]:
        """Every deal of these accounts, and their tickets."""
        parts, tickets = joined(self._parts), np.concatenate(self._tickets)
        theirs = np.isin(parts.account, accounts)
        return picked(parts, theirs), tickets[theirs]


def _after(old: Deals, new: Deals) -> Deals:
    columns: dict[str, Any] = {}
    for field in fields(Deals):
        before, more = getattr(old, field.name), getattr(new, field.name)
        same_kind = isinstance(before, tuple)
        columns[field.name] = before + more if same_kind else np.concatenate([before, more])
    return build(Deals, columns)

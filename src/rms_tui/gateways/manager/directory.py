"""Who the accounts are: the slow facts MTAccount does not carry (user record, group).

Read at start, every half minute, and changed by events in between. Joined to the accounts only
when something changed, so that a quiet cycle pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from rms_tui.book import Floats, Ints
from rms_tui.gateways.manager.sinks import USER_FIELDS, UserRow
from rms_tui.gateways.text import readable

GroupRow: TypeAlias = tuple[str, int, int, float, float]
"""currency, digits, so_mode, so_call, so_level."""

_group = attrgetter(
    "Group", "Currency", "CurrencyDigits", "MarginSOMode", "MarginCall", "MarginStopOut"
)
_account = attrgetter("Login", "MarginLeverage", "CurrencyDigits")

_NAN = float("nan")
_MOST = 2**31 - 1
"""The column's largest leverage; the server's is unsigned."""


def group_row(group: Any) -> tuple[str, GroupRow]:
    """An MTConGroup's name and what a Book needs of it."""
    name, currency, digits, mode, call, level = _group(group)
    return readable(name), (readable(currency), int(digits), int(mode), call, level)


def user_rows(table: Any) -> Iterable[UserRow]:
    """Rows of a `UserGetByGroupNumPy` table (fixed-width UTF-8 bytes) as plain values."""
    if not len(table):
        return ()
    login, group, name, leverage, balance, equity = (table[field].tolist() for field in USER_FIELDS)
    texts: dict[bytes, str] = {raw: readable(raw) for raw in set(group)}
    return zip(
        login,
        map(texts.__getitem__, group),
        map(readable, name),
        leverage,
        balance,
        equity,
        strict=True,
    )


def known_day_ends(values: Floats, balance: Floats) -> Floats:
    """0.0 is what new accounts and unreported demo groups carry: with money it means unknown."""
    return np.where((values == 0.0) & (balance > 0.0), _NAN, values)


class Directory:
    """Users and groups by name, and the columns they give the accounts."""

    def __init__(self) -> None:
        self._users: dict[int, UserRow] = {}
        self._groups: dict[str, GroupRow] = {}
        self._changes = 0
        self._joined: tuple[Ints, int, dict[str, Any]] | None = None

    def set_users(self, rows: Iterable[UserRow]) -> None:
        """All users, replacing what was known."""
        users = {row[0]: row for row in rows}
        if users != self._users:
            self._users = users
            self._changes += 1

    def set_user(self, row: UserRow) -> None:
        """One user, added or changed."""
        if self._users.get(row[0]) != row:
            self._users[row[0]] = row
            self._changes += 1

    def remove_user(self, login: int) -> None:
        if self._users.pop(login, None) is not None:
            self._changes += 1

    def set_groups(self, rows: Iterable[tuple[str, GroupRow]]) -> None:
        """All groups, replacing what was known."""
        groups = dict(rows)
        if groups != self._groups:
            self._groups = groups
            self._changes += 1

    def columns(self, logins: Ints, objects: Sequence[Any]) -> dict[str, Any]:
        """name, group, currency, digits, leverage, so_* and prev_* of these accounts.

        prev_* are as the server holds them, NaN without a user record (see `known_day_ends`).
        The same dict while neither the logins nor the directory changed. `objects` are the
        MTAccounts: an account without a user record is shown with what is known, an empty name,
        group and currency. Of two digits of the currency the finer ones count: rounding to those
        that a server left at 0 would change money.
        """
        if self._joined and self._joined[0] is logins and self._joined[1] == self._changes:
            return self._joined[2]
        own = {login: (lev or 0, digits or 0) for login, lev, digits in map(_account, objects)}
        rows = [self._row(login, own.get(login, (0, 2))) for login in logins.tolist()]
        columns = _columns(rows)
        self._joined = (logins, self._changes, columns)
        return columns

    def _row(self, login: int, own: tuple[int, int]) -> tuple[object, ...]:
        leverage, digits = own
        name, group, prev_balance, prev_equity = "", "", _NAN, _NAN
        user = self._users.get(login)
        if user is not None:
            _, group, name, leverage, prev_balance, prev_equity = user
        unknown = ("", digits, 0, _NAN, _NAN)
        currency, theirs, mode, call, level = self._groups.get(group, unknown)
        digits, leverage = max(digits, theirs), min(leverage, _MOST)
        return name, group, currency, digits, leverage, mode, call, level, prev_balance, prev_equity


_NAMES = (
    "name", "group", "currency", "digits", "leverage",
    "so_mode", "so_call", "so_level", "prev_balance", "prev_equity",
)  # fmt: skip
_DTYPES = (None, None, None, "i1", "i4", "i1", "f8", "f8", "f8", "f8")


def _columns(rows: list[tuple[object, ...]]) -> dict[str, Any]:
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(_NAMES)
    return {
        name: column if dtype is None else np.array(column, dtype=dtype)
        for name, column, dtype in zip(_NAMES, columns, _DTYPES, strict=True)
    }

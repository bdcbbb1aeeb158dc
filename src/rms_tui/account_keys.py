"""One number for each account of several servers, where two servers may have the same login.

The first server seen with a login has the login itself; another one has it with a mark above the
bits that logins use. Screens show `login_of`, which is the login again.
"""

from __future__ import annotations

SPAN = 1 << 56
"""No broker has logins as high; one that had is not shown."""

MOST = (1 << 63) // SPAN
"""Servers that may have one login."""


def login_of(key: int) -> int:
    """The login of an account by its number."""
    return key % SPAN


class AccountKeys:
    """Remembers which number stands for which account; used by one thread."""

    def __init__(self) -> None:
        self._keys: dict[tuple[int, str], int] = {}
        self._names: dict[int, tuple[int, str]] = {}

    def key(self, login: int, server: str) -> int | None:
        """The account's number, from now on; None for a login that cannot have one."""
        known = self._keys.get((login, server))
        if known is not None:
            return known
        if not 0 <= login < SPAN:
            return None
        free = (login + mark * SPAN for mark in range(MOST))
        key = next((key for key in free if key not in self._names), None)
        if key is not None:
            self._keys[login, server] = key
            self._names[key] = (login, server)
        return key

    def shared(self, login: int) -> bool:
        """Whether two servers have that login: then it alone says nothing."""
        return login + SPAN in self._names

    def name(self, key: int) -> tuple[int, str] | None:
        """Login and server of an account; None for a number that was never given."""
        return self._names.get(key)

"""Who is watched: operators add and remove accounts, one at a time; each change is a fact."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal, TypeAlias

from rms_tui.facts import AccountChange
from rms_tui.feed import Selection
from rms_tui.monitor.polling import Polling

Outcome = Literal["added", "removed", "already watched", "not watched", "not on the server"]

Outcomes: TypeAlias = list[tuple[int, Outcome]]
"""What happened to each login that was asked for."""


class Watching:
    """`put` takes the facts, `select` has other accounts watched from the next poll on."""

    def __init__(
        self,
        polling: Polling,
        put: Callable[[AccountChange], object],
        select: Callable[[Selection], None],
    ) -> None:
        self._polling = polling
        self._put = put
        self._select = select
        self._lock = threading.Lock()

    def add(self, logins: Sequence[int], operator: str, timeout: float) -> Outcomes:
        """Watch accounts too. Raises FeedError if the source is silent for `timeout` seconds."""
        found = self._polling.feed.known(logins, timeout).found
        with self._lock:
            now = self._polling.selection
            outcomes: Outcomes = [(login, _added(now, login, found)) for login in logins]
            joining = frozenset(login for login, outcome in outcomes if outcome == "added")
            added = Selection(now.everything, now.added | joining, now.without - joining)
            self._commit(added, joining, "add", operator)
        return outcomes

    def remove(self, logins: Sequence[int], operator: str) -> Outcomes:
        """Watch accounts no more."""
        with self._lock:
            now = self._polling.selection
            outcomes: Outcomes = [
                (login, "removed" if now.watches(login) else "not watched") for login in logins
            ]
            leaving = frozenset(login for login, outcome in outcomes if outcome == "removed")
            without = now.without | leaving if now.everything else now.without
            left = Selection(now.everything, now.added - leaving, without)
            self._commit(left, leaving, "remove", operator)
        return outcomes

    def _commit(
        self,
        selection: Selection,
        logins: Iterable[int],
        action: Literal["add", "remove"],
        operator: str,
    ) -> None:
        if selection == self._polling.selection:
            return
        now, book = self._polling.now(), self._polling.newest.book
        server = None if book is None else book.server
        for login in sorted(logins):
            self._put(AccountChange(login, server, action, operator, now))
        self._select(selection)


def _added(now: Selection, login: int, found: Collection[int]) -> Outcome:
    if login not in found:
        return "not on the server"
    return "already watched" if now.watches(login) else "added"

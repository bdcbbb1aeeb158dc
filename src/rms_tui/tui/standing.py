"""How accounts stood when they could last be decided, and which became worse since seen.

While the feed is stale every row gives no decision; the worst must not sink to the bottom of the
table then, and their return must not look like news.
"""

from __future__ import annotations

import numpy as np

from rms_tui.book import Bytes, Floats, Ints, rows_of
from rms_tui.frame import Frame
from rms_tui.risk.verdict import Reason, State


class Standing:
    """Follows assessments; columns are in the row order of the newest Book."""

    def __init__(self) -> None:
        self._login: Ints = np.zeros(0, dtype=np.int64)
        self._state: Bytes = np.zeros(0, dtype=np.int8)
        self._used: Floats = np.zeros(0)
        self._seq = 0
        self._marked: set[int] = set()

    @property
    def state(self) -> Bytes:
        """Each account's newest decided state."""
        return self._state

    @property
    def used(self) -> Floats:
        """Each account's share used at its newest decision, NaN where none."""
        return self._used

    def is_marked(self, login: int) -> bool:
        """Whether the account became worse and was not looked at since."""
        return login in self._marked

    def seen(self, login: int) -> bool:
        """The operator looked at it; True if it had been marked."""
        if login in self._marked:
            self._marked.discard(login)
            return True
        return False

    def follow(self, frame: Frame) -> None:
        """Take the newest frame in; a frame already taken changes nothing."""
        if frame.book is None or frame.assessment is None or frame.seq == self._seq:
            return
        first = self._seq == 0
        self._seq = frame.seq
        login, assessed = frame.book.accounts.login, frame.assessment
        old_state, old_used = self._aligned(login)
        open_ = assessed.undecided == Reason.NONE
        state = np.where(open_, assessed.state, old_state).astype(np.int8)
        used = np.where(open_, assessed.used, old_used)
        worse = (state > old_state) & (state >= State.CAUTION)
        if not first and bool(worse.any()):
            self._marked.update(login[worse].tolist())
        if self._marked:
            better = (state < old_state) & (state < State.CAUTION)
            self._marked.difference_update(login[better].tolist())
        self._login, self._state, self._used = login, state, used

    def _aligned(self, login: Ints) -> tuple[Bytes, Floats]:
        if login is self._login:
            return self._state, self._used
        state = np.full(len(login), State.OFF, dtype=np.int8)
        used = np.full(len(login), np.nan)
        at = rows_of(login, self._login)
        there = at >= 0
        state[at[there]] = self._state[there]
        used[at[there]] = self._used[there]
        return state, used

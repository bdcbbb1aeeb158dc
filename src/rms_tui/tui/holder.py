"""What a console that follows hears of who polls: what was refused there, and whether it may act.

A command is shown as asked for at once; that it was refused must be shown too, and a console whose
token may only read has no keys for commands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rms_tui.latest import Latest
from rms_tui.tui.status_line import Piece
from rms_tui.tui.tape import LIVE_ONLY, named


class Holder:
    """`refusals` are the reasons, the newest last; `reads_only` says what the token allows."""

    def __init__(
        self,
        refusals: Latest[str] | None = None,
        reads_only: Callable[[], bool] = lambda: False,
    ) -> None:
        self._refusals: Latest[str] = Latest() if refusals is None else refusals
        self._reads_only = reads_only
        self._seen = 0
        self._read = False

    def allows(self, action: str) -> bool:
        """Whether the holder would take it."""
        return not (self._reads_only() and named(action) in LIVE_ONLY)

    def refused(self) -> str | None:
        """Why the newest command was refused, once; None when nothing was since."""
        got = self._refusals.newer(self._seen, 0.0)
        if got is None:
            return None
        self._seen = got[0]
        return got[1]

    def changed(self) -> bool:
        """Whether other keys are there than at the last call."""
        before, self._read = self._read, self._reads_only()
        return before != self._read

    def pieces(self) -> Sequence[Piece]:
        """For the header."""
        return (Piece("READ ONLY", "bold $text-warning", rank=3),) if self._reads_only() else ()

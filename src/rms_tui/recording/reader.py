"""Reading a recording: its parts in order, from any time, entry by entry.

A recording is data from outside. A file that is broken is refused with offset and reason; one whose
recorder was killed is read up to its last whole record, and says that it ends torn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rms_tui.feed import FeedError
from rms_tui.recording.disk import (
    FILE_HEAD,
    Kind,
    Mark,
    Refused,
    Torn,
    body_of,
    check_head,
    mark_at,
)
from rms_tui.recording.entries import Entry, PlanSet, Reading
from rms_tui.recording.marks import Found, Start, is_last_torn, starts_of
from rms_tui.recording.tape import parts
from rms_tui.risk.profile import Plan


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a recording."""

    path: Path
    found: Found


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as it was when it was opened. Times are UTC seconds."""

    path: Path
    parts: tuple[Part, ...]

    @property
    def began(self) -> float:
        """The first poll that reading may begin with."""
        return min(start.at for part in self.parts for start in part.found.starts)

    @property
    def ended(self) -> float:
        """The newest record."""
        return max(part.found.until for part in self.parts)

    @property
    def torn(self) -> Torn | None:
        """What its recorder left unfinished when it was killed."""
        return self.parts[-1].found.torn

    @property
    def size(self) -> int:
        """Bytes in all parts."""
        return sum(part.found.end for part in self.parts)

    def plans(self) -> list[Plan]:
        """The limits that were in force, each once. Raises Refused."""
        found: list[Plan] = []
        for part in self.parts:
            for entry in _entries(part, FILE_HEAD, Reading(), only=Kind.PLAN):
                if isinstance(entry, PlanSet) and entry.plan not in found:
                    found.append(entry.plan)
        return found

    def entries(self, at: float | None = None) -> Iterator[Entry]:
        """Every entry from the last whole poll at or before `at` on; None: from the beginning.

        Raises Refused where a record cannot be read.
        """
        first, offset = (0, FILE_HEAD) if at is None else self._place(at)
        reading = Reading()
        for number, part in enumerate(self.parts):
            if number >= first:
                yield from _entries(part, offset if number == first else FILE_HEAD, reading)

    def _place(self, at: float) -> tuple[int, int]:
        best: tuple[int, Start] | None = None
        for number, part in enumerate(self.parts):
            for start in part.found.starts:
                if start.at <= at:
                    best = number, start
        return (0, FILE_HEAD) if best is None else (best[0], best[1].offset)


def open_recording(path: Path) -> Recording:
    """The recording in this file and its older parts. Raises FeedError where there is none."""
    found = parts(path)
    if not found:
        raise FeedError("configuration", f"{path}: no such recording", final=True)
    try:
        read = Recording(path, tuple(Part(one, starts_of(one)) for one in found))
    except OSError as error:
        raise FeedError(
            "configuration", f"{path}: cannot be read: {error.strerror}", final=True
        ) from None
    if not any(part.found.starts for part in read.parts):
        raise Refused(path, read.parts[-1].found.end, "no whole poll in it: nothing to begin with")
    return read


def _entries(
    part: Part, offset: int, reading: Reading, *, only: Kind | None = None
) -> Iterator[Entry]:
    path, size = part.path, part.found.end
    try:
        with path.open("rb") as stream:
            check_head(stream, path)
            while isinstance(mark := mark_at(stream, path, offset, size), Mark):
                if is_last_torn(stream, mark, size):
                    return
                offset = mark.end
                if only is not None and mark.kind is not only:
                    continue
                body = body_of(stream, path, mark)
                try:
                    entry = reading.entry(mark.kind, mark.at, body)
                except ValueError as error:
                    raise Refused(path, mark.offset, str(error)) from None
                if entry is not None:
                    yield entry
    except OSError as error:
        raise Refused(path, offset, f"cannot be read: {error.strerror}") from None

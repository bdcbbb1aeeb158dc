"""Where a file's whole polls are: from the index at its end, or by going through its records.

An index is only a shortcut: a file without one, because its recorder was killed or is still at
work, is gone through head by head, and comes to the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from rms_tui.recording.body import unpacked
from rms_tui.recording.disk import (
    FILE_HEAD,
    RECORD_HEAD,
    Kind,
    Mark,
    Refused,
    Torn,
    body_of,
    check_head,
    mark_at,
)
from rms_tui.recording.shapes import array_of

_END_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Start:
    """Where reading may begin: the session before a whole poll of that time (UTC seconds)."""

    at: float
    offset: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds: where reading may begin, and where its last whole record ends.

    `until` is the time of that record, `torn` what stands after it.
    """

    starts: tuple[Start, ...]
    end: int
    until: float
    torn: Torn | None = None


def starts_of(path: Path) -> Found:
    """Go by the index, or through the records. Raises Refused, OSError."""
    with path.open("rb") as stream:
        check_head(stream, path)
        size = stream.seek(0, 2)
        return _by_index(stream, path, size) or _by_records(stream, path, size)


def is_last_torn(stream: IO[bytes], mark: Mark, size: int) -> bool:
    """Whether a file's last record is there in length but not in content (power went off)."""
    if mark.end != size:
        return False
    stream.seek(mark.offset + RECORD_HEAD)
    return zlib.crc32(stream.read(mark.length)) != mark.check


def _by_index(stream: IO[bytes], path: Path, size: int) -> Found | None:
    place = size - RECORD_HEAD - _END_LENGTH
    if place < FILE_HEAD:
        return None
    try:
        end = mark_at(stream, path, place, size)
        if not isinstance(end, Mark) or end.kind is not Kind.END:
            return None
        index = mark_at(stream, path, int.from_bytes(body_of(stream, path, end), "little"), size)
        if not isinstance(index, Mark) or index.kind is not Kind.INDEX or index.end != place:
            return None
        tree, arrays = unpacked(body_of(stream, path, index))
        at = array_of(tree.get("at"), arrays, np.dtype(np.float64), "at")
        offset = array_of(tree.get("offset"), arrays, np.dtype(np.int64), "offset")
    except (Refused, ValueError, AttributeError, OverflowError):
        return None  # the records themselves say what is wrong, if anything is
    if len(at) != len(offset) or not ((offset >= FILE_HEAD) & (offset < size)).all():
        return None
    starts = (Start(when, int(where)) for when, where in zip(at.tolist(), offset, strict=True))
    return Found(tuple(starts), size, end.at)


def _by_records(stream: IO[bytes], path: Path, size: int) -> Found:
    starts: list[Start] = []
    offset, session, until = FILE_HEAD, FILE_HEAD, 0.0
    while isinstance(mark := mark_at(stream, path, offset, size), Mark):
        if is_last_torn(stream, mark, size):
            torn = Torn(offset, "the last record does not match its checksum")
            return Found(tuple(starts), offset, until, torn)
        if mark.kind is Kind.SESSION:
            session = mark.offset
        elif mark.kind is Kind.WHOLE:
            starts.append(Start(mark.at, session))
        offset, until = mark.end, mark.at
    return Found(tuple(starts), offset, until, mark)

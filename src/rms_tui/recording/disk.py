"""Records on disk: what a recording is made of, byte by byte.

A file is a short head (magic, version) and then records, each with its length, kind, time and two
checksums: of its own head, so that a length is believed before anything is read or allocated, and
of its body. Nothing here knows what a body means. Whatever is wrong with a file is a Refused with
offset and reason; nothing that a file says is ever executed.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import IO

from rms_tui.feed import FeedError

MAGIC = b"\x89RMSREC\n"
VERSION = 1

_FILE = struct.Struct("<8sHH")
_RECORD = struct.Struct("<IBxxxdI")
_CHECK = struct.Struct("<I")

FILE_HEAD = _FILE.size
RECORD_HEAD = _RECORD.size + _CHECK.size

MOST_BODY = 256 << 20
"""Bytes that one record may have, on disk or unpacked: what a file says is allocated, at most."""


class Kind(IntEnum):
    """What a record is about."""

    SESSION = 1
    """Recording began: who recorded what."""
    PLAN = 2
    """The limits in force from the next poll on."""
    WHOLE = 3
    """A poll with everything it takes to go on from here."""
    POLL = 4
    """A poll as what differs from the one before."""
    DESK = 5
    """Alerts handled between two polls."""
    GAP = 6
    """Polls that were not recorded."""
    DEALS = 7
    """Closed deals that were read for somebody."""
    INDEX = 8
    """Where the whole polls of this file are."""
    END = 9
    """Where the index is; the last record of a file that was closed."""


class Refused(FeedError):
    """A file that is no recording, or is broken; the text names file, offset and reason."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__("refused-data", f"{path}: at byte {offset}: {reason}", final=True)
        self.offset = offset
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        return FeedError, (self.cause, self.text)


@dataclass(frozen=True, slots=True)
class Mark:
    """One record's place: its body is `length` bytes after the head at `offset`. UTC seconds."""

    offset: int
    kind: Kind
    at: float
    length: int
    check: int

    @property
    def end(self) -> int:
        """Where the next record begins."""
        return self.offset + RECORD_HEAD + self.length


@dataclass(frozen=True, slots=True)
class Torn:
    """A file's last record is not whole: what was being written when the recorder was killed."""

    offset: int
    reason: str


def file_head() -> bytes:
    """The first bytes of a recording."""
    return _FILE.pack(MAGIC, VERSION, 0)


def record(kind: Kind, at: float, body: bytes) -> bytes:
    """One record. Raises ValueError for a body beyond `MOST_BODY`."""
    if len(body) > MOST_BODY:
        raise ValueError(f"a record of {len(body)} bytes: at most {MOST_BODY}")
    head = _RECORD.pack(len(body), kind, at, zlib.crc32(body))
    return head + _CHECK.pack(zlib.crc32(head)) + body


def check_head(stream: IO[bytes], path: Path) -> None:
    """Go past the file's head. Raises Refused for what is no recording of this version."""
    stream.seek(0)
    head = stream.read(FILE_HEAD)
    if len(head) < FILE_HEAD:
        raise Refused(path, 0, f"{len(head)} bytes: too short to be a recording")
    magic, version, _ = _FILE.unpack(head)
    if magic != MAGIC:
        raise Refused(path, 0, "not a recording of rms-tui")
    if version != VERSION:
        reason = f"version {version}: this rms-tui reads version {VERSION}"
        raise Refused(path, 8, reason)


def mark_at(stream: IO[bytes], path: Path, offset: int, size: int) -> Mark | Torn | None:
    """The record at an offset of a file of `size` bytes; None at its end. Reads no body.

    Raises Refused for a head that contradicts itself.
    """
    left = size - offset
    if left == 0:
        return None
    stream.seek(offset)
    head = stream.read(RECORD_HEAD)
    if len(head) < RECORD_HEAD:
        return Torn(offset, f"{left} bytes of a record's head")
    (check,) = _CHECK.unpack_from(head, _RECORD.size)
    if check != zlib.crc32(head[: _RECORD.size]):
        if not any(head) and _only_zeros(stream):
            return Torn(offset, f"{left} zero bytes")
        raise Refused(path, offset, "the head of a record does not match its checksum")
    length, kind, at, body_check = _RECORD.unpack_from(head)
    if length > MOST_BODY:
        raise Refused(path, offset, f"a record of {length} bytes: at most {MOST_BODY}")
    if length > left - RECORD_HEAD:
        return Torn(offset, f"a record of {length} bytes with {left - RECORD_HEAD} written")
    if kind not in Kind._value2member_map_:
        raise Refused(path, offset, f"a record of unknown kind {kind}")
    if not math.isfinite(at) or not 0 <= at < 1e11:
        raise Refused(path, offset, f"a record of an impossible time: {at!r}")
    return Mark(offset, Kind(kind), at, length, body_check)


def body_of(stream: IO[bytes], path: Path, mark: Mark) -> bytes:
    """The record's body. Raises Refused where it does not match its checksum."""
    stream.seek(mark.offset + RECORD_HEAD)
    body = stream.read(mark.length)
    if len(body) != mark.length or zlib.crc32(body) != mark.check:
        raise Refused(path, mark.offset, "a record does not match its checksum")
    return body


def _only_zeros(stream: IO[bytes]) -> bool:
    while piece := stream.read(1 << 20):
        if any(piece):
            return False
    return True

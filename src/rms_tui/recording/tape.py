"""A recording being written: records appended to a file, rolled over at its limit, crash-safe.

Every record is handed to the system at once, so that a killed process loses none, and synced when
told to. A file that is there is continued; what a killed recorder left unfinished at its end is cut
off first. It never overwrites what is no recording.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rms_tui.recording.body import Columns, packed
from rms_tui.recording.disk import FILE_HEAD, Kind, Refused, file_head, record
from rms_tui.recording.marks import Start, starts_of

PARTS = 4
"""Files a recording is kept in: the newest, and three older ones with a number each."""

SMALLEST_LIMIT = 1 << 20

PRIVATE = 0o600
"""What clients hold and earn is nobody else's to read."""

END_BODY = struct.Struct("<Q")


class TapeError(Exception):
    """The recording cannot go on; the text says why."""


def part(path: Path, number: int) -> Path:
    """The name of a part: 0 is the newest, `desk.rec`, then `desk.rec.1` and so on."""
    return path if number == 0 else path.with_name(f"{path.name}.{number}")


def parts(path: Path) -> list[Path]:
    """The parts that are there, oldest first."""
    return [one for one in (part(path, n) for n in range(PARTS - 1, -1, -1)) if one.is_file()]


class Tape:
    """One recording, open for writing; used by one thread."""

    def __init__(self, path: Path, limit: int) -> None:
        """Open or continue. `limit` is bytes over all parts.

        Raises TapeError where it cannot be written, Refused where the file is no recording.
        """
        self.path = path
        self._most = max(limit, SMALLEST_LIMIT) // PARTS
        self._starts: list[Start] = []
        self._session = FILE_HEAD
        self._file = -1
        self._dirty = False
        self.size = 0
        try:
            self._open()
        except OSError as error:
            self._shut()
            raise TapeError(f"{path}: cannot be written: {error.strerror}") from None
        except (Refused, TapeError):
            self._shut()
            raise

    @property
    def total(self) -> int:
        """Bytes in all parts."""
        return self.size + sum(one.stat().st_size for one in self._older())

    def fits(self, length: int) -> bool:
        """Whether that many more bytes go into the present file."""
        return self.size + length <= self._most

    def put(self, kind: Kind, at: float, body: bytes) -> None:
        """Append a record. Raises TapeError; then the file ends with the record before."""
        if kind is Kind.SESSION:
            self._session = self.size
        elif kind is Kind.WHOLE:
            self._starts.append(Start(at, self._session))
        self._write(record(kind, at, body))

    def sync(self) -> None:
        """Have the disk hold all that was put. Raises TapeError."""
        if self._dirty:
            try:
                os.fsync(self._file)
            except OSError as error:
                raise TapeError(f"{self.path}: {error.strerror}") from None
            self._dirty = False

    def roll(self, at: float) -> None:
        """Begin a new file; the oldest one goes when there are too many. Raises TapeError."""
        try:
            self.close(at)
            for number in range(PARTS - 1, 0, -1):
                newer = part(self.path, number - 1)
                if newer.is_file():
                    newer.replace(part(self.path, number))
            self._open()
        except OSError as error:
            raise TapeError(f"{self.path}: cannot be rolled over: {error.strerror}") from None

    def close(self, at: float) -> None:
        """Write where the whole polls are, and end. Raises TapeError."""
        if self._file < 0:
            return
        try:
            columns = Columns()
            times = np.array([start.at for start in self._starts], dtype=np.float64)
            places = np.array([start.offset for start in self._starts], dtype=np.int64)
            tree = {"at": columns.ref(times), "offset": columns.ref(places)}
            index = self.size
            self._write(record(Kind.INDEX, at, packed(tree, columns)))
            self._write(record(Kind.END, at, END_BODY.pack(index)))
            self.sync()
        finally:
            self._shut()

    def abandon(self) -> None:
        """End as it is; an index is made by whoever reads it."""
        self._shut()

    def _open(self) -> None:
        self._file = os.open(
            self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE
        )
        if not _locked(self._file):
            raise TapeError(f"{self.path}: another rms-tui is recording into it")
        self.size = os.fstat(self._file).st_size
        self._starts = []
        if self.size == 0:
            self._write(file_head())
            return
        found = starts_of(self.path)
        self._starts = list(found.starts)
        self.size = found.end
        os.ftruncate(self._file, self.size)
        os.lseek(self._file, self.size, os.SEEK_SET)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while len(view):
                view = view[os.write(self._file, view) :]
        except OSError as error:
            self._cut()
            raise TapeError(f"{self.path}: {error.strerror}") from None
        self.size += len(data)
        self._dirty = True

    def _cut(self) -> None:
        """Take back half a record. Where even that fails, the reader sees a torn end."""
        try:
            os.ftruncate(self._file, self.size)
            os.lseek(self._file, self.size, os.SEEK_SET)
        except OSError:
            self._shut()

    def _shut(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _older(self) -> Iterator[Path]:
        return (one for one in parts(self.path) if one != self.path)


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 40

    def _locked(file: int) -> bool:
        """Lock a byte far behind the end: readers are not kept out."""
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _locked(file: int) -> bool:
        """Lock the file for this recorder; the lock goes with the process."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

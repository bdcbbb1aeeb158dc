"""What crosses the pipe between a gateway process and its parent, and how.

A message is one pickle (protocol 5) whose arrays travel beside it as raw bytes, so that a column
is copied once into the pipe and once out of it. Of a Book only the columns that changed since the
last one travel (`changes`), and of a column that only grew, the new rows; the receiver keeps the
array it has for the rest (`applied`), which is what makes `is` mean "unchanged" on its side too.
Both ends are this program: nothing that crosses comes from outside, so unpickling is safe.
"""

from __future__ import annotations

import contextlib
import pickle
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import IO, Any, Literal, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

from rms_tui.book import (
    Accounts,
    Book,
    Deals,
    Positions,
    Symbols,
    build,
    column_types,
    kept,
)
from rms_tui.feed import FeedError, Phase, Selection
from rms_tui.gateways import Gateway, Spec
from rms_tui.gateways.mapped import Growing, filled

if sys.platform == "linux":
    import fcntl

_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031

Opener: TypeAlias = Callable[[Spec], Gateway]
"""Makes the gateway in the child; must be importable there by its name."""

Question: TypeAlias = Literal["read", "known", "history"]

Column: TypeAlias = "npt.NDArray[Any] | tuple[str, ...]"

_LENGTHS = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Hello:
    """First message to the child: what to open, whom to watch, how often to say it is alive."""

    opener: Opener
    spec: Spec
    selection: Selection
    heartbeat: float


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the child, answered in order by an Answer or a Refusal of the same number."""

    number: int
    what: Question
    asked: tuple[int, ...] | str | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """Watch these accounts from the next Book on."""

    selection: Selection


@dataclass(frozen=True, slots=True)
class Stop:
    """Let go of the source and end."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The child is alive and does this."""

    phase: Phase
    doing: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the question of that number asked for: Changes, Known or Deals."""

    number: int
    value: object


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer; number None: the gateway as a whole failed and the child ends."""

    number: int | None
    error: FeedError


@dataclass(frozen=True, slots=True)
class Grown:
    """A column that is the receiver's last one with these rows after it."""

    tail: Column


@dataclass(frozen=True, slots=True)
class Changes:
    """A Book as what differs from the Book sent before it.

    `tables` holds, for each table, its changed columns only: whole, or Grown. `facts` are the
    Book's single values, all of them.
    """

    facts: dict[str, Any]
    tables: tuple[dict[str, Column | Grown], ...]


_TABLES = (Accounts, Positions, Symbols, Deals)
_NAMES = ("accounts", "positions", "symbols", "deals")


def changes(book: Book, before: Book | None) -> Changes:
    """What of `book` differs from `before`; a column is equal when it is the same object.

    Call with a Book that went through `kept_tables`.
    """
    tables: list[dict[str, Column | Grown]] = []
    for name, table in zip(_NAMES, _TABLES, strict=True):
        fresh = getattr(book, name)
        old = None if before is None else getattr(before, name)
        sent: dict[str, Column | Grown] = {}
        if fresh is not old:
            for column in column_types(cast("type[Deals]", table)):
                new = getattr(fresh, column)
                last = None if old is None else getattr(old, column)
                if new is not last:
                    sent[column] = _grown(new, last) if name == "deals" else new
        tables.append(sent)
    facts = {
        fact.name: getattr(book, fact.name) for fact in fields(Book) if fact.name not in _NAMES
    }
    return Changes(facts, tuple(tables))


def _grown(new: Column, last: Column | None) -> Column | Grown:
    """The column as rows after the last one, where it is that; deals mostly only arrive."""
    if last is None or not 0 < len(last) < len(new):
        return new
    head = new[: len(last)]
    same = head == last if isinstance(new, tuple) else np.array_equal(head, last)
    return Grown(new[len(last) :]) if same else new


def joined_columns(before: Deals, after: Deals) -> Deals:
    """The deals of both, in that order; `before` itself when nothing comes after."""
    if not len(after):
        return before
    columns: dict[str, object] = {}
    for name, dtype in column_types(Deals).items():
        head, tail = getattr(before, name), getattr(after, name)
        columns[name] = head + tail if dtype is None else np.concatenate([head, tail])
    return build(Deals, columns)


Row = TypeVar("Row", Accounts, Positions, Symbols, Deals)


def applied(sent: Changes, before: Book | None, growing: Growing) -> Book:
    """The Book that `changes` was made of, with every unsent column taken from `before`.

    `growing` holds the room for what grows and belongs to whoever has the Books. Raises
    ValueError when the columns do not fit together.
    """
    tables = {
        name: _applied(
            cast("type[Deals]", table), columns, before and getattr(before, name), growing
        )
        for name, table, columns in zip(_NAMES, _TABLES, sent.tables, strict=True)
    }
    return Book(**sent.facts, **tables)


def _applied(
    table: type[Row], sent: dict[str, Column | Grown], before: Row | None, growing: Growing
) -> Row:
    if before is not None and not sent:
        return before
    columns: dict[str, object] = {}
    for name in column_types(table):
        fresh = sent.get(name)
        last = () if before is None else getattr(before, name)
        match fresh:
            case None:
                columns[name] = last
            case Grown(tail) if isinstance(tail, tuple):
                columns[name] = last + tail
            case Grown(np.ndarray() as tail):
                columns[name] = growing.longer(name, cast("npt.NDArray[Any]", last), tail)
            case _:
                columns[name] = fresh
    return build(table, columns)


def kept_tables(book: Book, before: Book) -> Book:
    """`book`, with every column that equals the one in `before` replaced by that object."""
    return replace(
        book,
        accounts=kept(book.accounts, before.accounts),
        positions=kept(book.positions, before.positions),
        symbols=kept(book.symbols, before.symbols),
        deals=kept(book.deals, before.deals),
    )


def widen(stream: IO[bytes]) -> None:
    """Let Linux hold a megabyte in the pipe instead of 64 KiB: fewer switches for a big Book."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(stream, _F_SETPIPE_SZ, _PIPE_BYTES)


def send(stream: IO[bytes], message: object) -> None:
    """Write one message. Raises OSError when the other end is gone."""
    arrays: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=arrays.append)
    views = [array.raw() for array in arrays]
    sizes = np.array([len(view) for view in views], dtype="<u8").tobytes()
    _write(stream, memoryview(_LENGTHS.pack(len(head), len(views)) + sizes + head))
    for view in views:
        _write(stream, view)


def receive(stream: IO[bytes]) -> object:
    """The next message. Raises EOFError when the other end is gone."""
    length, count = _LENGTHS.unpack(_read(stream, _LENGTHS.size))
    sizes = np.frombuffer(_read(stream, 8 * count), dtype="<u8")
    head = _read(stream, length)
    return pickle.loads(head, buffers=[_read(stream, int(size)) for size in sizes])


def _write(stream: IO[bytes], view: memoryview) -> None:
    while len(view):
        view = view[stream.write(view) :]


def _read(stream: IO[bytes], size: int) -> memoryview:
    """Exactly that many bytes, straight into the memory that the column will have."""
    memory = filled(size)
    at = 0
    while at < size:
        came = cast("Any", stream).readinto(memory[at:])
        if not came:
            raise EOFError
        at += came
    return memory

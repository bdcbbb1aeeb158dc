"""Book and Memory as tables of packed columns, and back: what a following console judges by.

Exact in both directions; what only saves work (which deals were counted, which rows were quiet) is
left out and found again. A part of which every column is the same object as before is the same
object too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, clock_offset, column_types
from rms_tui.risk.bare import Bare
from rms_tui.risk.days import DayBase, LastGood
from rms_tui.risk.flows import Total
from rms_tui.risk.memory import Memory
from rms_tui.risk.peaks import Peak
from rms_tui.risk.periods import Period, Span
from rms_tui.risk.profile import Rollover, Trail
from rms_tui.serve.columns import clean
from rms_tui.serve.packed import Cells, Held, Tables, Unpackable

BOOK = {"accounts": Accounts, "positions": Positions, "symbols": Symbols, "deals": Deals}
KEYS: Mapping[str, str | None] = {
    "accounts": "login",
    "positions": "ticket",
    "symbols": "name",
    "deals": "ticket",
    "memory": "login",
}
"""Each table with the column that tells its rows apart."""

SCALARS = ("source", "server", "taken_at", "server_offset", "connected", "deals_since")
_ARRAYS = frozenset({"Floats", "Ints", "Codes", "Bytes", "Flags", "Counts"})
_PLAIN = frozenset({"float", "int"})

Part = TypeVar("Part", LastGood, Total, DayBase, Peak, Period, Bare)


def columns_of(kind: type[Any]) -> tuple[str, ...]:
    """The columns of a part of Memory, by its own annotations."""
    return tuple(field.name for field in fields(kind) if str(field.type) in _ARRAYS)


def plain_of(kind: type[Any]) -> tuple[str, ...]:
    """The plain numbers of a part of Memory."""
    return tuple(field.name for field in fields(kind) if str(field.type) in _PLAIN)


def tables(book: Book, memory: Memory) -> dict[str, Held]:
    """Every column of both."""
    made: dict[str, Held] = {}
    for name, kind in BOOK.items():
        table = getattr(book, name)
        cells = {column: getattr(table, column) for column in column_types(kind)}
        made[name] = Held(len(table), cells, KEYS[name])
    cells = {"login": memory.login}
    for prefix, part in _parts(memory):
        for column in columns_of(type(part)):
            cells[f"{prefix}.{column}"] = getattr(part, column)
    made["memory"] = Held(len(memory.login), cells, "login")
    return made


def book_scalars(book: Book) -> dict[str, Any]:
    """The plain fields of a Book."""
    return {
        name: clean(value) if isinstance(value := getattr(book, name), str) else value
        for name in SCALARS
    }


def memory_scalars(memory: Memory) -> dict[str, Any]:
    """The keys of a Memory and the plain fields of its parts; numbers that JSON lacks as text."""
    return {
        "days": [
            {"zone": key.zone, "rollover": key.at, **_plain(day)}
            for key, day in memory.days.items()
        ],
        "peaks": [
            {
                "source": key.source,
                "withdrawals": key.withdrawals,
                "day": None if key.rollover is None else [key.rollover.zone, key.rollover.at],
                **_plain(peak),
            }
            for key, peak in memory.peaks.items()
        ],
        "periods": {key.value: _plain(period) for key, period in memory.periods.items()},
    }


def book_from(scalars: Mapping[str, Any], found: Tables, before: Book | None) -> Book:
    """The Book of those tables. Raises Unpackable."""
    made: dict[str, Any] = {}
    for name, kind in BOOK.items():
        types, held = column_types(kind), found[name]
        if set(held.columns) != set(types):
            raise Unpackable(f"{name}: other columns than this version knows")
        for column, dtype in types.items():
            cells = held.columns[column]
            fits = isinstance(cells, tuple) if dtype is None else _has(cells, dtype)
            if not fits:
                raise Unpackable(f"{name}.{column}: another type than this version knows")
        old = None if before is None else getattr(before, name)
        if old is not None and all(getattr(old, c) is held.columns[c] for c in types):
            made[name] = old
        else:
            made[name] = kind(**held.columns)
    try:
        offset = scalars["server_offset"]
        return Book(
            source=str(scalars["source"]),
            server=str(scalars["server"]),
            taken_at=float(scalars["taken_at"]),
            server_offset=None if offset is None else clock_offset(float(offset)),
            connected=bool(scalars["connected"]),
            deals_since=scalars["deals_since"],
            **made,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unpackable(f"book: {error}") from None


def memory_from(scalars: Mapping[str, Any], held: Held) -> Memory:
    """The Memory of that table. Raises Unpackable."""
    try:
        return _memory(scalars, held.columns)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unpackable(f"memory: {error}") from None


def _memory(scalars: Mapping[str, Any], cells: Mapping[str, Cells]) -> Memory:
    days = {
        Rollover(one["zone"], one["rollover"]): _part(DayBase, f"days.{at}", one, cells)
        for at, one in enumerate(scalars["days"])
    }
    peaks = {
        Trail(
            one["source"],
            one["withdrawals"],
            None if one["day"] is None else Rollover(*one["day"]),
        ): _part(Peak, f"peaks.{at}", one, cells)
        for at, one in enumerate(scalars["peaks"])
    }
    periods = {
        Span(name): _part(Period, f"periods.{name}", one, cells)
        for name, one in scalars["periods"].items()
    }
    login = cells["login"]
    assert isinstance(login, np.ndarray)
    return Memory(
        login=login,
        last=_part(LastGood, "last", {}, cells),
        total=_part(Total, "total", {}, cells),
        days=MappingProxyType(days),
        peaks=MappingProxyType(peaks),
        periods=MappingProxyType(_together(periods)),
        bare=_bare(cells) if "bare.since" in cells else None,
    )


def _parts(memory: Memory) -> list[tuple[str, Any]]:
    return [
        ("last", memory.last),
        ("total", memory.total),
        *((f"days.{at}", day) for at, day in enumerate(memory.days.values())),
        *((f"peaks.{at}", peak) for at, peak in enumerate(memory.peaks.values())),
        *((f"periods.{key.value}", period) for key, period in memory.periods.items()),
        *([] if memory.bare is None else [("bare", memory.bare)]),
    ]


def _plain(part: Any) -> dict[str, Any]:
    return {name: exact(getattr(part, name)) for name in plain_of(type(part))}


def _part(
    kind: type[Part], prefix: str, plain: Mapping[str, Any], cells: Mapping[str, Cells]
) -> Part:
    given: dict[str, Any] = {name: cells[f"{prefix}.{name}"] for name in columns_of(kind)}
    given.update({name: float(plain[name]) for name in plain_of(kind)})
    return kind(**given)


def _bare(cells: Mapping[str, Cells]) -> Bare:
    """Since when positions have no stop; both columns are one where nothing is in doubt."""
    bare = _part(Bare, "bare", {"at": np.nan}, cells)
    alike = np.array_equal(bare.since, bare.earliest)
    return replace(bare, earliest=bare.since) if alike else bare


def _together(periods: dict[Span, Period]) -> dict[Span, Period]:
    """Periods of the very same columns as one object again, as they were measured."""
    known: dict[tuple[object, ...], Period] = {}
    names = columns_of(Period)
    return {
        span: known.setdefault(
            (period.began, *(id(getattr(period, name)) for name in names)), period
        )
        for span, period in periods.items()
    }


def _has(cells: Cells, dtype: type[np.generic]) -> bool:
    return isinstance(cells, np.ndarray) and cells.dtype == dtype


def exact(value: Any) -> Any:
    """A number as JSON has it; one that JSON lacks as NaN, Infinity or -Infinity in text."""
    if isinstance(value, float) and value - value != 0.0:
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    return value

"""Columns exactly as they are in memory, over the wire and back: for a console that follows.

Packing compares objects, not values: a column that is the same object is not sent, one that is
another is sent whole or, where fewer rows differ, as those rows. Unpacking gives back the same
bits, NaN and infinities included, and keeps the object of every column that was not sent, so that
who follows judges again only what changed. What comes in is data of another process: a table that
does not fit is refused with Unpackable.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rms_tui.book import Ints
from rms_tui.serve.columns import clean

Array: TypeAlias = npt.NDArray[Any]
Cells: TypeAlias = Array | tuple[str, ...]
Shape = dict[str, Any]

DTYPES = ("<f8", "<i8", "<i4", "<i1", "|b1")
_SHORT = {"|i1": "<i1"}
MOST_ROWS = 50_000_000


class Unpackable(ValueError):
    """A message that cannot be what a holder sends: the follower asks for a new frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Columns of one length; `key` names the one that tells rows apart (None: rows keep place)."""

    rows: int
    columns: Mapping[str, Cells]
    key: str | None = None


Tables = Mapping[str, Held]


def pack(now: Tables, before: Tables | None) -> dict[str, Shape]:
    """`PackedTable`s of everything, or with `before` of what is another object than then."""
    paths: dict[int, str] = {}
    made: dict[str, Shape] = {}
    for name, table in now.items():
        old = None if before is None else before.get(name)
        found = _table(name, table, old, paths)
        if found is not None:
            made[name] = found
    return made


def unpack(
    packed: Mapping[str, Any], before: Tables | None, keys: Mapping[str, str | None]
) -> dict[str, Held]:
    """The tables after a message; `before` are those held, None for a frame.

    `keys` names every table there may be with its key column. Raises Unpackable.
    """
    try:
        return _unpacked(packed, before, keys)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, binascii.Error) as error:
        if isinstance(error, Unpackable):
            raise
        raise Unpackable(f"not a table of a book: {error}") from None


def _table(name: str, table: Held, old: Held | None, paths: dict[int, str]) -> Shape | None:
    source, columns = None, {}
    if old is not None and (table.rows != old.rows or _moved(table, old)):
        source = _places(table, old)
    for column, cells in table.columns.items():
        path = f"{name}.{column}"
        held = None if old is None else old.columns.get(column)
        first = paths.setdefault(id(cells), path) if len(cells) else path
        if held is cells and source is None:
            continue
        if first != path:
            columns[column] = {"same": first}
        elif old is None or held is None:
            columns[column] = _whole(cells)
        else:
            found = _differing(cells, held, source)
            if found is not None:
                columns[column] = found
    if old is not None and source is None and not columns:
        return None
    shape: Shape = {"rows": table.rows, "columns": columns}
    if source is not None:
        shape["source"] = _b64(source.astype("<i4"))
    return shape


def _moved(table: Held, old: Held) -> bool:
    if table.key is None:
        return False
    now, then = table.columns[table.key], old.columns[table.key]
    if now is then:
        return False
    if isinstance(now, tuple) or isinstance(then, tuple):
        return now != then
    return not np.array_equal(now, then)


def _places(table: Held, old: Held) -> Ints:
    """For each row the row it was before, -1 for a new one."""
    if table.key is None:
        rows = np.arange(table.rows, dtype=np.int64)
        return np.where(rows < old.rows, rows, -1)
    now, then = table.columns[table.key], old.columns[table.key]
    if isinstance(now, np.ndarray) and isinstance(then, np.ndarray):
        if len(then) == 0:
            return np.full(len(now), -1, dtype=np.int64)
        order = np.argsort(then, kind="stable")
        at = np.minimum(np.searchsorted(then[order], now), len(then) - 1)
        return np.where(then[order][at] == now, order[at], -1).astype(np.int64)
    index = {key: row for row, key in enumerate(then)}
    return np.array([index.get(key, -1) for key in now], dtype=np.int64)


def _whole(cells: Cells) -> Shape:
    if isinstance(cells, tuple):
        return {"text": [clean(text) for text in cells]}
    if cells.strides == (0,) and len(cells):
        return {"dtype": _dtype(cells), "fill": _b64(cells[:1])}
    return {"dtype": _dtype(cells), "b64": _b64(cells)}


def _differing(cells: Cells, held: Cells, source: Ints | None) -> Shape | None:
    """The rows in which a column is not what the follower has after moving its rows."""
    if isinstance(cells, tuple) or isinstance(held, tuple):
        assert isinstance(cells, tuple)
        assert isinstance(held, tuple)
        return _differing_text(cells, held, source)
    if cells.strides == (0,) and len(cells):
        return _whole(cells)
    carried = held if source is None else _carried(held, source)
    if carried.dtype != cells.dtype:
        return _whole(cells)
    bits = f"u{cells.itemsize}"
    unlike = np.ascontiguousarray(cells).view(bits) != np.ascontiguousarray(carried).view(bits)
    if source is not None:
        unlike |= source < 0
    rows = np.flatnonzero(unlike)
    if len(rows) == 0:
        return None
    if len(rows) * (4 + cells.itemsize) >= len(cells) * cells.itemsize:
        return _whole(cells)
    return {"dtype": _dtype(cells), "at": _b64(rows.astype("<i4")), "b64": _b64(cells[rows])}


def _differing_text(
    cells: tuple[str, ...], held: tuple[str, ...], source: Ints | None
) -> Shape | None:
    places = range(len(cells)) if source is None else source.tolist()
    rows = [
        row
        for row, (text, place) in enumerate(zip(cells, places, strict=True))
        if place < 0 or held[place] != text
    ]
    if not rows:
        return None
    if 2 * len(rows) >= len(cells):
        return _whole(cells)
    at = _b64(np.array(rows, dtype="<i4"))
    return {"at": at, "text": [clean(cells[row]) for row in rows]}


def _carried(held: Array, source: Ints) -> Array:
    if len(held) == 0:
        return np.zeros(len(source), dtype=held.dtype)
    return held[np.maximum(source, 0)]


def _dtype(cells: Array) -> str:
    name = cells.dtype.newbyteorder("<").str
    return _SHORT.get(name, name)


def _b64(cells: Array) -> str:
    little = cells.astype(cells.dtype.newbyteorder("<"), copy=False)
    return b64encode(np.ascontiguousarray(little).tobytes()).decode("ascii")


def _unpacked(
    packed: Mapping[str, Any], before: Tables | None, keys: Mapping[str, str | None]
) -> dict[str, Held]:
    made: dict[str, Held] = {} if before is None else dict(before)
    paths: dict[str, Cells] = {}
    for name, key in keys.items():
        shape = packed.get(name)
        held = made.get(name)
        if shape is not None:
            held = made[name] = _read(shape, held, key, paths, name)
        elif held is None:
            raise Unpackable(f"no table {name}")
        paths.update({f"{name}.{column}": cells for column, cells in held.columns.items()})
    return made


def _read(
    shape: Mapping[str, Any],
    held: Held | None,
    key: str | None,
    paths: dict[str, Cells],
    name: str,
) -> Held:
    rows = int(shape["rows"])
    if not 0 <= rows <= MOST_ROWS:
        raise Unpackable(f"{name}: {rows} rows")
    columns: dict[str, Cells] = {} if held is None else dict(held.columns)
    if shape.get("source") is not None:
        if held is None:
            raise Unpackable(f"{name}: rows moved in a table that is not held")
        source = _column(shape["source"], "<i4").astype(np.int64)
        if len(source) != rows or (rows and not -1 <= source.min() <= source.max() < held.rows):
            raise Unpackable(f"{name}: rows moved from where none are")
        columns = {column: _taken(cells, source) for column, cells in columns.items()}
    for column, one in shape["columns"].items():
        if one.get("same") is not None:
            found = paths.get(one["same"])
            if found is None:
                found = columns[str(one["same"]).removeprefix(f"{name}.")]
            columns[column] = found
        else:
            columns[column] = _cells(one, columns.get(column), rows)
        if len(columns[column]) != rows:
            raise Unpackable(f"{name}.{column}: {len(columns[column])} rows instead of {rows}")
    if any(len(cells) != rows for cells in columns.values()):
        raise Unpackable(f"{name}: columns of other lengths than {rows}")
    return Held(rows, columns, key)


def _taken(cells: Cells, source: Ints) -> Cells:
    """Rows in their new places; what stands where a row is new is put in by the same message."""
    if isinstance(cells, tuple):
        return tuple(cells[place] if place >= 0 else "" for place in source.tolist())
    return _frozen(np.array(_carried(cells, source)))


def _cells(one: Mapping[str, Any], held: Cells | None, rows: int) -> Cells:
    at = one.get("at")
    if one.get("text") is not None:
        texts: Sequence[str] = one["text"]
        if not all(isinstance(text, str) for text in texts):
            raise Unpackable("expected texts")
        if at is None:
            return tuple(texts)
        if not isinstance(held, tuple):
            raise Unpackable("rows of a column that is not held")
        listed = list(held)
        for row, text in zip(_column(at, "<i4").tolist(), texts, strict=True):
            listed[row] = text
        return tuple(listed)
    if one["dtype"] not in DTYPES:
        raise Unpackable(f"dtype {one['dtype']!r}")
    if one.get("fill") is not None:
        return np.broadcast_to(_column(one["fill"], one["dtype"])[0], rows)
    values = _column(one["b64"], one["dtype"])
    if at is None:
        return _frozen(values)
    if not isinstance(held, np.ndarray):
        raise Unpackable("rows of a column that is not held")
    changed = np.array(held)
    places = _column(at, "<i4")
    if len(places) and not 0 <= places.min() <= places.max() < len(changed):
        raise Unpackable("rows that are not there")
    changed[places] = values
    return _frozen(changed)


def _column(text: str, dtype: str) -> Array:
    found = np.frombuffer(b64decode(text, validate=True), dtype=dtype)
    return found.astype(found.dtype.newbyteorder("="))


def _frozen(cells: Array) -> Array:
    cells.flags.writeable = False
    return cells

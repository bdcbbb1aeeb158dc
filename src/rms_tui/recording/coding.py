"""One column as what differs from the column before it, in few bytes, exactly.

Money moves by cents: amounts that are whole cents are written as the cents between two polls. Of
prices there are few: a column with few different changes is written as those and which is where.
Anything else is written as the bits that changed. Whatever is chosen gives back the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rms_tui.recording.body import Array, Columns, Tree
from rms_tui.recording.shapes import array_of

CENTS = 100.0

FEW = 256
"""Different changes up to which they are listed."""

_SAMPLE = 512

_MOST_CENTS = 2.0**53

_ODD_SHARE = 0.05
"""Share of rows that may be no whole cents and are written apart."""


def changed(new: Array, last: Array, columns: Columns) -> Tree:
    """What `new` differs by from a column of the same length and type."""
    if new.dtype == np.float64:
        cents = _in_cents(new, last, columns)
        if cents is not None:
            return cents
    bits = _bits(new) ^ _bits(last)
    if not bits.any():
        return {"same": True}
    listed = _listed(bits, columns) if bits.itemsize == 8 else None
    return {"x": columns.ref(bits)} if listed is None else listed


def restored(tree: dict[str, Tree], arrays: list[Array], last: Array, where: str) -> Array:
    """The column that `changed` was made of. Raises ValueError for one that cannot be."""
    if "same" in tree:
        return last.copy()
    if "cents" in tree:
        return _from_cents(tree["cents"], arrays, last, where)
    if "listed" in tree:
        bits = _from_list(tree["listed"], arrays, where)
    else:
        bits = column_of(tree.get("x"), arrays, _bits(last).dtype, where)
    if len(bits) != len(last) or bits.dtype != _bits(last).dtype:
        raise ValueError(f"{where}: {len(bits)} rows over {len(last)}")
    return (bits ^ _bits(last)).view(last.dtype)


def column_of(tree: Tree, arrays: list[Array], dtype: np.dtype[Any], where: str) -> Array:
    """A plain column of that type. Raises ValueError."""
    array = array_of(tree, arrays, dtype, where)
    if array.ndim != 1:
        raise ValueError(f"{where}: a column of columns")
    return array


def _bits(column: Array) -> Array:
    return np.ascontiguousarray(column).view(f"u{column.itemsize}")


def _cents(column: Array) -> Array:
    """Each amount in whole cents, 0 where that says nothing."""
    with np.errstate(invalid="ignore", over="ignore"):
        cents = np.rint(column * CENTS)
        return np.where(np.abs(cents) < _MOST_CENTS, cents, 0.0).astype(np.int64)


def _in_cents(new: Array, last: Array, columns: Columns) -> Tree | None:
    now = _cents(new)
    odd = np.flatnonzero(_bits(now / CENTS) != _bits(new))
    if len(odd) > _ODD_SHARE * len(new):
        return None
    moved = now - _cents(last)
    zigzag = (moved << 1) ^ (moved >> 63)
    if len(zigzag) and int(zigzag.max()) >= 2**32:
        return None
    return {
        "cents": [
            columns.ref(zigzag.astype(np.uint32)),
            columns.ref(odd.astype(np.int32)),
            columns.ref(_bits(new)[odd]),
        ]
    }


def _from_cents(tree: Tree, arrays: list[Array], last: Array, where: str) -> Array:
    if not isinstance(tree, list) or len(tree) != 3 or last.dtype != np.float64:
        raise ValueError(f"{where}: not cents")
    zigzag = column_of(tree[0], arrays, np.dtype(np.uint32), where).astype(np.int64)
    odd = column_of(tree[1], arrays, np.dtype(np.int32), where)
    bits = column_of(tree[2], arrays, np.dtype(np.uint64), where)
    if len(zigzag) != len(last) or len(odd) != len(bits):
        raise ValueError(f"{where}: {len(zigzag)} rows over {len(last)}")
    if len(odd) and not (int(odd.min()) >= 0 and int(odd.max()) < len(last)):
        raise ValueError(f"{where}: a row that is not there")
    column: Array = (_cents(last) + ((zigzag >> 1) ^ -(zigzag & 1))) / CENTS
    column.view(np.uint64)[odd] = bits
    return column


def _listed(bits: Array, columns: Columns) -> Tree | None:
    """The few different changes, and which one stands in each row."""
    step = max(1, len(bits) // _SAMPLE)
    if len(np.unique(bits[::step])) > FEW // 2:
        return None
    found, which = np.unique(bits, return_inverse=True)
    if len(found) > FEW:
        return None
    return {"listed": [columns.ref(found), columns.ref(which.astype(np.uint8))]}


def _from_list(tree: Tree, arrays: list[Array], where: str) -> Array:
    if not isinstance(tree, list) or len(tree) != 2:
        raise ValueError(f"{where}: not a list of changes")
    found = column_of(tree[0], arrays, np.dtype(np.uint64), where)
    which = column_of(tree[1], arrays, np.dtype(np.uint8), where)
    if len(which) and int(which.max()) >= len(found):
        raise ValueError(f"{where}: a change that is not listed")
    return found[which]

"""Columns as clients get them, and what changed between two tables of them.

A column remembers what it was made of: while that is the same object, the column is, and nothing
of it is rounded, compared or encoded again. Pure; it never reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from rms_tui.book import Bytes, Floats, Ints

Array: TypeAlias = npt.NDArray[Any]
Words: TypeAlias = tuple[str | None, ...]
Sources: TypeAlias = tuple[object, ...]

_NUMPY = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: numbers (NaN for null), or codes into `words`; `sources` is what it follows from.

    Texts that repeat are codes; texts that do not are codes too, each its own row.
    """

    sources: Sources
    values: Array
    words: Words | None = None

    def plain(self, rows: Array | None = None) -> Any:
        """What orjson encodes: an array of numbers, or a list of words."""
        values = self.values if rows is None else self.values[rows]
        if self.words is None:
            return np.ascontiguousarray(values)
        return [self.words[code] for code in values.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of one length, a row for each distinct value of the column `key`."""

    key: str
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.columns[self.key].values)

    def shape(self, rows: Array | None = None) -> dict[str, Any]:
        """Whole, or some rows of it, ready for orjson."""
        return {name: column.plain(rows) for name, column in self.columns.items()}


def made(before: Column | None, sources: Sources, build: Callable[[], Column]) -> Column:
    """The column before while what it was made of is the same; otherwise a new one.

    A new one that says the same is replaced by the old one too.
    """
    if before is None:
        return build()
    if len(sources) == len(before.sources) and all(
        a is b for a, b in zip(sources, before.sources, strict=True)
    ):
        return before
    fresh = build()
    if fresh.words == before.words and same(fresh.values, before.values):
        return Column(sources, before.values, before.words)
    return fresh


def same(a: Array, b: Array) -> bool:
    """Whether two columns hold the same values; NaN equals NaN."""
    return a is b or (a.shape == b.shape and not bool(differing(a, b).any()))


def differing(a: Array, b: Array) -> npt.NDArray[np.bool_]:
    """Rows in which two columns of one length differ; NaN equals NaN."""
    unlike = a != b
    if a.dtype.kind == "f" and bool(unlike.any()):
        unlike &= ~(np.isnan(a) & np.isnan(b))
    result: npt.NDArray[np.bool_] = unlike
    return result


def rounded(column: Floats, digits: Bytes | int) -> Floats:
    """Rounded to that many digits (for each row its own); what is not finite is NaN."""
    places = digits if isinstance(digits, int) else _one(digits)
    if places is not None:
        found = np.round(column, places)
    else:
        found = np.array(column, dtype=np.float64)
        assert not isinstance(digits, int)
        for places in np.unique(digits).tolist():
            rows = digits == places
            found[rows] = np.round(found[rows], places)
    found = found + 0.0  # minus zero reads as a loss
    found[~np.isfinite(found)] = np.nan
    return found


def _one(digits: Bytes) -> int | None:
    """The number of digits all rows have, None where they differ."""
    if len(digits) == 0:
        return 2
    first = int(digits[0])
    return first if bool((digits == first).all()) else None


def texts(sources: Sources, found: tuple[str, ...]) -> Column:
    """A column of text that JSON can carry."""
    index: dict[str, int] = {}
    codes = np.fromiter(
        (index.setdefault(text, len(index)) for text in found), dtype=np.int32, count=len(found)
    )
    return Column(sources, codes, tuple(clean(text) for text in index))


def clean(text: str) -> str:
    """Text that JSON can carry: lone surrogates are replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def change(now: Table, before: Table | None) -> dict[str, Any] | None:
    """The `RowsChange` from one table to the next, ready for orjson; None where nothing changed."""
    if before is now:
        return None
    if before is None:
        return {"added": now.shape()} if len(now) else None
    key, old_key = now.columns[now.key], before.columns[before.key]
    if key is old_key or (key.words == old_key.words and same(key.values, old_key.values)):
        found = _changed(now, before, None, None)
        return None if found is None else {"changed": found}
    row, added = _where(key, old_key)
    gone = np.ones(len(before), dtype=np.bool_)
    gone[row[~added]] = False
    result: dict[str, Any] = {}
    if bool(added.any()):
        result["added"] = now.shape(np.flatnonzero(added))
    kept = np.flatnonzero(~added)
    changed = _changed(now, before, kept, row[kept])
    if changed is not None:
        result["changed"] = changed
    if bool(gone.any()):
        result["removed"] = old_key.plain(np.flatnonzero(gone))
    return result or None


def _where(key: Column, old: Column) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """For each row the one it was before (0 where there was none), and which rows are new."""
    if key.words is None:
        order = np.argsort(old.values, kind="stable")
        values = old.values[order]
        at = np.minimum(np.searchsorted(values, key.values), max(len(values) - 1, 0))
        if len(values) == 0:
            return np.zeros(len(key.values), dtype=np.int64), np.ones(len(key.values), np.bool_)
        added = values[at] != key.values
        return np.where(added, 0, order[at]).astype(np.int64), added
    assert old.words is not None
    index = {old.words[code]: row for row, code in enumerate(old.values.tolist())}
    found = np.array([index.get(name, -1) for name in key.plain()], dtype=np.int64)
    return np.maximum(found, 0), found < 0


def _changed(
    now: Table, before: Table, rows: Ints | None, was: Ints | None
) -> dict[str, Any] | None:
    """Cells that differ in rows that were there before; `was` are those rows' old places."""
    marks: dict[str, npt.NDArray[np.bool_]] = {}
    for name, column in now.columns.items():
        old = before.columns[name]
        unmoved = rows is None
        if name == now.key or (
            unmoved and column.values is old.values and column.words is old.words
        ):
            continue
        unlike = _unlike(column, old, rows, was)
        if bool(unlike.any()):
            marks[name] = unlike
    if not marks:
        return None
    either = np.logical_or.reduce(list(marks.values()))
    here = np.flatnonzero(either) if rows is None else rows[either]
    picked = {now.key: now.columns[now.key].plain(here)}
    picked.update({name: now.columns[name].plain(here) for name in marks})
    return picked


def _unlike(
    column: Column, old: Column, rows: Ints | None, was: Ints | None
) -> npt.NDArray[np.bool_]:
    values = column.values if rows is None else column.values[rows]
    before = old.values if was is None else old.values[was]
    if column.words is not None and column.words != old.words:
        assert old.words is not None
        known = {word: code for code, word in enumerate(column.words)}
        to_new = np.array([known.get(word, -1) for word in old.words] or [-1], dtype=np.int64)
        before = to_new[before]
    return differing(values, before)


def encoded(shape: Any) -> bytes:
    """JSON of a shape with arrays in it; NaN becomes null."""
    return orjson.dumps(shape, option=_NUMPY)

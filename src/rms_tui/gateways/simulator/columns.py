"""The same change made to every column of a named tuple of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

from rms_tui.book import Flags, Ints

Columns = TypeVar("Columns", bound=tuple[Any, ...])

AnyInts: TypeAlias = npt.NDArray[np.signedinteger[Any]]
"""Rows and sides, whatever width they are stored in."""


def picked(columns: Columns, rows: Flags | AnyInts) -> Columns:
    """The rows of a mask or of indices, in the given order."""
    return _made(columns, [column[rows] for column in columns])


def joined(parts: Sequence[Columns]) -> Columns:
    """The rows of all parts, in the given order; at least one part."""
    return _made(parts[0], [np.concatenate(column) for column in zip(*parts, strict=True)])


def woven(columns: Columns, fresh: Columns, rows: Ints) -> Columns:
    """The rows of `columns` with those of `fresh` among them, to stand at `rows` afterwards."""
    total = len(columns[0]) + len(rows)
    stays = np.ones(total, dtype=bool)
    stays[rows] = False
    made = []
    for old, new in zip(columns, fresh, strict=True):
        column = np.empty(total, dtype=old.dtype)
        column[stays] = old
        column[rows] = new
        made.append(column)
    return _made(columns, made)


def _made(like: Columns, columns: Sequence[npt.NDArray[Any]]) -> Columns:
    kind: Any = type(like)
    return cast("Columns", kind(*columns))

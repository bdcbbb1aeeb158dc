"""The body of a record: a small tree of plain values and the columns it speaks of, compressed.

The tree is JSON; a column stands in it as `{"#": n}`, the n-th of the arrays that follow as raw
bytes, sorted by significance so that they compress. Exact in both directions, NaN included.
Whatever does not fit is a ValueError that says so; no size is believed before it is checked.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from rms_tui.recording.disk import MOST_BODY

Array: TypeAlias = npt.NDArray[Any]
Tree: TypeAlias = Any

LEVEL = 1
"""zlib's fastest: a poll costs a third of what its default takes, for a tenth more bytes."""

_SIZES = struct.Struct("<II")
_TYPES = ("|b1", "|i1", "|u1", "<i4", "<u4", "<i8", "<u8", "<f8")


class Columns:
    """The arrays of one body, each once however often it is spoken of."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self._places: dict[int, int] = {}

    def ref(self, array: Array) -> Tree:
        """How the tree speaks of an array."""
        place = self._places.get(id(array))
        if place is None:
            place = self._places[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return {"#": place}


def packed(tree: Tree, columns: Columns) -> bytes:
    """The body of a tree and its columns."""
    heads = [[array.dtype.str, list(array.shape)] for array in columns.arrays]
    head = orjson.dumps([tree, heads])
    parts = [_SIZES.pack(len(head), 0), head, *(_sorted(array) for array in columns.arrays)]
    raw = b"".join(parts)
    if len(raw) > MOST_BODY:
        raise ValueError(f"{len(raw)} bytes in one record: at most {MOST_BODY}")
    return _SIZES.pack(len(raw), 0) + zlib.compress(raw, LEVEL)


def unpacked(body: bytes) -> tuple[Tree, list[Array]]:
    """The tree and its arrays (read-only). Raises ValueError for what `packed` cannot have made."""
    raw = _inflated(body)
    length, _ = _SIZES.unpack_from(raw)
    start = _SIZES.size + length
    if start > len(raw):
        raise ValueError("its tree is cut off")
    found = orjson.loads(raw[_SIZES.size : start])
    if not isinstance(found, list) or len(found) != 2 or not isinstance(found[1], list):
        raise ValueError("not a tree with columns")
    tree, heads = found
    arrays = []
    for head in heads:
        array, start = _array(raw, start, head)
        arrays.append(array)
    if start != len(raw):
        raise ValueError("bytes that belong to no column")
    return tree, arrays


def _inflated(body: bytes) -> bytes:
    if len(body) < _SIZES.size:
        raise ValueError("no size")
    size, _ = _SIZES.unpack_from(body)
    if not _SIZES.size <= size <= MOST_BODY:
        raise ValueError(f"a size of {size} bytes: at most {MOST_BODY}")
    inflate = zlib.decompressobj()
    try:
        raw = inflate.decompress(body[_SIZES.size :], size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(raw) != size or not inflate.eof:
        raise ValueError(f"not the {size} bytes it promises")
    return raw


def _array(raw: bytes, start: int, head: Any) -> tuple[Array, int]:
    if (
        not isinstance(head, list)
        or len(head) != 2
        or head[0] not in _TYPES
        or not isinstance(head[1], list)
        or not 1 <= len(head[1]) <= 2
        or not all(isinstance(n, int) and 0 <= n <= MOST_BODY for n in head[1])
    ):
        raise ValueError("a column of unknown type or shape")
    dtype = np.dtype(head[0])
    count = 1
    for n in head[1]:
        count *= n
    end = start + count * dtype.itemsize
    if end > len(raw):
        raise ValueError("a column is cut off")
    planes = np.frombuffer(raw, np.uint8, end - start, start)
    whole = np.ascontiguousarray(planes.reshape(dtype.itemsize, count).T)
    flat = whole.reshape(-1)
    array = (flat != 0 if dtype == np.bool_ else flat.view(dtype)).reshape(head[1])
    array.flags.writeable = False
    return array, end


def _sorted(array: Array) -> bytes:
    """The array's bytes, all lowest ones first, then the next: equal ones stand together."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8).reshape(len(flat), flat.itemsize).T.tobytes()

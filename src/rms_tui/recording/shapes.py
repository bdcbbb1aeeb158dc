"""Frozen dataclasses as trees with columns and back, by their own annotations.

What is remembered of an account may grow without a word here. What is only a shortcut to an equal
answer (`SHORTCUTS`) is left out. Reading believes nothing: a value of another type than its
annotation says is a ValueError that names the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel

from rms_tui.recording.body import Array, Columns, Tree

SHORTCUTS = frozenset({"counted", "settled", "quiet", "looked", "evidence", "still"})
"""Fields that save work the next Book would cost again, and come to the same."""

_ODD = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def tree_of(value: Any, columns: Columns) -> Tree:
    """A value as a tree; its arrays go into `columns`. A mapping becomes a list of pairs."""
    if isinstance(value, np.ndarray):
        return columns.ref(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.generic):
        return tree_of(value.item(), columns)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {
            one.name: tree_of(getattr(value, one.name), columns)
            for one in fields(value)
            if one.init and one.name not in SHORTCUTS
        }
    if isinstance(value, Mapping):
        return [[tree_of(key, columns), tree_of(one, columns)] for key, one in value.items()]
    if isinstance(value, tuple | list | set | frozenset):
        return [tree_of(one, columns) for one in value]
    return value


def value_of(kind: Any, tree: Tree, arrays: list[Array], where: str = "") -> Any:
    """The value of that annotation. Raises ValueError for a tree of another shape."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is np.ndarray:
        return array_of(tree, arrays, np.dtype(get_args(args[1])[0]), where)
    if origin in (Union, UnionType):
        return _one_of(args, tree, arrays, where)
    if origin is Literal:
        return _wanted(tree if tree in args else None, tree, where)
    if origin is tuple:
        return tuple(value_of(args[0], one, arrays, where) for one in _list(tree, where))
    if origin is frozenset:
        return frozenset(value_of(args[0], one, arrays, where) for one in _list(tree, where))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return MappingProxyType(dict(_pairs(args, tree, arrays, where)))
    if not isinstance(kind, type):
        raise ValueError(f"{where}: not something that is recorded")
    if is_dataclass(kind):
        return _dataclass(kind, tree, arrays, where)
    if issubclass(kind, BaseModel):
        return kind.model_validate(tree)
    if issubclass(kind, Enum):
        return kind(tree)
    return _plain(kind, tree, where)


def array_of(tree: Tree, arrays: list[Array], dtype: np.dtype[Any], where: str) -> Array:
    """The array a tree speaks of. Raises ValueError for another type of column."""
    place = tree.get("#") if isinstance(tree, dict) else None
    if not isinstance(place, int) or not 0 <= place < len(arrays):
        raise ValueError(f"{where}: expected a column")
    array = arrays[place]
    if array.dtype != dtype:
        raise ValueError(f"{where}: expected a column of {dtype}, got {array.dtype}")
    return array


def even(value: Any, rows: int, where: str) -> None:
    """Raise ValueError unless every column within has that many rows."""
    if isinstance(value, np.ndarray):
        if len(value) != rows:
            raise ValueError(f"{where}: {len(value)} rows where there are {rows}")
    elif isinstance(value, Mapping):
        for one in value.values():
            even(one, rows, where)
    elif is_dataclass(value):
        for field in fields(value):
            even(getattr(value, field.name), rows, f"{where}.{field.name}")


def _plain(kind: type, tree: Tree, where: str) -> Any:
    if kind is float:
        if isinstance(tree, str) and tree in _ODD:
            return _ODD[tree]
        number = isinstance(tree, int | float) and not isinstance(tree, bool)
        return float(_wanted(tree if number else None, tree, where))
    right = type(tree) is kind
    return _wanted(tree if right else None, tree, where)


def _wanted(value: Any, tree: Tree, where: str) -> Any:
    if value is None:
        raise ValueError(f"{where}: cannot be {str(tree)[:40]!r}")
    return value


def _one_of(kinds: tuple[Any, ...], tree: Tree, arrays: list[Array], where: str) -> Any:
    if tree is None:
        if type(None) not in kinds:
            raise ValueError(f"{where}: missing")
        return None
    problem: Exception | None = None
    for kind in kinds:
        if kind is not type(None):
            try:
                return value_of(kind, tree, arrays, where)
            except ValueError as error:
                problem = error
    raise ValueError(str(problem))


def _list(tree: Tree, where: str) -> list[Tree]:
    if not isinstance(tree, list):
        raise ValueError(f"{where}: expected a list")
    return tree


def _pairs(
    kinds: tuple[Any, ...], tree: Tree, arrays: list[Array], where: str
) -> list[tuple[Any, Any]]:
    made = []
    for pair in _list(tree, where):
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError(f"{where}: expected pairs")
        key = value_of(kinds[0], pair[0], arrays, where)
        made.append((key, value_of(kinds[1], pair[1], arrays, f"{where}[{key}]")))
    return made


def _dataclass(kind: type, tree: Tree, arrays: list[Array], where: str) -> Any:
    if not isinstance(tree, dict):
        raise ValueError(f"{where}: expected the fields of a {kind.__name__}")
    made = {}
    for name, (annotation, required) in _fields_of(kind).items():
        if name in SHORTCUTS:
            continue
        if name in tree:
            made[name] = value_of(annotation, tree[name], arrays, f"{where}.{name}")
        elif required:
            raise ValueError(f"{where}: no {name}")
    return kind(**made)


@lru_cache(maxsize=256)
def _fields_of(kind: type) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(kind)
    return {
        one.name: (
            hints[one.name],
            one.default is MISSING and one.default_factory is MISSING,
        )
        for one in fields(kind)
        if one.init
    }

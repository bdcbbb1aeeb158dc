"""Column tables as plain data and back, exactly: what evidence is stored as.

Works on any frozen dataclass of columns, numbers, texts, mappings and further dataclasses, by its
own annotations: what is remembered of an account may grow without a word here. NaN and infinities
stay themselves; broken text becomes U+FFFD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from rms_tui.book import Deals
from rms_tui.risk.bare import Looked, Without


class Unreadable(ValueError):
    """Plain data that is not of the wanted shape: written by another version."""


def plain(value: Any) -> Any:
    """Lists, dictionaries, texts, numbers and None. A mapping becomes a list of pairs."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value):
        return {column.name: plain(getattr(value, column.name)) for column in fields(value)}
    if isinstance(value, Mapping):
        return [[plain(key), plain(one)] for key, one in value.items()]
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(one) for one in value]
    return value


def shaped(kind: Any, data: Any) -> Any:
    """The value of that annotation that `plain` made the data of. Raises Unreadable."""
    try:
        return _shaped(kind, data)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"cannot be read as {kind}: {error}") from None


def rows_taken(value: Any, rows: Any, count: int) -> Any:
    """A dataclass of columns with only these rows of every column that has `count` of them.

    Deals and positions that were merely looked at are left out.
    """
    if isinstance(value, np.ndarray):
        return value[rows] if value.ndim == 1 and len(value) == count else value
    if isinstance(value, Deals | Without | Looked):
        return None
    if isinstance(value, tuple):
        return tuple(rows_taken(one, rows, count) for one in value)
    if isinstance(value, Mapping):
        return {key: rows_taken(one, rows, count) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        made = {
            column.name: rows_taken(getattr(value, column.name), rows, count)
            for column in fields(value)
            if column.init
        }
        return type(value)(**made)
    return value


def _shaped(kind: Any, data: Any) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if origin is np.ndarray:
        column = np.array(data, dtype=get_args(args[1])[0])
        column.flags.writeable = False
        return column
    if origin in (Union, UnionType):
        return _one_of(args, data)
    if origin is tuple:
        return tuple(_shaped(args[0], one) for one in data)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {_shaped(args[0], key): _shaped(args[1], one) for key, one in data}
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass(kind, data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return float(data) if kind is float else data


def _one_of(kinds: tuple[Any, ...], data: Any) -> Any:
    if data is None:
        return None
    problem: Exception | None = None
    for kind in kinds:
        if kind is not type(None):
            try:
                return _shaped(kind, data)
            except (TypeError, KeyError, ValueError, AttributeError) as error:
                problem = error
    raise Unreadable(str(problem))


def _dataclass(kind: type, data: Any) -> Any:
    if not isinstance(data, Mapping):
        raise Unreadable(f"expected the fields of a {kind.__name__}")
    made = {}
    for name, (annotation, required) in _fields_of(kind).items():
        if name in data:
            made[name] = _shaped(annotation, data[name])
        elif required:
            raise Unreadable(f"no {name}: written by another version of rms-tui")
    return kind(**made)


@lru_cache(maxsize=256)
def _fields_of(kind: type) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(kind)
    return {
        column.name: (
            hints[column.name],
            column.default is MISSING and column.default_factory is MISSING,
        )
        for column in fields(kind)
        if column.init
    }

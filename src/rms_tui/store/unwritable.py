"""Documents that MongoDB will never have: written around, counted and logged, never waited for.

One such document among many must not hold up the others, nor be offered for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from bson.errors import BSONError
from pymongo.errors import DocumentTooLarge, OperationFailure, PyMongoError

_CODES = frozenset({2, 9, 14, 22, 52, 57, 121, 10334, 17280})
"""Server codes that are about the document itself: it will be refused each time."""

T = TypeVar("T")

_log = logging.getLogger("rms_tui.store")


def in_parts(facts: Sequence[T], write: Callable[[Sequence[T]], object]) -> int:
    """Write all at once, or one by one when MongoDB will never have one of them.

    Returns how many were refused for good. Raises what `write` raises for any other reason.
    """
    if not facts:
        return 0
    try:
        write(facts)
    except (PyMongoError, BSONError, ValueError, OverflowError) as error:
        if not _never(error):
            raise
        if len(facts) > 1:
            return sum(in_parts([fact], write) for fact in facts)
        _log.error("MongoDB refuses %r: %s", facts[0], error)
        return 1
    return 0


def _never(error: Exception) -> bool:
    """Whether the same document would be refused again, however often it is offered."""
    if isinstance(error, OperationFailure):
        details = error.details or {}
        refused = [found.get("code") for found in details.get("writeErrors", ())]
        return error.code in _CODES or any(code in _CODES for code in refused)
    return isinstance(error, DocumentTooLarge | BSONError | ValueError | OverflowError)

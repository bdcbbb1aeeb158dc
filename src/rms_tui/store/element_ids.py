"""Which `_id` the element of each account has, for a whole book in 20 bytes an account.

A dict of ObjectIds would be ten times that. An `_id` of another kind, which elements made by other
programs may have, is kept as it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from bson import ObjectId

from rms_tui.book import Ints, rows_of

_SIZE = 12


class ElementIds:
    """Logins of one server with the `_id` of each. Used by one thread."""

    def __init__(self) -> None:
        self._login: Ints = np.zeros(0, dtype=np.int64)
        self._id: npt.NDArray[np.void] = np.zeros(0, dtype=f"V{_SIZE}")
        self._odd: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._login)

    def unknown(self, logins: Ints) -> Ints:
        """Those of the logins that have none here."""
        return logins[rows_of(self._login, logins) < 0]

    def noted(self, elements: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The same documents, one at a time; when all were taken their `_id`s are known."""
        login, raw = array("q"), bytearray()
        for element in elements:
            login.append(int(element["login"]))
            known = element["_id"]
            if isinstance(known, ObjectId):
                raw += known.binary
            else:
                self._odd[login[-1]] = known
                raw += bytes(_SIZE)
            yield element
        self._login = np.concatenate([np.array(login, dtype=np.int64), self._login])
        self._id = np.concatenate([np.frombuffer(bytes(raw), dtype=self._id.dtype), self._id])
        self._login, first = np.unique(self._login, return_index=True)
        self._id = self._id[first]

    def of(self, logins: Ints) -> list[Any]:
        """The `_id` of each login. Raises KeyError when one has none."""
        rows = rows_of(self._login, logins)
        if bool((rows < 0).any()):
            raise KeyError(int(logins[rows < 0][0]))
        raw = self._id[rows].tobytes()
        ids: list[Any] = [
            ObjectId(raw[start : start + _SIZE]) for start in range(0, len(raw), _SIZE)
        ]
        if self._odd:
            ids = [
                self._odd.get(login, id_) for login, id_ in zip(logins.tolist(), ids, strict=True)
            ]
        return ids

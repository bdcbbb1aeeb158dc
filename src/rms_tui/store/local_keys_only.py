"""Import the driver's encryption without the clients for keys that are kept in a cloud.

Our master key is a local file. The driver imports an HTTP client and Amazon's packages all the
same, which takes a new worker longer than all else that it does before its terminal starts.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OPTIONAL = "pymongo_auth_aws"
_LATER = "httpx"


@contextmanager
def local_keys_only() -> Iterator[None]:
    """What is imported inside finds the optional package absent, and the other one lazy: it is
    loaded when it is first used. Whatever was imported before stays as it is."""
    _make_lazy(_LATER)
    absent = _OPTIONAL not in sys.modules
    if absent:
        sys.modules[_OPTIONAL] = None  # type: ignore[assignment]  # Python's way to say: not there
    try:
        yield
    finally:
        if absent:
            sys.modules.pop(_OPTIONAL, None)


def _make_lazy(name: str) -> None:
    found = None if name in sys.modules else importlib.util.find_spec(name)
    if found is None or found.loader is None:
        return
    found.loader = importlib.util.LazyLoader(found.loader)
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)

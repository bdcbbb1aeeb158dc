"""What the collections of MongoDB are called, where a setting says otherwise."""

from __future__ import annotations

import re

COLLECTIONS = (
    "alerts", "audit", "claims", "elements", "evidence", "instances", "keys", "leases", "memory",
    "positions", "streams", "watches",
)  # fmt: skip
"""What the collections are called unless the settings say otherwise."""

_CALLED = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")


def collections_of(given: str) -> dict[str, str]:
    """Our name → theirs, of `elements=accounts,instances=mt5`. Raises ValueError."""
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in given.split(","))):
        ours, _, called = (each.strip() for each in part.partition("="))
        if ours not in COLLECTIONS:
            raise ValueError(f"no collection {ours!r}: expected one of {', '.join(COLLECTIONS)}")
        if ours in found:
            raise ValueError(f"{ours} is named twice")
        if _CALLED.fullmatch(called) is None or called.startswith("system."):
            raise ValueError(
                f"{ours}={called}: expected the name of a collection, of letters, digits, _ - and ."
            )
        found[ours] = called
    names = [found.get(one, one) for one in COLLECTIONS]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two collections would be called {twice[0]}")
    return {ours: called for ours, called in found.items() if ours != called}

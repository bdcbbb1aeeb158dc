"""The fake vendor packages for tests in this process: a world to change, clocks to move."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

FAKES = Path(__file__).parents[1] / "fakes"
NOON = 1_773_230_400.0
"""A Wednesday, 2026-03-11 12:00 UTC; 14:00 on the fakes' server."""

SERVER_MIDNIGHT = 1_773_187_200
"""2026-03-11 00:00 of the server's wall clock."""

DAY = 86_400


class World:
    """What the fakes show. Change `manager` or `terminal`, then `push()`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(FAKES))
        for module in ("MetaTrader5", "MT5Manager", "fake_world"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.setenv("RMS_FAKE_WORLD", str(folder / "world.json"))
        import fake_world  # type: ignore[import-not-found, unused-ignore]

        self._path = folder / "world.json"
        self._write = fake_world.write
        self.now = NOON
        self.ticks = 0.0
        sections: dict[str, Any] = fake_world.default_world(NOON)
        self.manager = sections["manager"]
        self.terminal = sections["terminal"]
        self.manager["clock"] = self.terminal["clock"] = NOON
        self.push()

    def push(self) -> None:
        """Show the world as it is now."""
        self._write(self._path, {"manager": self.manager, "terminal": self.terminal})

    def wait(self, seconds: float) -> None:
        """Move every clock."""
        self.now += seconds
        self.ticks += seconds
        self.manager["clock"] = self.terminal["clock"] = self.now
        self.push()

    def clock(self) -> float:
        return self.now

    def elapsed(self) -> float:
        return self.ticks


def shared_mt5() -> Path:
    """The folder with the vendors' surfaces and real outputs; skips where it is absent."""
    data = os.environ.get("RMS_SHARED_DATA")
    above = Path(data).parent if data else Path(__file__).parents[2].parent / "shared"
    if not (above / "mt5" / "examples.json").is_file():
        pytest.skip(f"no {above / 'mt5'}: set RMS_SHARED_DATA to .../shared/data")
    return above / "mt5"


def examples(kind: str) -> list[Any]:
    """The real outputs of one kind, as published."""
    rows = json.loads((shared_mt5() / "examples.json").read_text(encoding="utf-8"))
    return [row["data"] for row in rows if row["kind"] == kind]


def silent(words: str) -> None:
    """A `doing` that nobody listens to."""
    del words

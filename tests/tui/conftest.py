"""Consoles for the tests of the screen."""

from __future__ import annotations

import pytest
from tests.consoles import Bench
from tests.feeds import book


@pytest.fixture
def bench() -> Bench:
    """A console that shows sixty accounts, some of them in trouble."""
    made = Bench()
    made.step()
    made.step(book(shock=60.0))
    made.step()
    return made


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own terminal must not show in snapshots."""
    for name in ("NO_COLOR", "TEXTUAL", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)

"""Consoles for the tests of the screen."""

from __future__ import annotations

import pytest
import textual._wait
from tests.consoles import Bench
from tests.feeds import book
from tests.idle import at_rest


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


@pytest.fixture(autouse=True)
def _at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pilot goes on when the console has nothing left to do, however busy the machine is."""
    wait = at_rest(textual._wait.wait_for_idle)
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", wait)

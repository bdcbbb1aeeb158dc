"""What holds for all tests: the same examples each time, and the faults counted at the end."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

FAULTS: Counter[str] = Counter()


def pytest_configure() -> None:
    """Programs under test hear Ctrl-C also where the tests run in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ARG001  (the hook's names)
    """A worker process of the run ended and hands over what it counted."""
    FAULTS.update(getattr(node, "workeroutput", {}).get("faults", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Counts of the whole run."""
    if FAULTS:
        terminalreporter.section("faults: what happened")
        for what, count in sorted(FAULTS.items()):
            terminalreporter.line(f"{count:6}  {what}")

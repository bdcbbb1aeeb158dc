"""Counts of the fault tests, printed at the end of a run on any number of cores."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

FAULTS: Counter[str] = Counter()


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

"""Real MongoDB servers and real processes; at the end of the run, what happened in all of it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.fleet import TOTALS, Fleet, World, assert_never_two
from tests.patience import patient

from rms_tui.store.binary import mongod_program
from rms_tui.store.database import connect
from rms_tui.store.embedded import Embedded
from rms_tui.store.errors import StoreError


@pytest.fixture(scope="session")
def mongod_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return mongod_program(None, tmp_path_factory.mktemp("program"))
    except StoreError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def fleet_uri(mongod_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    embedded = Embedded(tmp_path_factory.mktemp("mongod"), str(mongod_path))
    yield embedded.uri(threading.Event())
    embedded.release()


@pytest.fixture
def fleet(fleet_uri: str, tmp_path: Path) -> Iterator[Fleet]:
    """An empty fleet; whatever a test does, no claim may have overlapped another."""
    database = connect(patient(fleet_uri), f"rms_{uuid.uuid4().hex[:12]}")
    # A process that is stopped in the middle of a transaction holds its documents until the server
    # ends it: after a minute, far below the 300 s of a silent claim. Times are short here.
    database.client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=2)
    made = Fleet(tmp_path, fleet_uri, database, World(tmp_path))
    yield made
    made.end()
    assert_never_two(database)
    database.client.drop_database(database.name)
    database.client.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Counts of the whole run."""
    if TOTALS:
        terminalreporter.section("faults: what happened")
        for name, count in sorted(TOTALS.items()):
            terminalreporter.write_line(f"{count:6}  {name}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts over where this process is one of several."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = dict(TOTALS)

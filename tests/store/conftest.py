"""One real mongod for the session, started from the packaged program; none is mocked."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell import Done, Run
from tests.patience import patient

from rms_tui.cli import main
from rms_tui.store.binary import mongod_program
from rms_tui.store.database import Rms, connect
from rms_tui.store.embedded import Embedded
from rms_tui.store.errors import StoreError


@pytest.fixture(scope="session")
def mongod_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return mongod_program(None, tmp_path_factory.mktemp("program"))
    except StoreError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def server_uri(mongod_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    embedded = Embedded(tmp_path_factory.mktemp("mongod"), str(mongod_path))
    yield embedded.uri(threading.Event())
    embedded.release()


@pytest.fixture
def database(server_uri: str) -> Iterator[Rms]:
    """A database of this test's own."""
    found = connect(patient(server_uri), f"rms_{uuid.uuid4().hex[:12]}")
    yield found
    found.client.drop_database(found.name)
    found.client.close()


@pytest.fixture
def rms(
    server_uri: str,
    database: Rms,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMS_MONGODB_URI", patient(server_uri))
    monkeypatch.setenv("RMS_MONGODB_DATABASE", database.name)

    def run(*words: str) -> Done:
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        out, err = capfdbinary.readouterr()
        return Done(int(ended.value.code or 0), out.decode(), err.decode())

    return run

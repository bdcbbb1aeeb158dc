"""The fleet's verbs in this process, with stdin, a key file and a database of the test's own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.patience import patient

from rms_tui.cli import main
from rms_tui.store.database import Rms


@dataclass
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


def console(
    server_uri: str,
    database: Rms,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    """`run("element", "list", typed=b"...")`: its status, stdout and stderr."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RMS_MONGODB_URI", patient(server_uri))
    monkeypatch.setenv("RMS_MONGODB_DATABASE", database.name)
    monkeypatch.setenv("RMS_DATA_DIR", str(folder / "data"))

    def run(*words: str, typed: bytes = b"") -> Done:
        capfdbinary.readouterr()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed)))
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        out, err = capfdbinary.readouterr()
        return Done(int(ended.value.code or 0), out.decode(), err.decode())

    return run
